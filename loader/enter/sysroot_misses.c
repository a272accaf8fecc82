/* qemu looks for each absolute path that its program opens below its sysroot first, once (util/path.c). A sysroot is
   DIRECTORY/NAME (launch/strategies/emulated.py); in it

       .opened     leads to the directory of links for what the program opens while it runs
       .program    leads to the program
       .libraries  leads to the first of the dynamic linker's default directories, by a relative path

   The dynamic linker looks there for a name after run paths and LD_LIBRARY_PATH, and before nothing but further default
   directories. */
#include "sysroot_misses.h"

#include "../looked_places.h"
#include "../resident/library_names.h"

const char *sysroot_misses_inside(const struct names *directories, const char *path)
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

/* Return the name, if a path in a sysroot is one of a library in the first default directory, or in that below /usr, which
   is the same one to packages; else null. */
static const char *library_name(const char *path, const char *inside)
{
    char directory[PATH_ROOM];
    const char *name = text_file_name(inside);
    if (!library_name_is_plain(name) || !read_link(path, inside, "/.libraries", directory))
        return NULL;
    const char *from = text_starts(inside, "/usr/") ? inside + sizeof "/usr" : inside + 1;
    /* Between the slash before and the last one. */
    size_t length = text_length(directory);
    bool is_there = text_starts(from, directory) && from + length + 1 == name;
    return is_there ? name : NULL;
}

/* As launch/dlopen_record.py records a name: of a path with = for each /. */
static bool is_denied(const char *opened, const char *name)
{
    char directory[PATH_ROOM], recorded[PATH_ROOM];
    struct text text = text_in(directory, sizeof directory);
    text_add(&text, opened);
    text_add(&text, "/");
    struct text record = text_in(recorded, sizeof recorded);
    for (const char *one = name; *one; one++)
        text_add_bytes(&record, *one == '/' ? "=" : one, 1);
    return text.cut || record.cut || library_name_is_denied(directory, recorded);
}

static bool is_unknown(const char *opened, const char *name)
{
    char room[PATH_ROOM];
    struct text directory = text_in(room, sizeof room);
    text_add(&directory, opened);
    text_add(&directory, "/");
    return directory.cut || library_name_is_unknown(room, name);
}

bool sysroot_misses_program(const char *path, const char *inside, char *room)
{
    return read_link(path, inside, "/.program", room);
}

/* What is missed in this sysroot, by a name for the helper. */
static bool note(const char *path, const char *inside, const char *name, struct sysroot_miss *miss)
{
    struct text kept = text_in(miss->name, sizeof miss->name);
    text_add(&kept, name);
    return !kept.cut && text_length(name) < LIBRARY_NAME_ROOM && read_link(path, inside, "/.opened", miss->opened) &&
           sysroot_misses_program(path, inside, miss->program) && sys_exists(miss->opened) &&
           !is_denied(miss->opened, name);
}

/* What the host has there is opened next. */
static bool is_there(const char *path, const char *inside)
{
    return sys_exists(path) || sys_exists(inside);
}

bool sysroot_misses_library(const char *path, const char *inside, struct sysroot_miss *miss)
{
    const char *name = library_name(path, inside);
    return name && !is_there(path, inside) && note(path, inside, name, miss) && !is_unknown(miss->opened, name);
}

/* Directories into which the dynamic linker looks in each of its own for a processor's sake: glibc-hwcaps and, before
   glibc 2.37, tls, the platform and what it is capable of (sysdeps, dl-procinfo.c and HWCAP_IMPORTANT), of what qemu
   emulates. power9, v7l and z13 stand for their like. */
static bool is_of_processor(const char *name, size_t length)
{
    static const char names[] = "glibc-hwcaps\0tls\0aarch64\0atomics\0neon\0vfp\0altivec\0dfp\0zarch\0ldisp\0eimm\0"
                                "highgprs\0te\0vx\0x86_64\0i586\0i686\0sse2\0haswell\0xeon_phi\0avx512_1\0";
    char room[32];
    struct text text = text_in(room, sizeof room);
    text_add_bytes(&text, name, length);
    for (const char *one = names; *one; one += text_length(one) + 1)
        if (!text.cut && text_equal(room, one))
            return true;
    const char *number = room + (text_starts(room, "power") ? 5 : text_starts(room, "zEC") ? 3 : 1);
    return (number != room + 1 || room[0] == 'v' || room[0] == 'z') && number[0] >= '0' && number[0] <= '9';
}

/* Whether a path is in a directory below those of libraries that the dynamic linker does not search by itself. */
static bool is_of_others(const char *inside)
{
    const char *below = text_starts(inside, "/usr/") ? inside + sizeof "/usr" - 1 : inside;
    bool deeper = false;
    if (!text_starts(below, "/lib/"))
        return false;
    for (const char *name = below + sizeof "/lib/" - 1, *end = name; *end; end++) {
        if (*end != '/')
            continue;
        if (is_of_processor(name, (size_t)(end - name)))
            return false;
        deeper = true;
        name = end + 1;
    }
    return deeper;
}

bool sysroot_misses_file(const char *path, const char *inside, struct sysroot_miss *miss)
{
    if (!library_name_is_plain(text_file_name(inside)) || !is_of_others(inside) || is_there(path, inside) ||
        library_name(path, inside))
        return false;
    return note(path, inside, inside, miss) && !is_unknown(miss->opened, text_file_name(inside));
}

bool sysroot_misses_place(const char *path, const char *inside, struct sysroot_miss *miss)
{
    char room[PATH_ROOM];
    uint64_t bit;
    const char *place = looked_place_of(inside, &bit);
    if (!place || is_there(path, inside) || sys_exists(place))
        return false;
    struct text whole = text_in(room, sizeof room);
    text_add_bytes(&whole, path, (size_t)(inside - path));
    text_add(&whole, place);
    return !whole.cut && !sys_exists(room) && note(path, inside, place, miss);
}
