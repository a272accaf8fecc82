/* Files that an object opened by the program names and this root lacks. */
#ifndef DENIZEN_RESIDENT_MENTIONED_FILES_H
#define DENIZEN_RESIDENT_MENTIONED_FILES_H

#include "../resident.h"
#include "link_map.h"

/* Look once for each file whether it names such places, and have what belongs there shown: fonts for an addon that
   draws, authorities for one that speaks TLS. What packages have is not looked at: its files come with it. */
void mentioned_files_look(const struct resident_facts *facts, const struct link_map *object);

#endif
