#include "elf_mapping.h"

#include "covered_linker.h"

/* Every linker puts program headers into the first page; patchelf puts them at the end, and a program that carries
   data behind it may have them anywhere. The kernel reads them from wherever they are. */
enum { HEAD_SIZE = 4096, MAX_SEGMENTS = 64 };

struct file {
    const char *path;
    int fd;
    uint64_t size;
    uintptr_t page_size;
    const Ehdr *header;
    const Phdr *phdr;
};

/* The beginning of a file, and its program headers where they are not in there. */
struct head {
    _Alignas(16) char first[HEAD_SIZE];
    _Alignas(16) char table[MAX_SEGMENTS * sizeof(Phdr)];
    size_t size;
};

struct span {
    uintptr_t start;
    uintptr_t end;
    uintptr_t alignment;
};

static uintptr_t page_down(const struct file *file, uintptr_t address)
{
    return address & ~(file->page_size - 1);
}

static uintptr_t page_up(const struct file *file, uintptr_t address)
{
    return page_down(file, address + file->page_size - 1);
}

static int protection_of(const Phdr *segment)
{
    return (segment->p_flags & PF_R ? SYS_PROT_READ : 0) | (segment->p_flags & PF_W ? SYS_PROT_WRITE : 0) |
           (segment->p_flags & PF_X ? SYS_PROT_EXEC : 0);
}

static _Noreturn void refuse(const struct file *file, const char *why)
{
    fail(file->path, " cannot be started: ", why, (char *)0);
}

static bool is_elf(const struct head *head)
{
    return head->size >= SELFMAG && __builtin_memcmp(head->first, ELFMAG, SELFMAG) == 0;
}

static void read_head(const struct file *file, struct head *head)
{
    long size = sys_read(file->fd, head->first, sizeof head->first);
    head->size = size < 0 ? 0 : (size_t)size;
}

static const Phdr *read_segments(const struct file *file, struct head *head)
{
    size_t size = file->header->e_phnum * sizeof(Phdr);
    uint64_t at = file->header->e_phoff;
    if (at <= head->size && size <= head->size - at)
        return (const Phdr *)(const void *)(head->first + at);
    if (sys_pread(file->fd, head->table, size, at) != (long)size)
        refuse(file, "its program headers are damaged");
    return (const Phdr *)(const void *)head->table;
}

static void check_header(struct file *file, struct head *head)
{
    const Ehdr *header = (const Ehdr *)(const void *)head->first;
    if (head->size < sizeof *header || !is_elf(head))
        refuse(file, "it is not an ELF file");
    if (header->e_ident[EI_CLASS] != ARCH_CLASS || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != ARCH_MACHINE)
        refuse(file, "it is for another machine");
    if ((header->e_type != ET_DYN && header->e_type != ET_EXEC) || header->e_phentsize != sizeof(Phdr) ||
        header->e_phnum > MAX_SEGMENTS || header->e_phoff % sizeof(uintptr_t))
        refuse(file, "its program headers are damaged");
    file->header = header;
    file->phdr = read_segments(file, head);
}

/* Where the program headers are in memory, as the kernel finds it (fs/binfmt_elf.c, phdr_addr). */
static uintptr_t address_of_segments(const struct file *file)
{
    uint64_t at = file->header->e_phoff;
    size_t size = file->header->e_phnum * sizeof(Phdr);
    for (const Phdr *each = file->phdr; each < file->phdr + file->header->e_phnum; each++)
        if (each->p_type == PT_LOAD && at >= each->p_offset && at - each->p_offset < each->p_filesz) {
            uintptr_t address = (uintptr_t)(at - each->p_offset) + each->p_vaddr;
            /* Whole pages are mapped; what is behind them nobody can read. */
            if (each->p_flags & PF_R && size <= page_up(file, each->p_vaddr + each->p_filesz) - address)
                return address;
        }
    refuse(file, "its program headers are not loaded with it");
}

/* One loadable segment, wholly inside the file and the address space. */
static void check_segment(const struct file *file, const Phdr *segment)
{
    if (segment->p_filesz > segment->p_memsz || segment->p_offset > file->size ||
        segment->p_filesz > file->size - segment->p_offset ||
        segment->p_vaddr + segment->p_memsz < segment->p_vaddr || segment->p_memsz > UINTPTR_MAX / 4 ||
        (segment->p_vaddr - segment->p_offset) % file->page_size)
        refuse(file, "a segment lies outside the file");
}

static struct span span_of(const struct file *file)
{
    struct span span = {UINTPTR_MAX, 0, file->page_size};
    const Phdr *segment = file->phdr;
    for (size_t left = file->header->e_phnum; left--; segment++) {
        if (segment->p_type != PT_LOAD)
            continue;
        check_segment(file, segment);
        uintptr_t start = page_down(file, segment->p_vaddr);
        uintptr_t end = page_up(file, segment->p_vaddr + segment->p_memsz);
        span.start = start < span.start ? start : span.start;
        span.end = end > span.end ? end : span.end;
        if (segment->p_align > span.alignment && !(segment->p_align & (segment->p_align - 1)))
            span.alignment = segment->p_align;
    }
    if (span.end <= span.start)
        refuse(file, "it has nothing to load");
    return span;
}

/* Keep a range of addresses free for every segment. Only a program of fixed addresses says where. */
static uintptr_t reserve(const struct file *file, struct span span)
{
    bool fixed = file->header->e_type == ET_EXEC;
    size_t slack = fixed ? 0 : span.alignment - file->page_size;
    long at = sys_mmap(fixed ? span.start : 0, span.end - span.start + slack, SYS_PROT_NONE,
                       SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE |
                           (fixed ? SYS_MAP_FIXED_NOREPLACE : 0),
                       -1, 0);
    /* A kernel before 4.17 ignores the flag and may put it elsewhere. */
    if (sys_failed(at) || (fixed && (uintptr_t)at != span.start))
        refuse(file, "its addresses are taken or there is no memory");
    uintptr_t base = ((uintptr_t)at + span.alignment - 1) & ~(span.alignment - 1);
    return slack ? base - span.start : (uintptr_t)at - span.start;
}

static void map_or_refuse(const struct file *file, uintptr_t address, size_t size, int protection, int fd,
                          uint64_t offset)
{
    int flags = SYS_MAP_PRIVATE | SYS_MAP_FIXED | (fd < 0 ? SYS_MAP_ANONYMOUS : 0);
    if (size && sys_failed(sys_mmap(address, size, protection, flags, fd, offset)))
        refuse(file, "a segment cannot be mapped (is its file system mounted noexec?)");
}

/* The file's bytes, zeros to the end of their last page, and pages of zeros for the rest. */
static void map_segment(const struct file *file, uintptr_t bias, const Phdr *segment)
{
    uintptr_t start = page_down(file, bias + segment->p_vaddr);
    uintptr_t file_end = bias + segment->p_vaddr + segment->p_filesz;
    uintptr_t zero_end = page_up(file, bias + segment->p_vaddr + segment->p_memsz);
    int protection = protection_of(segment);
    if (segment->p_filesz)
        map_or_refuse(file, start, file_end - start, protection, file->fd,
                      page_down(file, segment->p_offset));
    uintptr_t zeros = segment->p_filesz ? page_up(file, file_end) : start;
    if (segment->p_memsz > segment->p_filesz && segment->p_filesz && (segment->p_flags & PF_W))
        __builtin_memset((void *)file_end, 0, zeros - file_end);
    if (zero_end > zeros)
        map_or_refuse(file, zeros, zero_end - zeros, protection, -1, 0);
}

/* Headers in memory and where they lead: a mapped linker, or the program itself. */
struct mapped {
    const char *path;
    const Phdr *phdr;
    size_t count;
    uintptr_t bias;
    uintptr_t page_size;
    enum edit_target target;
};

static const Phdr *segment_with(const struct mapped *mapped, uint64_t address, size_t size)
{
    for (const Phdr *segment = mapped->phdr; segment < mapped->phdr + mapped->count; segment++)
        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr && size <= segment->p_filesz &&
            address - segment->p_vaddr <= segment->p_filesz - size)
            return segment;
    return NULL;
}

/* Never in the linker's code: making a changed page executable is what W^X policies forbid. The
   program's code was changed before, by the stub, and is put back. */
static void apply_edit(const struct mapped *mapped, const struct decision *decision,
                       const struct decision_edit *edit)
{
    const Phdr *segment = segment_with(mapped, edit->address, edit->length);
    uintptr_t at = mapped->bias + (uintptr_t)edit->address;
    bool fits = segment && !(mapped->target == EDIT_LDSO && (segment->p_flags & PF_X)) &&
                __builtin_memcmp((void *)at, decision->strings + edit->old_bytes, edit->length) == 0;
    if (!fits && edit->target == EDIT_LDSO_OPTIONAL)
        return;
    if (!fits)
        fail(mapped->path, " cannot be started: it is not the file this program's decision was made for",
             (char *)0);
    uintptr_t page = at & ~(mapped->page_size - 1);
    size_t size = ((at + edit->length + mapped->page_size - 1) & ~(mapped->page_size - 1)) - page;
    bool guarded = !(segment->p_flags & PF_W);
    if (guarded && sys_mprotect(page, size, SYS_PROT_READ | SYS_PROT_WRITE) < 0)
        fail(mapped->path, " cannot be started: it cannot be changed in memory", (char *)0);
    __builtin_memcpy((void *)at, decision->strings + edit->new_bytes, edit->length);
    if (guarded && sys_mprotect(page, size, protection_of(segment)) < 0)
        fail(mapped->path, " cannot be started: this system forbids changed code", (char *)0);
    arch_flush_code(at, edit->length);
}

static void apply_edits(const struct mapped *mapped, const struct decision *decision)
{
    for (uint32_t i = 0; i < decision->header->edits.count; i++)
        if ((decision->edits[i].target == EDIT_PROGRAM) == (mapped->target == EDIT_PROGRAM))
            apply_edit(mapped, decision, &decision->edits[i]);
}

/* The kernel maps a shared object's first segment, which has its headers, at its bias. */
void image_edit_linker(uintptr_t bias, uintptr_t page_size, const struct decision *edits)
{
    const Ehdr *header = (const Ehdr *)bias;
    const Phdr *phdr = (const Phdr *)(bias + (uintptr_t)header->e_phoff);
    struct mapped mapped = {"the dynamic linker", phdr, header->e_phnum, bias, page_size, EDIT_LDSO};
    apply_edits(&mapped, edits);
}

void image_restore(const Phdr *phdr, size_t count, uintptr_t bias, uintptr_t page_size,
                   const struct decision *edits)
{
    struct mapped mapped = {"the program", phdr, count, bias, page_size, EDIT_PROGRAM};
    apply_edits(&mapped, edits);
}

static struct file open_image(const char *path, uintptr_t page_size)
{
    struct file file = {.path = path, .page_size = page_size};
    struct arch_stat facts;
    file.fd = sys_open(path, SYS_RDONLY | SYS_NONBLOCK);
    if (file.fd < 0)
        refuse(&file, "it cannot be opened");
    if (sys_fstat(file.fd, &facts) < 0 || (facts.mode & SYS_S_IFMT) != SYS_S_IFREG)
        refuse(&file, "it is not a regular file");
    file.size = (uint64_t)facts.size;
    return file;
}

bool image_inspect(const char *path, uintptr_t page_size, struct arena *arena, struct subject *subject)
{
    struct file file = open_image(path, page_size);
    struct head *head = arena_take(arena, sizeof *head);
    read_head(&file, head);
    bool elf = is_elf(head);
    if (elf) {
        check_header(&file, head);
        subject->headers = sum_words(file.phdr, file.header->e_phnum * sizeof *file.phdr);
        subject->build_id = build_id_in_file(file.phdr, file.header->e_phnum, head->first, head->size);
    }
    sys_close(file.fd);
    return elf;
}

static struct image map_file(struct file file, const struct decision *edits)
{
    struct head head;
    read_head(&file, &head);
    check_header(&file, &head);
    struct span span = span_of(&file);
    uintptr_t bias = reserve(&file, span);
    for (size_t i = 0; i < file.header->e_phnum; i++)
        if (file.phdr[i].p_type == PT_LOAD)
            map_segment(&file, bias, &file.phdr[i]);
    struct mapped mapped = {file.path, file.phdr, file.header->e_phnum, bias, file.page_size, EDIT_LDSO};
    if (edits)
        apply_edits(&mapped, edits);
    sys_close(file.fd);
    return (struct image){
        .bias = bias,
        .entry = bias + file.header->e_entry,
        .phdr = bias + address_of_segments(&file),
        .phnum = file.header->e_phnum,
    };
}

/* Mapped by us, a loader would take us for its program. */
struct image image_map_linker(const char *path, uintptr_t page_size, const struct decision *edits)
{
    char room[PATH_ROOM];
    struct file file = open_image(path, page_size);
    if (file.size > COVERED_MAX_LOADER || !covered_linker(path, room))
        return map_file(file, edits);
    sys_close(file.fd);
    return map_file(open_image(room, page_size), edits);
}

struct image image_map(const char *path, uintptr_t page_size)
{
    return map_file(open_image(path, page_size), NULL);
}
