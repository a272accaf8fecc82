/* The loader's readers in an ordinary program, for sanitizers: `harness` reads inputs from standard input, each a
   target's letter, a length of 4 bytes and that many bytes; it answers with a byte, '+' or '-' (refused).

   Every file the loader opens has the input's bytes; each exists, but those below /nowhere. Mapping is real, and must stay inside what was reserved. */
#include "shim.h"

#include "../../loader/loader_settings.h"
#include "../../loader/covered_linker.h"
#include "../../loader/dynamic_section.h"
#include "../../loader/shared_object.h"
#include "../../loader/unpack/packed_image.h"
#include "../../loader/unpack/unwind.h"
#include "../../loader/unpack/zstd.h"
/* Whole, for its reader takes a file that is mapped already: here of exactly the input's size. */
#include "../../loader/resident/package_index.c"
#include "../../loader/resident/joined_library.h"
/* The same, for the arena has room behind what it gives. */
#include "../../loader/joined_libraries.c"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, FILE_FD = 1000, MAX_MAPPINGS = 4096, NO_SUCH_CALL = 38, LOWEST = 65536 };

struct mapping {
    uintptr_t start;
    uintptr_t end;
};

static jmp_buf refused;
static const char *input;
static size_t input_size;
static size_t position;
static struct mapping mappings[MAX_MAPPINGS];
static size_t mapping_count;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "harness: %s\n", what);
    abort();
}

static bool is_reserved(uintptr_t start, uintptr_t size)
{
    for (size_t i = 0; i < mapping_count; i++)
        if (start >= mappings[i].start && start <= mappings[i].end && size <= mappings[i].end - start)
            return true;
    return false;
}

static long map(uintptr_t address, size_t size, int protection, int flags, int fd, uint64_t offset)
{
    uintptr_t whole = (size + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    bool over = flags & MAP_FIXED;
    require(!over || is_reserved(address, whole), "a mapping outside of what was reserved");
    require(fd < 0 || fd == FILE_FD, "a mapping of no file");
    if (!over && flags & SYS_MAP_FIXED_NOREPLACE && address < LOWEST)
        return -EPERM; /* vm.mmap_min_addr, which root may pass */
    bool filled = fd >= 0;
    void *at = mmap((void *)address, size, filled ? PROT_READ | PROT_WRITE : protection,
                    flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    if (!over) {
        require(mapping_count < MAX_MAPPINGS, "too many mappings");
        mappings[mapping_count++] = (struct mapping){(uintptr_t)at, (uintptr_t)at + whole};
    }
    if (filled) {
        require(offset % PAGE == 0 && offset <= input_size, "a mapping behind the file's end");
        size_t there = input_size - offset < size ? input_size - offset : size;
        memcpy(at, input + offset, there);
        /* Pages wholly behind the end of a file kill who touches them. */
        uintptr_t end = (uintptr_t)at + ((there + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
        mprotect(at, size, protection);
        if (end < (uintptr_t)at + whole)
            mprotect((void *)end, (uintptr_t)at + whole - end, PROT_NONE);
    }
    return (long)at;
}

static long fill_stat(struct arch_stat *facts)
{
    memset(facts, 0, sizeof *facts);
    facts->mode = 0100644;
    facts->size = (int64_t)input_size;
    return 0;
}

static long read_input(char *to, size_t size)
{
    size_t left = input_size - position;
    size_t count = size < left ? size : left;
    memcpy(to, input + position, count);
    position += count;
    return (long)count;
}

static long read_input_at(char *to, size_t size, uint64_t offset)
{
    position = offset < input_size ? (size_t)offset : input_size;
    return read_input(to, size);
}

long hosted_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    switch (number) {
    case __NR_openat: position = 0; return FILE_FD;
    case __NR_close: return 0;
    case __NR_read: return read_input((char *)b, (size_t)c);
    case __NR_pread64: return read_input_at((char *)b, (size_t)c, (uint64_t)d);
    case __NR_write: return c;
    case ARCH_FSTATAT: return fill_stat((struct arch_stat *)c);
    case __NR_faccessat: return strncmp((const char *)b, "/nowhere/", 9) ? 0 : -ENOENT;
    case __NR_mmap: return map((uintptr_t)a, (size_t)b, (int)c, (int)d, (int)e, (uint64_t)f);
    case __NR_mprotect:
        require(is_reserved((uintptr_t)a, (uintptr_t)b), "a change of protection outside of what was reserved");
        return mprotect((void *)a, (size_t)b, (int)c) ? -errno : 0;
    case __NR_munmap: return 0; /* with all others, below */
    case __NR_exit_group: longjmp(refused, 1);
    default: return -NO_SUCH_CALL;
    }
}

/* In the place of loader_settings.c: one directory of decisions. */
const char *config_next(enum setting kind, const char *previous)
{
    return kind == SETTING_DIRECTORY && !previous ? "/decisions" : NULL;
}

/* A process as the kernel makes one, of this program. */
struct vector {
    uintptr_t count;
    const char *words[2];
    const char *environment[2];
    Auxv entries[8];
};

static struct process process_of(struct vector *vector, struct image image)
{
    *vector = (struct vector){
        1,
        {"program", NULL},
        {"LD_PRELOAD=/a.so b.so:/c.so", NULL},
        {
            {AT_PHDR, {image.phdr}}, {AT_PHNUM, {image.phnum}}, {AT_ENTRY, {image.entry}}, {AT_BASE, {0}},
            {AT_PAGESZ, {PAGE}}, {AT_SECURE, {0}}, {AT_NULL, {0}}, {AT_NULL, {0}},
        },
    };
    return process_read(&vector->count);
}

static void read_as_program(struct arena *arena, struct process *process, const struct decision *decision)
{
    struct program program = program_read(process);
    struct preload preload = {.slot = NULL};
    if (decision)
        preload_settle(arena, process, decision, "/home", &preload);
    struct presentation presentation = {
        .decision = decision, .user_paths = "/user:/paths", .search = "/store/x", .ldso = "/store/ld.so",
        .origin = "/home", .preload = &preload,
    };
    program_interpreter(&program);
    build_id_of(program.phdr, program.phnum, program.bias);
    for (size_t i = 0; i < program.dynamic_count; i++)
        if (program_string(&program, program.dynamic + i))
            text_length(program_string(&program, program.dynamic + i));
    present(arena, process, &program, &presentation);
    reflect_addresses(&program);
    reflect_debugger(&program, 1);
}

/* The program headers, which lie in the input too: in memory another segment may lie over them. */
static const Phdr *read_table(struct image image)
{
    static Phdr table[UINT16_MAX];
    Ehdr header;
    memcpy(&header, input, sizeof header);
    if (image.phnum * sizeof *table > input_size || header.e_phoff > input_size - image.phnum * sizeof *table)
        return NULL;
    memcpy(table, input + header.e_phoff, image.phnum * sizeof *table);
    return table;
}

/* Whether what is mapped is as the headers say. Where they lie about their own place, or one segment lies over
   another, ld.so ends natively too, and so do we. */
static bool is_as_it_says(struct image image)
{
    uintptr_t end = 0;
    const Phdr *phdr = read_table(image);
    for (size_t i = 0; phdr && i < image.phnum; i++)
        if (phdr[i].p_type == PT_LOAD) {
            if (phdr[i].p_vaddr < end)
                return false;
            end = (phdr[i].p_vaddr + phdr[i].p_memsz + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
        }
    for (size_t i = 0; phdr && i < image.phnum; i++)
        if (phdr[i].p_type == PT_PHDR)
            return image.phdr - phdr[i].p_vaddr == image.bias;
    return phdr && image.bias == 0;
}

static void run_image(void)
{
    struct vector vector;
    struct arena arena = arena_make();
    struct image image = image_map("/program", PAGE);
    struct process process = process_of(&vector, image);
    if (is_as_it_says(image))
        read_as_program(&arena, &process, NULL);
}

static void run_inspect(void)
{
    struct arena arena = arena_make();
    struct subject subject = {.headers = {0, 0}};
    image_inspect("/program", PAGE, &arena, &subject);
    volatile uint8_t seen = 0;
    for (size_t i = 0; i < subject.build_id.length; i++)
        seen ^= subject.build_id.bytes[i];
}

static void run_object(void)
{
    struct object object;
    struct version_need need;
    const intptr_t tags[] = {DT_NEEDED, DT_RPATH, DT_RUNPATH};
    if (!object_read(input, input_size, &object))
        longjmp(refused, 1);
    for (size_t tag = 0; tag < sizeof tags / sizeof *tags; tag++) {
        size_t index = 0;
        for (const char *name; (name = object_string(&object, tags[tag], &index));)
            text_length(name);
    }
    for (size_t i = 0; object_need(&object, i, &need); i++)
        text_length(need.library) && object_defines(&object, need.name);
}

/* A decision under a right sum about the very program it is of; followed as far as to ld.so. */
static void run_decision(void)
{
    struct vector vector;
    struct decision decision;
    struct subject subject = {.headers = {0, 0}};
    struct arena arena = arena_make();
    struct decision_header *header = (struct decision_header *)(uintptr_t)input;
    if (input_size < sizeof *header || input_size % 8)
        longjmp(refused, 1);
    header->size = (uint32_t)input_size;
    header->machine = (uint32_t)ARCH_BITS << 16 | ARCH_MACHINE;
    header->sum = (struct sum){0, 0};
    header->sum = sum_words(header, input_size);
    subject.identity = header->identity;
    subject.headers = header->headers;
    static Phdr none[1];
    struct process process = process_of(&vector, (struct image){.phdr = (uintptr_t)none, .phnum = 1});
    if (!decision_find(&arena, &process, &subject, &decision).found)
        longjmp(refused, 1);
    read_as_program(&arena, &process, &decision);
}

static void run_covered(void)
{
    char room[PATH_ROOM];
    if (!covered_linker("/linker", room))
        longjmp(refused, 1);
}

/* Of child.c: whether the program, or a script, would go through the loader. */
bool takes_child(void);

static void run_child(void)
{
    if (!takes_child())
        longjmp(refused, 1);
}

static void run_index(void)
{
    struct index index = {.start = (const char *)input, .size = input_size};
    if (input_size <= HEAD_SIZE)
        longjmp(refused, 1);
    find_names(&index);
    if (index.lines && !index_has(&index, "libseed.so.1"))
        longjmp(refused, 1);
}

static void run_joined(void)
{
    const struct joined_libraries *table = (const struct joined_libraries *)(uintptr_t)input;
    if (input_size <= sizeof *table || !is_sound(table, input_size) ||
        !joined_library_path(table, "libseed.so.1", NULL))
        longjmp(refused, 1);
    for (uint32_t i = 0; i < table->count; i++)
        text_length((const char *)table + table->row[i].name) && text_length((const char *)table + table->row[i].path);
}

static long see(void *taker, const struct packed *packed, const struct packed_entry *entry, const uint8_t *content)
{
    uint8_t *seen = taker;
    for (uint64_t i = 0; entry->kind != PACKED_DIRECTORY && i < entry->size; i++)
        *seen ^= content[i];
    return (long)text_length(packed_name(packed, entry));
}

/* The launcher maps an image with slack behind it. */
static void run_packed(void)
{
    enum { MAX_EXPANDED = 1 << 20 };
    struct packed packed;
    uint8_t seen = 0, *content = malloc(input_size + ZSTD_SLACK);
    memcpy(content, input, input_size);
    memset(content + input_size, 0, ZSTD_SLACK);
    bool sound = packed_read(&packed, content, input_size) && packed.header->largest <= MAX_EXPANDED &&
                 packed_expand(&packed, see, &seen) == 0;
    free(content);
    /* As a block's content, which only whole compressed blocks have. */
    uint8_t *block = malloc(input_size + 1);
    memcpy(block, input, input_size);
    unwind_restore(block, input_size);
    free(block);
    if (!sound)
        longjmp(refused, 1);
}

static void forget_mappings(void)
{
    for (size_t i = 0; i < mapping_count; i++)
        munmap((void *)mappings[i].start, mappings[i].end - mappings[i].start);
    mapping_count = 0;
}

static void run(char target)
{
    switch (target) {
    case 'i': run_image(); break;
    case 'h': run_inspect(); break;
    case 'o': run_object(); break;
    case 'd': run_decision(); break;
    case 'x': run_index(); break;
    case 'j': run_joined(); break;
    case 'p': run_packed(); break;
    case 's': run_child(); break;
    default: run_covered(); break;
    }
}

static bool read_one(char *target)
{
    uint32_t size;
    if (fread(target, 1, 1, stdin) != 1 || fread(&size, sizeof size, 1, stdin) != 1)
        return false;
    /* Of exactly that size, so that a byte behind it is one too many. */
    char *content = malloc(size ? size : 1);
    require(content && fread(content, 1, size, stdin) == size, "an input is cut short");
    input = content;
    input_size = size;
    position = 0;
    return true;
}

int main(void)
{
    char target;
    while (read_one(&target)) {
        volatile char answer = '-';
        if (!setjmp(refused)) {
            run(target);
            answer = '+';
        }
        forget_mappings();
        free((void *)(uintptr_t)input);
        putchar(answer);
        fflush(stdout);
    }
    return 0;
}
