#include "failure_signals.h"

#include "sys.h"

/* SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV (signal(7)). What one process sends to another to end it (SIGTERM, SIGINT)
   is no failure of the program's. */
static const int FAULTS[] = {4, 5, 7, 8, 11};
enum {
    COUNT = sizeof FAULTS / sizeof FAULTS[0],
    SIGNALLED = 128,
    SET_SIZE = 8,
    CODE = 2,
    WITH_INFO = 4,
    WITH_RESTORER = 0x04000000,
    ON_STACK = 0x08000000,
};

/* struct sigaction of the kernel. */
struct action {
    void (*handler)(int signal, const int *info, void *context);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static void (*told)(int status);

#ifdef __x86_64__
/* The kernel asks for it here. Debuggers know a signal's frame by these instructions. */
void failure_signals_restore(void);
__asm__(".pushsection .text\n"
        ".hidden failure_signals_restore\n"
        ".type failure_signals_restore, @function\n"
        "failure_signals_restore:\n"
        "\tmov $15, %rax\n"
        "\tsyscall\n"
        ".popsection\n");
enum { FLAGS = WITH_INFO | ON_STACK | WITH_RESTORER };
#define RESTORER failure_signals_restore
#else
enum { FLAGS = WITH_INFO | ON_STACK };
#define RESTORER NULL
#endif

static long set_action(int signal, const struct action *now, struct action *before)
{
    return arch_syscall(__NR_rt_sigaction, signal, (long)now, (long)before, SET_SIZE, 0, 0);
}

/* The instruction that failed does so again when this returns, and ends the program; a signal that was sent does not
   come again by itself. */
static void end(int signal, const int *info, void *context)
{
    static const struct action usual;
    (void)context;
    told(SIGNALLED + signal);
    set_action(signal, &usual, NULL);
    if (info[CODE] <= 0)
        arch_syscall(__NR_tgkill, arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0),
                     arch_syscall(__NR_gettid, 0, 0, 0, 0, 0, 0), signal, 0, 0, 0);
}

void failure_signals_watch(void (*tell)(int status))
{
    const struct action ours = {end, FLAGS, RESTORER, 0};
    told = tell;
    for (unsigned i = 0; i < COUNT; i++) {
        struct action before;
        if (set_action(FAULTS[i], NULL, &before) == 0 && !before.handler)
            set_action(FAULTS[i], &ours, NULL);
    }
}
