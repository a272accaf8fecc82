/* Literals: Huffman's code with its description (RFC 8878, 4.2). */
#ifndef DENIZEN_HUFFMAN_H
#define DENIZEN_HUFFMAN_H

#include "fse.h"

/* The table described at `in`; returns the size of the description, 0 where it is none. */
size_t huffman_read(struct huffman_table *table, struct fse_table *scratch, const uint8_t *in, size_t size);
/* One stream of exactly `count` symbols. */
bool huffman_expand(const struct huffman_table *table, uint8_t *out, size_t count, const uint8_t *in, size_t size);

#endif
