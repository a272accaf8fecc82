/* `denizen-attach [as FILE] [temporary DIRECTORY] LOADER PROGRAM ARGUMENT...`: become a program whose own dynamic linker is here, with the
   loader before it. The kernel starts the program as it would without us: its file, words, variables and rights are
   untouched. Another process traces it (ptrace(2)) until then, has it map the loader, and ends; where tracing is
   refused the program starts without. docs/decisions/0009 argues for it. */
#include "../elf.h"
#include "../enter/variables.h"
#include "../sys.h"
#include "../text.h"
#include "tracee.h"

enum {
    CLONE_VM = 0x100,
    WAIT_FOR_ALL = 0x40000000,
    SIGKILL = 9,
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    STACK_SIZE = 32 * 1024,
    PR_SET_PDEATHSIG = 1,
    PR_SET_PTRACER = 0x59616d61,
};

enum state { STARTED, ALLOWED, ATTACHED, REFUSED };

/* Shared by both processes until the program begins. */
struct attachment {
    volatile int state;
    long process;
    int descriptor;
    size_t size;
    uintptr_t entry;
};

ARCH_START;

_Noreturn void loader_start(uintptr_t *stack, const void *unused);

static void reach(struct attachment *attachment, enum state state)
{
    attachment->state = (int)state;
    arch_syscall(__NR_futex, (long)&attachment->state, FUTEX_WAKE, 1, 0, 0, 0);
}

static void wait_beyond(struct attachment *attachment, enum state state)
{
    while (attachment->state == (int)state)
        arch_syscall(__NR_futex, (long)&attachment->state, FUTEX_WAIT, (long)state, 0, 0, 0);
}

static _Noreturn void trace(void *given)
{
    struct attachment *attachment = given;
    /* A signal may end the process at any moment; nothing else would wake this one, which no signal reaches. */
    sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
    if (arch_syscall(__NR_getppid, 0, 0, 0, 0, 0, 0) != attachment->process)
        sys_exit(0);
    wait_beyond(attachment, STARTED);
    bool seized = tracee_seize(attachment->process);
    reach(attachment, seized ? ATTACHED : REFUSED);
    if (seized)
        tracee_begin_with_loader(attachment->process, attachment->descriptor, attachment->size, attachment->entry);
    sys_exit(0);
}

/* The loader is a file of one segment at offset 0 (link.ld). It stays open, for the program to map. */
static bool open_loader(const char *path, struct attachment *attachment)
{
    struct arch_stat facts;
    Ehdr header;
    attachment->descriptor = sys_openat(SYS_AT_CWD, path, SYS_RDONLY);
    if (attachment->descriptor < 0)
        return false;
    if (sys_fstat(attachment->descriptor, &facts) < 0 ||
        sys_pread(attachment->descriptor, &header, sizeof header, 0) != sizeof header) {
        sys_close(attachment->descriptor);
        return false;
    }
    attachment->size = (size_t)facts.size;
    attachment->entry = header.e_entry;
    return true;
}

/* Without exit signal, so that only a wait with __WALL finds it: the loader's. It gets none of the program's signals. */
static long start_tracer(struct attachment *attachment)
{
    const uint64_t all = ~(uint64_t)0;
    uint64_t mask;
    long stack = sys_mmap(0, STACK_SIZE, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(stack))
        return stack;
    sys_set_mask(SYS_SIG_SETMASK, &all, &mask);
    long tracer = arch_run_apart(CLONE_VM, (char *)stack + STACK_SIZE, trace, attachment);
    sys_set_mask(SYS_SIG_SETMASK, &mask, NULL);
    if (tracer <= 0)
        return tracer;
    /* Where Yama lets only ancestors trace: this one may, until it has attached. */
    sys_prctl(PR_SET_PTRACER, tracer, 0);
    reach(attachment, ALLOWED);
    wait_beyond(attachment, ALLOWED);
    sys_prctl(PR_SET_PTRACER, 0, 0);
    return tracer;
}

static void end_tracer(long tracer)
{
    arch_syscall(__NR_kill, tracer, SIGKILL, 0, 0, 0, 0);
    while (arch_syscall(__NR_wait4, tracer, 0, WAIT_FOR_ALL, 0, 0, 0) == -SYS_EINTR)
        continue;
}

/* Comes back where the program cannot be executed by a process that is traced (AppArmor, SELinux), or at all. */
static void start_attached(const char *loader, const char *file, char **words, char **environment)
{
    struct attachment attachment = {.state = STARTED, .process = arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0)};
    if (!open_loader(loader, &attachment))
        return;
    long tracer = start_tracer(&attachment);
    if (tracer > 0 && attachment.state == ATTACHED)
        sys_execve(file, words, environment);
    if (tracer > 0)
        end_tracer(tracer);
    sys_close(attachment.descriptor);
}

_Noreturn void loader_start(uintptr_t *stack, const void *unused)
{
    (void)unused;
    char **words = (char **)(stack + 1) + (*stack != 0), **environment = (char **)(stack + 1) + *stack + 1;
    const char *file = NULL;
    if (words[0] && words[1] && text_equal(words[0], "as")) {
        file = words[1];
        words += 2;
    }
    if (words[0] && words[1] && variables_knows(words[0])) {
        environment = variables_with(environment, words[0], words[1], "");
        words += 2;
    }
    if (!words[0] || !words[1])
        fail("usage: denizen-attach [as FILE] [temporary DIRECTORY] LOADER PROGRAM ARGUMENT...", (char *)0);
    const char *loader = *words++;
    file = file ? file : *words;
    start_attached(loader, file, words, environment);
    long problem = sys_execve(file, words, environment);
    if (problem == -SYS_ENOENT)
        fail("cannot start ", file, ": no such file or directory, or its interpreter is missing", (char *)0);
    say("cannot start ", file, (char *)0);
    sys_exit(EXIT_CANNOT_START);
}
