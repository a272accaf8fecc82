#include "helper_process.h"

enum { FIRST_OWN = 3, OLD_KERNELS_FILES = 4096 };

/* The least a limit has to be for the helper: a parent may have set less, for the program or to make a file end
   early. No more than is needed is taken back, and what the kernel refuses stays. */
struct limit {
    uint64_t now;
    uint64_t most;
};

static void raise_limit(int kind, uint64_t wanted)
{
    struct limit limit;
    if (arch_syscall(__NR_prlimit64, 0, kind, 0, (long)&limit, 0, 0) != 0 || limit.now >= wanted)
        return;
    struct limit raised = {wanted, limit.most > wanted ? limit.most : wanted};
    struct limit allowed = {limit.most, limit.most};
    if (arch_syscall(__NR_prlimit64, 0, kind, (long)&raised, 0, 0, 0) != 0)
        arch_syscall(__NR_prlimit64, 0, kind, (long)&allowed, 0, 0, 0);
}

static void raise_limits(void)
{
    enum { CPU = 0, FSIZE = 1, DATA = 2, STACK = 3, NOFILE = 7, AS = 9 };
    raise_limit(CPU, UINT64_MAX);
    raise_limit(FSIZE, UINT64_MAX);
    raise_limit(DATA, UINT64_MAX);
    raise_limit(AS, UINT64_MAX);
    raise_limit(STACK, 8u << 20);
    raise_limit(NOFILE, 1024);
}

/* Default dispositions for all signals, and none blocked (struct sigaction of the kernel, all zero: SIG_DFL). */
static void reset_signals(void)
{
    const uint64_t nothing[4] = {0};
    for (int signal = 1; signal <= SYS_SIGNALS; signal++)
        arch_syscall(__NR_rt_sigaction, signal, (long)nothing, 0, sizeof nothing[0], 0, 0);
    sys_set_mask(SYS_SIG_SETMASK, nothing, NULL);
}

/* A root need not have a /dev/null; what is open as a path alone can be neither read nor written. */
static int open_nothing(void)
{
    int nothing = sys_openat(SYS_AT_CWD, "/dev/null", SYS_RDWR);
    return nothing >= 0 ? nothing : sys_openat(SYS_AT_CWD, "/", SYS_PATH | SYS_DIRECTORY);
}

/* Quiet on the program's input and output, loud on its standard error; none of its other files. A helper without one
   of the three would take what it opens first for it, and write its errors into that (as glibc's
   csu/check_fds.c has it for set-user-ID programs). */
static void keep_standard_error(void)
{
    int nothing;
    do
        nothing = open_nothing();
    while (nothing >= 0 && nothing < FIRST_OWN);
    if (nothing < 0)
        sys_exit(EXIT_CANNOT_START);
    sys_dup_onto(nothing, 0);
    sys_dup_onto(2, 1);
    if (arch_syscall(__NR_close_range, FIRST_OWN, -1, 0, 0, 0, 0) != 0) /* before Linux 5.9 */
        for (int fd = FIRST_OWN; fd < OLD_KERNELS_FILES; fd++)
            sys_close(fd);
}

void helper_process_prepare(void)
{
    /* First: a limit may leave no number for a file. */
    raise_limits();
    keep_standard_error();
    reset_signals();
    arch_syscall(__NR_umask, 022, 0, 0, 0, 0, 0);
    arch_syscall(__NR_personality, 0, 0, 0, 0, 0, 0);
    arch_syscall(__NR_chdir, (long)"/", 0, 0, 0, 0, 0);
}
