/* What the loader told us, and what comes after us. */
#ifndef DENIZEN_INSIDE_KNOWN_H
#define DENIZEN_INSIDE_KNOWN_H

#include "../inside.h"
#include "../sys.h"
#include "../text.h"

enum { PATH_ROOM = 4096 };

#define EXPORTED __attribute__((visibility("default")))
#define WEAK __attribute__((weak))

/* Null where nobody told us anything: then everything is passed on. */
const struct inside_facts *known(void);

/* Whether this is an address of the program itself, and of no library. */
bool is_of_program(uintptr_t address);

/* The next definition of a function after ours in the order of loading, as RTLD_NEXT has it; null for none.
   `place` remembers it. Reads only what ld.so wrote, so that it can be asked for after vfork too. */
typedef void any_function(void);
any_function *next_function(any_function **place, const char *name);

/* Set errno as the C library's functions do, and give what they give. */
long answer(long result);

#endif
