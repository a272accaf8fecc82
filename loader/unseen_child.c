/* A program must not notice that it had a child for a moment: no SIGCHLD, nothing that its wait(2) could find, no
   descriptor, no signal that reaches both. Between it and the helper there is therefore a process that shares its
   memory (so that nothing is copied), has no exit signal (so that only a wait with __WALL finds it) and descriptors
   of its own; the helper, whose exit signal exec(2) sets to SIGCHLD, is that one's child. */
#include "unseen_child.h"

#include "helper_process.h"

enum {
    CLONE_VM = 0x100,
    CLONE_VFORK = 0x4000,
    WAIT_FOR_ALL = 0x40000000,
    SIGKILL = 9,
    SIGTERM = 15,
    PR_SET_PDEATHSIG = 1,
    STACK_SIZE = 32 * 1024,
};

struct request {
    const char *const *words;
    char *stack;
};

/* Ends with the one that waits for it; away from the program's terminal and its signals. */
static _Noreturn void become_helper(void *given)
{
    struct request *request = given;
    static const char *const environment[] = {HELPER_PATH, HELPER_MARK "=1", NULL};
    sys_prctl(PR_SET_PDEATHSIG, SIGTERM, 0);
    arch_syscall(__NR_setsid, 0, 0, 0, 0, 0, 0);
    helper_process_prepare();
    sys_execve(request->words[0], (char *const *)(const void *)request->words,
               (char *const *)(const void *)environment);
    sys_exit(EXIT_CANNOT_START);
}

static _Noreturn void wait_for_helper(void *given)
{
    struct request *request = given;
    int status = 0;
    sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
    long helper = arch_run_apart(CLONE_VM | CLONE_VFORK | SYS_SIGCHLD, request->stack + STACK_SIZE, become_helper,
                                 request);
    if (helper > 0)
        while (sys_wait(helper, &status) == -SYS_EINTR)
            continue;
    sys_exit(0);
}

/* The program's signals are held back only until the one between has its own; who waits here can be ended, stopped
   and interrupted as in any system call. */
static void run_helper(struct request *request)
{
    const uint64_t all = ~(uint64_t)0;
    uint64_t mask;
    int status = 0;
    sys_set_mask(SYS_SIG_SETMASK, &all, &mask);
    long between = arch_run_apart(CLONE_VM, request->stack + 2 * STACK_SIZE, wait_for_helper, request);
    sys_set_mask(SYS_SIG_SETMASK, &mask, NULL);
    if (between > 0)
        while (arch_syscall(__NR_wait4, between, (long)&status, WAIT_FOR_ALL, 0, 0, 0) == -SYS_EINTR)
            continue;
}

/* In memory of its own, not on the stack: a signal's handler may leave this for ever by longjmp(3). */
void run_apart(const char *const *words)
{
    enum { STACKS = 2 * STACK_SIZE, SIZE = STACKS + sizeof(struct request) };
    long at = sys_mmap(0, SIZE, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at))
        return;
    struct request *request = (struct request *)(at + STACKS);
    *request = (struct request){words, (char *)at};
    run_helper(request);
    arch_syscall(__NR_munmap, at, SIZE, 0, 0, 0, 0);
}
