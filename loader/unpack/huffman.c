#include "huffman.h"

enum { SYMBOLS = 256, WEIGHT_BITS = 6 };

/* Weights in a code of their own: two states take turns until the bits are used up. */
static unsigned read_coded_weights(uint8_t *weights, struct fse_table *table, const uint8_t *in, size_t size)
{
    struct bits bits;
    size_t used = fse_read(table, in, size, HUFFMAN_BITS, WEIGHT_BITS);
    if (!used || !bits_begin(&bits, in + used, size - used))
        return 0;
    uint16_t states[2];
    states[0] = (uint16_t)bits_take(&bits, table->log);
    states[1] = (uint16_t)bits_take(&bits, table->log);
    if (bits.left < 0)
        return 0;
    for (unsigned count = 0;; count++) {
        if (count > SYMBOLS - 3)
            return 0;
        weights[count] = table->rows[states[count & 1]].symbol;
        fse_next(table, &states[count & 1], &bits);
        if (bits.left < 0) {
            weights[count + 1] = table->rows[states[~count & 1]].symbol;
            return count + 2;
        }
    }
}

static unsigned read_weights(uint8_t *weights, struct fse_table *table, const uint8_t *in, size_t size, size_t *used)
{
    unsigned head = size ? in[0] : 0, count = head - 127;
    *used = 1 + (head < 128 ? head : (count + 1) / 2);
    if (!size || *used > size)
        return 0;
    if (head < 128)
        return read_coded_weights(weights, table, in + 1, head);
    for (unsigned i = 0; i < count; i++)
        weights[i] = i & 1 ? in[1 + i / 2] & 15 : in[1 + i / 2] >> 4;
    return count;
}

/* The last weight is not written: it fills the table up to a power of two. False where none does. */
static bool complete(struct huffman_table *table, uint8_t *weights, unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++) {
        if (weights[i] > HUFFMAN_BITS)
            return false;
        sum += weights[i] ? 1U << (weights[i] - 1) : 0;
    }
    if (!sum || sum >= 1U << HUFFMAN_BITS)
        return false;
    table->log = 32 - (unsigned)__builtin_clz(sum);
    unsigned rest = (1U << table->log) - sum;
    weights[count] = (uint8_t)(32 - __builtin_clz(rest));
    return table->log <= HUFFMAN_BITS && !(rest & (rest - 1));
}

size_t huffman_read(struct huffman_table *table, struct fse_table *scratch, const uint8_t *in, size_t size)
{
    uint8_t weights[SYMBOLS];
    size_t used;
    unsigned count = read_weights(weights, scratch, in, size, &used), at = 0;
    table->log = 0;
    if (!count || !complete(table, weights, count)) {
        table->log = 0;
        return 0;
    }
    for (unsigned weight = 1; weight <= table->log; weight++)
        for (unsigned symbol = 0; symbol <= count; symbol++)
            if (weights[symbol] == weight)
                for (unsigned left = 1U << (weight - 1); left; left--)
                    table->rows[at++] = (struct huffman_row){(uint8_t)symbol, (uint8_t)(table->log + 1 - weight)};
    return used;
}

bool huffman_expand(const struct huffman_table *table, uint8_t *out, size_t count, const uint8_t *in, size_t size)
{
    enum { AT_ONCE = 5 };
    struct bits bits;
    unsigned log = table->log;
    if (!log || !bits_begin(&bits, in, size))
        return false;
    uint8_t *end = out + count;
    /* One word has the bits of five symbols. */
    while (end - out >= AT_ONCE && bits.left >= 64) {
        long at = (bits.left + 7) / 8 - 8;
        uint64_t word = load64(bits.start + at) << (at * 8 + 64 - bits.left);
        for (int i = 0; i < AT_ONCE; i++) {
            struct huffman_row row = table->rows[word >> (64 - log)];
            *out++ = row.symbol;
            word <<= row.bits;
            bits.left -= row.bits;
        }
    }
    while (out < end) {
        struct huffman_row row = table->rows[bits_peek(&bits, log)];
        *out++ = row.symbol;
        bits.left -= row.bits;
    }
    return bits.left == 0;
}
