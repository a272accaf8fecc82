/* Bits of a Zstandard stream that is read from its end (RFC 8878, 4.1). */
#ifndef DENIZEN_BITS_H
#define DENIZEN_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
    const uint8_t *start;
    long left; /* below zero: more was read than there is, as zeros */
};

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t word;
    __builtin_memcpy(&word, at, sizeof word);
    return word;
}

/* The last byte's highest set bit marks the end. False for none. */
static inline bool bits_begin(struct bits *bits, const uint8_t *start, size_t size)
{
    if (!size || !start[size - 1])
        return false;
    bits->start = start;
    bits->left = (long)size * 8 - 8 + (31 - __builtin_clz(start[size - 1]));
    return true;
}

/* At most 56; eight bytes from the first of the stream on can be read. */
static inline uint64_t bits_peek(const struct bits *bits, unsigned count)
{
    long at = bits->left - (long)count;
    if (at >= 0)
        return load64(bits->start + (at >> 3)) >> (at & 7) & ((1ULL << count) - 1);
    if (bits->left <= 0)
        return 0;
    return (load64(bits->start) & ((1ULL << bits->left) - 1)) << -at;
}

static inline uint64_t bits_take(struct bits *bits, unsigned count)
{
    uint64_t found = bits_peek(bits, count);
    bits->left -= (long)count;
    return found;
}

#endif
