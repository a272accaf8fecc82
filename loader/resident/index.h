/* The indexes of packages, as far as a miss needs them: whether anybody has a name at all (docs/formats/index-file.md). */
#ifndef DENIZEN_RESIDENT_INDEX_H
#define DENIZEN_RESIDENT_INDEX_H

#include "../sys.h"
#include "../text.h"

/* Whether the indexes that links below `directory` lead to (0, 1, ...) are all there and none has the name. */
bool index_rules_out(const char *directory, const char *name);

#endif
