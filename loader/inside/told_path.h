/* What one process was told of a command's path holds for the others of the program: `which` prints a path, and who reads
   that looks at the path itself, or has another process look (docs/decisions/0016). */
#ifndef DENIZEN_INSIDE_TOLD_PATH_H
#define DENIZEN_INSIDE_TOLD_PATH_H

#include <stdbool.h>

/* Records that this process, and so each one above it, was told that a command is at a path. */
void told_path_record(const char *path);
/* Whether this process was told so, one below it, or one below its parents of the same process group. */
bool told_path_holds(const char *path);

#endif
