/* The libraries that this loader puts into programs, and the facts that it hands to each: denizen-inside, where the
   kernel knows the program by another file; denizen-exec, where the kernel cannot start what the program starts;
   denizen-resident, which answers for what a program opens while it runs. */
#ifndef DENIZEN_LIBRARY_FACTS_H
#define DENIZEN_LIBRARY_FACTS_H

#include "decision.h"
#include "inside.h"
#include "resident.h"

/* Return the path of denizen-inside: `own`, a bundle's, or else the one that the settings name; null where that is not
   there. */
const char *inside_library(const char *own);
/* Return the target of /proc/self/exe: a patched copy, or the loader. Empty without /proc. */
const char *executable_link(struct arena *arena);
/* Return the path of denizen-exec, for a program that starts others (by its decision; null for one that does) and has
   no other rights than the process that started it; else null. */
const char *exec_library(const struct process *process, const struct decision *decision);
/* Return the facts of denizen-inside. `program` is the file that the user named, `loader` starts its children; the
   decision may be null. */
const struct inside_facts *inside_facts_of(struct arena *arena, const struct process *process, const struct decision *decision,
                                const char *program, const char *loader);
/* Return the facts of denizen-exec: this loader lies at the program's interpreter. */
const struct inside_facts *exec_facts_of(struct arena *arena, const struct process *process, const char *program);

/* Return the path of denizen-resident, for a decision that wants it and where this loader has it; null for a process
   with other rights than the process that started it. */
const char *resident_library(const struct process *process, const struct decision *decision, const char *own);
/* Return the facts of denizen-resident. `own` are directories that the program alone searches; null for none. */
const struct resident_facts *resident_facts_of(struct arena *arena, const struct process *process,
                                           const struct decision *decision, const char *own);

#endif
