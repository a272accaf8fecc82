/* Finite state entropy: tables and their descriptions (RFC 8878, 4.1). */
#ifndef DENIZEN_FSE_H
#define DENIZEN_FSE_H

#include "bits.h"
#include "zstd.h"

enum { FSE_SYMBOLS = 64 };

/* A table for these counts, which add up to 1 << log; -1 counts as less than one. */
void fse_build(struct fse_table *table, const int16_t *counts, unsigned symbols, unsigned log);
/* The table described at `in`; returns the size of the description, 0 where it is none. */
size_t fse_read(struct fse_table *table, const uint8_t *in, size_t size, unsigned max_symbol, unsigned max_log);

static inline void fse_next(const struct fse_table *table, uint16_t *state, struct bits *bits)
{
    struct fse_row row = table->rows[*state];
    *state = (uint16_t)(row.base + bits_take(bits, row.bits));
}

#endif
