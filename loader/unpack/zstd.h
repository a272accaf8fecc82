/* Zstandard frames (RFC 8878) in memory. */
#ifndef DENIZEN_ZSTD_H
#define DENIZEN_ZSTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Bytes behind the input and the output that may be read or written, whatever they hold. */
    ZSTD_SLACK = 32,
    ZSTD_MAX_BLOCK = 128 * 1024,
    HUFFMAN_BITS = 11,
    FSE_BITS = 9,
};

struct fse_row {
    uint16_t base;
    uint8_t symbol;
    uint8_t bits;
};

struct fse_table {
    struct fse_row rows[1 << FSE_BITS];
    unsigned log;
};

struct huffman_row {
    uint8_t symbol;
    uint8_t bits;
};

struct huffman_table {
    struct huffman_row rows[1 << HUFFMAN_BITS];
    unsigned log; /* 0: none was given yet */
};

/* What a frame's blocks hand on to the next, and room for one block's literals; the caller's memory. */
struct zstd {
    struct huffman_table huffman;
    struct fse_table lengths, offsets, matches, weights;
    uint32_t repeated[3];
    uint8_t literals[ZSTD_MAX_BLOCK + ZSTD_SLACK];
};

/* Whether the frame at `in` expands to exactly `out_size` bytes. No dictionary; a checksum is passed over. */
bool zstd_expand(struct zstd *zstd, uint8_t *out, size_t out_size, const uint8_t *in, size_t in_size);

#endif
