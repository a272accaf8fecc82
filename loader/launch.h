/* The loader run as a program: `denizen-loader PROGRAM ARGS`, or through a link named after one. */
#ifndef DENIZEN_LAUNCH_H
#define DENIZEN_LAUNCH_H

#include "auxv.h"
#include "decision.h"

/* The path of the program that is meant, its name left as argv[0]. Does not return when the loader
   stands in for the host's ld.so and was run as that, or when nothing is meant. */
const char *launch_target(struct arena *arena, struct process *process);

/* The directory of the program, links resolved, as $ORIGIN has it; null if /proc does not tell. */
const char *launch_origin(struct arena *arena, const char *path);
/* Become the program by the kernel's own means. */
_Noreturn void launch_natively(const struct process *process, const char *path);
/* Become the decision's command, with the program and its arguments appended. */
_Noreturn void launch_command(struct arena *arena, const struct process *process,
                              const struct decision *decision, const char *path);

#endif
