/* The program's dynamic section, rebuilt in memory (README.md gives the reasons). */
#ifndef DENIZEN_DYNAMIC_SECTION_H
#define DENIZEN_DYNAMIC_SECTION_H

#include "elf_mapping.h"
#include "inside.h"
#include "preload.h"
#include "resident.h"

/* The program as the kernel mapped it. */
struct program {
    const Phdr *phdr;
    size_t phnum;
    uintptr_t bias;
    uintptr_t page_size;
    /* Null when it has none (or a damaged header says it is nowhere). */
    Dyn *dynamic;
    size_t dynamic_count;
    bool dynamic_writable;
    const char *strings;
    size_t strings_size;
};

/* The additions to the program's own dynamic section. */
struct presentation {
    /* Null: nothing is loaded by path. */
    const struct decision *decision;
    /* Searched after the program's own run path: a list as in LD_LIBRARY_PATH, and a directory. Null for none. */
    const char *user_paths;
    const char *search;
    /* Shown by ld.so as its own name. */
    const char *ldso;
    /* What $ORIGIN in the program's run path means when /proc/self/exe does not tell; else null. */
    const char *origin;
    /* The library to load before all others, and its facts; null for none. */
    const char *inside;
    const struct inside_facts *facts;
    /* The LD_PRELOAD that ld.so sees; null for no change. */
    const struct preload *preload;
    /* The auditing library (rtld-audit(7)), and its facts; null for none. */
    const char *resident;
    const struct resident_facts *resident_facts;
};

struct program program_read(const struct process *process);
/* Return the string an entry names, or null. */
const char *program_string(const struct program *program, const Dyn *entry);
/* Return the dynamic linker that the program's headers name, or null. */
const char *program_interpreter(const struct program *program);
/* Return the list of directories of the program's DT_RUNPATH with `origin` for its tokens, or null for none. */
const char *program_own_directories(struct arena *arena, const struct program *program, const char *origin);
/* Build the new table and make AT_PHDR name it. */
void present(struct arena *arena, const struct process *process, const struct program *program,
             const struct presentation *presentation);
/* The program's own section, which nobody loads from any more, as glibc's ld.so would leave it: for
   code and debuggers that read it. After `present`, which copies it. */
void reflect_addresses(const struct program *program);
void reflect_debugger(const struct program *program, uintptr_t r_debug);

#endif
