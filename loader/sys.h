/* Raw system calls. A result below zero is the negative errno; -4095..-1 for those that return addresses. */
#ifndef DENIZEN_SYS_H
#define DENIZEN_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#elif defined(__i386__)
#include "arch/i386.h"
#else
#error "no arch/ header for this architecture"
#endif

/* The longest path that the kernel takes, its NUL included (PATH_MAX). */
enum { PATH_ROOM = 4096 };

/* Exit statuses, as a shell has them: denizen failed; the program cannot be started; it is not there. errors.py has the
   same numbers (tests/test_errors.py compares). */
enum { EXIT_FAILED = 125, EXIT_CANNOT_START = 126, EXIT_NOT_FOUND = 127 };

/* asm-generic numbers; the three architectures agree on all of these. */
enum {
    SYS_RDONLY = 0,
    SYS_RDWR = 2,
    SYS_EACCES = 13,
    SYS_E2BIG = 7,
    SYS_EPERM = 1,
    SYS_ENOENT = 2,
    SYS_EINTR = 4,
    SYS_AT_CWD = -100,
    SYS_AT_SYMLINK_NOFOLLOW = 0x100,
    SYS_AT_EMPTY_PATH = 0x1000,
    SYS_PROT_NONE = 0,
    SYS_PROT_READ = 1,
    SYS_PROT_WRITE = 2,
    SYS_PROT_EXEC = 4,
    SYS_MAP_SHARED = 1,
    SYS_MAP_PRIVATE = 2,
    SYS_MAP_FIXED = 0x10,
    SYS_MAP_ANONYMOUS = 0x20,
    SYS_MAP_NORESERVE = 0x4000,
    SYS_MAP_FIXED_NOREPLACE = 0x100000,
    SYS_S_IFMT = 0170000,
    SYS_S_IFREG = 0100000,
    SYS_S_IFDIR = 0040000,
    SYS_SIGCHLD = 17,
    SYS_PR_SET_NAME = 15,
    SYS_PR_SET_MM = 35,
    SYS_PR_SET_MM_MAP = 14,
    SYS_SIG_BLOCK = 0,
    SYS_SIG_SETMASK = 2,
    SYS_SIGNALS = 64,
};
#if defined(__aarch64__)
enum { SYS_DIRECTORY = 040000, SYS_NOFOLLOW = 0100000, SYS_CLOEXEC = 02000000, SYS_NONBLOCK = 04000 };
#else
enum { SYS_DIRECTORY = 0200000, SYS_NOFOLLOW = 0400000, SYS_CLOEXEC = 02000000, SYS_NONBLOCK = 04000 };
#endif
enum { SYS_PATH = 010000000 };

static inline bool sys_failed(long result)
{
    return (unsigned long)result > -4096UL;
}

static inline int sys_openat(int directory, const char *path, int flags)
{
    return (int)arch_syscall(__NR_openat, directory, (long)path, flags, 0, 0, 0);
}

static inline int sys_open(const char *path, int flags)
{
    return sys_openat(SYS_AT_CWD, path, flags | SYS_CLOEXEC);
}

static inline void sys_close(int fd)
{
    arch_syscall(__NR_close, fd, 0, 0, 0, 0, 0);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
    return arch_syscall(__NR_read, fd, (long)buffer, (long)size, 0, 0, 0);
}

static inline long sys_write(int fd, const void *buffer, size_t size)
{
    return arch_syscall(__NR_write, fd, (long)buffer, (long)size, 0, 0, 0);
}

static inline int sys_stat(const char *path, struct arch_stat *facts)
{
    return (int)arch_syscall(ARCH_FSTATAT, SYS_AT_CWD, (long)path, (long)facts, 0, 0, 0);
}

static inline int sys_fstat(int fd, struct arch_stat *facts)
{
    return (int)arch_syscall(ARCH_FSTATAT, fd, (long)"", (long)facts, SYS_AT_EMPTY_PATH, 0, 0);
}

static inline bool sys_exists(const char *path)
{
    return arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, 0, 0, 0, 0) == 0;
}

static inline long sys_pread(int fd, void *buffer, size_t size, uint64_t offset)
{
    /* A register holds as much of the offset as it can; the next one the rest. */
    long rest = UINTPTR_MAX > UINT32_MAX ? 0 : (long)(offset >> 32);
    return arch_syscall(__NR_pread64, fd, (long)buffer, (long)size, (long)offset, rest, 0);
}

static inline long sys_readlink(const char *path, char *buffer, size_t size)
{
    return arch_syscall(__NR_readlinkat, SYS_AT_CWD, (long)path, (long)buffer, (long)size, 0, 0);
}

/* The address, or a failure as sys_failed tells it. */
static inline long sys_mmap(uintptr_t address, size_t length, int protection, int flags, int fd, uint64_t offset)
{
    return ARCH_MMAP(address, length, protection, flags, fd, offset);
}

static inline int sys_mprotect(uintptr_t address, size_t length, int protection)
{
    return (int)arch_syscall(__NR_mprotect, (long)address, (long)length, protection, 0, 0, 0);
}

static inline long sys_fork(void)
{
    return arch_syscall(__NR_clone, SYS_SIGCHLD, 0, 0, 0, 0, 0);
}

static inline long sys_wait(long child, int *status)
{
    return arch_syscall(__NR_wait4, child, (long)status, 0, 0, 0, 0);
}

static inline int sys_dup_onto(int from, int to)
{
    return (int)arch_syscall(__NR_dup3, from, to, 0, 0, 0, 0);
}

/* Change the mask of blocked signals; `before` gets the former one. Either may be null. */
static inline void sys_set_mask(int how, const uint64_t *now, uint64_t *before)
{
    arch_syscall(__NR_rt_sigprocmask, how, (long)now, (long)before, sizeof *now, 0, 0);
}

static inline int sys_execve(const char *path, char *const *arguments, char *const *environment)
{
    return (int)arch_syscall(__NR_execve, (long)path, (long)arguments, (long)environment, 0, 0, 0);
}

static inline long sys_prctl(long what, long a, long b)
{
    return arch_syscall(__NR_prctl, what, a, b, 0, 0, 0);
}

/* Set the name of the process in `ps` and core dumps; the kernel truncates it. */
static inline void sys_name_process(const char *name)
{
    sys_prctl(SYS_PR_SET_NAME, (long)name, 0);
}

static inline void sys_set_memory_map(const void *map, size_t size)
{
    arch_syscall(__NR_prctl, SYS_PR_SET_MM, SYS_PR_SET_MM_MAP, (long)map, (long)size, 0, 0);
}

static inline _Noreturn void sys_exit(int status)
{
    for (;;)
        arch_syscall(__NR_exit_group, status, 0, 0, 0, 0, 0);
}

#endif
