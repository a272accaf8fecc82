#include "made_names.h"

#include "../sys.h"
#include "../text.h"

/* linux/fcntl.h, asm-generic/errno-base.h. */
enum { WRITE_ONLY = 1, CREATE = 0100, EXCLUSIVE = 0200, EEXIST_ = 17 };

long file_write(const char *path, const char *content)
{
    long fd = arch_syscall(__NR_openat, SYS_AT_CWD, (long)path, WRITE_ONLY | SYS_CLOEXEC, 0, 0, 0);
    if (sys_failed(fd))
        return fd;
    long written = sys_write((int)fd, content, text_length(content));
    sys_close((int)fd);
    return written;
}

long file_make_directory(const char *path)
{
    long result = arch_syscall(__NR_mkdirat, SYS_AT_CWD, (long)path, 0755, 0, 0, 0);
    return result == -EEXIST_ ? 0 : result;
}

long file_make(const char *path)
{
    long fd = arch_syscall(__NR_openat, SYS_AT_CWD, (long)path, WRITE_ONLY | CREATE | EXCLUSIVE | SYS_CLOEXEC,
                           0644, 0, 0);
    if (fd == -EEXIST_)
        return 0;
    if (!sys_failed(fd))
        sys_close((int)fd);
    return fd < 0 ? fd : 0;
}

long file_make_link(const char *words, const char *path)
{
    long result = arch_syscall(__NR_symlinkat, (long)words, SYS_AT_CWD, (long)path, 0, 0, 0);
    return result == -EEXIST_ ? 0 : result;
}

long file_make_text(const char *content, const char *path)
{
    long result = file_make(path);
    return sys_failed(result) ? result : file_write(path, content);
}
