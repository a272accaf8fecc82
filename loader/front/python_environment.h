/* The environment that denizen's own Python is started with. */
#ifndef DENIZEN_PYTHON_ENVIRONMENT_H
#define DENIZEN_PYTHON_ENVIRONMENT_H

/* LD_LIBRARY_PATH is the user's word on the program: its libraries may be another system's, and Python would not start
   with them (libm.so.6, libz.so.1, libexpat.so.1). So the host's Python gets of it only what lies in the host's own
   directories, where ld.so looks anyway. Another Python may need the variable to find its own libraries, and is only
   kept from directories with a C library in them, outside of the host's. The whole is in DENIZEN_LIBRARY_PATH, which
   denizen.launch.process_state turns back before anything reads it.

   Returns `environment` itself where the variable is not set. */
char **python_environment(const char *python, char **environment);

#endif
