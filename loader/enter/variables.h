/* Variables that an AppImage's own runtime would set for the program (denizen.app.appimage). */
#ifndef DENIZEN_ENTER_VARIABLES_H
#define DENIZEN_ENTER_VARIABLES_H

#include <stdbool.h>

/* Whether OPERATION sets a variable: set, set-name, set-program, set-directory. */
bool variables_knows(const char *operation);

/* Return the environment with one variable more, which replaces one of its name. WORD is NAME=VALUE, or NAME= for a
   value that OPERATION makes of PROGRAM's word, its absolute path, or the working directory. The memory is never given back. An
   environment of more than 8192 variables, or a value that cannot be told, leaves it as it was. */
char **variables_with(char **environment, const char *operation, const char *word, const char *program);

#endif
