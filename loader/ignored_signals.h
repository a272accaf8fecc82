/* The signals whose disposition Python changes before any of denizen's code runs in it, named in a variable.

   CPython ignores SIGPIPE and SIGXFSZ at its start (Modules/signalmodule.c), and what is ignored stays ignored over
   execve(2). What executes Python on the way to a program therefore names the signals that were ignored before, and
   denizen.launch.process_state ignores them again and removes the variable. Where none was ignored there is no variable. */
#ifndef DENIZEN_IGNORED_SIGNALS_H
#define DENIZEN_IGNORED_SIGNALS_H

#include "sys.h"
#include "text.h"

enum { IGNORED_SIGPIPE = 13, IGNORED_SIGXFSZ = 25, IGNORED_MAX_ENVIRONMENT = 8192 };

static inline bool ignored_is(int signal)
{
    /* The kernel's struct sigaction begins with the handler on every architecture here; SIG_IGN is 1. */
    uintptr_t action[8] = {0};
    return !sys_failed(arch_syscall(__NR_rt_sigaction, signal, 0, (long)action, 8, 0, 0)) && action[0] == 1;
}

/* Their numbers as denizen.launch.process_state reads them, "" for none. */
static inline const char *ignored_numbers(void)
{
    bool of_pipe = ignored_is(IGNORED_SIGPIPE), of_size = ignored_is(IGNORED_SIGXFSZ);
    return of_pipe && of_size ? "13,25" : of_pipe ? "13" : of_size ? "25" : "";
}

/* Execute a Python with the variable added; comes back with the error. An environment of more than 8192 variables
   goes without it. */
static inline long ignored_execute(const char *file, char **words, char **environment)
{
    char *told[IGNORED_MAX_ENVIRONMENT + 2];
    char room[sizeof "DENIZEN_IGNORED_SIGNALS=13,25"];
    struct text variable = text_in(room, sizeof room);
    const char *numbers = ignored_numbers();
    size_t count = 0;
    for (; environment[count] && count < IGNORED_MAX_ENVIRONMENT; count++)
        told[count] = environment[count];
    if (environment[count] || !numbers[0])
        return sys_execve(file, words, environment);
    text_add(&variable, "DENIZEN_IGNORED_SIGNALS=");
    text_add(&variable, numbers);
    told[count++] = room;
    told[count] = NULL;
    return sys_execve(file, words, told);
}

#endif
