#include "helper.h"

#include "config.h"
#include "text.h"

enum { MAX_ARGUMENTS = 64, EXIT_CANNOT_RUN = 126, PATH_ROOM = 4096, FIRST_OWN = 3, OLD_KERNELS_FILES = 4096 };

/* Set for the helper alone: if the helper's own interpreter has no decision, nobody may be asked
   again. Children of the program never see it. */
static const char *const MARK = "DENIZEN_DECIDING";

/* All that the helper sees. The program's environment may be an attacker's where the program is root, and may
   say PYTHONHOME or LD_LIBRARY_PATH for the program's own sake; directories are in the command's words. */
#define HELPER_MARK "DENIZEN_DECIDING=1"
#define HELPER_PATH "PATH=/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin:/run/current-system/profile/bin"

static size_t command_line(char **arguments, const char *program)
{
    size_t count = 0;
    for (const char *argument = config_next(SETTING_COMMAND, NULL); argument;
         argument = config_next(SETTING_COMMAND, argument))
        if (count < MAX_ARGUMENTS)
            arguments[count++] = (char *)(uintptr_t)argument;
    if (!count)
        return 0;
    arguments[count++] = (char *)(uintptr_t)program;
    arguments[count] = NULL;
    return count;
}

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
    arch_syscall(__NR_rt_sigprocmask, SYS_SIG_SETMASK, (long)nothing, 0, sizeof nothing[0], 0, 0);
}

/* Quiet on the program's input and output, loud on its standard error; none of its other files. */
static void keep_standard_error(void)
{
    int nothing;
    do
        nothing = sys_openat(SYS_AT_CWD, "/dev/null", SYS_RDWR);
    while (nothing >= 0 && nothing < FIRST_OWN);
    if (nothing >= 0)
        sys_dup_onto(nothing, 0);
    sys_dup_onto(2, 1);
    if (arch_syscall(__NR_close_range, FIRST_OWN, -1, 0, 0, 0, 0) != 0) /* before Linux 5.9 */
        for (int fd = FIRST_OWN; fd < OLD_KERNELS_FILES; fd++)
            sys_close(fd);
}

/* Of what a process inherits (execve(2), "Effect on process attributes") all that could steer it. */
static void shed_inheritance(void)
{
    keep_standard_error();
    reset_signals();
    raise_limits();
    arch_syscall(__NR_umask, 022, 0, 0, 0, 0, 0);
    arch_syscall(__NR_personality, 0, 0, 0, 0, 0, 0);
    arch_syscall(__NR_chdir, (long)"/", 0, 0, 0, 0, 0);
}

static _Noreturn void become_helper(char **arguments)
{
    char mark[] = HELPER_MARK;
    char path[] = HELPER_PATH;
    char *environment[] = {path, mark, NULL};
    shed_inheritance();
    sys_execve(arguments[0], arguments, environment);
    say("cannot run ", arguments[0], " to decide what this program needs", (char *)0);
    sys_exit(EXIT_CANNOT_RUN);
}

/* The path as it is meant here; the helper works elsewhere. Null where that cannot be said. */
static const char *absolute(const char *path, char *room)
{
    struct text text = text_in(room, PATH_ROOM);
    if (path[0] == '/')
        return path;
    long length = arch_syscall(__NR_getcwd, (long)room, PATH_ROOM, 0, 0, 0, 0);
    if (sys_failed(length) || room[0] != '/')
        return NULL;
    text.length = text_length(room);
    text_add(&text, "/");
    text_add(&text, path);
    return text.cut ? NULL : room;
}

/* A program that gave up root's rights may not go where root's denizen is: nobody is asked, and nothing need be said. */
static bool is_closed(const char *program)
{
    enum { EXECUTE = 1 };
    return arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)program, EXECUTE, 0, 0, 0) == -SYS_EACCES;
}

bool helper_decides(const struct process *process, const char *program)
{
    char room[PATH_ROOM];
    char *arguments[MAX_ARGUMENTS + 2];
    const char *path = absolute(program, room);
    if (!path || !process_is_plain(process) || process_variable(process, MARK) || !command_line(arguments, path) ||
        is_closed(arguments[0]))
        return false;
    long child = sys_fork();
    if (child < 0)
        return false;
    if (child == 0)
        become_helper(arguments);
    int status = 0;
    long waited;
    do
        waited = sys_wait(child, &status);
    while (waited == -SYS_EINTR);
    /* Where SIGCHLD is ignored there is no status; the decision it made or did not make will tell. */
    return waited != child || status == 0;
}
