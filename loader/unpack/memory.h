/* An image unpacked into files that are in memory alone, for hosts on which nothing can be written. */
#ifndef DENIZEN_MEMORY_H
#define DENIZEN_MEMORY_H

#include "../bundle.h"
#include "packed_image.h"

bool memory_bundle(struct arena *arena, const struct packed *packed, struct bundle *bundle);

#endif
