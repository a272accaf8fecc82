#include "sandbox.h"

#include "../sys.h"
#include "made_names.h"
#include "guardian.h"

#include <stdint.h>

/* linux/sched.h, prctl.h, seccomp.h, landlock.h, sockios.h, if.h, fcntl.h, resource.h, personality.h. */
enum {
    CLONE_NEWNS = 0x00020000,
    CLONE_NEWCGROUP = 0x02000000,
    CLONE_NEWUTS = 0x04000000,
    CLONE_NEWIPC = 0x08000000,
    CLONE_NEWPID = 0x20000000,
    PR_SET_SECCOMP = 22,
    PR_CAPBSET_DROP = 24,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_CAP_AMBIENT = 47,
    PR_CAP_AMBIENT_CLEAR_ALL = 4,
    SECCOMP_MODE_FILTER = 2,
    LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1,
    AF_INET = 2,
    SOCK_DGRAM = 2,
    SOCK_CLOEXEC = 02000000,
    SIOCGIFFLAGS = 0x8913,
    SIOCSIFFLAGS = 0x8914,
    IFF_UP = 1,
    F_SETFD = 2,
    FD_CLOEXEC = 1,
    RLIMIT_CORE = 4,
    ADDR_NO_RANDOMIZE = 0x0040000,
    PER_LINUX32 = 8,
    ENOENT_ = 2,
    EINVAL_ = 22,
    MS_REC = 16384,
    MS_PRIVATE = 1 << 18,
    MAX_CAPABILITY = 64,
    MAX_FILTER = 4096,
    OLD_KERNELS_FILES = 65536,
};

/* What denizen's caller left inheritable reaches this process, and must not reach the builder. */
static void close_all_above(int fd)
{
    if (arch_syscall(__NR_close_range, fd + 1, -1, 0, 0, 0, 0) != 0) /* before Linux 5.9 */
        for (int other = fd + 1; other < OLD_KERNELS_FILES; other++)
            sys_close(other);
}

long sandbox_set_status(int fd)
{
    close_all_above(fd);
    return arch_syscall(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC, 0, 0, 0);
}

void sandbox_tell_failure(int fd, const char *kind)
{
    if (fd >= 0)
        sys_write(fd, kind, 1);
}

long sandbox_isolate(struct somebody inside, int status, const char **call)
{
    const unsigned long apart = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
    /* Of root alone; others keep their groups, which own nothing in the sandbox. */
    arch_syscall(__NR_setgroups, 0, 0, 0, 0, 0, 0);
    long result = users_become(inside, apart | CLONE_NEWCGROUP, call);
    if (result == -EINVAL_) /* before Linux 4.6 */
        result = users_become(inside, apart, call);
    if (!sys_failed(result))
        result = guardian_leave_behind(status, call);
    if (sys_failed(result))
        return result;
    *call = "mount";
    return arch_syscall(__NR_mount, 0, (long)"/", 0, MS_REC | MS_PRIVATE, 0, 0);
}

/* Whoever makes a namespace of users and one of control groups inside may mount the groups (cgroup2), whose files
   are ours by their owner: he could end, stop and starve all processes that are in our group, denizen among them. */
long sandbox_allow_no_control_groups(const char **call)
{
    const char *limit = "/proc/sys/user/max_cgroup_namespaces"; /* of our namespace of users (namespaces(7)) */
    *call = limit;
    long result = file_write(limit, "0");
    return result == -ENOENT_ ? 0 : result; /* before Linux 4.9, or without those namespaces */
}

long sandbox_bring_loopback_up(const char **call)
{
    /* struct ifreq (netdevice(7)). */
    struct {
        char name[16];
        int16_t flags;
        char rest[22];
    } request = {.name = "lo"};
    *call = "socket";
    long fd = arch_syscall(__NR_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0);
    if (sys_failed(fd))
        return fd;
    *call = "ioctl";
    long result = arch_syscall(__NR_ioctl, fd, SIOCGIFFLAGS, (long)&request, 0, 0, 0);
    request.flags |= IFF_UP;
    if (!sys_failed(result))
        result = arch_syscall(__NR_ioctl, fd, SIOCSIFFLAGS, (long)&request, 0, 0, 0);
    sys_close((int)fd);
    return result;
}

long sandbox_name_host(const char *name, const char **call)
{
    *call = "sethostname";
    long result = arch_syscall(__NR_sethostname, (long)name, (long)text_length(name), 0, 0, 0, 0);
    const char none[] = "(none)"; /* the kernel's own word for no domain */
    if (!sys_failed(result))
        result = arch_syscall(__NR_setdomainname, (long)none, sizeof none - 1, 0, 0, 0, 0);
    return result;
}

void sandbox_be_32_bit(void)
{
    arch_syscall(__NR_personality, PER_LINUX32, 0, 0, 0, 0, 0);
}

/* Programs start with what their starter ignores (execve(2)); posix_spawn of glibc leaves two ignored. */
static void ignore_no_signal(void)
{
    const uintptr_t by_default[8] = {0};
    for (long signal = 1; signal <= SYS_SIGNALS; signal++)
        arch_syscall(__NR_rt_sigaction, signal, (long)by_default, 0, 8, 0, 0);
}

static void dump_no_core(void)
{
    struct {
        uint64_t soft, hard;
    } limit;
    if (sys_failed(arch_syscall(__NR_prlimit64, 0, RLIMIT_CORE, 0, (long)&limit, 0, 0)))
        return;
    limit.soft = 0;
    arch_syscall(__NR_prlimit64, 0, RLIMIT_CORE, (long)&limit, 0, 0, 0);
}

long sandbox_weaken(const char **call)
{
    arch_syscall(__NR_setsid, 0, 0, 0, 0, 0, 0);
    arch_syscall(__NR_umask, 022, 0, 0, 0, 0, 0);
    dump_no_core();
    ignore_no_signal();
    long had = arch_syscall(__NR_personality, UINT32_MAX /* asks */, 0, 0, 0, 0, 0);
    if (!sys_failed(had))
        arch_syscall(__NR_personality, had | ADDR_NO_RANDOMIZE, 0, 0, 0, 0, 0);
    /* Without capabilities these two fail, and are not needed. */
    for (long capability = 0; capability < MAX_CAPABILITY; capability++)
        sys_prctl(PR_CAPBSET_DROP, capability, 0);
    sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
    *call = "prctl";
    return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
}

/* struct sock_filter and sock_fprog (linux/filter.h). */
struct instruction {
    uint8_t bytes[8];
};

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

long sandbox_filter(const char *program, const char **call)
{
    struct instruction room[MAX_FILTER] __attribute__((aligned(8)));
    const size_t digits = 2 * sizeof *room;
    size_t length = text_length(program);
    *call = "reading its instructions";
    if (length % digits || length > digits * MAX_FILTER)
        return -EINVAL_;
    uint8_t *byte = room[0].bytes;
    for (; *program; program += 2) {
        int high = digit_of(program[0]), low = digit_of(program[1]);
        if (high < 0 || low < 0)
            return -EINVAL_;
        *byte++ = (uint8_t)(high << 4 | low);
    }
    struct {
        uint16_t count;
        const struct instruction *first;
    } filter = {(uint16_t)(length / digits), room};
    *call = "prctl";
    return sys_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (long)&filter);
}

void sandbox_scope(void)
{
    const uint64_t ruleset[3] = {0, 0, LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET};
    long fd = arch_syscall(__NR_landlock_create_ruleset, (long)ruleset, sizeof ruleset, 0, 0, 0, 0);
    if (sys_failed(fd))
        return;
    arch_syscall(__NR_landlock_restrict_self, fd, 0, 0, 0, 0, 0);
    sys_close((int)fd);
}
