/* The facts passed by the loader, and the next definition of a function. */
#ifndef DENIZEN_INSIDE_LOADER_FACTS_H
#define DENIZEN_INSIDE_LOADER_FACTS_H

#include "../inside.h"
#include "../sys.h"
#include "../text.h"

#define EXPORTED __attribute__((visibility("default")))
#define WEAK __attribute__((weak))

/* Return the loader's facts; null if there are none, and then every call is passed on unchanged. */
const struct inside_facts *loader_facts(void);

/* Return whether an address is in the program itself, not in a library. */
bool is_of_program(uintptr_t address);

/* The next definition of a function after ours in the order of loading, as RTLD_NEXT has it; null for none.
   `place` remembers it. Reads only what ld.so wrote, so that it can be asked for after vfork too. */
typedef void any_function(void);
any_function *next_function(any_function **place, const char *name);

/* Convert a system call's result: set errno and return -1 for an error, as the C library's functions do. */
long result_or_errno(long result);
/* Whether errno says that there is no such file. */
bool has_no_entry(void);

#endif
