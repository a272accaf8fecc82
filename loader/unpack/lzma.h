/* LZMA streams in memory, without header: lc 3, lp 0, pb 2 (docs/formats/bundle.md). */
#ifndef DENIZEN_LZMA_H
#define DENIZEN_LZMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LZMA_STATES = 12,
    LZMA_POSITIONS = 4,
    LZMA_LITERALS = 8 * 0x300,
    LZMA_SLOTS = 64,
    LZMA_SHORT = 8,
};

/* Probabilities of 11 bits that the next bit is 0. Trees have no element 0. */
struct lzma_lengths {
    uint16_t choice, choice_long;
    uint16_t low[LZMA_POSITIONS][LZMA_SHORT], middle[LZMA_POSITIONS][LZMA_SHORT], high[256];
};

struct lzma_model {
    uint16_t is_match[LZMA_STATES][LZMA_POSITIONS], is_whole_repeat[LZMA_STATES][LZMA_POSITIONS];
    uint16_t is_repeat[LZMA_STATES], is_older[LZMA_STATES], is_third[LZMA_STATES], is_fourth[LZMA_STATES];
    uint16_t slots[4][LZMA_SLOTS], middle_bits[128], low_bits[16];
    struct lzma_lengths match, repeat;
    uint16_t literals[LZMA_LITERALS];
};

/* Whether the stream at `in` begins with exactly `out_size` bytes of content; an end marker is passed over. The model is
   the caller's memory. ZSTD_SLACK bytes behind the input may be read. */
bool lzma_expand(struct lzma_model *model, uint8_t *out, size_t out_size, const uint8_t *in, size_t in_size);

#endif
