/* Places that programs look at for what is installed, and that packages fill. */
#ifndef DENIZEN_LOOKED_PLACES_H
#define DENIZEN_LOOKED_PLACES_H

#include <stdint.h>

/* Return the place that a path is at or below, and its bit; null for none. */
const char *looked_place_of(const char *path, uint64_t *bit);

#endif
