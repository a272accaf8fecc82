#include "package_index.h"

enum { MAX_INDEXES = 16, MAX_SECTIONS = 32, SECTION_NAME = 16, SECTION_SIZE = 32, HEAD_SIZE = 12 };
enum { OFFSET_SIZE = 4 };
static const char MAGIC[] = "DNZIDX1\n";

struct span {
    size_t offset;
    size_t length;
};

/* Nothing in the file is aligned. */
static uint64_t number_at(const char *at, size_t size)
{
    uint64_t number = 0;
    __builtin_memcpy(&number, at, size);
    return number;
}

static void map_file(const char *path, struct index *index)
{
    struct arch_stat facts;
    int fd = sys_open(path, SYS_RDONLY);
    if (fd < 0)
        return;
    if (sys_fstat(fd, &facts) >= 0 && facts.size > HEAD_SIZE) {
        long at = sys_mmap(0, (size_t)facts.size, SYS_PROT_READ, SYS_MAP_PRIVATE, fd, 0);
        if (!sys_failed(at)) {
            index->start = (const char *)at;
            index->size = (size_t)facts.size;
        }
    }
    sys_close(fd);
}

/* Where a section lies, if it lies in the file. */
static bool find_section(const struct index *index, const char *name, struct span *span)
{
    uint64_t count = number_at(index->start + HEAD_SIZE - 4, 4);
    if (count > MAX_SECTIONS || HEAD_SIZE + count * SECTION_SIZE > index->size)
        return false;
    for (size_t at = HEAD_SIZE; count--; at += SECTION_SIZE) {
        uint64_t offset = number_at(index->start + at + SECTION_NAME, 8);
        uint64_t length = number_at(index->start + at + SECTION_NAME + 8, 8);
        bool same = __builtin_memcmp(index->start + at, name, text_length(name) + 1) == 0;
        if (same && offset <= index->size && length <= index->size - offset) {
            *span = (struct span){(size_t)offset, (size_t)length};
            return true;
        }
    }
    return false;
}

static void find_names(struct index *index)
{
    struct span lines;
    struct span offsets;
    if (index->start && __builtin_memcmp(index->start, MAGIC, sizeof MAGIC - 1) == 0 &&
        find_section(index, "sonames", &lines) && find_section(index, "sonames.at", &offsets)) {
        index->lines = index->start + lines.offset;
        index->length = lines.length;
        index->offsets = index->start + offsets.offset;
        index->count = offsets.length / OFFSET_SIZE;
    }
}

bool index_open(const char *directory, uint32_t number, struct index *index)
{
    char room[PATH_ROOM];
    char target[1];
    struct text path = text_in(room, sizeof room);
    *index = (struct index){0};
    text_add(&path, directory);
    text_add_decimal(&path, number);
    if (number >= MAX_INDEXES || path.cut || sys_readlink(room, target, sizeof target) < 0)
        return false;
    map_file(room, index);
    find_names(index);
    return true;
}

void index_close(const struct index *index)
{
    if (index->start)
        arch_syscall(__NR_munmap, (long)index->start, (long)index->size, 0, 0, 0, 0);
}

const char *index_line(const struct index *index, size_t number, size_t *left)
{
    uint32_t at;
    __builtin_memcpy(&at, index->offsets + number * OFFSET_SIZE, OFFSET_SIZE);
    if (at >= index->length)
        return NULL;
    *left = index->length - at;
    return index->lines + at;
}

/* Compare the line with the name as if both ended with a tab: less than it, it, or more. */
static int compare_line(const char *line, size_t left, const char *name)
{
    for (size_t i = 0;; i++) {
        bool ends = !name[i] || name[i] == '\t';
        unsigned char wanted = ends ? '\t' : (unsigned char)name[i];
        unsigned char found = i < left ? (unsigned char)line[i] : 0;
        if (found != wanted)
            return found < wanted ? -1 : 1;
        if (ends)
            return 0;
    }
}

/* By bisection, for the lines are sorted. A line that is not in the file is less than any. */
size_t index_from(const struct index *index, const char *name)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2, left = 0;
        const char *line = index_line(index, middle, &left);
        if (compare_line(line, left, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool index_has(const struct index *index, const char *name)
{
    size_t number = index_from(index, name), left = 0;
    const char *line = number < index->count ? index_line(index, number, &left) : NULL;
    return line && compare_line(line, left, name) == 0;
}

bool index_rules_out(const char *directory, const char *name)
{
    struct index index;
    uint32_t number = 0;
    for (; index_open(directory, number, &index); number++) {
        /* A damaged file rules nothing out. */
        bool perhaps = !index.lines || index_has(&index, name);
        index_close(&index);
        if (perhaps)
            return false;
    }
    return number > 0;
}
