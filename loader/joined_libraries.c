#include "joined_libraries.h"

#include "sys.h"
#include "text.h"

/* As launch/joined_libraries.py: room for some 1,800 names, and the arena's. */
enum { MAX_SIZE = 256 * 1024 };
static const char *const TABLE = "/.table";

static bool is_path(const struct joined_libraries *table, uint32_t offset, size_t size)
{
    return offset < size && ((const char *)table)[offset] == '/';
}

/* Whether every offset is inside and every string ends: the last byte of the file is a NUL. */
static bool is_sound(const struct joined_libraries *table, size_t size)
{
    size_t rows = (size - sizeof *table) / sizeof table->row[0];
    if (((const char *)table)[size - 1] || table->count > rows || !is_path(table, table->of, size))
        return false;
    for (uint32_t i = 0; i < table->count; i++)
        if (table->row[i].name >= size || !is_path(table, table->row[i].path, size))
            return false;
    return true;
}

static const struct joined_libraries *read_whole(struct arena *arena, int fd)
{
    struct arch_stat facts;
    if (sys_fstat(fd, &facts) < 0 || (facts.mode & SYS_S_IFMT) != SYS_S_IFREG ||
        facts.size <= (int64_t)sizeof(struct joined_libraries) || facts.size > MAX_SIZE)
        return NULL;
    struct joined_libraries *table = arena_take(arena, (size_t)facts.size);
    bool whole = sys_pread(fd, table, (size_t)facts.size, 0) == facts.size;
    return whole && is_sound(table, (size_t)facts.size) ? table : NULL;
}

const struct joined_libraries *joined_libraries_read(struct arena *arena, const char *directory, const char *search)
{
    char room[PATH_ROOM];
    struct text path = text_in(room, sizeof room);
    text_add(&path, directory);
    text_add(&path, TABLE);
    int fd = path.cut ? -1 : sys_open(room, SYS_RDONLY | SYS_NONBLOCK | SYS_NOFOLLOW);
    if (fd < 0)
        return NULL;
    const struct joined_libraries *table = read_whole(arena, fd);
    sys_close(fd);
    return table && text_equal((const char *)table + table->of, search) ? table : NULL;
}
