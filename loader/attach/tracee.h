/* A process that is traced (ptrace(2)), as it leaves execve(2): what it is made to do before its first instruction. */
#ifndef DENIZEN_ATTACH_TRACEE_H
#define DENIZEN_ATTACH_TRACEE_H

#include "../sys.h"

/* Trace a process that goes on running, until it executes a program. Return false where that is refused. */
bool tracee_seize(long process);
/* Wait for the program that it executes, and let it begin with the loader whose file it has open. Where anything else
   happens first, or fails, it is let go as it is. It is not traced any more afterwards. */
void tracee_begin_with_loader(long process, int descriptor, size_t size, uintptr_t entry);

#endif
