#include "shared_object.h"

#include "text.h"

/* A loop in a chain of offsets ends here; no linker makes as many. */
enum { MAX_HEADERS = 64, MAX_DYNAMIC = 65536, MAX_VERSIONS = 4096 };
enum { WEAK = 2 }; /* VER_FLG_WEAK: ld.so only warns */

/* ELF's own structures (System V gABI, "Symbol Versioning" of the LSB); offsets are from each structure's start. */
struct verneed {
    uint16_t version, count;
    uint32_t file, aux, next;
};
struct vernaux {
    uint32_t hash;
    uint16_t flags, other;
    uint32_t name, next;
};
struct verdef {
    uint16_t version, flags, index, count;
    uint32_t hash, aux, next;
};
struct verdaux {
    uint32_t name, next;
};

static bool is_inside(const struct object *object, uint64_t offset, uint64_t size)
{
    return offset <= object->size && size <= object->size - offset;
}

static bool read_at(const struct object *object, uint64_t offset, void *to, size_t size)
{
    if (!is_inside(object, offset, size))
        return false;
    __builtin_memcpy(to, object->content + offset, size);
    return true;
}

/* Where an address lies in the file; false where no segment brings it. */
static bool offset_of(const struct object *object, uint64_t address, uint64_t *offset)
{
    for (const Phdr *each = object->phdr; each < object->phdr + object->phnum; each++)
        if (each->p_type == PT_LOAD && address >= each->p_vaddr && address - each->p_vaddr < each->p_filesz &&
            each->p_offset <= object->size) {
            *offset = each->p_offset + (address - each->p_vaddr);
            return *offset <= object->size;
        }
    return false;
}

static bool value_of(const struct object *object, intptr_t tag, uint64_t *value)
{
    for (const Dyn *entry = object->dynamic; entry < object->dynamic + object->count; entry++)
        if (entry->d_tag == tag) {
            *value = entry->d_un.d_val;
            return true;
        }
    return false;
}

static bool read_headers(struct object *object)
{
    Ehdr header;
    if (!read_at(object, 0, &header, sizeof header) || __builtin_memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ARCH_CLASS || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != ARCH_MACHINE || header.e_type != ET_DYN || header.e_phentsize != sizeof(Phdr) ||
        header.e_phnum > MAX_HEADERS || header.e_phoff % sizeof(uintptr_t) ||
        !is_inside(object, header.e_phoff, header.e_phnum * sizeof(Phdr)))
        return false;
    object->phdr = (const Phdr *)(const void *)(object->content + header.e_phoff);
    object->phnum = header.e_phnum;
    return true;
}

static bool read_dynamic(struct object *object)
{
    for (const Phdr *each = object->phdr; each < object->phdr + object->phnum; each++) {
        if (each->p_type != PT_DYNAMIC)
            continue;
        if (!is_inside(object, each->p_offset, each->p_filesz) || each->p_offset % sizeof(uintptr_t))
            return false;
        object->dynamic = (const Dyn *)(const void *)(object->content + each->p_offset);
        size_t most = each->p_filesz / sizeof(Dyn);
        while (object->count < most && object->count < MAX_DYNAMIC && object->dynamic[object->count].d_tag != DT_NULL)
            object->count++;
        return true;
    }
    return false;
}

static bool read_strings(struct object *object)
{
    uint64_t address, size, offset;
    if (!value_of(object, DT_STRTAB, &address) || !value_of(object, DT_STRSZ, &size) || !size ||
        !offset_of(object, address, &offset) || !is_inside(object, offset, size))
        return false;
    object->strings = object->content + offset;
    object->strings_size = (size_t)size;
    return !object->strings[size - 1];
}

bool object_read(const char *content, size_t size, struct object *object)
{
    *object = (struct object){.content = content, .size = size};
    return read_headers(object) && read_dynamic(object) && read_strings(object);
}

bool object_open(const char *path, struct object *object)
{
    struct arch_stat facts;
    int fd = sys_open(path, SYS_RDONLY | SYS_NONBLOCK);
    if (fd < 0)
        return false;
    bool usual = sys_fstat(fd, &facts) >= 0 && (facts.mode & SYS_S_IFMT) == SYS_S_IFREG && facts.size > 0 &&
                 (uint64_t)facts.size < UINTPTR_MAX / 4;
    long at = usual ? sys_mmap(0, (size_t)facts.size, SYS_PROT_READ, SYS_MAP_PRIVATE, fd, 0) : -SYS_ENOENT;
    sys_close(fd);
    if (sys_failed(at))
        return false;
    if (object_read((const char *)at, (size_t)facts.size, object))
        return true;
    object_close(object);
    return false;
}

void object_close(const struct object *object)
{
    arch_syscall(__NR_munmap, (long)object->content, (long)object->size, 0, 0, 0, 0);
}

static const char *string_at(const struct object *object, uint64_t offset)
{
    return offset < object->strings_size ? object->strings + offset : NULL;
}

const char *object_string(const struct object *object, intptr_t tag, size_t *index)
{
    while (*index < object->count) {
        const Dyn *entry = object->dynamic + (*index)++;
        if (entry->d_tag == tag)
            return string_at(object, entry->d_un.d_val);
    }
    return NULL;
}

/* The start and the length of a table of versions; false for none. */
static bool table_of(const struct object *object, intptr_t table, intptr_t length, uint64_t *offset, size_t *rows)
{
    uint64_t address, count;
    if (!value_of(object, table, &address) || !value_of(object, length, &count) || !offset_of(object, address, offset))
        return false;
    *rows = count < MAX_VERSIONS ? (size_t)count : MAX_VERSIONS;
    return true;
}

/* The wanted one of the needs in one row, counted down over all rows; false while there are too few. */
static bool need_in(const struct object *object, uint64_t at, const struct verneed *row, size_t *left,
                    struct version_need *need)
{
    struct vernaux aux;
    uint64_t next = at + row->aux;
    for (size_t count = 0; count < row->count && read_at(object, next, &aux, sizeof aux); count++, next += aux.next) {
        if (!(aux.flags & WEAK) && !(*left)--) {
            *need = (struct version_need){string_at(object, row->file), string_at(object, aux.name)};
            return true;
        }
        if (!aux.next)
            break;
    }
    return false;
}

bool object_need(const struct object *object, size_t index, struct version_need *need)
{
    struct verneed row;
    uint64_t at;
    size_t rows;
    if (index >= MAX_VERSIONS || !table_of(object, DT_VERNEED, DT_VERNEEDNUM, &at, &rows))
        return false;
    for (; rows-- && read_at(object, at, &row, sizeof row); at += row.next) {
        if (need_in(object, at, &row, &index, need))
            return need->library && need->name;
        if (!row.next)
            break;
    }
    return false;
}

bool object_defines(const struct object *object, const char *version)
{
    struct verdef row;
    struct verdaux aux;
    uint64_t at;
    size_t rows;
    if (!table_of(object, DT_VERDEF, DT_VERDEFNUM, &at, &rows))
        return true;
    for (; rows-- && read_at(object, at, &row, sizeof row); at += row.next) {
        const char *name = read_at(object, at + row.aux, &aux, sizeof aux) ? string_at(object, aux.name) : NULL;
        if (name && text_equal(name, version))
            return true;
        if (!row.next)
            break;
    }
    return false;
}
