#include "zstd.h"

#include "huffman.h"

/* RFC 8878, 3.1.1.3.2.1.1: lengths of literals and matches by their codes. */
static const uint32_t LENGTH_BASE[36] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,   10,  11,  12,   13,   14,   15,    16,    18,
                                         20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};
static const uint8_t LENGTH_BITS[36] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  1,  1,
                                        1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint32_t MATCH_BASE[53] = {3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,  15,  16,  17,   18,   19,   20,
                                        21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,  33,  34,  35,   37,   39,   41,
                                        43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539};
static const uint8_t MATCH_BITS[53] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0,  0, 0, 0, 0, 0,
                                       0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16};
/* 3.1.1.3.2.2: the distributions that need no description. */
static const int16_t LENGTH_COUNTS[36] = {4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
                                          2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1};
static const int16_t MATCH_COUNTS[53] = {1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1,  1, 1, 1, 1, 1, 1,
                                         1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  -1, -1, -1, -1, -1, -1, -1};
static const int16_t OFFSET_COUNTS[29] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1,
                                          1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1};
enum { MAX_LENGTH_CODE = 35, MAX_MATCH_CODE = 52, MAX_OFFSET_CODE = 31, MINIMUM_HEAD = 3 };

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct literals {
    const uint8_t *at;
    const uint8_t *end;
};

/* The output so far, and how much there may be. */
struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
};

static size_t left(const struct reader *in)
{
    return (size_t)(in->end - in->at);
}

static uint64_t take_number(struct reader *in, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)in->at[i] << (8 * i);
    in->at += bytes;
    return number;
}

static void fill(uint8_t *out, uint8_t byte, size_t size)
{
    while (size--)
        *out++ = byte;
}

/* Sixteen at a time, with slack behind both. */
static void copy_with_slack(uint8_t *out, const uint8_t *in, size_t size)
{
    for (size_t done = 0; done < size; done += 16)
        __builtin_memcpy(out + done, in + done, 16);
}

/* A match may lie over its own copy. */
static void copy_match(uint8_t *out, size_t offset, size_t size)
{
    if (offset >= 16) {
        copy_with_slack(out, out - offset, size);
        return;
    }
    for (size_t i = 0; i < size; i++)
        out[i] = (out - offset)[i];
}

static bool four_streams(struct zstd *zstd, size_t count, const uint8_t *in, size_t size)
{
    enum { JUMPS = 6 };
    size_t each = (count + 3) / 4, sizes[4];
    if (size < JUMPS || each * 3 > count)
        return false;
    sizes[3] = size - JUMPS;
    for (int i = 0; i < 3; i++) {
        sizes[i] = (size_t)in[2 * i] | (size_t)in[2 * i + 1] << 8;
        if (sizes[i] > sizes[3])
            return false;
        sizes[3] -= sizes[i];
    }
    in += JUMPS;
    for (size_t i = 0; i < 4; in += sizes[i++])
        if (!huffman_expand(&zstd->huffman, zstd->literals + i * each, i < 3 ? each : count - 3 * each, in, sizes[i]))
            return false;
    return true;
}

/* 3.1.1.3.1.1: kind, number of streams, and both sizes in one number. */
static bool coded_literals(struct zstd *zstd, struct reader *in, struct literals *literals)
{
    unsigned kind = in->at[0] & 3, form = in->at[0] >> 2 & 3;
    size_t bytes = form < 2 ? 3 : form + 2, width = form < 2 ? 10 : form * 4 + 6;
    if (left(in) < bytes)
        return false;
    uint64_t head = take_number(in, bytes) >> 4;
    size_t count = head & ((1ULL << width) - 1), size = head >> width & ((1ULL << width) - 1), used = 0;
    if (size > left(in) || count > ZSTD_MAX_BLOCK)
        return false;
    if (kind == 2 && !(used = huffman_read(&zstd->huffman, &zstd->weights, in->at, size)))
        return false;
    const uint8_t *streams = in->at + used;
    in->at += size;
    *literals = (struct literals){zstd->literals, zstd->literals + count};
    return form ? four_streams(zstd, count, streams, size - used)
                : huffman_expand(&zstd->huffman, zstd->literals, count, streams, size - used);
}

static bool read_literals(struct zstd *zstd, struct reader *in, struct literals *literals)
{
    static const uint8_t BYTES[4] = {1, 2, 1, 3}, SHIFT[4] = {3, 4, 3, 4};
    if (!left(in))
        return false;
    unsigned kind = in->at[0] & 3, form = in->at[0] >> 2 & 3;
    if (kind > 1)
        return coded_literals(zstd, in, literals);
    if (left(in) < BYTES[form])
        return false;
    size_t count = (size_t)take_number(in, BYTES[form]) >> SHIFT[form];
    if (count > ZSTD_MAX_BLOCK || left(in) < (kind ? 1 : count))
        return false;
    *literals = (struct literals){kind ? zstd->literals : in->at, (kind ? zstd->literals : in->at) + count};
    if (kind)
        fill(zstd->literals, *in->at, count);
    in->at += kind ? 1 : count;
    return true;
}

struct code {
    struct fse_table *table;
    const int16_t *counts;
    unsigned symbols, log, max_symbol, max_log;
};

/* How one of the three codes is given: as everybody knows it, one symbol, described, or as in the block before. */
static bool read_code(const struct code *code, unsigned mode, struct reader *in)
{
    enum { KNOWN, ONE, DESCRIBED };
    if (mode == KNOWN) {
        fse_build(code->table, code->counts, code->symbols, code->log);
    } else if (mode == ONE) {
        if (!left(in) || *in->at > code->max_symbol)
            return false;
        code->table->log = 0;
        code->table->rows[0] = (struct fse_row){0, *in->at++, 0};
    } else if (mode == DESCRIBED) {
        size_t used = fse_read(code->table, in->at, left(in), code->max_symbol, code->max_log);
        in->at += used;
        return used != 0;
    }
    return code->table->log <= FSE_BITS; /* what never was is larger */
}

static bool read_codes(struct zstd *zstd, struct reader *in)
{
    if (!left(in))
        return false;
    unsigned modes = *in->at++;
    const struct code codes[3] = {
        {&zstd->lengths, LENGTH_COUNTS, 36, 6, MAX_LENGTH_CODE, 9},
        {&zstd->offsets, OFFSET_COUNTS, 29, 5, MAX_OFFSET_CODE, 8},
        {&zstd->matches, MATCH_COUNTS, 53, 6, MAX_MATCH_CODE, 9},
    };
    for (int i = 0; i < 3; i++)
        if (!read_code(&codes[i], modes >> (6 - 2 * i) & 3, in))
            return false;
    return true;
}

static bool read_count(struct reader *in, size_t *count)
{
    if (!left(in))
        return false;
    size_t first = *in->at++;
    *count = first;
    if (first < 128)
        return true;
    if (left(in) < (first < 255 ? 1 : 2))
        return false;
    *count = first < 255 ? ((first - 128) << 8) + take_number(in, 1) : take_number(in, 2) + 0x7F00;
    return true;
}

/* 3.1.1.5: values up to three are the last offsets; without literals those but one. */
static uint32_t offset_of(uint32_t *repeated, uint64_t value, size_t literals)
{
    uint64_t which = value > 3 ? 3 : value - 1 + !literals;
    uint64_t offset = value > 3 ? value - 3 : which == 3 ? repeated[0] - 1 : repeated[which];
    if (which > 1)
        repeated[2] = repeated[1];
    if (which)
        repeated[1] = repeated[0];
    return repeated[0] = (uint32_t)offset;
}

struct sequence {
    size_t literals, match;
    uint64_t offset;
};

static bool write_sequence(struct writer *out, struct literals *literals, const struct sequence *sequence)
{
    size_t room = (size_t)(out->end - out->at);
    if (sequence->literals > (size_t)(literals->end - literals->at) || sequence->literals > room ||
        sequence->match > room - sequence->literals)
        return false;
    copy_with_slack(out->at, literals->at, sequence->literals);
    out->at += sequence->literals;
    literals->at += sequence->literals;
    if (!sequence->offset || sequence->offset > (size_t)(out->at - out->start))
        return false;
    copy_match(out->at, sequence->offset, sequence->match);
    out->at += sequence->match;
    return true;
}

static bool write_sequences(struct zstd *zstd, const struct reader *in, size_t count, struct literals *literals,
                            struct writer *out)
{
    struct bits bits;
    if (!bits_begin(&bits, in->at, left(in)))
        return false;
    uint16_t length = (uint16_t)bits_take(&bits, zstd->lengths.log);
    uint16_t offset = (uint16_t)bits_take(&bits, zstd->offsets.log);
    uint16_t match = (uint16_t)bits_take(&bits, zstd->matches.log);
    while (count--) {
        unsigned offset_code = zstd->offsets.rows[offset].symbol;
        unsigned match_code = zstd->matches.rows[match].symbol, length_code = zstd->lengths.rows[length].symbol;
        uint64_t value = (1ULL << offset_code) + bits_take(&bits, offset_code);
        struct sequence sequence = {.match = MATCH_BASE[match_code] + bits_take(&bits, MATCH_BITS[match_code])};
        sequence.literals = LENGTH_BASE[length_code] + bits_take(&bits, LENGTH_BITS[length_code]);
        sequence.offset = offset_of(zstd->repeated, value, sequence.literals);
        if (count) {
            fse_next(&zstd->lengths, &length, &bits);
            fse_next(&zstd->matches, &match, &bits);
            fse_next(&zstd->offsets, &offset, &bits);
        }
        if (bits.left < 0 || !write_sequence(out, literals, &sequence))
            return false;
    }
    return bits.left == 0;
}

static bool expand_block(struct zstd *zstd, struct reader in, struct writer *out)
{
    struct literals literals;
    size_t count;
    if (!read_literals(zstd, &in, &literals) || !read_count(&in, &count))
        return false;
    if (count && (!read_codes(zstd, &in) || !write_sequences(zstd, &in, count, &literals, out)))
        return false;
    if (!count && left(&in))
        return false;
    size_t rest = (size_t)(literals.end - literals.at);
    if (rest > (size_t)(out->end - out->at))
        return false;
    copy_with_slack(out->at, literals.at, rest);
    out->at += rest;
    return true;
}

static bool plain_block(struct reader in, size_t size, bool repeated, struct writer *out)
{
    if (size > (size_t)(out->end - out->at))
        return false;
    if (repeated)
        fill(out->at, *in.at, size);
    else
        copy_with_slack(out->at, in.at, size);
    out->at += size;
    return true;
}

/* 3.1.1.1: of the window's size nothing is needed, as the whole output is there. */
static bool read_head(struct reader *in)
{
    static const uint8_t NAMED[4] = {0, 1, 2, 4}, SIZED[4] = {0, 2, 4, 8};
    enum { MAGIC = 5 };
    if (left(in) < MAGIC || take_number(in, 4) != 0xFD2FB528)
        return false;
    unsigned flags = *in->at++, single = flags >> 5 & 1;
    size_t more = (size_t)(1 - single) + NAMED[flags & 3] + (flags >> 6 ? SIZED[flags >> 6] : single);
    if (flags & 3 || left(in) < more)
        return false;
    in->at += more;
    return true;
}

bool zstd_expand(struct zstd *zstd, uint8_t *out, size_t out_size, const uint8_t *in, size_t in_size)
{
    enum { RAW, REPEATED, COMPRESSED };
    struct reader reader = {in, in + in_size};
    struct writer writer = {out, out, out + out_size};
    zstd->huffman.log = 0;
    zstd->lengths.log = zstd->offsets.log = zstd->matches.log = FSE_BITS + 1;
    zstd->repeated[0] = 1;
    zstd->repeated[1] = 4;
    zstd->repeated[2] = 8;
    if (!read_head(&reader))
        return false;
    for (bool last = false; !last;) {
        if (left(&reader) < MINIMUM_HEAD)
            return false;
        uint64_t head = take_number(&reader, MINIMUM_HEAD);
        unsigned kind = head >> 1 & 3;
        size_t size = (size_t)(head >> 3), there = kind == REPEATED ? 1 : size;
        last = head & 1;
        if (kind > COMPRESSED || there > left(&reader))
            return false;
        struct reader block = {reader.at, reader.at + there};
        if (!(kind == COMPRESSED ? expand_block(zstd, block, &writer)
                                 : plain_block(block, size, kind == REPEATED, &writer)))
            return false;
        reader.at += there;
    }
    return writer.at == writer.end;
}
