/* An object's DT_RUNPATH: its extension, and whose the program's is. */
#ifndef DENIZEN_RESIDENT_RUNPATH_H
#define DENIZEN_RESIDENT_RUNPATH_H

#include "link_map.h"

/* Let an object that has a DT_RUNPATH search `directories` after it: it is not served by the program's DT_RPATH
   (glibc elf/dl-load.c, _dl_map_new_object), where the loader names them. */
void runpath_extend(const struct link_map *object, const char *directories);
/* Whether `path` lies in one of the directories of a list and `asker` has no run path that could name it. */
bool runpath_is_anothers(const char *path, const char *directories, const struct link_map *asker);

#endif
