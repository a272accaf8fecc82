/* Starts of the programs of a bundle (docs/decisions/0012). */
#ifndef DENIZEN_BUNDLE_START_H
#define DENIZEN_BUNDLE_START_H

#include "bundle.h"
#include "start.h"

/* Become the program at `path` by the decision about that file of the tree, or by that about the bundle's program, of
   which it may be a copy. */
void bundle_start_child(struct start *start, const struct bundle *bundle, const char *path);
/* A mapped program that this host has no dynamic linker for, and nothing was decided about, as one that the bundle's
   program unpacked: the bundle's linker and libraries may do. Comes back where it is for another C library. */
void bundle_start_adopted(struct start *start, const struct bundle *bundle);
/* We are a bundle's launcher (docs/decisions/0012). */
_Noreturn void bundle_start(struct start *start, const char *setting);

#endif
