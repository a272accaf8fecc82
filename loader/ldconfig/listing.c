#include "listing.h"

#include "../loader_settings.h"

/* Three suites list 4 MB; memory that is not written to costs nothing. */
enum { NAME_ROOM = 256, NAMES_ROOM = 1 << 20, MAX_NAMES = 8192, TEXT_ROOM = 64 << 20, STDOUT = 1 };
/* The columns of an index's line, and the last kind of directory that the dynamic linker searches
   (denizen.index.library_paths.DirectoryKind). */
enum { NAME, KIND, PACKAGE, PATH, LINK, COLUMNS, LAST_SEARCHED = '2' };

struct piece {
    const char *start;
    size_t length;
};

/* getdents64(2). */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

static long take_memory(size_t size)
{
    int flags = SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE;
    return sys_mmap(0, size, SYS_PROT_READ | SYS_PROT_WRITE, flags, -1, 0);
}

struct listing listing_of(const char *kind, const struct names *denied)
{
    long at = take_memory(TEXT_ROOM);
    return (struct listing){.text = sys_failed(at) ? NULL : (char *)at, .kind = kind, .denied = denied};
}

static bool write_all(const char *bytes, size_t length)
{
    while (length) {
        long written = sys_write(STDOUT, bytes, length);
        if (written <= 0 && written != -SYS_EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

bool listing_write(const struct listing *listing)
{
    char room[64];
    struct text first = text_in(room, sizeof room);
    text_add_decimal(&first, listing->count);
    text_add(&first, " libs found in cache `/etc/ld.so.cache'\n");
    return write_all(room, first.length) && write_all(listing->text, listing->used);
}

static void put(struct listing *listing, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        listing->text[listing->used++] = bytes[i];
}

static void list_one(struct listing *listing, struct piece name, struct piece directory, struct piece path)
{
    const char *kind = listing->kind ? listing->kind : "libc6";
    size_t most = name.length + directory.length + path.length + text_length(kind) + 16;
    if (!listing->text || most > TEXT_ROOM - listing->used)
        return;
    put(listing, "\t", 1);
    put(listing, name.start, name.length);
    put(listing, " (", 2);
    put(listing, kind, text_length(kind));
    put(listing, ") => ", 5);
    put(listing, directory.start, directory.length);
    put(listing, path.start, path.length);
    put(listing, "\n", 1);
    listing->count++;
}

static bool is_digit(char one)
{
    return one >= '0' && one <= '9';
}

/* Compare as ldconfig does (glibc elf/dl-cache.c, _dl_cache_libcmp): numbers by their value. */
static int compare_names(const char *one, const char *other)
{
    while (*one && *other) {
        if (is_digit(*one) && is_digit(*other)) {
            uint64_t first = 0, second = 0;
            while (is_digit(*one))
                first = first * 10 + (uint64_t)(*one++ - '0');
            while (is_digit(*other))
                second = second * 10 + (uint64_t)(*other++ - '0');
            if (first != second)
                return first < second ? -1 : 1;
        } else if (*one != *other) {
            return *one < *other ? -1 : 1;
        } else {
            one++, other++;
        }
    }
    return (*one != '\0') - (*other != '\0');
}

static void insert(const char **names, size_t count, const char *name)
{
    for (; count && compare_names(names[count - 1], name) < 0; count--)
        names[count] = names[count - 1];
    names[count] = name;
}

/* A library's name has .so in it; denizen's own files in the directory begin with a dot. */
static bool is_library(const char *name)
{
    if (*name == '.')
        return false;
    for (; *name; name++)
        if (text_starts(name, ".so"))
            return true;
    return false;
}

/* Read the names into `room`, and their addresses in order into `names`; return their number. */
static size_t read_names(int fd, char *room, const char **names)
{
    _Alignas(struct entry) char buffer[32 * 1024];
    size_t count = 0, used = 0;
    long size;
    while ((size = arch_syscall(__NR_getdents64, fd, (long)buffer, sizeof buffer, 0, 0, 0)) > 0)
        for (long at = 0; at < size; at += ((const struct entry *)(const void *)(buffer + at))->size) {
            const struct entry *entry = (const void *)(buffer + at);
            size_t length = text_length(entry->name) + 1;
            if (!is_library(entry->name) || count == MAX_NAMES || used + length > NAMES_ROOM)
                continue;
            __builtin_memcpy(room + used, entry->name, length);
            insert(names, count++, room + used);
            used += length;
        }
    return count;
}

struct names names_in(const char *directory)
{
    enum { SIZE = NAMES_ROOM + MAX_NAMES * sizeof(char *) };
    struct names names = {0};
    int fd = sys_open(directory, SYS_RDONLY | SYS_DIRECTORY);
    if (fd < 0)
        return names;
    long at = take_memory(SIZE);
    if (!sys_failed(at)) {
        names.first = (const char **)at;
        names.room = (char *)at + MAX_NAMES * sizeof(char *);
        names.count = read_names(fd, names.room, names.first);
    }
    sys_close(fd);
    return names;
}

void names_free(const struct names *names)
{
    if (names->room)
        arch_syscall(__NR_munmap, (long)names->first, NAMES_ROOM + MAX_NAMES * sizeof(char *), 0, 0, 0, 0);
}

void listing_directory(struct listing *listing, const char *directory)
{
    char room[PATH_ROOM];
    struct text path = text_in(room, sizeof room);
    struct names names = names_in(directory);
    text_add(&path, directory);
    text_add(&path, "/");
    for (size_t i = 0; i < names.count && !path.cut; i++) {
        struct piece name = {names.first[i], text_length(names.first[i])};
        list_one(listing, name, (struct piece){room, path.length}, name);
    }
    names_free(&names);
}

/* False for a line that is none, and for a library that is found by no name. */
static bool take_columns(const char *line, size_t left, struct piece *columns)
{
    size_t column = 0;
    columns[NAME] = (struct piece){line, 0};
    for (size_t i = 0; i < left && line[i] != '\n'; i++) {
        if (line[i] != '\t')
            columns[column].length++;
        else if (++column == COLUMNS)
            return false;
        else
            columns[column] = (struct piece){line + i + 1, 0};
        if (column == PACKAGE && (columns[KIND].length != 1 || *columns[KIND].start > LAST_SEARCHED))
            return false;
    }
    return column == COLUMNS - 1 && columns[NAME].length < NAME_ROOM;
}

static bool is_same(struct piece one, struct piece other)
{
    return one.length == other.length && __builtin_memcmp(one.start, other.start, one.length) == 0;
}

static bool fits(const char *pattern, struct piece name)
{
    size_t length = text_length(pattern);
    bool open = length && pattern[length - 1] == '*';
    length -= open;
    return (open ? length <= name.length : length == name.length) &&
           __builtin_memcmp(pattern, name.start, length) == 0;
}

static bool is_hosts(struct piece name)
{
    for (const char *pattern = config_next(SETTING_KEPT_OUT, NULL); pattern;
         pattern = config_next(SETTING_KEPT_OUT, pattern))
        if (fits(pattern, name))
            return true;
    return false;
}

/* Without the `.so` and what follows. */
static struct piece stem_of(struct piece name)
{
    for (size_t i = 0; i + 3 <= name.length; i++)
        if (__builtin_memcmp(name.start + i, ".so", 3) == 0)
            return (struct piece){name.start, i};
    return name;
}

static bool is_link_for_developers(struct piece name, struct piece last)
{
    return stem_of(name).length + 3 == name.length && last.start && is_same(stem_of(name), stem_of(last));
}

static bool is_in_earlier(const struct index *indexes, uint32_t number, const char *name)
{
    while (number--)
        if (index_has(&indexes[number], name))
            return true;
    return false;
}

/* Whether it is a file's name and not a soname: libz.so.1.3.1, where there is libz.so.1. */
static bool is_file_name(const struct index *index, struct piece name)
{
    char room[NAME_ROOM];
    __builtin_memcpy(room, name.start, name.length);
    for (size_t end = name.length; end-- > stem_of(name).length + 4;)
        if (room[end] == '.') {
            room[end] = '\0';
            if (index_has(index, room))
                return true;
        }
    return false;
}

static bool is_denied(const struct names *denied, struct piece name)
{
    for (size_t i = 0; i < denied->count; i++)
        if (is_same((struct piece){denied->first[i], text_length(denied->first[i])}, name))
            return true;
    return false;
}

/* From the end of the table: a newer version comes first, and a name without one, which developers' packages have for
   a link, last. As for ldconfig a library's name begins with `lib`. */
void listing_index(struct listing *listing, const struct index *indexes, uint32_t number)
{
    const struct index *index = &indexes[number];
    struct piece columns[COLUMNS], last = {NULL, 0};
    size_t first = index_from(index, "lib");
    for (size_t i = index_from(index, "lic"); i-- > first;) {
        size_t left = 0;
        const char *line = index_line(index, i, &left);
        if (!line || !take_columns(line, left, columns))
            continue;
        struct piece name = columns[NAME];
        bool again = last.start && is_same(name, last);
        if (again || is_link_for_developers(name, last) || is_file_name(index, name) || is_hosts(name) ||
            is_denied(listing->denied, name) || is_in_earlier(indexes, number, line))
            continue;
        last = name;
        list_one(listing, name, columns[LINK], columns[LINK].length ? (struct piece){"", 0} : columns[PATH]);
    }
}
