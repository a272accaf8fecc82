/* Answers for what an emulated program misses while it runs: from outside, because no library of denizen's is built for
   its machine (docs/decisions/0019). */
#ifndef DENIZEN_ENTER_ANSWERS_H
#define DENIZEN_ENTER_ANSWERS_H

#include "command_places.h"
#include "mounts.h"

/* Leave a process behind that answers until this one and all its descendants have ended. `directories` are those of
   sysroots, each with a slash at its end; `helper` are the words that have denizen answer; `places` is null where names
   for commands cannot be made. Where a process does so already nothing happens. */
long answers_begin(const struct names *directories, const struct names *helper, const struct command_places *places,
                   const char **call);

#endif
