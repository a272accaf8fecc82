#include "known.h"

/* <link.h>: the interface between ld.so and debuggers, the same in glibc and musl. */
struct link_map {
    uintptr_t bias;
    char *name;
    const Dyn *dynamic;
    const struct link_map *next;
    const struct link_map *previous;
};
struct r_debug {
    int version;
    const struct link_map *first;
};
/* As much of struct dl_phdr_info as both C libraries have had from the beginning. */
struct loaded {
    uintptr_t bias;
    const char *name;
    const Phdr *phdr;
    uint16_t phnum;
};

WEAK int dl_iterate_phdr(int (*each)(struct loaded *, size_t, void *), void *data);
WEAK int *__errno_location(void);
extern const Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

static const struct inside_facts *facts;
static const struct r_debug *debug;
static uintptr_t program_start, program_end;

/* The first that is told is the program, whose table is the one the loader made. */
static int find_program(struct loaded *program, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (size_t i = 0; i < program->phnum; i++) {
        uintptr_t start = program->bias + program->phdr[i].p_vaddr;
        if (program->phdr[i].p_type == PT_LOAD) {
            program_start = program_end ? program_start : start; /* they are in ascending order */
            program_end = start + program->phdr[i].p_memsz;
        }
        if (program->phdr[i].p_type != PT_DYNAMIC)
            continue;
        const Dyn *entry = (const Dyn *)start;
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_DEBUG)
                debug = (const struct r_debug *)entry->d_un.d_ptr;
            if (entry->d_tag == INSIDE_TAG)
                facts = (const struct inside_facts *)entry->d_un.d_ptr;
        }
    }
    return 1;
}

/* Before the program's own code where ld.so can arrange it, else when first asked: a library's may come earlier. */
__attribute__((constructor)) static void learn(void)
{
    if (!facts && dl_iterate_phdr)
        dl_iterate_phdr(find_program, NULL);
}

bool is_of_program(uintptr_t address)
{
    learn();
    return address >= program_start && address < program_end;
}

const struct inside_facts *known(void)
{
    learn();
    return facts && facts->version == INSIDE_VERSION ? facts : NULL;
}

/* glibc makes these addresses absolute in place; musl, and the kernel's own object, leave them as they are. */
static uintptr_t absolute(const struct link_map *object, uintptr_t address)
{
    return address < object->bias ? address + object->bias : address;
}

struct symbols {
    const Sym *table;
    const char *strings;
    const uint32_t *gnu;
    const uint32_t *sysv;
    const uint16_t *versions;
};

static struct symbols symbols_of(const struct link_map *object)
{
    struct symbols found = {.table = NULL};
    for (const Dyn *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
        const void *at = (const void *)absolute(object, entry->d_un.d_ptr);
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

static any_function *find_in(const struct link_map *object, const char *name)
{
    struct symbols in = symbols_of(object);
    if (!in.table || !in.strings || (!in.gnu && !in.sysv))
        return NULL;
    const Sym *symbol = in.gnu ? find_by_gnu(&in, name) : find_one_by_one(&in, name);
    return symbol ? (any_function *)(object->bias + symbol->st_value) : NULL;
}

any_function *next_function(any_function **place, const char *name)
{
    any_function *found = __atomic_load_n(place, __ATOMIC_RELAXED);
    learn();
    bool after = false;
    for (const struct link_map *object = debug && !found ? debug->first : NULL; object && !found;
         object = object->next) {
        if (after)
            found = find_in(object, name);
        after = after || object->dynamic == _DYNAMIC;
    }
    __atomic_store_n(place, found, __ATOMIC_RELAXED);
    return found;
}

long answer(long result)
{
    if (!sys_failed(result))
        return result;
    if (__errno_location)
        *__errno_location() = (int)-result;
    return -1;
}
