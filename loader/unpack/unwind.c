#include "unwind.h"

#include <stdbool.h>

/* A table's head: mark, distance to the records, number of entries. A record: length, what functions share, start,
   size. A record is as long as these at least, without its length. */
enum { HEAD = 12, PAIR = 8, SHORTEST = 12 };

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_word(uint8_t *at, uint32_t number)
{
    at[0] = (uint8_t)number;
    at[1] = (uint8_t)(number >> 8);
    at[2] = (uint8_t)(number >> 16);
    at[3] = (uint8_t)(number >> 24);
}

/* The records of one table, and its entries, which are distances from the table's head. */
struct table {
    uint8_t *content;
    size_t size;
    size_t at;
    size_t frames;
    uint32_t count;
};

static bool is_empty(const struct table *table)
{
    const uint8_t *pairs = table->content + table->at + HEAD;
    for (size_t i = 0; i < (size_t)table->count * PAIR; i++)
        if (pairs[i])
            return false;
    return true;
}

static bool is_less(const uint8_t *one, const uint8_t *other)
{
    int32_t start = (int32_t)word(one), second = (int32_t)word(other);
    return start != second ? start < second : word(one + 4) < word(other + 4);
}

static void swap(uint8_t *one, uint8_t *other)
{
    for (int i = 0; i < PAIR; i++) {
        uint8_t byte = one[i];
        one[i] = other[i];
        other[i] = byte;
    }
}

static void sift(uint8_t *pairs, size_t at, size_t count)
{
    for (size_t below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && is_less(pairs + below * PAIR, pairs + (below + 1) * PAIR))
            below++;
        if (!is_less(pairs + at * PAIR, pairs + below * PAIR))
            return;
        swap(pairs + at * PAIR, pairs + below * PAIR);
    }
}

/* By heap, for a hostile image's order must not take longer than another. */
static void sort(uint8_t *pairs, size_t count)
{
    for (size_t at = count / 2; at-- > 0;)
        sift(pairs, at, count);
    for (size_t left = count; left-- > 1;) {
        swap(pairs, pairs + left * PAIR);
        sift(pairs, 0, left);
    }
}

static bool is_record(const struct table *table, size_t at)
{
    size_t rest = table->size - at;
    if (rest < 4 + SHORTEST)
        return false;
    uint32_t length = word(table->content + at);
    return length >= SHORTEST && length <= rest - 4;
}

/* Where the records end; `functions` becomes the number of those that are of functions. With `pairs` their entries
   are written there. */
static size_t walk(const struct table *table, uint32_t *functions, uint8_t *pairs)
{
    size_t at = table->frames;
    *functions = 0;
    for (; is_record(table, at); at += 4 + word(table->content + at)) {
        if (!word(table->content + at + 4))
            continue;
        if (pairs) {
            uint32_t start = word(table->content + at + 8) + (uint32_t)(at + 8 - table->at);
            put_word(pairs + (size_t)*functions * PAIR, start);
            put_word(pairs + (size_t)*functions * PAIR + 4, (uint32_t)(at - table->at));
        }
        ++*functions;
    }
    return at;
}

static void restore_records(const struct table *table)
{
    uint32_t before = 0;
    for (size_t at = table->frames, next; is_record(table, at); at = next) {
        uint8_t *record = table->content + at;
        next = at + 4 + word(record);
        uint32_t shared = word(record + 4), below = (uint32_t)(at - table->frames);
        if (!shared)
            continue;
        uint32_t place = word(record + 8) + before;
        put_word(record + 4, below + 4 - shared + 1);
        put_word(record + 8, place - (below + 8));
        before = place + word(record + 12);
    }
}

/* The result is where the records end. */
static size_t restore(const struct table *table)
{
    uint8_t *pairs = table->content + table->at + HEAD;
    uint32_t functions;
    size_t end = walk(table, &functions, (uint8_t *)0);
    bool is_made = functions == table->count && is_empty(table);
    restore_records(table);
    if (is_made) {
        walk(table, &functions, pairs);
        sort(pairs, functions);
    }
    return end;
}

static bool is_table(struct table *table)
{
    const uint8_t *head = table->content + table->at;
    if (word(head) != 0x3B031B01)
        return false;
    int64_t frames = (int64_t)table->at + 4 + (int32_t)word(head + 4);
    table->count = word(head + 8);
    table->frames = (size_t)frames;
    return frames >= (int64_t)(table->at + HEAD + (uint64_t)table->count * PAIR) && frames <= (int64_t)table->size;
}

void unwind_restore(uint8_t *content, size_t size)
{
    struct table table = {.content = content, .size = size};
    while (size >= HEAD && table.at <= size - HEAD)
        /* The second byte of the mark is the rarest. */
        table.at = content[table.at + 1] == 0x1B && is_table(&table) ? restore(&table) : table.at + 1;
}
