/* Unwind tables of ELF files, as a bundle's image has them (docs/formats/bundle.md). */
#ifndef DENIZEN_UNWIND_H
#define DENIZEN_UNWIND_H

#include <stddef.h>
#include <stdint.h>

/* Put back the records of functions and the sorted tables of them. */
void unwind_restore(uint8_t *content, size_t size);

#endif
