/* The command `denizen`: executes `denizen-python` beside it, the script that an installer gave its Python.

   It stands before Python because Python ignores SIGPIPE and SIGXFSZ at its start, and nobody can tell then whether
   the caller had them ignored (../ignored_signals.h). It costs one execve of a static file, 0.2 ms. Where the script's `#!`
   line names an interpreter with a space in its path, it executes that interpreter itself. */
#include "../ignored_signals.h"

ARCH_START;

static const char *const SCRIPT = "denizen-python";

_Noreturn void loader_start(uintptr_t *stack, const void *unused);

/* Where /proc is not mounted: the path that was executed (getauxval(3)), which may be a link's. */
static const char *executed(char **environment)
{
    while (*environment)
        environment++;
    for (const Auxv *entry = (const void *)(environment + 1); entry->a_type != AT_NULL; entry++)
        if (entry->a_type == AT_EXECFN)
            return (const char *)(uintptr_t)entry->a_un.a_val;
    return "";
}

/* The interpreter that the first line of SCRIPT names, whole: the kernel would end it at the first space. */
static const char *interpreter_of(const char *script, char *room)
{
    int file = sys_open(script, SYS_RDONLY);
    long length = file < 0 ? -1 : sys_pread(file, room, PATH_ROOM - 1, 0);
    if (length < 3 || room[0] != '#' || room[1] != '!')
        return NULL;
    room[length] = '\0';
    for (char *at = room; *at; at++)
        if (*at == '\n')
            *at = '\0';
    return room + 2;
}

_Noreturn void loader_start(uintptr_t *stack, const void *unused)
{
    (void)unused;
    char **words = (char **)(stack + 1), **environment = words + *stack + 1;
    char own[PATH_ROOM], script[PATH_ROOM];
    long length = sys_readlink("/proc/self/exe", own, sizeof own - 1);
    own[sys_failed(length) ? 0 : length] = '\0';
    const char *path = sys_failed(length) ? executed(environment) : own;
    struct text text = text_in(script, sizeof script);
    text_add_bytes(&text, path, (size_t)(text_file_name(path) - path));
    text_add(&text, SCRIPT);
    long problem = 0;
    if (!text.cut) {
        problem = ignored_execute(script, words, environment);
        /* An environment in a directory with a space in its name. The slot before the words, which held their
           number, and the first of them have room for the interpreter and the script. */
        char room[PATH_ROOM];
        const char *interpreter = interpreter_of(script, room);
        if (interpreter && *stack) {
            words[-1] = (char *)(uintptr_t)interpreter;
            words[0] = script;
            problem = ignored_execute(interpreter, words - 1, environment);
        }
    }
    if (problem == -SYS_E2BIG)
        say("cannot start ", script, text_of_problem(problem), (char *)0);
    else
        say("cannot start ", script, ", the part of this command that is written in Python: reinstall denizen",
            (char *)0);
    sys_exit(EXIT_FAILED);
}
