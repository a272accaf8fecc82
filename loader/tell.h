/* What is told to the library inside a program that the kernel does not know. */
#ifndef DENIZEN_TELL_H
#define DENIZEN_TELL_H

#include "decision.h"
#include "inside.h"

/* The library's path, where this loader is to put one into programs and it is there; else null. */
const char *tell_whom(void);
/* Where /proc/self/exe leads: a patched copy, or the loader. Empty without /proc. */
const char *tell_seen(struct arena *arena);
/* `program` is the file that was meant, `loader` starts its children; the decision may be null. */
const struct inside_facts *tell(struct arena *arena, const struct decision *decision, const char *program,
                                const char *loader);

#endif
