/* i386: every assembly line and number of this architecture. */
#ifndef DENIZEN_ARCH_H
#define DENIZEN_ARCH_H

#include "../elf.h"

#include <stddef.h>
#include <stdint.h>

/* The kernel's numbers for this machine: its headers for it are not always there. */
enum {
    __NR_read = 3,
    __NR_write = 4,
    __NR_close = 6,
    __NR_execve = 11,
    __NR_chdir = 12,
    __NR_getpid = 20,
    __NR_mount = 21,
    __NR_geteuid = 49,
    __NR_getegid = 50,
    __NR_umount2 = 52,
    __NR_umask = 60,
    __NR_setsid = 66,
    __NR_mmap = 90,
    __NR_munmap = 91,
    __NR_statfs = 99,
    __NR_wait4 = 114,
    __NR_clone = 120,
    __NR_mprotect = 125,
    __NR_personality = 136,
    __NR_prctl = 172,
    __NR_capget = 184,
    __NR_capset = 185,
    __NR_rt_sigaction = 174,
    __NR_rt_sigprocmask = 175,
    __NR_pread64 = 180,
    __NR_getcwd = 183,
    __NR_ppoll = 309,
    __NR_mmap2 = 192,
    __NR_pivot_root = 217,
    __NR_chroot = 61,
    __NR_getdents64 = 220,
    __NR_exit_group = 252,
    __NR_gettid = 224,
    __NR_tgkill = 270,
    __NR_openat = 295,
    __NR_mkdirat = 296,
    __NR_fstatat64 = 300,
    __NR_symlinkat = 304,
    __NR_readlinkat = 305,
    __NR_faccessat = 307,
    __NR_unshare = 310,
    __NR_dup3 = 330,
    __NR_prlimit64 = 340,
    __NR_unlinkat = 301,
    __NR_linkat = 303,
    __NR_faccessat2 = 439,
    __NR_setns = 346,
    __NR_renameat = 302,
    __NR_memfd_create = 356,
    __NR_getrandom = 355,
    __NR_utimensat = 320,
    __NR_fstatfs = 100,
    __NR_execveat = 358,
    __NR_pidfd_open = 434,
    __NR_statx = 383,
    __NR_fcntl = 55,
    __NR_flock = 143,
    __NR_clock_gettime = 265,
    __NR_pipe2 = 331,
    __NR_sched_yield = 158,
    __NR_close_range = 436,
};

#define ARCH_MACHINE EM_386
/* Of the other word size, whose programs the same kernel may start: EM_X86_64 in a file of ELFCLASS64. */
#define ARCH_OTHER_MACHINE 62
#define ARCH_OTHER_CLASS 2
#define ARCH_BITS 32
#define ARCH_TRIPLET "i386-linux-gnu"
#define ARCH_NIX_LD "NIX_LD_i686_linux"
#define ARCH_NIX_LD_LIBRARY_PATH "NIX_LD_LIBRARY_PATH_i686_linux"

/* In the place of the program's entry point: the stack, aligned, and edx are the program's. */
#define ARCH_ENTRY_HOOK                        \
    __asm__(".globl entry_hook_start\n"        \
            ".hidden entry_hook_start\n"       \
            ".type entry_hook_start, @function\n" \
            "entry_hook_start:\n"              \
            "    mov %esp, %eax\n"         \
            "    push %edx\n"              \
            "    sub $8, %esp\n"           \
            "    push %eax\n"              \
            "    call entry_hook_run\n"    \
            "    add $12, %esp\n"          \
            "    pop %edx\n"               \
            "    xor %ebp, %ebp\n"         \
            "    jmp *%eax\n")

/* The C function expects 16-byte alignment before its call pushes the return address. */
/* The kernel's words at the stack pointer may grow down by STACK_ROOM bytes (auxv.h). */
#define ARCH_START                         \
    __asm__(".globl _start\n"              \
            ".type _start, @function\n"    \
            "_start:\n"                    \
            "    xor %ebp, %ebp\n"         \
            "    mov %esp, %eax\n"         \
            "    and $-16, %esp\n"         \
            "    sub $520, %esp\n"         \
            "    push %edi\n"              \
            "    push %eax\n"              \
            "    call loader_start\n"      \
            "    hlt\n")

static inline _Noreturn void arch_jump(uintptr_t entry, uintptr_t stack)
{
    __asm__ volatile("mov %0, %%esp\n\txor %%edx, %%edx\n\txor %%ebp, %%ebp\n\tjmp *%1"
                     :
                     : "c"(stack), "a"(entry)
                     : "memory", "edx");
    __builtin_unreachable();
}

/* Six arguments need every register, ebp too, which the compiler will not give: the last and the
   number go through the stack. */
static inline long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    long sixth[2] = {number, f};
    long result = (long)sixth;
    __asm__ volatile("push %%ebp\n\t"
                     "mov 4(%%eax), %%ebp\n\t"
                     "mov (%%eax), %%eax\n\t"
                     "int $0x80\n\t"
                     "pop %%ebp"
                     : "+a"(result)
                     : "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory");
    return result;
}

/* A process on another stack (16-byte aligned, its upper end), which does `run`; that finds its argument there. */
static inline long arch_run_apart(long flags, char *stack, void (*run)(void *), void *argument)
{
    long *top = (long *)(void *)(stack - 16);
    long result;
    top[0] = (long)argument;
    top[-1] = (long)run;
    __asm__ volatile("int $0x80\n\t"
                     "test %%eax, %%eax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "pop %%eax\n\t"
                     "call *%%eax\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "a"(__NR_clone), "b"(flags), "c"(top - 1), "d"(0), "S"(0), "D"(0)
                     : "memory");
    return result;
}

/* Data and instruction caches agree on this architecture. */
static inline void arch_flush_code(uintptr_t address, size_t size)
{
    (void)address;
    (void)size;
}

/* struct stat64 of asm/stat.h. */
struct arch_stat {
    uint64_t device;
    uint8_t zero[4];
    uint32_t old_inode;
    uint32_t mode;
    uint32_t links;
    uint32_t uid;
    uint32_t gid;
    uint64_t rdev;
    uint8_t zero_2[4];
    int64_t size;
    uint32_t block_size;
    uint64_t blocks;
    uint32_t atime;
    uint32_t atime_ns;
    uint32_t mtime;
    uint32_t mtime_ns;
    uint32_t ctime;
    uint32_t ctime_ns;
    uint64_t inode;
} __attribute__((packed));
#define ARCH_FSTATAT __NR_fstatat64
#define ARCH_MMAP(address, length, protection, flags, fd, offset)                                   \
    arch_syscall(__NR_mmap2, (long)(address), (long)(length), protection, flags, fd,                \
                 (long)((offset) / 4096))

#endif
