/* The indexes of packages, as far as a missing library needs them (docs/formats/index-file.md). */
#ifndef DENIZEN_RESIDENT_PACKAGE_INDEX_H
#define DENIZEN_RESIDENT_PACKAGE_INDEX_H

#include "../sys.h"
#include "../text.h"

/* The table of library names of one mapped index file: lines `name TAB kind TAB package TAB path TAB link`, sorted. */
struct index {
    const char *start;
    size_t size;
    const char *lines;
    size_t length;
    const char *offsets;
    size_t count;
};

/* Map the index that the link NUMBER below `directory` leads to. False: there is no such link. A file that is no
   index, or is damaged, has no lines: `count` is 0. */
bool index_open(const char *directory, uint32_t number, struct index *index);
void index_close(const struct index *index);
/* Return where a line begins, and how much of the table is left from there; null for a line that is not in the file. */
const char *index_line(const struct index *index, size_t number, size_t *left);
/* Return the number of the first line whose name is not less than this one; a name ends at a NUL or a tab. */
size_t index_from(const struct index *index, const char *name);
/* Whether a line is of this name, which ends at a NUL or a tab. */
bool index_has(const struct index *index, const char *name);

/* Whether the indexes that links below `directory` lead to (0, 1, ...) are all there and none has the name. */
bool index_rules_out(const char *directory, const char *name);

#endif
