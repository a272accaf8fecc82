/* What a helper is started with: nothing of the program's. */
#ifndef DENIZEN_CLEAN_START_H
#define DENIZEN_CLEAN_START_H

#include "sys.h"

/* Set for the helper alone: if the helper's own interpreter has no decision, nobody may be asked
   again. Children of the program never see it. */
#define HELPER_MARK "DENIZEN_DECIDING"
/* All else that it sees. The program's environment may be an attacker's where the program is root, and may
   say PYTHONHOME or LD_LIBRARY_PATH for the program's own sake; directories are in the command's words. */
#define HELPER_PATH "PATH=/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin:/run/current-system/profile/bin"

/* Of what a process inherits (execve(2), "Effect on process attributes") all that could steer it. */
void clean_start_make(void);

#endif
