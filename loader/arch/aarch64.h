/* AArch64: every assembly line and number of this architecture. */
#ifndef DENIZEN_ARCH_H
#define DENIZEN_ARCH_H

#include "../elf.h"

#include <stddef.h>
#include <stdint.h>

/* The kernel's numbers for this machine: its headers for it are not always there. */
enum {
    __NR_getcwd = 17,
    __NR_ppoll = 73,
    __NR_dup3 = 24,
    __NR_fcntl = 25,
    __NR_flock = 32,
    __NR_ioctl = 29,
    __NR_mkdirat = 34,
    __NR_symlinkat = 36,
    __NR_umount2 = 39,
    __NR_mount = 40,
    __NR_pivot_root = 41,
    __NR_chroot = 51,
    __NR_statfs = 43,
    __NR_faccessat = 48,
    __NR_chdir = 49,
    __NR_openat = 56,
    __NR_close = 57,
    __NR_pipe2 = 59,
    __NR_getdents64 = 61,
    __NR_read = 63,
    __NR_write = 64,
    __NR_pread64 = 67,
    __NR_readlinkat = 78,
    __NR_newfstatat = 79,
    __NR_personality = 92,
    __NR_exit_group = 94,
    __NR_gettid = 178,
    __NR_tgkill = 131,
    __NR_unshare = 97,
    __NR_kill = 129,
    __NR_rt_sigaction = 134,
    __NR_rt_sigprocmask = 135,
    __NR_rt_sigtimedwait = 137,
    __NR_setsid = 157,
    __NR_setgroups = 159,
    __NR_sethostname = 161,
    __NR_setdomainname = 162,
    __NR_umask = 166,
    __NR_prctl = 167,
    __NR_capget = 90,
    __NR_capset = 91,
    __NR_getpid = 172,
    __NR_getppid = 173,
    __NR_geteuid = 175,
    __NR_getegid = 177,
    __NR_socket = 198,
    __NR_socketpair = 199,
    __NR_munmap = 215,
    __NR_clone = 220,
    __NR_execve = 221,
    __NR_mmap = 222,
    __NR_mprotect = 226,
    __NR_wait4 = 260,
    __NR_prlimit64 = 261,
    __NR_unlinkat = 35,
    __NR_linkat = 37,
    __NR_faccessat2 = 439,
    __NR_setns = 268,
    __NR_renameat = 38,
    __NR_memfd_create = 279,
    __NR_process_vm_readv = 270,
    __NR_seccomp = 277,
    __NR_getrandom = 278,
    __NR_utimensat = 88,
    __NR_clock_gettime = 113,
    __NR_fstatfs = 44,
    __NR_execveat = 281,
    __NR_pidfd_open = 434,
    __NR_statx = 291,
    __NR_sched_yield = 124,
    __NR_close_range = 436,
    __NR_mount_setattr = 442,
    __NR_landlock_create_ruleset = 444,
    __NR_landlock_add_rule = 445,
    __NR_landlock_restrict_self = 446,
};

#define ARCH_MACHINE EM_AARCH64
/* Of the other word size, whose programs some kernels start: EM_ARM in a file of ELFCLASS32. */
#define ARCH_OTHER_MACHINE 40
#define ARCH_OTHER_CLASS 1
#define ARCH_BITS 64
#define ARCH_TRIPLET "aarch64-linux-gnu"
#define ARCH_NIX_LD "NIX_LD_aarch64_linux"
#define ARCH_NIX_LD_LIBRARY_PATH "NIX_LD_LIBRARY_PATH_aarch64_linux"

/* In the place of the program's entry point: the stack and x0 are the program's. */
#define ARCH_ENTRY_HOOK                        \
    __asm__(".globl entry_hook_start\n"        \
            ".hidden entry_hook_start\n"       \
            ".type entry_hook_start, %function\n" \
            "entry_hook_start:\n"              \
            "    str x0, [sp, #-16]!\n"    \
            "    add x0, sp, #16\n"        \
            "    bl entry_hook_run\n"      \
            "    mov x16, x0\n"            \
            "    ldr x0, [sp], #16\n"      \
            "    mov x29, #0\n"            \
            "    mov x30, #0\n"            \
            "    br x16\n")

/* The kernel enters with every register but the stack pointer zeroed (start_thread); an entry stub
   passes its record in x0. */
/* The kernel's words at the stack pointer may grow down by STACK_ROOM bytes (auxv.h). */
#define ARCH_START                         \
    __asm__(".globl _start\n"              \
            ".type _start, %function\n"    \
            "_start:\n"                    \
            "    mov x1, x0\n"             \
            "    mov x29, #0\n"            \
            "    mov x30, #0\n"            \
            "    mov x0, sp\n"             \
            "    sub sp, sp, #512\n"       \
            "    bl loader_start\n"        \
            "    brk #1\n")

static inline _Noreturn void arch_jump(uintptr_t entry, uintptr_t stack)
{
    register uintptr_t x16 __asm__("x16") = entry;
    __asm__ volatile("mov sp, %0\n\tmov x0, #0\n\tmov x29, #0\n\tmov x30, #0\n\tbr %1"
                     :
                     : "r"(stack), "r"(x16)
                     : "memory", "x0", "x30");
    __builtin_unreachable();
}

static inline long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

/* A process on another stack (16-byte aligned, its upper end), which does `run`. */
static inline long arch_run_apart(long flags, char *stack, void (*run)(void *), void *argument)
{
    register long x8 __asm__("x8") = __NR_clone;
    register long x0 __asm__("x0") = flags;
    register char *x1 __asm__("x1") = stack;
    register long x2 __asm__("x2") = 0;
    register long x3 __asm__("x3") = 0;
    register long x4 __asm__("x4") = 0;
    register void (*x19)(void *) __asm__("x19") = run;
    register void *x20 __asm__("x20") = argument;
    __asm__ volatile("svc #0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, #0\n\t"
                     "mov x30, #0\n\t"
                     "mov x0, x20\n\t"
                     "blr x19\n\t"
                     "brk #1\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x19), "r"(x20)
                     : "memory");
    return x0;
}

/* Make written code visible to instruction fetch; 16 bytes is the smallest cache line there may be. */
static inline void arch_flush_code(uintptr_t address, size_t size)
{
    uintptr_t end = address + size;
    for (uintptr_t line = address & ~(uintptr_t)15; line < end; line += 16)
        __asm__ volatile("dc cvau, %0" : : "r"(line) : "memory");
    __asm__ volatile("dsb ish" : : : "memory");
    for (uintptr_t line = address & ~(uintptr_t)15; line < end; line += 16)
        __asm__ volatile("ic ivau, %0" : : "r"(line) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

/* struct stat of asm-generic/stat.h. */
struct arch_stat {
    uint64_t device;
    uint64_t inode;
    uint32_t mode;
    uint32_t links;
    uint32_t uid;
    uint32_t gid;
    uint64_t rdev;
    uint64_t zero;
    int64_t size;
    int32_t block_size;
    int32_t zero_2;
    int64_t blocks;
    int64_t atime;
    int64_t atime_ns;
    int64_t mtime;
    int64_t mtime_ns;
    int64_t ctime;
    int64_t ctime_ns;
    uint32_t reserved[2];
};
#define ARCH_FSTATAT __NR_newfstatat
#define ARCH_MMAP(address, length, protection, flags, fd, offset) \
    arch_syscall(__NR_mmap, (long)(address), (long)(length), protection, flags, fd, (long)(offset))

#endif
