/* Libraries that policy kept out: what is told of them when the program ends in failure. */
#ifndef DENIZEN_RESIDENT_KEPT_OUT_H
#define DENIZEN_RESIDENT_KEPT_OUT_H

#include "../resident.h"
#include "link_map.h"

/* The program's C library, in which a function to be called at the end is registered. */
void kept_out_know(const struct link_map *object);
/* A name was missed. If the helper left a line about it, the program's end tells that, should it be a failure. */
void kept_out_note(const struct resident_facts *facts, const char *name);

#endif
