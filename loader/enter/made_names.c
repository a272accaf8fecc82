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

static long write_all(int fd, const char *text, size_t size)
{
    while (size) {
        long written = sys_write(fd, text, size);
        if (written < 0)
            return written;
        text += written;
        size -= (size_t)written;
    }
    return 0;
}

/* A last line without its end gets one. */
static long copy_lines(int from, int to)
{
    char room[4096];
    char last = '\n';
    long size, result = 0;
    while (!sys_failed(result) && (size = sys_read(from, room, sizeof room)) > 0) {
        result = write_all(to, room, (size_t)size);
        last = room[size - 1];
    }
    if (!sys_failed(result) && size < 0)
        result = size;
    return sys_failed(result) || last == '\n' ? result : write_all(to, "\n", 1);
}

long file_make_joined(const char *source, const char *content, const char *path)
{
    int from = sys_open(source, SYS_RDONLY);
    if (from < 0)
        return from;
    long result = file_make(path);
    long to = sys_failed(result) ? result
                                 : arch_syscall(__NR_openat, SYS_AT_CWD, (long)path, WRITE_ONLY | SYS_CLOEXEC, 0, 0, 0);
    if (!sys_failed(to)) {
        result = copy_lines(from, (int)to);
        if (!sys_failed(result))
            result = write_all((int)to, content, text_length(content));
        sys_close((int)to);
    } else {
        result = to;
    }
    sys_close(from);
    return result;
}
