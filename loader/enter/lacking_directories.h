/* Directories of state that packages count on and a host lacks. */
#ifndef DENIZEN_LACKING_DIRECTORIES_H
#define DENIZEN_LACKING_DIRECTORIES_H

#include "mounts.h"

/* Each of DIRECTORIES, absolute and sorted, is there below ROOT: where one is missing, an empty file system takes the
   place of the first name that is, and the directory which that is in is shown again, entry by entry and closed to new
   names, so that nothing is made in the host's. Where a link or a file is on the way, nothing. STAGE is an empty
   directory used on the way. */
long lacking_directories_make(const char *root, const char *stage, const struct names *directories,
                              const char **object, const char **call);

#endif
