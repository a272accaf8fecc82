/* Addresses in the code of x86-64 programs, as a bundle's image has them (docs/formats/bundle.md). */
#ifndef DENIZEN_X86_H
#define DENIZEN_X86_H

#include <stddef.h>
#include <stdint.h>

/* Put back distances where an image has addresses. */
void x86_restore(uint8_t *content, size_t size);

#endif
