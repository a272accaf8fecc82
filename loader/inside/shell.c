/* system and popen: the C library starts /bin/sh by itself there. Where that is a program that we go with, it is given
   another line. Where the host has no shell and one can be brought, they are done here, for the C library would find
   none. */
#if defined(__aarch64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("no-outline-atomics") /* GCC's calls for atomic operations are in libgcc */
#endif
#include "child.h"
#include "missing_command.h"
#include "forwarding.h"

EXPORTED int system(const char *line);
EXPORTED void *popen(const char *line, const char *mode);
EXPORTED int pclose(void *stream);
static any_function *next_system;
static any_function *next_popen;
static any_function *next_pclose;
extern WEAK char **environ;
WEAK void *fdopen(int fd, const char *mode);
WEAK int fclose(void *stream);

enum {
    LINE_LIMIT = 16384,
    CLONE_VM = 0x100,
    CLONE_VFORK = 0x4000,
    STACK_SIZE = 64 * 1024,
    SIGINT = 2,
    SIGQUIT = 3,
    SIG_IGN = 1,
    SET_SIZE = 8,
    SET_FLAGS = 2,
    ACTION_WORDS = 8,
    MAX_STREAMS = 64,
    OUT_OF_MEMORY = -12,
    INVALID = -22,
    NO_MORE_FILES = -24,
    NO_CHILDREN = -10,
};

/* What the kernel's rt_sigaction takes and gives, whose fields only we do not need. */
struct action {
    uintptr_t words[ACTION_WORDS];
};

/* A command line to be run by the shell in a process of its own. */
struct run {
    const char *shell;
    char *const *words;
    /* The descriptor to have as standard input or output (`as`); none for -1. */
    int end;
    int as;
    uint64_t mask;
};

/* Of streams that popen gave; the process is waited for by pclose. */
static struct stream {
    void *file;
    long process;
    int end;
} streams[MAX_STREAMS];
static int lock;
/* How many lines run now; the signals' actions before the first of them. */
static unsigned running;
static struct action interrupt, quit;

static void enter(void)
{
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        arch_syscall(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
}

static void leave(void)
{
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void set_action(int number, const struct action *now, struct action *before)
{
    arch_syscall(__NR_rt_sigaction, number, (long)now, (long)before, SET_SIZE, 0, 0);
}

/* In the parent's memory, which waits meanwhile. */
static _Noreturn void become_shell(void *given)
{
    const struct run *run = given;
    if (running) {
        set_action(SIGINT, &interrupt, NULL);
        set_action(SIGQUIT, &quit, NULL);
    }
    sys_set_mask(SYS_SIG_SETMASK, &run->mask, NULL);
    for (const struct stream *each = streams; each < streams + MAX_STREAMS; each++)
        if (each->file && run->end >= 0)
            sys_close(each->end);
    if (run->end >= 0 && sys_dup_onto(run->end, run->as) < 0) /* it is the one */
        arch_syscall(__NR_fcntl, run->end, SET_FLAGS, 0, 0, 0, 0);
    sys_execve(run->shell, run->words, environ);
    sys_exit(EXIT_NOT_FOUND);
}

static long start_shell(struct run *run)
{
    long stack = sys_mmap(0, STACK_SIZE, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(stack))
        return OUT_OF_MEMORY;
    long process =
        arch_run_apart(CLONE_VM | CLONE_VFORK | SYS_SIGCHLD, (char *)stack + STACK_SIZE, become_shell, run);
    arch_syscall(__NR_munmap, stack, STACK_SIZE, 0, 0, 0, 0);
    return process;
}

static int status_of(long process)
{
    int status = -1;
    long waited;
    do
        waited = sys_wait(process, &status);
    while (waited == -SYS_EINTR);
    return waited < 0 ? (int)result_or_errno(waited) : status;
}

/* POSIX: SIGINT and SIGQUIT are ignored and SIGCHLD is blocked while the shell runs, and not in the shell. The actions
   are the process's: the first of several threads changes them, and the last puts them back. */
static void begin_line(uint64_t *mask)
{
    const uint64_t child = (uint64_t)1 << (SYS_SIGCHLD - 1);
    const struct action ignore = {{SIG_IGN}};
    enter();
    if (!running++) {
        set_action(SIGINT, &ignore, &interrupt);
        set_action(SIGQUIT, &ignore, &quit);
    }
    leave();
    sys_set_mask(SYS_SIG_BLOCK, &child, mask);
}

static void end_line(const uint64_t *mask)
{
    enter();
    if (!--running) {
        set_action(SIGINT, &interrupt, NULL);
        set_action(SIGQUIT, &quit, NULL);
    }
    leave();
    sys_set_mask(SYS_SIG_SETMASK, mask, NULL);
}

static int run_line(struct run run)
{
    begin_line(&run.mask);
    long process = start_shell(&run);
    int status = process > 0 ? status_of(process) : (int)result_or_errno(process);
    end_line(&run.mask);
    return status;
}

static bool has_letter(const char *mode, char letter)
{
    while (*mode && *mode != letter)
        mode++;
    return *mode != '\0';
}

static struct stream *free_stream(void)
{
    for (struct stream *each = streams; each < streams + MAX_STREAMS; each++)
        if (!each->file)
            return each;
    return NULL;
}

/* Of a pipe, whose ends are closed when a program is executed, the shell has `theirs` and the stream `ours`, which it
   closes. */
static long open_stream(struct run *run, const char *mode, int ours, void **file)
{
    struct stream *stream = free_stream();
    *file = stream ? fdopen(ours, mode[0] == 'r' ? "r" : "w") : NULL;
    if (!*file) {
        sys_close(ours);
        return stream ? OUT_OF_MEMORY : NO_MORE_FILES;
    }
    sys_set_mask(SYS_SIG_BLOCK, &(uint64_t){0}, &run->mask);
    long process = start_shell(run);
    if (process <= 0) {
        fclose(*file);
        *file = NULL;
        return process;
    }
    *stream = (struct stream){.file = *file, .process = process, .end = ours};
    if (!has_letter(mode, 'e'))
        arch_syscall(__NR_fcntl, ours, SET_FLAGS, 0, 0, 0, 0);
    return 0;
}

static void *open_line(struct run run, const char *mode)
{
    int ends[2];
    void *file = NULL;
    bool reads = mode[0] == 'r';
    if ((!reads && mode[0] != 'w') || !fdopen || !fclose)
        return result_or_errno(INVALID), NULL;
    long problem = arch_syscall(__NR_pipe2, (long)ends, SYS_CLOEXEC, 0, 0, 0, 0);
    if (problem < 0)
        return result_or_errno(problem), NULL;
    run.end = ends[reads];
    run.as = reads;
    enter();
    problem = open_stream(&run, mode, ends[!reads], &file);
    leave();
    sys_close(ends[reads]);
    if (!file)
        result_or_errno(problem);
    return file;
}

static void add_quoted(struct text *text, const char *word)
{
    text_add(text, "'");
    for (; *word; word++)
        if (*word == '\'')
            text_add(text, "'\\''");
        else
            text_add_bytes(text, word, 1);
    text_add(text, "'");
}

/* The shell that the C library starts becomes one that we go with. What is too long stays as it is. */
static const char *through_loader(const struct child *shell, const char *line, char *room)
{
    if (!line || !shell->through)
        return line;
    struct text text = text_in(room, LINE_LIMIT);
    text_add(&text, "exec ");
    add_quoted(&text, shell->loader);
    text_add(&text, " --as /bin/sh sh -c ");
    add_quoted(&text, line);
    return text.cut ? line : room;
}

static const char SHELL[] = "/bin/sh";

/* Whether the host has none: it lies elsewhere for us. */
static bool is_brought(const struct child *shell)
{
    return shell->command || (shell->through && !text_equal(shell->path, SHELL));
}

/* Where the kernel is asked first, it is only of interest whether there is a shell. */
static void look_at_shell(struct child *shell)
{
    const struct inside_facts *facts = loader_facts();
    shell->through = false;
    shell->command = NULL;
    if (!facts || !facts->kernel_first || command_is_missing(SHELL))
        child_look_at(shell, SHELL, NULL, true);
}

/* `room` for the words of one that goes through the loader. */
enum { SHELL_WORDS = 3 };
static struct run run_of(const struct child *shell, const char *const *words, const char **room)
{
    char *const *plain = (char *const *)(const void *)words;
    if (shell->through)
        return (struct run){.shell = child_start(shell), .words = child_words(shell, plain, room), .end = -1};
    return (struct run){.shell = shell->path, .words = plain, .end = -1};
}

int system(const char *line)
{
    char room[LINE_LIMIT];
    struct child shell;
    __typeof__(&system) next = NEXT(system);
    look_at_shell(&shell);
    const char *words[] = {"sh", "-c", line, NULL}, *more[SHELL_WORDS + EXTRA_WORDS];
    if (is_brought(&shell))
        return line ? run_line(run_of(&shell, words, more)) : 1;
    return next ? next(through_loader(&shell, line, room)) : (int)result_or_errno(NO_FUNCTION);
}

void *popen(const char *line, const char *mode)
{
    char room[LINE_LIMIT];
    struct child shell;
    __typeof__(&popen) next = NEXT(popen);
    look_at_shell(&shell);
    const char *words[] = {"sh", "-c", line, NULL}, *more[SHELL_WORDS + EXTRA_WORDS];
    if (is_brought(&shell))
        return open_line(run_of(&shell, words, more), mode);
    if (next)
        return next(through_loader(&shell, line, room), mode);
    result_or_errno(NO_FUNCTION);
    return NULL;
}

int pclose(void *stream)
{
    long process = 0;
    enter();
    for (struct stream *each = streams; stream && each < streams + MAX_STREAMS; each++)
        if (each->file == stream) {
            process = each->process;
            each->file = NULL;
        }
    leave();
    if (process) {
        fclose(stream);
        return status_of(process);
    }
    __typeof__(&pclose) next = NEXT(pclose);
    return next ? next(stream) : (int)result_or_errno(NO_CHILDREN);
}
