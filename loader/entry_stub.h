/* A program whose entry was patched to load us (src/denizen/launch/strategies/entry_stub.py makes the patch). */
#ifndef DENIZEN_ENTRY_STUB_H
#define DENIZEN_ENTRY_STUB_H

#include "arena.h"
#include "auxv.h"

/* What the patch made of PT_INTERP, so that the kernel starts the program without one: a number of the
   range for operating systems that nobody has, because the kernel and ld.so pass over unknown ones. */
#define STUB_INTERP 0x6a7a6e49

/* The record beside the stub's code in the program. */
struct stub_record {
    char magic[8];
    /* Its own address and the program's entry point, as the file numbers addresses. */
    uint64_t at;
    uint64_t entry;
};

/* Make AT_ENTRY what it was before the patch; the loader's path, which the stub keeps behind the record. */
const char *stub_undo(struct arena *arena, const struct process *process, const struct stub_record *stub);

#endif
