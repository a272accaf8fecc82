/* The variable PATH of a program's environment. */
#ifndef DENIZEN_PATH_VARIABLE_H
#define DENIZEN_PATH_VARIABLE_H

/* Add DIRECTORY at the end of PATH, unless PATH has it or is not set: then execvp(3) and shells have /bin and /usr/bin
   of themselves. A value too long is left as it is. The memory is never given back. */
void search_path_add(char **environment, const char *directory);

#endif
