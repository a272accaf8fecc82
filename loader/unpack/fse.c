#include "fse.h"

void fse_build(struct fse_table *table, const int16_t *counts, unsigned symbols, unsigned log)
{
    unsigned size = 1U << log, step = (size >> 1) + (size >> 3) + 3, high = size, at = 0;
    uint16_t next[FSE_SYMBOLS];
    table->log = log;
    for (unsigned symbol = 0; symbol < symbols; symbol++) {
        next[symbol] = counts[symbol] < 0 ? 1 : (uint16_t)counts[symbol];
        if (counts[symbol] < 0)
            table->rows[--high].symbol = (uint8_t)symbol;
    }
    for (unsigned symbol = 0; symbol < symbols; symbol++)
        for (int left = counts[symbol]; left > 0; left--) {
            table->rows[at].symbol = (uint8_t)symbol;
            do
                at = (at + step) & (size - 1);
            while (at >= high);
        }
    for (unsigned i = 0; i < size; i++) {
        struct fse_row *row = &table->rows[i];
        unsigned number = next[row->symbol]++;
        row->bits = (uint8_t)(log - (unsigned)(31 - __builtin_clz(number)));
        row->base = (uint16_t)((number << row->bits) - size);
    }
}

/* Bits of a description, which is read from its beginning. */
struct forward {
    const uint8_t *in;
    size_t size;
    size_t at;
};

static unsigned forward_peek(const struct forward *bits, unsigned count)
{
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t at = bits->at + i;
        if (at / 8 < bits->size)
            found |= (unsigned)(bits->in[at / 8] >> (at & 7) & 1) << i;
    }
    return found;
}

/* One count: of the values that are possible the smaller ones have a bit less. */
static int forward_count(struct forward *bits, int left)
{
    unsigned width = 32 - (unsigned)__builtin_clz((unsigned)left + 1);
    unsigned value = forward_peek(bits, width), low = value & ((1U << (width - 1)) - 1);
    unsigned small = (1U << width) - 1 - ((unsigned)left + 1);
    if (low < small) {
        bits->at += width - 1;
        return (int)low - 1;
    }
    bits->at += width;
    return (int)(value >= 1U << (width - 1) ? value - small : value) - 1;
}

size_t fse_read(struct fse_table *table, const uint8_t *in, size_t size, unsigned max_symbol, unsigned max_log)
{
    struct forward bits = {in, size, 4};
    int16_t counts[FSE_SYMBOLS] = {0};
    unsigned log = size ? (in[0] & 15U) + 5 : max_log + 1, symbol = 0;
    if (log > max_log)
        return 0;
    int left = 1 << log;
    while (left > 0 && symbol <= max_symbol) {
        int count = forward_count(&bits, left);
        counts[symbol++] = (int16_t)count;
        left -= count < 0 ? 1 : count;
        for (unsigned skipped = 3; !count && skipped == 3;) {
            skipped = forward_peek(&bits, 2);
            bits.at += 2;
            symbol += skipped;
            if (symbol > max_symbol)
                return 0;
        }
    }
    size_t used = (bits.at + 7) / 8;
    if (left || used > size)
        return 0;
    fse_build(table, counts, symbol, log);
    return used;
}
