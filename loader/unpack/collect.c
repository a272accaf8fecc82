#include "collect.h"

#include "../sys.h"
#include "../text.h"
#include "image_files.h"

enum {
    DIGITS = 40, NAME_AT = 19, LISTING = 8192, PIECE = 4096, DEEPEST = 64, MOST = 8,
    SET_LEASE = 1024, WRITE_LEASE = 1, EAGAIN_ = 11, LOCK_EXCLUSIVE = 2, LOCK_NOW = 4, UNLOCK = 8, OTHERS_MAY_WRITE = 022,
};
/* Seconds by the file system's own clock. */
static const int64_t DAY = 24 * 3600, UNUSED = 30 * 24 * 3600;

typedef bool collect_visit(int directory, const char *name, uint32_t kind, void *about, int depth);

/* Every entry of an open directory; false as soon as a visit says so. It may remove the entry. */
static bool each(int directory, collect_visit *visit, void *about, int depth)
{
    char room[LISTING];
    struct arch_stat facts;
    long size;
    while ((size = arch_syscall(__NR_getdents64, directory, (long)room, LISTING, 0, 0, 0)) > 0)
        for (long at = 0; at < size;) {
            const char *name = room + at + NAME_AT;
            at += (unsigned char)room[at + 16] | (long)(unsigned char)room[at + 17] << 8;
            if (text_equal(name, ".") || text_equal(name, ".."))
                continue;
            long told = arch_syscall(ARCH_FSTATAT, directory, (long)name, (long)&facts, SYS_AT_SYMLINK_NOFOLLOW, 0, 0);
            if (!sys_failed(told) && !visit(directory, name, facts.mode & SYS_S_IFMT, about, depth))
                return false;
        }
    return true;
}

static int open_directory(int above, const char *name)
{
    return sys_openat(above, name, SYS_RDONLY | SYS_DIRECTORY | SYS_NOFOLLOW | SYS_CLOEXEC);
}

static bool remove_one(int above, const char *name, uint32_t kind, void *about, int depth)
{
    enum { REMOVE_DIRECTORY = 0x200 };
    if (kind == SYS_S_IFDIR && depth < DEEPEST) {
        int fd = open_directory(above, name);
        if (fd >= 0) {
            each(fd, remove_one, about, depth + 1);
            sys_close(fd);
        }
    }
    arch_syscall(__NR_unlinkat, above, (long)name, kind == SYS_S_IFDIR ? REMOVE_DIRECTORY : 0, 0, 0, 0);
    return true;
}

void collect_remove(int above, const char *name)
{
    remove_one(above, name, SYS_S_IFDIR, (void *)0, 0);
}

/* The kernel grants a lease for writing only on a file that nobody else has open or mapped, in any container. What
   knows no leases (NFS) tells nothing; the processes' maps do. */
static bool is_free(int directory, const char *name, uint32_t kind, void *about, int depth)
{
    if (kind != SYS_S_IFDIR && kind != SYS_S_IFREG)
        return true;
    int fd = kind == SYS_S_IFDIR ? open_directory(directory, name)
                                 : sys_openat(directory, name, SYS_RDONLY | SYS_NOFOLLOW | SYS_NONBLOCK | SYS_CLOEXEC);
    if (fd < 0)
        return false;
    bool is = kind == SYS_S_IFDIR ? depth < DEEPEST && each(fd, is_free, about, depth + 1)
                                  : arch_syscall(__NR_fcntl, fd, SET_LEASE, WRITE_LEASE, 0, 0, 0) != -EAGAIN_;
    sys_close(fd);
    return is;
}

static bool contains(const char *bytes, size_t size, const char *digits)
{
    for (size_t i = 0; i + DIGITS <= size; i++)
        if (bytes[i] == digits[0] && !__builtin_memcmp(bytes + i, digits, DIGITS))
            return true;
    return false;
}

/* One process's maps, read in pieces that overlap by less than a name. One that may not be read is not this user's. */
static bool maps_none(int processes, const char *name, uint32_t kind, void *about, int depth)
{
    (void)depth;
    if (kind != SYS_S_IFDIR || name[0] < '0' || name[0] > '9')
        return true;
    char path[40], room[PIECE + DIGITS];
    struct text maps = text_in(path, sizeof path);
    text_add(&maps, name);
    text_add(&maps, "/maps");
    int fd = maps.cut ? -1 : sys_openat(processes, path, SYS_RDONLY | SYS_CLOEXEC);
    if (fd < 0)
        return true;
    size_t kept = 0;
    long size;
    bool none = true;
    while (none && (size = sys_read(fd, room + kept, PIECE)) > 0) {
        size_t all = kept + (size_t)size;
        none = !contains(room, all, about);
        kept = all < DIGITS ? all : DIGITS - 1;
        __builtin_memmove(room, room + all - kept, kept);
    }
    sys_close(fd);
    return none;
}

static bool is_unused(int above, const char *name)
{
    int processes = sys_open("/proc", SYS_RDONLY | SYS_DIRECTORY);
    if (processes < 0)
        return false;
    bool unused = each(processes, maps_none, (void *)(uintptr_t)name, 0);
    sys_close(processes);
    return unused && is_free(above, name, SYS_S_IFDIR, (void *)0, 0);
}

static bool is_object(const char *name)
{
    size_t length = 0;
    for (; name[length]; length++)
        if (!(name[length] >= '0' && name[length] <= '9') && !(name[length] >= 'a' && name[length] <= 'f'))
            return false;
    return length == DIGITS;
}

struct collection {
    const char *own;
    int64_t now;
    int left;
};

/* An object that nobody uses goes aside first, so that a start finds it whole or not at all. */
static bool collect_one(int above, const char *name, uint32_t kind, void *about, int depth)
{
    (void)depth;
    struct collection *all = about;
    struct arch_stat facts;
    char room[DIGITS + 8];
    bool object = is_object(name), aside = name[0] == '.' && text_length(name) > DIGITS;
    if (kind != SYS_S_IFDIR || !(object || aside) || text_equal(name, all->own) ||
        arch_syscall(ARCH_FSTATAT, above, (long)name, (long)&facts, SYS_AT_SYMLINK_NOFOLLOW, 0, 0) != 0 ||
        facts.mtime + (object ? UNUSED : DAY) >= all->now)
        return true;
    if (object) {
        struct text place = text_in(room, sizeof room);
        text_add(&place, ".");
        text_add(&place, name);
        text_add(&place, ".old");
        if (!is_unused(above, name) || sys_failed(arch_syscall(__NR_renameat, above, (long)name, above, (long)room, 0, 0)))
            return true;
        name = room;
    }
    collect_remove(above, name);
    return --all->left > 0;
}

void collect(int above, const char *own, int64_t now)
{
    struct collection all = {own, now, MOST};
    int fd = open_directory(above, ".");
    if (fd < 0)
        return;
    if (!sys_failed(arch_syscall(__NR_flock, fd, LOCK_EXCLUSIVE | LOCK_NOW, 0, 0, 0, 0)))
        each(fd, collect_one, &all, 0);
    sys_close(fd);
}

/* The lock is the collection's, which either sees the new time or has taken the object away before. */
bool collect_note_use(int above, int object, const struct arch_stat *facts)
{
    long now[2];
    if (sys_failed(arch_syscall(__NR_clock_gettime, 0, (long)now, 0, 0, 0, 0)) || facts->mtime + DAY > now[0])
        return false;
    int fd = open_directory(above, ".");
    if (fd >= 0)
        arch_syscall(__NR_flock, fd, LOCK_EXCLUSIVE, 0, 0, 0, 0);
    arch_syscall(__NR_utimensat, object, 0, 0, 0, 0, 0);
    if (fd >= 0)
        sys_close(fd);
    return true;
}
