/* readlink and its kin: /proc/self/exe leads to the program. */
#include "forwarding.h"

EXPORTED long readlink(const char *path, char *buffer, size_t size);
EXPORTED long readlinkat(int at, const char *path, char *buffer, size_t size);
EXPORTED long __readlink_chk(const char *path, char *buffer, size_t size, size_t room);
EXPORTED long __readlinkat_chk(int at, const char *path, char *buffer, size_t size, size_t room);
static any_function *next___readlink_chk;
static any_function *next___readlinkat_chk;

/* As readlink(2) gives it: cut, and without a NUL. */
static long copy_out(const char *target, char *buffer, size_t size)
{
    size_t length = text_length(target);
    length = length < size ? length : size;
    __builtin_memcpy(buffer, target, length);
    return (long)length;
}

/* Below an open /proc/self the name alone does not tell: what was found does. */
static bool shows_us(const struct inside_facts *facts, const char *path, const char *found, long length)
{
    size_t size = text_length(facts->seen);
    return size && path[0] != '/' && text_equal(text_file_name(path), "exe") && (size_t)length == size &&
           __builtin_memcmp(found, facts->seen, size) == 0;
}

long readlinkat(int at, const char *path, char *buffer, size_t size)
{
    char room[PATH_ROOM];
    const struct inside_facts *facts = loader_facts();
    if (facts && is_own_file(path) && size)
        return copy_out(facts->program, buffer, size);
    long length = arch_syscall(__NR_readlinkat, at, (long)redirected_link(path, room), (long)buffer, (long)size, 0, 0);
    if (facts && length > 0 && shows_us(facts, path, buffer, length))
        return copy_out(facts->program, buffer, size);
    return result_or_errno(length);
}

long readlink(const char *path, char *buffer, size_t size)
{
    return readlinkat(SYS_AT_CWD, path, buffer, size);
}

/* Where the size is too large the C library's own ends the program, with its own words. */
long __readlink_chk(const char *path, char *buffer, size_t size, size_t room)
{
    __typeof__(&__readlink_chk) next = NEXT(__readlink_chk);
    return size > room && next ? next(path, buffer, size, room) : readlink(path, buffer, size);
}

long __readlinkat_chk(int at, const char *path, char *buffer, size_t size, size_t room)
{
    __typeof__(&__readlinkat_chk) next = NEXT(__readlinkat_chk);
    return size > room && next ? next(at, path, buffer, size, room) : readlinkat(at, path, buffer, size);
}
