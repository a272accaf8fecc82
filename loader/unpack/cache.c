#include "cache.h"

#include "../enter/errno_text.h"
#include "collect.h"

#include <asm/statfs.h>

enum { NAME_ROOM = 80, DIGITS = 40, OTHERS_MAY_WRITE = 022, ANYBODY = 02, STICKY = 01000, NOEXEC = 8, GRND_NONBLOCK = 1 };

static void note(struct cache_search *search, const char *directory, const char *reason)
{
    if (search->obstacle[0])
        return;
    struct text text = text_in(search->obstacle, sizeof search->obstacle);
    text_add(&text, directory);
    text_add(&text, ": ");
    text_add(&text, reason);
}

static void note_problem(struct cache_search *search, const char *directory, long problem)
{
    char room[100];
    struct text reason = text_in(room, sizeof room);
    errno_text_add(&reason, problem);
    note(search, directory, room);
}

/* In the order in which they are tried: the value of a variable or a directory, and what is made below; behind a dash
   comes the user's number, for many have the directory. src/denizen/app/bundles/unpacked_bundles.py looks there too, and
   docs/bundle.md and the help of `bundle` say them (a test compares). Arrays, because pointers would need relocations. */
static const struct place {
    char start[16];
    char below[16];
} PLACES[] = {
    {"$XDG_CACHE_HOME", "/denizen"},
    {"$HOME", "/.cache/denizen"},
    {"$TMPDIR", "/denizen-"},
    {"/var/tmp", "/denizen-"},
    {"/tmp", "/denizen-"},
    {"/dev/shm", "/denizen-"},
};

size_t cache_places(void)
{
    return sizeof PLACES / sizeof *PLACES;
}

bool cache_directory(size_t place, const struct process *process, struct text *path)
{
    const char *start = PLACES[place].start, *below = PLACES[place].below;
    start = start[0] == '$' ? process_variable(process, start + 1) : start;
    if (!start || start[0] != '/')
        return false;
    text_add(path, text_equal(start, "/") ? "" : start);
    text_add(path, below);
    if (below[text_length(below) - 1] == '-')
        text_add_decimal(path, process->euid);
    text_add(path, "/bundles");
    return !path->cut;
}

static bool is_ours_or_roots(const struct arch_stat *facts)
{
    return !facts->uid || facts->uid == (uint32_t)arch_syscall(__NR_geteuid, 0, 0, 0, 0, 0, 0);
}

static bool is_own(const struct arch_stat *facts)
{
    return is_ours_or_roots(facts) && !(facts->mode & OTHERS_MAY_WRITE);
}

/* Nobody else may rename what is in it, as its owner can: the home that root has under sudo is another user's. In a user
   namespace without a number for root, root's directories are nobody's. */
static bool keeps_names(const struct arch_stat *facts)
{
    return (is_ours_or_roots(facts) || !process_has_number(facts->uid)) &&
           (!(facts->mode & ANYBODY) || (facts->mode & STICKY));
}

/* One directory on the way, made where it is not there. Only the last two need be ours. */
static int descend(struct cache_search *search, int at, const char *name, bool ours, const char *directory)
{
    struct arch_stat facts;
    long made = files_make_directory(at, name, 0700);
    int flags = SYS_DIRECTORY | SYS_CLOEXEC | (ours ? SYS_NOFOLLOW : 0);
    int next = sys_openat(at, name, flags | SYS_RDONLY);
    if (next < 0)
        next = sys_openat(at, name, flags | SYS_PATH);
    if (next < 0) {
        note_problem(search, directory, sys_failed(made) ? made : next);
        return -1;
    }
    if (sys_fstat(next, &facts) >= 0 && (ours ? is_own(&facts) : keeps_names(&facts)))
        return next;
    note(search, directory, "another user may write to it, or to a directory that it is in");
    sys_close(next);
    return -1;
}

static size_t count_parts(const char *path)
{
    size_t count = 0;
    for (; *path; path++)
        count += path[0] == '/' && path[1] && path[1] != '/';
    return count;
}

/* Every directory of the path, made where it is not there; the last one, opened. */
static int open_all(struct cache_search *search, const char *directory)
{
    char name[NAME_ROOM * 4];
    size_t left = count_parts(directory);
    int here = sys_open("/", SYS_PATH | SYS_DIRECTORY);
    for (const char *at = directory; here >= 0 && left; left--) {
        struct text part = text_in(name, sizeof name);
        while (*at == '/')
            at++;
        while (*at && *at != '/')
            text_add_bytes(&part, at++, 1);
        int next = part.cut ? -1 : descend(search, here, name, left <= 2, directory);
        sys_close(here);
        here = next;
    }
    return here;
}

static bool executes(int fd)
{
    struct statfs facts;
    return sys_failed(arch_syscall(__NR_fstatfs, fd, (long)&facts, 0, 0, 0, 0)) || !(facts.f_flags & NOEXEC);
}

void cache_add_object(struct text *path, const struct packed_source *source)
{
    text_add(path, path->length ? "/" : "");
    text_add_bytes(path, source->digest, DIGITS);
}

static int open_object(int above, const struct packed_source *source)
{
    char room[NAME_ROOM];
    struct text name = text_in(room, sizeof room);
    struct arch_stat facts;
    cache_add_object(&name, source);
    int flags = SYS_RDONLY | SYS_DIRECTORY | SYS_NOFOLLOW | SYS_CLOEXEC;
    int fd = sys_openat(above, room, flags);
    if (fd >= 0 && sys_fstat(fd, &facts) >= 0 && is_own(&facts) && collect_note_use(above, fd, &facts)) {
        sys_close(fd);
        fd = sys_openat(above, room, flags);
    }
    if (fd >= 0 && (sys_fstat(fd, &facts) < 0 || !is_own(&facts))) {
        sys_close(fd);
        return -SYS_EACCES;
    }
    return fd;
}

static bool object_is_whole(int above, const struct packed_source *source)
{
    int fd = open_object(above, source);
    bool whole = fd >= 0 && files_are_whole(fd, &source->packed);
    if (fd >= 0)
        sys_close(fd);
    return whole;
}

bool cache_open(struct cache_search *search, const char *directory)
{
    search->whole = false;
    int fd = open_all(search, directory);
    if (fd < 0)
        return false;
    bool usable = executes(fd);
    if (!usable)
        note(search, directory, "programs may not be executed from there (noexec)");
    else
        search->whole = object_is_whole(fd, search->source);
    sys_close(fd);
    return usable;
}

static void temporary_name(struct text *name, const struct packed_source *source, uint32_t number)
{
    text_add(name, ".");
    text_add_bytes(name, source->digest, DIGITS);
    text_add(name, ".");
    text_add_decimal(name, number);
}

/* In one step; what lies there unusable goes aside first, and is removed. Who comes second uses what the first made. */
static long put_in_place(int above, const char *temporary, const struct packed_source *source)
{
    char room[NAME_ROOM], aside[NAME_ROOM];
    struct text name = text_in(room, sizeof room), other = text_in(aside, sizeof aside);
    cache_add_object(&name, source);
    text_add(&other, temporary);
    text_add(&other, ".old");
    long result = arch_syscall(__NR_renameat, above, (long)temporary, above, (long)room, 0, 0);
    if ((result == -FILES_ENOTEMPTY || result == -FILES_EEXIST) && !object_is_whole(above, source)) {
        arch_syscall(__NR_renameat, above, (long)room, above, (long)aside, 0, 0);
        result = arch_syscall(__NR_renameat, above, (long)temporary, above, (long)room, 0, 0);
        collect_remove(above, aside);
    }
    if (sys_failed(result))
        collect_remove(above, temporary);
    return object_is_whole(above, source) ? 0 : sys_failed(result) ? result : -SYS_EACCES;
}

/* Not the process's: processes of two containers that share the directory have the same ones. */
static uint32_t new_number(void)
{
    uint32_t number;
    long size = arch_syscall(__NR_getrandom, (long)&number, sizeof number, GRND_NONBLOCK, 0, 0, 0);
    /* Before Linux 3.17 nobody answers. */
    return size == sizeof number ? number : (uint32_t)arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0);
}

static long unpack_into(int above, const struct packed_source *source)
{
    char name[NAME_ROOM];
    struct text temporary = text_in(name, sizeof name);
    struct arch_stat facts;
    temporary_name(&temporary, source, new_number());
    collect_remove(above, name);
    long result = arch_syscall(__NR_mkdirat, above, (long)name, 0700, 0, 0, 0);
    if (sys_failed(result))
        return result;
    int fd = sys_openat(above, name, SYS_RDONLY | SYS_DIRECTORY | SYS_NOFOLLOW | SYS_CLOEXEC);
    if (fd < 0)
        return fd;
    if (sys_fstat(fd, &facts) >= 0)
        collect(above, name, facts.mtime);
    result = packed_expand(&source->packed, files_take, &fd);
    sys_close(fd);
    if (!sys_failed(result))
        return put_in_place(above, name, source);
    collect_remove(above, name);
    return result;
}

bool cache_fill(struct cache_search *search, const char *directory)
{
    int fd = open_all(search, directory);
    if (fd < 0)
        return false;
    long result = unpack_into(fd, search->source);
    sys_close(fd);
    if (sys_failed(result))
        note_problem(search, directory, result);
    return !sys_failed(result);
}
