/* The kernel's record of a process's start, which core files and `ps` show. */
#ifndef DENIZEN_KERNEL_RECORD_H
#define DENIZEN_KERNEL_RECORD_H

#include "auxv.h"

/* Run as a program, we are what it keeps: have it keep the auxiliary vector and the arguments that the program
   sees. Needs no privilege (kernel/sys.c, prctl_set_mm_map), but a kernel with CONFIG_CHECKPOINT_RESTORE; elsewhere
   all stays as it is. */
void kernel_tell(const struct process *process);

#endif
