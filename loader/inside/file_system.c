/* The C library's functions that enter a directory or describe a file system: each passes on to the next definition, with
   the path of the file that is meant. */
#include "forwarding.h"

#define PATH const char *path
#define READ redirected(path, room)

NUMBER(chdir, READ, (PATH), (path))
NUMBER(statfs, READ, (PATH, void *facts), (path, facts))
NUMBER(statfs64, READ, (PATH, void *facts), (path, facts))
NUMBER(statvfs, READ, (PATH, void *facts), (path, facts))
NUMBER(statvfs64, READ, (PATH, void *facts), (path, facts))
