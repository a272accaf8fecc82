#include "temporary_directory.h"

#include "sys.h"
#include "text.h"

/* asm-generic/statfs.h, which a compiler for the other word size may not have. */
struct statfs {
    unsigned long before[7];
    int identity[2];
    unsigned long name_length;
    unsigned long fragment;
    unsigned long flags;
    unsigned long spare[4];
};

/* As mkstemp's callers find it. */
static const char *directory_of(char *const *environment)
{
    for (; *environment; environment++)
        if (text_starts(*environment, "TMPDIR=") && (*environment)[sizeof "TMPDIR=" - 1])
            return *environment + sizeof "TMPDIR=" - 1;
    return "/tmp";
}

bool temporary_executes_nothing(char *const *environment)
{
    enum { ST_NOEXEC_ = 8 };
    struct statfs facts;
    long result = arch_syscall(__NR_statfs, (long)directory_of(environment), (long)&facts, 0, 0, 0, 0);
    return sys_failed(result) || (facts.flags & ST_NOEXEC_);
}
