#include "own_mounts.h"

#include "../sys.h"
#include "../text.h"
#include "users.h"

/* linux/mount.h, linux/sched.h. */
enum { MS_NOSUID = 2, MS_NODEV = 4, MS_REC = 16384, MS_SLAVE = 1 << 19, MNT_DETACH = 2, CLONE_NEWNS = 0x00020000 };

static long mount_on(const char *target, const char *kind, unsigned long flags, const char *options)
{
    return arch_syscall(__NR_mount, (long)"denizen", (long)target, (long)kind, (long)flags, (long)options, 0);
}

long mounts_become_private(const char **call)
{
    *call = "unshare";
    long result = arch_syscall(__NR_unshare, CLONE_NEWNS, 0, 0, 0, 0, 0);
    if (sys_failed(result))
        result = users_become(users_myself(), CLONE_NEWNS, call);
    if (sys_failed(result))
        return result;
    *call = "mount";
    /* What is mounted outside later shows here; nothing of ours shows outside. */
    return mount_on("/", NULL, MS_REC | MS_SLAVE, NULL);
}

static void add_descriptor(struct text *options, const char *option, int fd)
{
    text_add(options, option);
    text_add(options, "=/proc/self/fd/");
    text_add_decimal(options, (uint32_t)fd);
}

/* By descriptors, as a path could hold what ends an option, and the lower directory is covered by now. */
static long overlay(const char *directory, int lower, int memory)
{
    char room[200];
    struct text options = text_in(room, sizeof room);
    add_descriptor(&options, "userxattr,lowerdir", lower);
    add_descriptor(&options, ",upperdir", memory);
    add_descriptor(&options, "/upper,workdir", memory);
    text_add(&options, "/work");
    return mount_on(directory, "overlay", MS_NOSUID | MS_NODEV, room);
}

/* A directory in which what is above looks as what is below does. */
static long cover(const char *directory, int lower)
{
    struct arch_stat facts;
    int memory = sys_open(directory, SYS_PATH | SYS_DIRECTORY);
    if (memory < 0)
        return memory;
    long result = sys_fstat(lower, &facts);
    long mask = arch_syscall(__NR_umask, 0, 0, 0, 0, 0, 0);
    if (!sys_failed(result))
        result = arch_syscall(__NR_mkdirat, memory, (long)"upper", facts.mode & 07777, 0, 0, 0);
    if (!sys_failed(result))
        result = arch_syscall(__NR_mkdirat, memory, (long)"work", 0700, 0, 0, 0);
    arch_syscall(__NR_umask, mask, 0, 0, 0, 0, 0);
    if (!sys_failed(result))
        result = overlay(directory, lower, memory);
    sys_close(memory);
    return result;
}

long mounts_lay_over(const char *directory)
{
    int lower = sys_open(directory, SYS_PATH | SYS_DIRECTORY);
    if (lower < 0)
        return lower;
    long result = mount_on(directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700");
    if (!sys_failed(result)) {
        result = cover(directory, lower);
        if (sys_failed(result))
            arch_syscall(__NR_umount2, (long)directory, MNT_DETACH, 0, 0, 0, 0);
    }
    sys_close(lower);
    return result;
}
