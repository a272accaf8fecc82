/* Variables that an AppImage's own runtime would set for the program (denizen.app.appimage), and TMPDIR for one that
   unpacks itself (denizen.app.temporary_directory). */
#ifndef DENIZEN_ENTER_VARIABLES_H
#define DENIZEN_ENTER_VARIABLES_H

#include <stdbool.h>

/* Whether OPERATION sets a variable: set, set-name, set-program, set-directory, temporary. */
bool variables_knows(const char *operation);

/* Return the environment with one variable more, which replaces one of its name. WORD is NAME=VALUE, or NAME= for a
   value that OPERATION makes of PROGRAM's word, its absolute path, or the working directory; a directory for TMPDIR,
   which is set where nothing can be executed in the one that the environment has. The memory is never given back. An
   environment of more than 8192 variables, or a value that cannot be told, leaves it as it was. */
char **variables_with(char **environment, const char *operation, const char *word, const char *program);

#endif
