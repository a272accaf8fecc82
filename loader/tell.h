/* What is told to the libraries put into programs: the one inside those that the kernel does not know, and the
   resident, which answers for what a program opens while it runs. */
#ifndef DENIZEN_TELL_H
#define DENIZEN_TELL_H

#include "decision.h"
#include "inside.h"
#include "resident.h"

/* The library's path, where this loader is to put one into programs and it is there; else null. `own` is a bundle's;
   null for the one that the settings name. */
const char *tell_whom(const char *own);
/* Return the target of /proc/self/exe: a patched copy, or the loader. Empty without /proc. */
const char *tell_seen(struct arena *arena);
/* The path of the library that answers where the kernel cannot execute what the program starts, for a program that
   starts others (`decision`; null for one that does) and has no other rights than who started it; else null. */
const char *tell_exec_whom(const struct process *process, const struct decision *decision);
/* `program` is the file that was meant, `loader` starts its children; the decision may be null. */
const struct inside_facts *tell(struct arena *arena, const struct process *process, const struct decision *decision,
                                const char *program, const char *loader);
/* The same for the library that answers where the kernel cannot: we lie at the program's interpreter. */
const struct inside_facts *tell_exec(struct arena *arena, const struct process *process, const char *program);

/* The resident's path, for a decision that wants it and where this loader has it; null for a process that has
   other rights than the one who started it. */
const char *tell_resident_whom(const struct process *process, const struct decision *decision, const char *own);
/* `own` are directories that the program alone searches; null for none. */
const struct resident_facts *tell_resident(struct arena *arena, const struct process *process,
                                           const struct decision *decision, const char *own);

#endif
