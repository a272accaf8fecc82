/* The process of a helper: it is started with nothing of the program's. */
#ifndef DENIZEN_HELPER_PROCESS_H
#define DENIZEN_HELPER_PROCESS_H

#include "sys.h"

/* Set for the helper alone: if the helper's own interpreter has no decision, nobody may be asked
   again. Children of the program never see it. */
#define HELPER_MARK "DENIZEN_DECIDING"
/* All else that it sees. The program's environment may be an attacker's where the program is root, and may
   say PYTHONHOME or LD_LIBRARY_PATH for the program's own sake; directories are in the command's words. */
#define HELPER_PATH "PATH=/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin:/run/current-system/profile/bin"

/* Reset what this process inherited from the program (execve(2), "Effect on process attributes") and could steer the
   helper: limits, files, signals, umask, personality, working directory. */
void helper_process_prepare(void);

#endif
