#include "mounts.h"

#include "../sys.h"
#include "../text.h"

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
    CLONE_NEWUSER = 0x10000000,
    CLONE_NEWNET = 0x40000000,
    WRITE_ONLY = 1,
    CREATE = 0100,
    EXCLUSIVE = 0200,
    DT_DIRECTORY = 4,
    DT_LINK = 10,
    EEXIST_ = 17,
    ENAMETOOLONG_ = 36,
    ENOSYS_ = 38,
    AT_RECURSIVE = 0x8000,
    MOUNT_ATTR_RDONLY = 1,
    MOUNT_ATTR_NOSUID = 2,
    MOUNT_ATTR_NODEV = 4,
};
enum { PATH_ROOM = 4096, ENTRIES_ROOM = 32768 };

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

static long write_file(const char *path, const char *content)
{
    long fd = arch_syscall(__NR_openat, SYS_AT_CWD, (long)path, WRITE_ONLY | SYS_CLOEXEC, 0, 0, 0);
    if (sys_failed(fd))
        return fd;
    long written = sys_write((int)fd, content, text_length(content));
    sys_close((int)fd);
    return written;
}

static bool join(char *room, const char *directory, const char *name)
{
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, text_equal(directory, "/") ? "" : directory);
    text_add(&path, "/");
    text_add(&path, name);
    return !path.cut;
}

static long map_one(const char *path, uint32_t inside, uint32_t outside)
{
    char room[40];
    struct text line = text_in(room, sizeof room);
    text_add_decimal(&line, inside);
    text_add(&line, " ");
    text_add_decimal(&line, outside);
    text_add(&line, " 1\n");
    return write_file(path, room);
}

static struct somebody myself(void)
{
    return (struct somebody){(uint32_t)arch_syscall(__NR_geteuid, 0, 0, 0, 0, 0, 0),
                             (uint32_t)arch_syscall(__NR_getegid, 0, 0, 0, 0, 0, 0)};
}

/* A user namespace in which one user and one group are `inside`; all others are nobody in there, as the kernel
   demands of those without privileges (user_namespaces(7)). */
long mounts_become(struct somebody inside, unsigned long flags, const char **call)
{
    struct somebody outside = myself();
    *call = "unshare";
    long result = arch_syscall(__NR_unshare, (long)(flags | CLONE_NEWUSER), 0, 0, 0, 0, 0);
    if (sys_failed(result))
        return result;
    write_file("/proc/self/setgroups", "deny"); /* absent before Linux 3.19, which did not ask for it */
    *call = "writing /proc/self/uid_map";
    result = map_one("/proc/self/uid_map", inside.uid, outside.uid);
    if (sys_failed(result))
        return result;
    *call = "writing /proc/self/gid_map";
    return map_one("/proc/self/gid_map", inside.gid, outside.gid);
}

/* A line "INSIDE OUTSIDE COUNT" of our own map becomes "INSIDE INSIDE COUNT": who is somebody here stays who he is. */
static const char *add_same(struct text *map, const char *line)
{
    char inside[16], count[16];
    struct text fields[3] = {text_in(inside, sizeof inside), {0}, text_in(count, sizeof count)};
    for (size_t field = 0; field < 3; field++) {
        while (*line == ' ')
            line++;
        for (; *line >= '0' && *line <= '9'; line++)
            if (field != 1)
                text_add_bytes(&fields[field], line, 1);
    }
    text_add(map, inside);
    text_add(map, " ");
    text_add(map, inside);
    text_add(map, " ");
    text_add(map, count);
    text_add(map, "\n");
    return *line ? line + 1 : line;
}

/* Give another process's new namespace the users or groups (`kind`) of ours. */
static bool give_all(uint32_t process, const char *kind)
{
    enum { ROOM = 4096 };
    char own[ROOM], path[64], made[ROOM];
    struct text target = text_in(path, sizeof path), map = text_in(made, sizeof made);
    text_add(&target, "/proc/self/");
    text_add(&target, kind);
    int fd = sys_open(path, SYS_RDONLY);
    long length = fd < 0 ? -1 : sys_read(fd, own, sizeof own - 1);
    if (fd >= 0)
        sys_close(fd);
    if (length <= 0)
        return false;
    own[length] = '\0';
    for (const char *line = own; *line;)
        line = add_same(&map, line);
    target = text_in(path, sizeof path);
    text_add(&target, "/proc/");
    text_add_decimal(&target, process);
    text_add(&target, "/");
    text_add(&target, kind);
    return !map.cut && !sys_failed(write_file(path, made));
}

/* A process that stays outside, where it has root's rights, writes the maps of a namespace with all users
   (user_namespaces(7)). */
static _Noreturn void give_from_outside(const int ends[2], uint32_t process)
{
    char byte;
    int ready = ends[0];
    sys_close(ends[1]);
    bool given = sys_read(ready, &byte, 1) == 1 && give_all(process, "uid_map") && give_all(process, "gid_map");
    sys_exit(!given);
}

/* Root, who would lose all other users by the map that anybody may write, keeps them. */
static long become_root_of_all(unsigned long flags, const char **call)
{
    enum { EPERM_ = 1 };
    int ends[2];
    uint32_t self = (uint32_t)arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0);
    *call = "unshare";
    long result = arch_syscall(__NR_pipe2, (long)ends, SYS_CLOEXEC, 0, 0, 0, 0);
    long outside = sys_failed(result) ? result : sys_fork();
    if (outside == 0)
        give_from_outside(ends, self);
    if (sys_failed(outside))
        return outside;
    result = arch_syscall(__NR_unshare, (long)(flags | CLONE_NEWUSER), 0, 0, 0, 0, 0);
    if (!sys_failed(result))
        sys_write(ends[1], "", 1);
    sys_close(ends[1]);
    sys_close(ends[0]);
    int status;
    while (sys_wait(outside, &status) == -SYS_EINTR)
        continue;
    *call = sys_failed(result) ? *call : "writing uid_map";
    /* Whose number is not mapped is nobody. */
    return sys_failed(result) || !myself().uid ? result : -EPERM_;
}

long mounts_become_private(const char **call)
{
    *call = "unshare";
    long result = arch_syscall(__NR_unshare, CLONE_NEWNS, 0, 0, 0, 0, 0);
    if (sys_failed(result))
        result = mounts_become(myself(), CLONE_NEWNS, call);
    if (sys_failed(result))
        return result;
    *call = "mount";
    /* What is mounted outside later shows here; nothing of ours shows outside. */
    return mount_at(NULL, "/", NULL, MS_REC | MS_SLAVE);
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
    struct somebody self = myself();
    long result = self.uid ? mounts_become((struct somebody){0, 0}, CLONE_NEWNS, call)
                           : become_root_of_all(CLONE_NEWNS, call);
    if (sys_failed(result))
        return result;
    *call = "mount";
    result = mount_at(NULL, "/", NULL, MS_REC | MS_SLAVE);
    if (!sys_failed(result)) /* it takes no options */
        result = arch_syscall(__NR_mount, (long)"denizen", (long)stage, (long)"binfmt_misc", MS_NOSUID | MS_NODEV, 0, 0);
    for (long i = 0; i < entries->count && !sys_failed(result); i++) {
        *call = "writing to register";
        result = write_file(path, entries->first[i]);
    }
    return sys_failed(result) || !self.uid ? result : mounts_become(self, 0, call);
}

long mounts_bind(const char *source, const char *target)
{
    return mount_at(source, target, NULL, MS_BIND | MS_REC);
}

long mounts_make_directory(const char *path)
{
    long result = arch_syscall(__NR_mkdirat, SYS_AT_CWD, (long)path, 0755, 0, 0, 0);
    return result == -EEXIST_ ? 0 : result;
}

long mounts_make_file(const char *path)
{
    long fd = arch_syscall(__NR_openat, SYS_AT_CWD, (long)path, WRITE_ONLY | CREATE | EXCLUSIVE | SYS_CLOEXEC,
                           0644, 0, 0);
    if (fd == -EEXIST_)
        return 0;
    if (!sys_failed(fd))
        sys_close((int)fd);
    return fd < 0 ? fd : 0;
}

long mounts_make_link(const char *words, const char *path)
{
    long result = arch_syscall(__NR_symlinkat, (long)words, SYS_AT_CWD, (long)path, 0, 0, 0);
    return result == -EEXIST_ ? 0 : result;
}

long mounts_make_text(const char *content, const char *path)
{
    long result = mounts_make_file(path);
    return sys_failed(result) ? result : write_file(path, content);
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
    return (facts.mode & SYS_S_IFMT) == SYS_S_IFDIR ? mounts_make_directory(target) : mounts_make_file(target);
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
        long result = length >= 0 ? mounts_make_link(target, to) : show_object(from, to);
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
        return mounts_make_link(target, to);
    }
    struct arch_stat facts;
    /* Not every file system fills in the kind of an entry. */
    bool directory = kind == DT_DIRECTORY || (!kind && sys_stat(from, &facts) == 0 &&
                                              (facts.mode & SYS_S_IFMT) == SYS_S_IFDIR);
    long result = directory ? mounts_make_directory(to) : mounts_make_file(to);
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

/* The new root takes the old one's place and the old one goes: pivot_root(2), "pivot_root(".", ".")". */
long mounts_become_root(const char *stage)
{
    char here[PATH_ROOM];
    long length = arch_syscall(__NR_getcwd, (long)here, sizeof here, 0, 0, 0, 0);
    long result = arch_syscall(__NR_chdir, (long)stage, 0, 0, 0, 0, 0);
    if (!sys_failed(result))
        result = arch_syscall(__NR_pivot_root, (long)".", (long)".", 0, 0, 0, 0);
    if (!sys_failed(result))
        result = arch_syscall(__NR_umount2, (long)".", MNT_DETACH, 0, 0, 0, 0);
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
    if (whole)
        return mounts_become_root(stage);
    return mount_at(stage, directory, NULL, MS_MOVE);
}

/* Arrays of characters and not pointers, which would need relocations. */
static const struct {
    long number;
    char words[72];
} FAILURES[] = {
    {1, "this host forbids it (EPERM)"},
    {2, "no such file or directory (ENOENT)"},
    {5, "input or output failed (EIO)"},
    {7, "words and environment are too long (E2BIG)"},
    {8, "not a program this machine runs (ENOEXEC)"},
    {12, "out of memory (ENOMEM)"},
    {13, "permission denied (EACCES)"},
    {16, "it is in use (EBUSY)"},
    {17, "it is there already (EEXIST)"},
    {19, "this kernel has no such file system (ENODEV)"},
    {20, "not a directory (ENOTDIR)"},
    {22, "the kernel refuses it (EINVAL)"},
    {23, "the system has no more open files (ENFILE)"},
    {24, "no more files may be open: see ulimit -n (EMFILE)"},
    {28, "this host allows no more namespaces, mounts or files (ENOSPC)"},
    {30, "the file system is read-only (EROFS)"},
    {36, "the name is too long (ENAMETOOLONG)"},
    {38, "this kernel has no such call (ENOSYS)"},
    {40, "too many links (ELOOP)"},
    {87, "this host allows no more namespaces (EUSERS)"},
};

void failure_add(struct text *text, long problem)
{
    for (size_t i = 0; i < sizeof FAILURES / sizeof *FAILURES; i++)
        if (FAILURES[i].number == -problem) {
            text_add(text, FAILURES[i].words);
            return;
        }
    text_add(text, "the kernel's error ");
    text_add_decimal(text, (uint32_t)-problem);
}
