/* Extension of an object's DT_RUNPATH. */
#ifndef DENIZEN_RESIDENT_RUNPATH_H
#define DENIZEN_RESIDENT_RUNPATH_H

#include "object.h"

/* Let an object that has a DT_RUNPATH search `directories` after it: it is not served by the program's DT_RPATH
   (glibc elf/dl-load.c, _dl_map_new_object), where the loader names them. */
void runpath_extend(const struct link_map *object, const char *directories);

#endif
