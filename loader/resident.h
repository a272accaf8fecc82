/* What the loader tells the part that stays in the process (resident/, README.md). An entry of the program's new
   dynamic section leads here. */
#ifndef DENIZEN_RESIDENT_H
#define DENIZEN_RESIDENT_H

#include <stdint.h>

/* A tag of the range for operating systems that nobody has: ld.so passes over those it does not know. */
#define RESIDENT_TAG 0x6a7a6e52
/* Both sides come from one build, and are put beside each other by one; a different one is not believed. */
#define RESIDENT_VERSION 4

/* What the links of a directory lead to, as launch/joined_libraries.py writes it. Every offset is from the start of the
   table, to a string that ends with a NUL. */
struct joined_libraries {
    uint32_t count;
    /* The decision's own directory of libraries, for which the table was made. */
    uint32_t of;
    /* By the bytes of the name, the smallest first. */
    struct joined_library {
        uint32_t name;
        uint32_t path;
    } row[];
};

struct resident_facts {
    uint64_t version;
    /* Searched last by every object: the decision's directory and `opened`, with a colon between. */
    const char *search;
    /* Of links to the libraries that came while the program ran. */
    const char *opened;
    /* The words of the helper, a null pointer after the last; null where nobody may be asked. */
    const char **words;
    /* Where among them the name that is missed belongs. */
    uint64_t name_at;
    /* Directories that only the program itself searches (its DT_RUNPATH), though ld.so has them as what every object
       inherits; null for none. */
    const char *own;
    /* A tree that has what is looked for at fixed paths and the host lacks; null for none. */
    const char *resources;
    /* Nonzero where the host has all that the program starts with: nothing of ours is looked for until then. */
    uint64_t later;
    /* Of the directory that `search` begins with; null where that is the decision's own. */
    const struct joined_libraries *joined;
};

#endif
