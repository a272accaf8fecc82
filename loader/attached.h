/* What denizen-attach (attach/) tells the loader that it put before a program's own dynamic linker. */
#ifndef DENIZEN_ATTACHED_H
#define DENIZEN_ATTACHED_H

#include <stdint.h>

#define ATTACHED_MAGIC "DZATTA\1"

/* On the program's stack, far below what is in use: it is copied before anything else is done. */
struct attached_record {
    char magic[8];
    /* Where the dynamic linker that the kernel has mapped (AT_BASE) begins. */
    uint64_t entry;
    /* The process that attached, which ends and is waited for. */
    uint64_t tracer;
    /* Of the loader's file, to be closed. */
    uint64_t descriptor;
};

#endif
