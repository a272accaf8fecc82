#include "lzma.h"

/* The names are those of the LZMA SDK's specification (lzma-specification.txt) as far as it has any. */
enum {
    PROBABILITY_BITS = 11,
    EVEN = 1 << (PROBABILITY_BITS - 1),
    ADAPTATION = 5,
    HEAD = 5,
    FIRST_MATCH_STATE = 7,
    MINIMUM_MATCH = 2,
    FIRST_SLOT_OF_LOW_BITS = 14,
    LOW_BITS = 4,
};
static const uint32_t SMALLEST_RANGE = 1U << 24;

/* A symbol takes at most 23 modelled bits, each at most 6.1 bits of input, and 26 others: 21 bytes. So the end of the
   input is looked for once a symbol, and the slack behind it is enough. */
struct coder {
    const uint8_t *in;
    uint32_t range, code;
};

static inline void normalize(struct coder *coder)
{
    if (coder->range < SMALLEST_RANGE) {
        coder->range <<= 8;
        coder->code = coder->code << 8 | *coder->in++;
    }
}

static inline unsigned take_bit(struct coder *coder, uint16_t *probability)
{
    unsigned chance = *probability;
    normalize(coder);
    uint32_t bound = (coder->range >> PROBABILITY_BITS) * chance;
    if (coder->code < bound) {
        coder->range = bound;
        *probability = (uint16_t)(chance + (((1U << PROBABILITY_BITS) - chance) >> ADAPTATION));
        return 0;
    }
    coder->range -= bound;
    coder->code -= bound;
    *probability = (uint16_t)(chance - (chance >> ADAPTATION));
    return 1;
}

/* Without a branch, where bits are hard to foretell. */
static inline unsigned take_hard_bit(struct coder *coder, uint16_t *probability)
{
    enum { ROUND_DOWN = (1 << ADAPTATION) - 1 - (1 << PROBABILITY_BITS) };
    unsigned chance = *probability;
    normalize(coder);
    uint32_t bound = (coder->range >> PROBABILITY_BITS) * chance, one = 0U - (uint32_t)(coder->code >= bound);
    coder->code -= bound & one;
    coder->range = (bound & ~one) + ((coder->range - bound) & one);
    *probability = (uint16_t)((int)chance - (((int)chance + (int)(~one & (uint32_t)ROUND_DOWN)) >> ADAPTATION));
    return one & 1;
}

static inline unsigned take_tree(struct coder *coder, uint16_t *tree, unsigned bits)
{
    unsigned node = 1;
    for (unsigned i = 0; i < bits; i++)
        node = node << 1 | take_hard_bit(coder, &tree[node]);
    return node - (1U << bits);
}

/* The lowest bit first. */
static inline uint32_t take_reversed(struct coder *coder, uint16_t *tree, unsigned bits)
{
    unsigned node = 1;
    uint32_t number = 0;
    for (unsigned i = 0; i < bits; i++) {
        unsigned bit = take_bit(coder, &tree[node]);
        node = node << 1 | bit;
        number |= (uint32_t)bit << i;
    }
    return number;
}

static inline uint32_t take_even(struct coder *coder, unsigned bits)
{
    uint32_t number = 0;
    while (bits--) {
        normalize(coder);
        coder->range >>= 1;
        uint32_t bit = coder->code >= coder->range;
        coder->code -= coder->range & (0U - bit);
        number = number << 1 | bit;
    }
    return number;
}

static unsigned take_length(struct coder *coder, struct lzma_lengths *lengths, unsigned position)
{
    if (!take_bit(coder, &lengths->choice))
        return MINIMUM_MATCH + take_tree(coder, lengths->low[position], 3);
    if (!take_bit(coder, &lengths->choice_long))
        return MINIMUM_MATCH + 8 + take_tree(coder, lengths->middle[position], 3);
    return MINIMUM_MATCH + 16 + take_tree(coder, lengths->high, 8);
}

/* Distances count from 0. The largest, 2^32 - 1, is the end marker, and too far for any output. */
static uint32_t take_distance(struct coder *coder, struct lzma_model *model, unsigned length)
{
    unsigned kind = length - MINIMUM_MATCH < 3 ? length - MINIMUM_MATCH : 3;
    unsigned slot = take_tree(coder, model->slots[kind], 6);
    if (slot < 4)
        return slot;
    unsigned bits = (slot >> 1) - 1;
    uint32_t distance = (2 | (slot & 1)) << bits;
    if (slot < FIRST_SLOT_OF_LOW_BITS)
        return distance + take_reversed(coder, model->middle_bits + distance - slot, bits);
    distance += take_even(coder, bits - LOW_BITS) << LOW_BITS;
    return distance + take_reversed(coder, model->low_bits, LOW_BITS);
}

/* Most of the time goes into literals: the coder is kept in registers. */
static uint8_t take_plain(struct coder *coder, uint16_t *tree, unsigned node)
{
    struct coder local = *coder;
    while (node < 0x100)
        node = node << 1 | take_hard_bit(&local, &tree[node]);
    *coder = local;
    return (uint8_t)node;
}

/* After a match the byte that would have gone on with it is a context, as long as it agrees. */
static uint8_t take_guessed(struct coder *coder, uint16_t *tree, unsigned guess)
{
    struct coder local = *coder;
    unsigned node = 1, next = 0, bit = 0;
    while (node < 0x100 && bit == next) {
        next = guess >> 7 & 1;
        bit = take_hard_bit(&local, &tree[((1 + next) << 8) + node]);
        node = node << 1 | bit;
        guess <<= 1;
    }
    *coder = local;
    return take_plain(coder, tree, node);
}

static unsigned state_after_literal(unsigned state)
{
    return state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
}

struct stream {
    struct coder coder;
    uint8_t *start, *at, *end;
    uint32_t distances[4];
    unsigned state;
};

static void to_the_front(uint32_t *distances, unsigned which)
{
    uint32_t distance = distances[which];
    for (; which; which--)
        distances[which] = distances[which - 1];
    distances[0] = distance;
}

/* A match at one of the last four distances; returns its length. */
static unsigned take_repeat(struct stream *stream, struct lzma_model *model, unsigned position)
{
    struct coder *coder = &stream->coder;
    unsigned state = stream->state;
    bool before = state < FIRST_MATCH_STATE;
    if (!take_bit(coder, &model->is_older[state])) {
        if (!take_bit(coder, &model->is_whole_repeat[state][position])) {
            stream->state = before ? 9 : 11;
            return 1;
        }
    } else if (!take_bit(coder, &model->is_third[state])) {
        to_the_front(stream->distances, 1);
    } else {
        to_the_front(stream->distances, 2 + take_bit(coder, &model->is_fourth[state]));
    }
    stream->state = before ? 8 : 11;
    return take_length(coder, &model->repeat, position);
}

static unsigned take_match(struct stream *stream, struct lzma_model *model, unsigned position)
{
    unsigned length = take_length(&stream->coder, &model->match, position);
    uint32_t distance = take_distance(&stream->coder, model, length);
    to_the_front(stream->distances, 3);
    stream->distances[0] = distance;
    stream->state = stream->state < FIRST_MATCH_STATE ? 7 : 10;
    return length;
}

static bool copy(struct stream *stream, unsigned length)
{
    size_t distance = (size_t)stream->distances[0] + 1;
    if (distance > (size_t)(stream->at - stream->start) || length > (size_t)(stream->end - stream->at))
        return false;
    const uint8_t *from = stream->at - distance;
    for (uint8_t *end = stream->at + length; stream->at < end;)
        *stream->at++ = *from++;
    return true;
}

static bool add_literal(struct stream *stream, struct lzma_model *model)
{
    size_t done = (size_t)(stream->at - stream->start), distance = (size_t)stream->distances[0] + 1;
    unsigned before = done ? stream->at[-1] : 0;
    bool after_match = stream->state >= FIRST_MATCH_STATE;
    if (after_match && distance > done)
        return false;
    uint16_t *tree = model->literals + 0x300 * (before >> 5);
    uint8_t literal = after_match ? take_guessed(&stream->coder, tree, *(stream->at - distance)) : take_plain(&stream->coder, tree, 1);
    *stream->at++ = literal;
    stream->state = state_after_literal(stream->state);
    return true;
}

static bool add_symbol(struct stream *stream, struct lzma_model *model)
{
    unsigned position = (unsigned)(stream->at - stream->start) & (LZMA_POSITIONS - 1);
    if (!take_bit(&stream->coder, &model->is_match[stream->state][position]))
        return add_literal(stream, model);
    bool repeated = take_bit(&stream->coder, &model->is_repeat[stream->state]);
    return copy(stream, repeated ? take_repeat(stream, model, position) : take_match(stream, model, position));
}

bool lzma_expand(struct lzma_model *model, uint8_t *out, size_t out_size, const uint8_t *in, size_t in_size)
{
    uint16_t *chances = (uint16_t *)model;
    struct stream stream = {{in + HEAD, UINT32_MAX, 0}, out, out, out + out_size, {0, 0, 0, 0}, 0};
    const uint8_t *in_end = in + in_size;
    if (in_size < HEAD || in[0])
        return false;
    for (int i = 1; i < HEAD; i++)
        stream.coder.code = stream.coder.code << 8 | in[i];
    for (size_t i = 0; i < sizeof *model / sizeof *chances; i++)
        chances[i] = EVEN;
    while (stream.at < stream.end)
        if (stream.coder.in > in_end || !add_symbol(&stream, model))
            return false;
    return stream.coder.in <= in_end;
}
