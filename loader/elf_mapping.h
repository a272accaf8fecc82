/* Mapping an ELF file as the kernel would. */
#ifndef DENIZEN_ELF_MAPPING_H
#define DENIZEN_ELF_MAPPING_H

#include "decision.h"

/* A mapped file: the offset added to its addresses, and its entry point. */
struct image {
    uintptr_t bias;
    uintptr_t entry;
    uintptr_t phdr;
    size_t phnum;
};

/* Map a program, or say why not and exit. */
struct image image_map(const char *path, uintptr_t page_size);
/* The same for a dynamic linker; where a loader of ours lies over the host's, for that one. The decision's edits are
   applied before anything of it can run; null for none. */
struct image image_map_linker(const char *path, uintptr_t page_size, const struct decision *edits);
/* Apply the decision's edits to a dynamic linker that the kernel has mapped, and that has not run yet. */
void image_edit_linker(uintptr_t bias, uintptr_t page_size, const struct decision *edits);
/* Restore what an entry stub lies over in the program. */
void image_restore(const Phdr *phdr, size_t count, uintptr_t bias, uintptr_t page_size,
                   const struct decision *edits);

/* Read from a file that is not mapped the facts a decision is compared with; return false if it is no program. */
bool image_inspect(const char *path, uintptr_t page_size, struct arena *arena, struct subject *subject);

#endif
