/* A helper that a program waits for and does not notice. */
#ifndef DENIZEN_UNSEEN_CHILD_H
#define DENIZEN_UNSEEN_CHILD_H

#include "sys.h"

/* Comes back when the command has ended, or cannot be run; what it did is seen in the file system. */
void run_apart(const char *const *words);

#endif
