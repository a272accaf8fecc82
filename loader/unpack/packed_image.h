/* The image of a bundle: its files in compressed blocks (docs/formats/bundle.md). */
#ifndef DENIZEN_PACKED_IMAGE_H
#define DENIZEN_PACKED_IMAGE_H

#include "../sys.h"

enum packed_kind { PACKED_DIRECTORY, PACKED_FILE, PACKED_PROGRAM, PACKED_LINK };

/* The file's own layout, byte for byte. */
struct packed_header {
    char magic[8];
    uint32_t version;
    uint32_t entries;
    uint32_t blocks;
    uint32_t names;
    uint64_t largest; /* of the blocks, expanded */
};

enum packed_method {
    PACKED_STORED,
    PACKED_ZSTD,
    PACKED_LZMA,
    PACKED_METHODS,
    PACKED_X86 = 0x100,
    PACKED_UNWIND = 0x200,
    PACKED_CHANGES = PACKED_X86 | PACKED_UNWIND
};

/* With PACKED_X86 in the method, x86_restore gives the content back after the expansion; with PACKED_UNWIND, what
   unwind_restore makes of that. */
struct packed_block {
    uint64_t at;
    uint64_t size;
    uint32_t expanded;
    uint32_t method;
};

/* `at` in its block; of a link the bytes there are where it leads. Names are below the bundle's directory, each
   directory before what is in it. */
struct packed_entry {
    uint32_t name;
    uint32_t kind;
    uint32_t block;
    uint32_t modified; /* seconds since 1970: of a source and what was compiled from it, the older and the newer */
    uint64_t at;
    uint64_t size;
};

struct packed {
    const struct packed_header *header;
    const struct packed_block *blocks;
    const struct packed_entry *entries;
    const char *names;
    const uint8_t *content;
    size_t size;
};

/* False where a rule of the format is broken. */
bool packed_read(struct packed *packed, const uint8_t *content, size_t size);
static inline const char *packed_name(const struct packed *packed, const struct packed_entry *entry)
{
    return packed->names + entry->name;
}

/* What takes an entry's bytes; a negative result ends the unpacking. */
typedef long packed_taker(void *taker, const struct packed *packed, const struct packed_entry *entry,
                          const uint8_t *content);
/* Hand every entry over, block by block. The result is zero, or a negative errno. */
long packed_expand(const struct packed *packed, packed_taker *take, void *taker);

#endif
