#include "mounts.h"

#include "../sys.h"
#include "../text.h"
#include "made_names.h"
#include "users.h"

#include <asm/statfs.h>

/* linux/mount.h, linux/sched.h, linux/fcntl.h, asm-generic/errno*.h; the values every architecture here shares. */
enum {
    MS_BIND = 4096,
    MS_MOVE = 8192,
    MS_REC = 16384,
    MS_RDONLY = 1,
    MS_NOSUID = 2,
    MS_NODEV = 4,
    MS_NOEXEC = 8,
    MS_REMOUNT = 32,
    ST_ALIKE = 0xc0f, /* the flags that statfs(2) and mount(2) give the same numbers */
    ST_RELATIME_ = 4096,
    MS_RELATIME = 1 << 21,
    MS_SLAVE = 1 << 19,
    MNT_DETACH = 2,
    CLONE_NEWNS = 0x00020000,
    CLONE_NEWNET = 0x40000000,
    DT_DIRECTORY = 4,
    DT_LINK = 10,
    EINVAL_ = 22,
    ENAMETOOLONG_ = 36,
    ENOSYS_ = 38,
    AT_RECURSIVE = 0x8000,
    MOUNT_ATTR_RDONLY = 1,
    MOUNT_ATTR_NOSUID = 2,
    MOUNT_ATTR_NODEV = 4,
};
enum { ENTRIES_ROOM = 32768 };

/* getdents64(2). */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t kind;
    char name[];
};

static long mount_with(const char *source, const char *target, const char *kind, unsigned long flags,
                       const char *options)
{
    return arch_syscall(__NR_mount, (long)source, (long)target, (long)kind, (long)flags, (long)options, 0);
}

static long mount_at(const char *source, const char *target, const char *kind, unsigned long flags)
{
    return mount_with(source, target, kind, flags, "mode=0755");
}

static bool join(char *room, const char *directory, const char *name)
{
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, text_equal(directory, "/") ? "" : directory);
    text_add(&path, "/");
    text_add(&path, name);
    return !path.cut;
}

/* From Linux 6.7 each user namespace may have entries of its own, which hold while the file system is mounted. */
long mounts_interpret(const char *stage, const struct names *entries, const char **call)
{
    char path[PATH_ROOM];
    if (!join(path, stage, "register"))
        return -ENAMETOOLONG_;
    if (sys_exists(path))
        return 0; /* by the program that started this one */
    /* The file to write to is root's, of the namespace that the file system was mounted in. */
    struct somebody self = users_myself();
    long result = self.uid ? users_become((struct somebody){0, 0}, CLONE_NEWNS, call)
                           : users_become_root_of_all(CLONE_NEWNS, call);
    if (sys_failed(result))
        return result;
    *call = "mount";
    result = mount_at(NULL, "/", NULL, MS_REC | MS_SLAVE);
    if (!sys_failed(result)) /* it takes no options */
        result = arch_syscall(__NR_mount, (long)"denizen", (long)stage, (long)"binfmt_misc", MS_NOSUID | MS_NODEV, 0, 0);
    for (long i = 0; i < entries->count && !sys_failed(result); i++) {
        *call = "writing to register";
        result = file_write(path, entries->first[i]);
    }
    return sys_failed(result) || !self.uid ? result : users_become(self, 0, call);
}

long mounts_bind(const char *source, const char *target)
{
    return mount_at(source, target, NULL, MS_BIND | MS_REC);
}

long mounts_set_apart(const char *path)
{
    return mount_at(NULL, path, NULL, MS_REC | MS_SLAVE);
}

long mounts_detach(const char *path)
{
    return arch_syscall(__NR_umount2, (long)path, MNT_DETACH, 0, 0, 0, 0);
}

long mounts_make_tmpfs(const char *path)
{
    return mount_at("denizen", path, "tmpfs", MS_NOSUID | MS_NODEV);
}

long mounts_become_offline(void)
{
    return arch_syscall(__NR_unshare, CLONE_NEWNET, 0, 0, 0, 0, 0);
}

/* Terminals are devices: the one kind of a file system of its own that may have some. */
long mounts_make_file_system(const char *kind, const char *options, const char *path)
{
    unsigned long flags = MS_NOSUID | (text_equal(kind, "devpts") ? 0 : MS_NODEV);
    return mount_with("denizen", path, kind, flags | (text_equal(kind, "tmpfs") ? 0 : MS_NOEXEC), options);
}

/* What a mount was locked with (mount_namespaces(7)) may not be dropped by a remount, so it is asked for again. */
static long remount(const char *path, unsigned long more)
{
    struct statfs facts;
    long result = arch_syscall(__NR_statfs, (long)path, (long)&facts, 0, 0, 0, 0);
    if (sys_failed(result))
        return result;
    unsigned long had = (unsigned long)facts.f_flags;
    unsigned long flags = MS_BIND | MS_REMOUNT | more | (had & ST_ALIKE);
    return mount_at(NULL, path, NULL, flags | (had & ST_RELATIME_ ? MS_RELATIME : 0));
}

long mounts_make_readonly(const char *path)
{
    return remount(path, MS_RDONLY);
}

long mounts_make_safe(const char *path)
{
    return remount(path, MS_NOSUID | MS_NODEV);
}

/* From Linux 5.12 all mounts below PATH at once. Before that a mount without those below it, which the kernel
   refuses where they hide something. */
static long protect_all(const char *source, const char *target)
{
    struct {
        uint64_t set, clear, propagation, user_namespace;
    } attributes = {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    long result = arch_syscall(__NR_mount_setattr, SYS_AT_CWD, (long)target, AT_RECURSIVE, (long)&attributes,
                               sizeof attributes, 0);
    if (result != -ENOSYS_)
        return result;
    result = mounts_detach(target);
    if (!sys_failed(result))
        result = mount_at(source, target, NULL, MS_BIND);
    return sys_failed(result) ? result : remount(target, MS_RDONLY | MS_NOSUID | MS_NODEV);
}

static long make_like(const char *source, const char *target)
{
    struct arch_stat facts;
    long result = sys_stat(source, &facts);
    if (sys_failed(result))
        return result;
    return (facts.mode & SYS_S_IFMT) == SYS_S_IFDIR ? file_make_directory(target) : file_make(target);
}

long mounts_show(const char *source, const char *target)
{
    long result = make_like(source, target);
    if (!sys_failed(result))
        result = mounts_bind(source, target);
    return sys_failed(result) ? result : protect_all(source, target);
}

/* As above, but objects of a store have no mounts in them. */
static long show_object(const char *source, const char *target)
{
    long result = make_like(source, target);
    if (!sys_failed(result))
        result = mount_at(source, target, NULL, MS_BIND);
    return sys_failed(result) ? result : remount(target, MS_RDONLY | MS_NOSUID | MS_NODEV);
}

long mounts_harden(const char *path)
{
    if (!sys_exists(path))
        return 0;
    long result = mounts_bind(path, path);
    return sys_failed(result) ? result : remount(path, MS_RDONLY);
}

long mounts_show_objects(const char *directory, const char *into, const struct names *names)
{
    char from[PATH_ROOM], to[PATH_ROOM], target[PATH_ROOM];
    for (long i = 0; i < names->count; i++) {
        if (!join(from, directory, names->first[i]) || !join(to, into, names->first[i]))
            return -ENAMETOOLONG_;
        long length = sys_readlink(from, target, sizeof target - 1);
        if (length >= 0)
            target[length] = '\0';
        long result = length >= 0 ? file_make_link(target, to) : show_object(from, to);
        if (sys_failed(result))
            return result;
    }
    return 0;
}

static bool is_among(const char *name, const struct names *but)
{
    for (long i = 0; i < but->count; i++)
        if (text_equal(name, but->first[i]))
            return true;
    return text_equal(name, ".") || text_equal(name, "..");
}

static long again(const char *from, const char *to, uint8_t kind)
{
    if (kind == DT_LINK) {
        char target[PATH_ROOM];
        long length = sys_readlink(from, target, sizeof target - 1);
        if (sys_failed(length))
            return length;
        target[length] = '\0';
        return file_make_link(target, to);
    }
    struct arch_stat facts;
    /* Not every file system fills in the kind of an entry. */
    bool directory = kind == DT_DIRECTORY || (!kind && sys_stat(from, &facts) == 0 &&
                                              (facts.mode & SYS_S_IFMT) == SYS_S_IFDIR);
    long result = directory ? file_make_directory(to) : file_make(to);
    if (sys_failed(result))
        return result;
    /* What may not be looked into (a lost+found, a broken mount) stays an empty name. */
    mounts_bind(from, to);
    return 0;
}

static long mirror_entries(const char *directory, const char *stage, const struct names *but)
{
    char buffer[ENTRIES_ROOM] __attribute__((aligned(8)));
    char from[PATH_ROOM], to[PATH_ROOM];
    int fd = sys_open(directory, SYS_RDONLY | SYS_DIRECTORY);
    if (fd < 0)
        return fd;
    long size;
    while ((size = arch_syscall(__NR_getdents64, fd, (long)buffer, sizeof buffer, 0, 0, 0)) > 0)
        for (long at = 0; at < size;) {
            const struct entry *entry = (const void *)(buffer + at);
            at += entry->length;
            if (is_among(entry->name, but))
                continue;
            if (!join(from, directory, entry->name) || !join(to, stage, entry->name))
                return -ENAMETOOLONG_;
            long result = again(from, to, entry->kind);
            if (sys_failed(result))
                return result;
        }
    sys_close(fd);
    return size;
}

/* The root of an initramfs, and of a chroot that is no mount, goes nowhere else (pivot_root(2), EINVAL): the working
   directory is moved over it, as switch_root(8) does. */
static long move_over_root(void)
{
    long result = mount_at(".", "/", NULL, MS_MOVE);
    return sys_failed(result) ? result : arch_syscall(__NR_chroot, (long)".", 0, 0, 0, 0, 0);
}

/* The new root takes the old one's place and the old one goes: pivot_root(2), "pivot_root(".", ".")". */
static long exchange_roots(void)
{
    long result = arch_syscall(__NR_pivot_root, (long)".", (long)".", 0, 0, 0, 0);
    if (result == -EINVAL_)
        return move_over_root();
    return sys_failed(result) ? result : arch_syscall(__NR_umount2, (long)".", MNT_DETACH, 0, 0, 0, 0);
}

long mounts_become_root(const char *stage)
{
    char here[PATH_ROOM];
    long length = arch_syscall(__NR_getcwd, (long)here, sizeof here, 0, 0, 0, 0);
    long result = arch_syscall(__NR_chdir, (long)stage, 0, 0, 0, 0, 0);
    if (!sys_failed(result))
        result = exchange_roots();
    if (!sys_failed(result) && (sys_failed(length) || arch_syscall(__NR_chdir, (long)here, 0, 0, 0, 0, 0) < 0))
        result = arch_syscall(__NR_chdir, (long)"/", 0, 0, 0, 0, 0);
    return result;
}

void mounts_change_directory(const char *path)
{
    arch_syscall(__NR_chdir, (long)path, 0, 0, 0, 0, 0);
}

long mounts_add_entries(const char *directory, const char *into, const struct names *but)
{
    return sys_exists(directory) ? mirror_entries(directory, into, but) : 0;
}

long mounts_mirror(const char *directory, const char *stage, const char **call)
{
    *call = "mount";
    long result = mounts_make_tmpfs(stage);
    if (sys_failed(result))
        return result;
    *call = "making its names again";
    result = mirror_entries(directory, stage, &(const struct names){0});
    if (sys_failed(result))
        return result;
    bool whole = text_equal(directory, "/");
    *call = whole ? "pivot_root" : "mount";
    if (whole) {
        result = mounts_become_root(stage);
        /* The stage was mirrored in itself; over a directory with such a mount no layer can be laid (own_mounts.c). */
        mounts_detach(stage);
        return result;
    }
    return mount_at(stage, directory, NULL, MS_MOVE);
}
