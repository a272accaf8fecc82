#include "helper.h"

#include "config.h"
#include "text.h"

enum { MAX_ARGUMENTS = 64, MAX_ENVIRONMENT = 8192, EXIT_CANNOT_RUN = 126 };

/* Set for the helper alone: if the helper's own interpreter has no decision, nobody may be asked
   again. Children of the program never see it. */
static const char *const MARK = "DENIZEN_DECIDING";

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

/* In the child: quiet on the program's input and output, loud on its standard error. */
static _Noreturn void become_helper(const struct process *process, char **arguments)
{
    char *environment[MAX_ENVIRONMENT + 2];
    size_t count = 0;
    for (char **each = process->environment; *each && count < MAX_ENVIRONMENT; each++)
        environment[count++] = *each;
    char mark[] = "DENIZEN_DECIDING=1";
    environment[count++] = mark;
    environment[count] = NULL;
    int nothing = sys_open("/dev/null", SYS_RDWR);
    if (nothing >= 0)
        sys_dup_onto(nothing, 0);
    sys_dup_onto(2, 1);
    sys_execve(arguments[0], arguments, environment);
    say("cannot run ", arguments[0], " to decide what this program needs", (char *)0);
    sys_exit(EXIT_CANNOT_RUN);
}

bool helper_decides(const struct process *process, const char *program)
{
    char *arguments[MAX_ARGUMENTS + 2];
    if (process->secure || process_variable(process, MARK) || !command_line(arguments, program))
        return false;
    long child = sys_fork();
    if (child < 0)
        return false;
    if (child == 0)
        become_helper(process, arguments);
    int status = 0;
    long waited;
    do
        waited = sys_wait(child, &status);
    while (waited == -SYS_EINTR);
    /* Where SIGCHLD is ignored there is no status; the decision it made or did not make will tell. */
    return waited != child || status == 0;
}
