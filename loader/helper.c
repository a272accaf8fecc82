#include "helper.h"

#include "decision.h"
#include "helper_process.h"
#include "loader_settings.h"
#include "text.h"
#include "writable_layer.h"

/* `option` and `value` may be null. */
static size_t command_line(const char **arguments, const char *option, const char *value, const char *program)
{
    size_t count = config_all(SETTING_COMMAND, arguments);
    if (!count)
        return 0;
    if (option)
        arguments[count++] = option;
    if (value)
        arguments[count++] = value;
    arguments[count++] = program;
    arguments[count] = NULL;
    return count;
}

static _Noreturn void become_helper(const char **arguments)
{
    char mark[] = HELPER_MARK "=1";
    char path[] = HELPER_PATH;
    char *environment[] = {path, mark, NULL};
    helper_process_prepare();
    sys_execve(arguments[0], (char *const *)(uintptr_t)arguments, environment);
    say("cannot run ", arguments[0], " to decide what this program needs", (char *)0);
    sys_exit(EXIT_NOT_FOUND);
}

/* Return the absolute path, as the helper has another working directory. Null if it cannot be determined. */
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

/* A program that gave up root's rights may not go where root's denizen is, nor keep a decision there: nobody is
   asked, and nothing need be said. */
bool helper_is_closed(const struct process *process, const char *helper)
{
    enum { EXECUTE = 1 };
    char room[PATH_ROOM];
    struct text directory = text_in(room, sizeof room);
    struct arch_stat facts;
    const char *pattern = config_next(SETTING_DIRECTORY, NULL);
    if (pattern)
        decision_directory(&directory, pattern, process);
    int problem = pattern ? sys_stat(room, &facts) : -SYS_ENOENT;
    return problem == -SYS_EACCES || (problem >= 0 && facts.uid != process->uid) ||
           arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)helper, EXECUTE, 0, 0, 0) == -SYS_EACCES;
}

/* What the status of wait(2) says. Only these two does denizen leave after it said why. */
static enum helper_answer answer_of(int status)
{
    bool said = status == EXIT_FAILED << 8 || status == EXIT_CANNOT_START << 8;
    return status == 0 ? HELPER_SUCCEEDED : said ? HELPER_REFUSED : HELPER_ABSENT;
}

static enum helper_answer ask(const struct process *process, const char *option, const char *value,
                              const char *program)
{
    char room[PATH_ROOM];
    const char *arguments[MAX_SETTINGS + 4];
    const char *path = absolute(program, room);
    if (!path || !process_is_plain(process) || process_variable(process, HELPER_MARK) ||
        !command_line(arguments, option, value, path) || helper_is_closed(process, arguments[0]))
        return HELPER_ABSENT;
    writable_layer_make(process);
    long child = sys_fork();
    if (child < 0)
        return HELPER_ABSENT;
    if (child == 0)
        become_helper(arguments);
    int status = 0;
    long waited;
    do
        waited = sys_wait(child, &status);
    while (waited == -SYS_EINTR);
    /* Where SIGCHLD is ignored there is no status; the decision it made or did not make will tell. */
    return waited != child ? HELPER_SUCCEEDED : answer_of(status);
}

enum helper_answer helper_decides(const struct process *process, const char *library_path, const char *program)
{
    return ask(process, library_path ? "--library-path" : NULL, library_path, program);
}

bool helper_brings(const struct process *process, const char *path)
{
    return ask(process, "--command", NULL, path) == HELPER_SUCCEEDED;
}
