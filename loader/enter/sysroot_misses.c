/* qemu looks for each absolute path that its program opens below its sysroot first, once (util/path.c). A sysroot is
   DIRECTORY/NAME (launch/strategies/emulated.py); in it

       .opened     leads to the directory of links for what the program opens while it runs
       .program    leads to the program
       .libraries  leads to the first of the dynamic linker's default directories, by a relative path

   The dynamic linker looks there for a name after run paths and LD_LIBRARY_PATH, and before nothing but further default
   directories. */
#include "sysroot_misses.h"

#include "../resident/library_names.h"

/* Return what of a path in a sysroot is the program's; null for a path elsewhere. */
static const char *inside_path(const struct names *directories, const char *path)
{
    for (long i = 0; i < directories->count; i++) {
        if (!text_starts(path, directories->first[i]))
            continue;
        const char *rest = path + text_length(directories->first[i]);
        while (*rest && *rest != '/')
            rest++;
        return *rest ? rest : NULL;
    }
    return NULL;
}

/* Write where a link of a sysroot leads; `end` begins behind the sysroot in `path`. */
static bool read_link(const char *path, const char *end, const char *link, char *room)
{
    char place[PATH_ROOM];
    struct text text = text_in(place, sizeof place);
    text_add_bytes(&text, path, (size_t)(end - path));
    text_add(&text, link);
    long length = text.cut ? -1 : sys_readlink(place, room, PATH_ROOM - 1);
    room[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* Return the name, if a path in a sysroot is one of a library in the first default directory; else null. */
static const char *library_name(const char *path, const char *inside)
{
    char directory[PATH_ROOM];
    const char *name = text_file_name(inside);
    if (!library_name_is_plain(name) || !read_link(path, inside, "/.libraries", directory))
        return NULL;
    /* Between the first slash and the last one. */
    size_t length = text_length(directory);
    bool is_there = text_starts(inside + 1, directory) && inside + 1 + length + 1 == name;
    return is_there ? name : NULL;
}

static bool may_come(const char *opened, const char *name)
{
    char room[PATH_ROOM];
    struct text directory = text_in(room, sizeof room);
    text_add(&directory, opened);
    text_add(&directory, "/");
    return !directory.cut && !library_name_is_denied(room, name) && !library_name_is_unknown(room, name);
}

bool sysroot_misses_find(const struct names *directories, const char *path, struct sysroot_miss *miss)
{
    const char *inside = inside_path(directories, path);
    const char *name = inside ? library_name(path, inside) : NULL;
    /* What the host has there is opened next. */
    if (!name || sys_exists(path) || sys_exists(inside))
        return false;
    struct text kept = text_in(miss->name, sizeof miss->name);
    text_add(&kept, name);
    if (!read_link(path, inside, "/.opened", miss->opened) || !read_link(path, inside, "/.program", miss->program))
        return false;
    return sys_exists(miss->opened) && may_come(miss->opened, name);
}
