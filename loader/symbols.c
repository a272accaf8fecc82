#include "symbols.h"

#include "text.h"

/* glibc makes these addresses absolute in place; musl, and the kernel's own object, leave them as they are. */
static uintptr_t absolute(uintptr_t bias, uintptr_t address)
{
    return address < bias ? address + bias : address;
}

struct symbols {
    const Sym *table;
    const char *strings;
    const uint32_t *gnu;
    const uint32_t *sysv;
    const uint16_t *versions;
};

static struct symbols symbols_of(uintptr_t bias, const Dyn *dynamic)
{
    struct symbols found = {.table = NULL};
    for (const Dyn *entry = dynamic; entry && entry->d_tag != DT_NULL; entry++) {
        const void *at = (const void *)absolute(bias, entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB: found.table = at; break;
        case DT_STRTAB: found.strings = at; break;
        case DT_GNU_HASH: found.gnu = at; break;
        case DT_HASH: found.sysv = at; break;
        case DT_VERSYM: found.versions = at; break;
        default: break;
        }
    }
    return found;
}

/* A function of that name, in the version a new program would be linked with. */
static bool is_default(const struct symbols *in, uint32_t index, const char *name)
{
    const Sym *symbol = in->table + index;
    bool hidden = in->versions && (in->versions[index] & 0x8000);
    return symbol->st_shndx != SHN_UNDEF && (symbol->st_info & 15) == STT_FUNC && !hidden &&
           text_equal(in->strings + symbol->st_name, name);
}

/* The GNU hash table: a Bloom filter, buckets, and chains whose last hash is odd. */
static const Sym *find_by_gnu(const struct symbols *in, const char *name)
{
    uint32_t hash = 5381;
    for (const char *at = name; *at; at++)
        hash = hash * 33 + (unsigned char)*at;
    const uint32_t *table = in->gnu;
    const uintptr_t *bloom = (const uintptr_t *)(const void *)(table + 4);
    uintptr_t word = bloom[hash / ARCH_BITS & (table[2] - 1)];
    uintptr_t both = (uintptr_t)1 << (hash % ARCH_BITS) | (uintptr_t)1 << ((hash >> table[3]) % ARCH_BITS);
    if ((word & both) != both || !table[0])
        return NULL;
    const uint32_t *buckets = (const uint32_t *)(const void *)(bloom + table[2]);
    const uint32_t *chains = buckets + table[0];
    for (uint32_t index = buckets[hash % table[0]]; index >= table[1]; index++) {
        uint32_t link = chains[index - table[1]];
        if ((link | 1) == (hash | 1) && is_default(in, index, name))
            return in->table + index;
        if (link & 1)
            break;
    }
    return NULL;
}

/* The older table; its chain count is the number of symbols, which are tried one by one. */
static const Sym *find_one_by_one(const struct symbols *in, const char *name)
{
    for (uint32_t index = 0; index < in->sysv[1]; index++)
        if (is_default(in, index, name))
            return in->table + index;
    return NULL;
}

uintptr_t symbols_find(uintptr_t bias, const Dyn *dynamic, const char *name)
{
    struct symbols in = symbols_of(bias, dynamic);
    if (!in.table || !in.strings || (!in.gnu && !in.sysv))
        return 0;
    const Sym *symbol = in.gnu ? find_by_gnu(&in, name) : find_one_by_one(&in, name);
    return symbol ? bias + symbol->st_value : 0;
}
