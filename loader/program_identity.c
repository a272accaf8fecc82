#include "program_identity.h"

static const uint64_t BILLION = 1000000000;

bool identity_of_path(const char *path, struct identity *identity)
{
    struct arch_stat facts;
    if (sys_stat(path, &facts) < 0)
        return false;
    *identity = (struct identity){
        .device = facts.device,
        .inode = facts.inode,
        .size = (uint64_t)facts.size,
        .mtime_ns = (uint64_t)facts.mtime * BILLION + (uint64_t)facts.mtime_ns,
        .ctime_ns = (uint64_t)facts.ctime * BILLION + (uint64_t)facts.ctime_ns,
    };
    return true;
}

void identity_name(struct text *name, const struct identity *identity)
{
    const uint64_t numbers[] = {identity->device, identity->inode, identity->size, identity->mtime_ns,
                                identity->ctime_ns};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        text_add(name, i ? "-" : "");
        text_add_hex(name, numbers[i]);
    }
}

void alias_name(struct text *name, struct build_id build_id, uint64_t size)
{
    text_add(name, "b-");
    text_add_hex_bytes(name, build_id.bytes, build_id.length);
    text_add(name, "-");
    text_add_hex(name, size);
}

struct sum sum_words(const void *start, size_t size)
{
    const uint64_t *word = start;
    struct sum sum = {0, 0};
    for (size_t count = size / sizeof *word; count--; word++) {
        sum.words += *word;
        sum.running += sum.words;
    }
    return sum;
}

static struct build_id build_id_in(const uint8_t *at, size_t size)
{
    while (size >= sizeof(Nhdr)) {
        Nhdr note;
        __builtin_memcpy(&note, at, sizeof note);
        size_t name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
        size_t content = ((size_t)note.n_descsz + 3) & ~(size_t)3;
        if (name > size - sizeof note || content > size - sizeof note - name)
            break;
        const char *owner = (const char *)at + sizeof note;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && text_equal(owner, "GNU") &&
            note.n_descsz && note.n_descsz <= MAX_BUILD_ID)
            return (struct build_id){at + sizeof note + name, note.n_descsz};
        at += sizeof note + name + content;
        size -= sizeof note + name + content;
    }
    return (struct build_id){0, 0};
}

/* Whether the range lies in what the kernel mapped; a hostile header may point anywhere. */
static bool is_mapped(const Phdr *phdr, size_t count, uintptr_t address, size_t size)
{
    for (; count--; phdr++)
        if (phdr->p_type == PT_LOAD && (phdr->p_flags & PF_R) && address >= phdr->p_vaddr && size <= phdr->p_filesz &&
            address - phdr->p_vaddr <= phdr->p_filesz - size)
            return true;
    return false;
}

struct build_id build_id_of(const Phdr *phdr, size_t count, uintptr_t bias)
{
    for (const Phdr *note = phdr; note < phdr + count; note++)
        if (note->p_type == PT_NOTE && note->p_align <= 4 &&
            is_mapped(phdr, count, note->p_vaddr, note->p_filesz)) {
            struct build_id found = build_id_in((const uint8_t *)(bias + note->p_vaddr), note->p_filesz);
            if (found.length)
                return found;
        }
    return (struct build_id){0, 0};
}

struct build_id build_id_in_file(const Phdr *phdr, size_t count, const char *head, size_t size)
{
    for (const Phdr *note = phdr; note < phdr + count; note++)
        if (note->p_type == PT_NOTE && note->p_align <= 4 && note->p_filesz <= size &&
            note->p_offset <= size - note->p_filesz) {
            struct build_id found = build_id_in((const uint8_t *)head + note->p_offset, note->p_filesz);
            if (found.length)
                return found;
        }
    return (struct build_id){0, 0};
}
