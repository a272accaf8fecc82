#include "index.h"

enum { PATH_ROOM = 4096, MAX_INDEXES = 16, MAX_SECTIONS = 32, SECTION_NAME = 16, SECTION_SIZE = 32, HEAD_SIZE = 12 };
static const char MAGIC[] = "DNZIDX1\n";

struct file {
    const char *start;
    size_t size;
};

struct span {
    size_t offset;
    size_t length;
};

/* Nothing in the file is aligned. */
static uint64_t number_at(const struct file *file, size_t offset, size_t size)
{
    uint64_t number = 0;
    __builtin_memcpy(&number, file->start + offset, size);
    return number;
}

static struct file map_file(const char *path)
{
    struct arch_stat facts;
    struct file file = {NULL, 0};
    int fd = sys_open(path, SYS_RDONLY);
    if (fd < 0)
        return file;
    if (sys_fstat(fd, &facts) >= 0 && facts.size > HEAD_SIZE) {
        long at = sys_mmap(0, (size_t)facts.size, SYS_PROT_READ, SYS_MAP_PRIVATE, fd, 0);
        if (!sys_failed(at))
            file = (struct file){(const char *)at, (size_t)facts.size};
    }
    sys_close(fd);
    return file;
}

/* Where a section lies, if it lies in the file. */
static bool find_section(const struct file *file, const char *name, struct span *span)
{
    uint64_t count = number_at(file, HEAD_SIZE - 4, 4);
    if (count > MAX_SECTIONS || HEAD_SIZE + count * SECTION_SIZE > file->size)
        return false;
    for (size_t at = HEAD_SIZE; count--; at += SECTION_SIZE) {
        uint64_t offset = number_at(file, at + SECTION_NAME, 8);
        uint64_t length = number_at(file, at + SECTION_NAME + 8, 8);
        bool same = __builtin_memcmp(file->start + at, name, text_length(name) + 1) == 0;
        if (same && offset <= file->size && length <= file->size - offset) {
            *span = (struct span){(size_t)offset, (size_t)length};
            return true;
        }
    }
    return false;
}

/* The line against the name, as if both ended with a tab: what is less than it, it, or more. */
static int compare_line(const struct file *file, const struct span *lines, uint64_t offset, const char *name)
{
    size_t length = text_length(name) + 1;
    for (size_t i = 0; i < length; i++) {
        unsigned char wanted = name[i] ? (unsigned char)name[i] : '\t';
        unsigned char found = offset + i < lines->length ? (unsigned char)file->start[lines->offset + offset + i] : 0;
        if (found != wanted)
            return found < wanted ? -1 : 1;
    }
    return 0;
}

/* By bisection, for the lines are sorted. False for a file that is none, or is damaged. */
static bool lacks(const struct file *file, const char *name)
{
    struct span lines;
    struct span offsets;
    if (__builtin_memcmp(file->start, MAGIC, sizeof MAGIC - 1) != 0 || !find_section(file, "sonames", &lines) ||
        !find_section(file, "sonames.at", &offsets))
        return false;
    size_t low = 0;
    size_t high = offsets.length / 4;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_line(file, &lines, number_at(file, offsets.offset + middle * 4, 4), name);
        if (order == 0)
            return false;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return true;
}

static bool index_lacks(const char *path, const char *name)
{
    struct file file = map_file(path);
    if (!file.start)
        return false;
    bool answer = lacks(&file, name);
    arch_syscall(__NR_munmap, (long)file.start, (long)file.size, 0, 0, 0, 0);
    return answer;
}

bool index_rules_out(const char *directory, const char *name)
{
    char room[PATH_ROOM];
    char target[1];
    uint32_t number = 0;
    for (; number < MAX_INDEXES; number++) {
        struct text path = text_in(room, sizeof room);
        text_add(&path, directory);
        text_add_decimal(&path, number);
        if (path.cut || sys_readlink(room, target, sizeof target) < 0)
            break;
        if (!index_lacks(room, name))
            return false;
    }
    return number > 0;
}
