/* What the loader tells the library it puts inside programs that the kernel does not know (inside/, README.md).
   An entry of the program's new dynamic section leads here. */
#ifndef DENIZEN_INSIDE_H
#define DENIZEN_INSIDE_H

#include <stdint.h>

/* A tag of the range for operating systems that nobody has: ld.so passes over those it does not know. */
#define INSIDE_TAG 0x6a7a6e49
/* Both sides come from one build, and are put beside each other by one; a different one is not believed. */
#define INSIDE_VERSION 3

struct inside_facts {
    uint64_t version;
    /* The loader lies at the program's interpreter, so that the kernel is asked first, and answered for only where a
       dynamic linker or a command is not there. Else every foreign child goes through the loader. */
    uint64_t kernel_first;
    /* What /proc/self/exe is to lead to, and where it leads. */
    const char *program;
    const char *seen;
    /* Starts foreign programs: `LOADER --as FILE NAME ARGUMENT...`. */
    const char *loader;
    /* The same for programs of the other word size that this kernel starts; null for none. */
    const char *other_loader;
    /* A tree that has what is looked for at fixed paths and the host lacks; null for none. */
    const char *resources;
    /* Of links to the commands that were brought, and the words that have one brought, a null pointer in the place of
       its path and after the last; null where none is. */
    const char *commands;
    const char **words;
    uint64_t path_at;
    /* Programs below these are the host's: strings one after the other, the last one empty. */
    const char *host_prefixes;
};

#endif
