#include "packed_image.h"

#include "../text.h"
#include "lzma.h"
#include "unwind.h"
#include "x86.h"
#include "zstd.h"

enum { VERSION = 5, MAX_ENTRIES = 1 << 20, MAX_NAMES = 1 << 27, EINVAL_ = 22 };
static const uint64_t MAX_BLOCK = 1ULL << 31;

/* No empty part, no `.`, no `..`: below the directory, whatever the name. */
static bool is_below(const char *name)
{
    for (;; name++) {
        if (!*name || *name == '/' ||
            (name[0] == '.' && (!name[1] || name[1] == '/' || (name[1] == '.' && (!name[2] || name[2] == '/')))))
            return false;
        while (*name && *name != '/')
            name++;
        if (!*name)
            return true;
    }
}

/* The bytes of the blocks that hold an entry: its content may go on in those behind, from their beginnings. More than
   any header allows where there are not as many. */
static uint64_t run_of(const struct packed *packed, const struct packed_entry *entry)
{
    uint64_t run = 0;
    for (uint32_t i = entry->block; run < entry->at + entry->size; i++) {
        if (i == packed->header->blocks || (run && !packed->blocks[i].expanded))
            return UINT64_MAX;
        run += packed->blocks[i].expanded;
    }
    return run;
}

static bool entry_is_sound(const struct packed *packed, const struct packed_entry *entry)
{
    if (entry->name >= packed->header->names || entry->kind > PACKED_LINK || !is_below(packed_name(packed, entry)))
        return false;
    if (entry->kind == PACKED_DIRECTORY)
        return !entry->size && !entry->at;
    return entry->block < packed->header->blocks && entry->size <= packed->header->largest &&
           entry->at <= packed->blocks[entry->block].expanded && run_of(packed, entry) <= packed->header->largest;
}

static bool block_is_sound(const struct packed *packed, const struct packed_block *block)
{
    uint32_t method = block->method & ~(uint32_t)PACKED_CHANGES;
    bool known = method < PACKED_METHODS && (method != PACKED_STORED || block->size == block->expanded);
    return known && block->at <= packed->size && block->size <= packed->size - block->at &&
           block->expanded <= packed->header->largest;
}

static bool header_is_sound(const struct packed_header *header, size_t size)
{
    return size >= sizeof *header && __builtin_memcmp(header->magic, "DENIZENB", 8) == 0 &&
           header->version == VERSION && header->entries <= MAX_ENTRIES && header->blocks <= MAX_ENTRIES &&
           header->names && header->names <= MAX_NAMES && header->largest <= MAX_BLOCK;
}

bool packed_read(struct packed *packed, const uint8_t *content, size_t size)
{
    const struct packed_header *header = (const void *)content;
    *packed = (struct packed){.header = header, .content = content, .size = size};
    if (!header_is_sound(header, size))
        return false;
    uint64_t blocks = header->blocks * sizeof *packed->blocks, entries = header->entries * sizeof *packed->entries;
    if (sizeof *header + blocks + entries + header->names > size)
        return false;
    packed->blocks = (const void *)(content + sizeof *header);
    packed->entries = (const void *)(content + sizeof *header + blocks);
    packed->names = (const char *)content + sizeof *header + blocks + entries;
    if (packed->names[header->names - 1])
        return false;
    for (uint32_t i = 0; i < header->blocks; i++)
        if (!block_is_sound(packed, &packed->blocks[i]))
            return false;
    for (uint32_t i = 0; i < header->entries; i++)
        if (!entry_is_sound(packed, &packed->entries[i]))
            return false;
    return true;
}

static void *map_memory(size_t size)
{
    long at = sys_mmap(0, size, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at))
        fail("no memory to unpack this program", (char *)0);
    return (void *)at;
}

/* What the decompressors work in; one at a time. */
union workspace {
    struct zstd zstd;
    struct lzma_model lzma;
};

/* Blocks as they lie in memory, one behind the other. */
struct expanded {
    union workspace *workspace;
    uint8_t *out;
    uint32_t first;
    uint64_t size;
};

static bool expand_block(union workspace *workspace, uint8_t *out, const uint8_t *content, const struct packed_block *block)
{
    size_t size = (size_t)block->size;
    switch (block->method & ~(uint32_t)PACKED_CHANGES) {
    case PACKED_ZSTD:
        return zstd_expand(&workspace->zstd, out, block->expanded, content, size);
    case PACKED_LZMA:
        return lzma_expand(&workspace->lzma, out, block->expanded, content, size);
    default:
        return __builtin_memcpy(out, content, size) != NULL;
    }
}

static bool add_block(struct expanded *expanded, const struct packed *packed, const struct packed_block *block)
{
    uint8_t *out = expanded->out + expanded->size;
    expanded->size += block->expanded;
    if (!expand_block(expanded->workspace, out, packed->content + block->at, block))
        return false;
    if (block->method & PACKED_X86)
        x86_restore(out, block->expanded);
    if (block->method & PACKED_UNWIND)
        unwind_restore(out, block->expanded);
    return true;
}

/* Have an entry's blocks in memory, with those before them that are there already. */
static bool have(struct expanded *expanded, const struct packed *packed, const struct packed_entry *entry)
{
    if (entry->block != expanded->first)
        *expanded = (struct expanded){.workspace = expanded->workspace, .out = expanded->out, .first = entry->block};
    uint32_t next = entry->block;
    for (uint64_t there = 0; there < expanded->size; next++)
        there += packed->blocks[next].expanded;
    while (expanded->size < entry->at + entry->size)
        if (!add_block(expanded, packed, &packed->blocks[next++]))
            return false;
    return true;
}

long packed_expand(const struct packed *packed, packed_taker *take, void *taker)
{
    size_t room = (size_t)packed->header->largest + ZSTD_SLACK;
    union workspace *workspace = map_memory(sizeof *workspace);
    struct expanded expanded = {.workspace = workspace, .out = map_memory(room), .first = UINT32_MAX};
    long result = 0;
    for (uint32_t i = 0; i < packed->header->entries && !sys_failed(result); i++) {
        const struct packed_entry *entry = &packed->entries[i];
        bool is_there = entry->kind == PACKED_DIRECTORY || have(&expanded, packed, entry);
        result = is_there ? take(taker, packed, entry, expanded.out + entry->at) : -EINVAL_;
    }
    arch_syscall(__NR_munmap, (long)expanded.out, (long)room, 0, 0, 0, 0);
    arch_syscall(__NR_munmap, (long)workspace, sizeof *workspace, 0, 0, 0, 0);
    return sys_failed(result) ? result : 0;
}
