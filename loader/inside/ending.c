/* The ways in which a program ends without exit(3), by which it would tell what it missed (failure_note.c): shells end by
   _exit, C++ and Rust by abort. stat.c has syscall(2), failure_signals.c the faults. A system call of the program's own,
   and a signal that somebody sends, end it without a word. */
#include "../failure_note.h"
#include "forwarding.h"

enum { ABORTED = 128 + 6 };

WEAK int on_exit(void (*call)(int, void *), void *data);
EXPORTED bool denizen_note_failure(const char *path);
EXPORTED void _exit(int status);
EXPORTED void _Exit(int status);
EXPORTED void abort(void);
EXPORTED void __assert_fail(const char *what, const char *file, unsigned line, const char *function);
static any_function *next__exit;
static any_function *next__Exit;
static any_function *next_abort;
static any_function *next___assert_fail;

/* For the resident (resident/kept_out.c), which stands before no function: the line in the file at `path`. */
bool denizen_note_failure(const char *path)
{
    bool begun = failure_note_begin(on_exit);
    if (begun)
        failure_note_add_file(path, "", "", FAILURE_ANY);
    return begun;
}

/* None of them comes back; what is declared so could not be cast. */
#define ENDING(name, status, parameters, arguments) \
    void name parameters                            \
    {                                               \
        __typeof__(&name) next = NEXT(name);        \
        failure_note_tell((status) & 0xff);         \
        if (next)                                   \
            next arguments;                         \
        sys_exit(status);                           \
    }

ENDING(_exit, status, (int status), (status))
ENDING(_Exit, status, (int status), (status))
ENDING(abort, ABORTED, (void), ())
ENDING(__assert_fail, ABORTED, (const char *what, const char *file, unsigned line, const char *function),
       (what, file, line, function))
