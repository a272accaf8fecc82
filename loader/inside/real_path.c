/* The C library's functions that enter a directory, describe a file system, or give the real form of a path: each passes on
   to the next definition, with the path of the file that is meant. */
#include "forwarding.h"

#define PATH const char *path
#define READ redirected(path, room)

NUMBER(chdir, READ, (PATH), (path))
NUMBER(statfs, READ, (PATH, void *facts), (path, facts))
NUMBER(statfs64, READ, (PATH, void *facts), (path, facts))
NUMBER(statvfs, READ, (PATH, void *facts), (path, facts))
NUMBER(statvfs64, READ, (PATH, void *facts), (path, facts))
POINTER(realpath, READ, (PATH, char *resolved), (path, resolved))
POINTER(__realpath_chk, READ, (PATH, char *resolved, size_t size), (path, resolved, size))
POINTER(canonicalize_file_name, READ, (PATH), (path))
