/* What policy kept out, told when the program ends in failure. */
#ifndef DENIZEN_RESIDENT_FAILURE_NOTE_H
#define DENIZEN_RESIDENT_FAILURE_NOTE_H

#include "../resident.h"
#include "object.h"

/* The program's C library, in which a function to be called at the end is registered. */
void failure_note_know(const struct link_map *object);
/* A name was missed. If the helper left a line about it, the program's end tells that, should it be a failure. */
void regret(const struct resident_facts *facts, const char *name);

#endif
