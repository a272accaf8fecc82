#include "packed_image.h"

#include "../text.h"
#include "zstd.h"

enum { VERSION = 2, MAX_ENTRIES = 1 << 20, MAX_NAMES = 1 << 27, EINVAL_ = 22 };
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

static bool entry_is_sound(const struct packed *packed, const struct packed_entry *entry)
{
    if (entry->name >= packed->header->names || entry->kind > PACKED_LINK || !is_below(packed_name(packed, entry)))
        return false;
    if (entry->kind == PACKED_DIRECTORY)
        return !entry->size && !entry->at;
    if (entry->block >= packed->header->blocks)
        return false;
    uint64_t expanded = packed->blocks[entry->block].expanded;
    return entry->at <= expanded && entry->size <= expanded - entry->at;
}

static bool block_is_sound(const struct packed *packed, const struct packed_block *block)
{
    return block->at <= packed->size && block->size <= packed->size - block->at &&
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

long packed_expand(const struct packed *packed, packed_taker *take, void *taker)
{
    size_t room = (size_t)packed->header->largest + ZSTD_SLACK;
    uint8_t *out = map_memory(room);
    struct zstd *zstd = map_memory(sizeof *zstd);
    uint32_t there = UINT32_MAX;
    long result = 0;
    for (uint32_t i = 0; i < packed->header->entries && !sys_failed(result); i++) {
        const struct packed_entry *entry = &packed->entries[i];
        if (entry->kind != PACKED_DIRECTORY && entry->block != there) {
            const struct packed_block *block = &packed->blocks[there = entry->block];
            if (!zstd_expand(zstd, out, (size_t)block->expanded, packed->content + block->at, (size_t)block->size))
                result = -EINVAL_;
        }
        if (!sys_failed(result))
            result = take(taker, packed, entry, out + entry->at);
    }
    arch_syscall(__NR_munmap, (long)out, (long)room, 0, 0, 0, 0);
    arch_syscall(__NR_munmap, (long)zstd, sizeof *zstd, 0, 0, 0, 0);
    return sys_failed(result) ? result : 0;
}
