/* The command `denizen`: executes `denizen-python` beside it, the script that an installer gave its Python.

   It stands before Python because Python ignores SIGPIPE and SIGXFSZ at its start, and nobody can tell then whether
   the caller had them ignored (../ignored.h). It costs one execve of a static file, 0.2 ms. */
#include "../ignored.h"

ARCH_START;

enum { PATH_ROOM = 4096, EXIT_FAILED_ = 125 };
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
    if (!text.cut)
        ignored_execute(script, words, environment);
    say("cannot start ", script, ", the part of this command that is written in Python: reinstall denizen", (char *)0);
    sys_exit(EXIT_FAILED_);
}
