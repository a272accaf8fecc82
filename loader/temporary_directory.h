/* The directory for temporary files of programs that unpack themselves and execute what they unpacked. */
#ifndef DENIZEN_TEMPORARY_DIRECTORY_H
#define DENIZEN_TEMPORARY_DIRECTORY_H

#include <stdbool.h>

/* Whether such a program fails with these variables: its directory is mounted noexec, or is not there. */
bool temporary_executes_nothing(char *const *environment);

#endif
