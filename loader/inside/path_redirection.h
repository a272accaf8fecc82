/* Redirection of paths to the files they stand for. */
#ifndef DENIZEN_INSIDE_PATH_REDIRECTION_H
#define DENIZEN_INSIDE_PATH_REDIRECTION_H

#include "loader_facts.h"

/* Whether paths are redirected at all: where the kernel knows the program and shows it files they are left as they are. */
bool paths_are_redirected(void);
/* Whether a path is /proc/self/exe in one of its spellings. */
bool is_own_file(const char *path);
/* The path to use in its place: the program for /proc/self/exe; in the resource tree what the host lacks.
   `room` has PATH_ROOM bytes. Often the path itself. */
const char *redirected(const char *path, char *room);
/* The same for those who ask about the last link itself. */
const char *redirected_link(const char *path, char *room);
/* The length of what stands before a pattern in `room`, where it is one for files of the resource tree; 0 for none. */
size_t redirected_pattern(const char *pattern, char *room);

#endif
