/* x86-64: every assembly line and number of this architecture. */
#ifndef DENIZEN_ARCH_H
#define DENIZEN_ARCH_H

#include "../elf.h"

#include <stddef.h>
#include <stdint.h>

/* The kernel's numbers for this machine: its headers for it are not always there. */
enum {
    __NR_read = 0,
    __NR_write = 1,
    __NR_close = 3,
    __NR_mmap = 9,
    __NR_mprotect = 10,
    __NR_munmap = 11,
    __NR_rt_sigaction = 13,
    __NR_rt_sigprocmask = 14,
    __NR_ioctl = 16,
    __NR_pread64 = 17,
    __NR_access = 21,
    __NR_getpid = 39,
    __NR_socket = 41,
    __NR_socketpair = 53,
    __NR_clone = 56,
    __NR_execve = 59,
    __NR_wait4 = 61,
    __NR_kill = 62,
    __NR_fcntl = 72,
    __NR_flock = 73,
    __NR_getcwd = 79,
    __NR_ppoll = 271,
    __NR_chdir = 80,
    __NR_umask = 95,
    __NR_ptrace = 101,
    __NR_geteuid = 107,
    __NR_getegid = 108,
    __NR_getppid = 110,
    __NR_setsid = 112,
    __NR_setgroups = 116,
    __NR_rt_sigtimedwait = 128,
    __NR_personality = 135,
    __NR_statfs = 137,
    __NR_pivot_root = 155,
    __NR_chroot = 161,
    __NR_prctl = 157,
    __NR_capget = 125,
    __NR_capset = 126,
    __NR_mount = 165,
    __NR_umount2 = 166,
    __NR_sethostname = 170,
    __NR_setdomainname = 171,
    __NR_futex = 202,
    __NR_getdents64 = 217,
    __NR_exit_group = 231,
    __NR_gettid = 186,
    __NR_tgkill = 234,
    __NR_openat = 257,
    __NR_mkdirat = 258,
    __NR_newfstatat = 262,
    __NR_symlinkat = 266,
    __NR_readlinkat = 267,
    __NR_faccessat = 269,
    __NR_unshare = 272,
    __NR_dup3 = 292,
    __NR_pipe2 = 293,
    __NR_prlimit64 = 302,
    __NR_process_vm_readv = 310,
    __NR_seccomp = 317,
    __NR_getrandom = 318,
    __NR_unlinkat = 263,
    __NR_linkat = 265,
    __NR_faccessat2 = 439,
    __NR_setns = 308,
    __NR_renameat = 264,
    __NR_memfd_create = 319,
    __NR_clock_gettime = 228,
    __NR_utimensat = 280,
    __NR_fstatfs = 138,
    __NR_execveat = 322,
    __NR_pidfd_open = 434,
    __NR_statx = 332,
    __NR_sched_yield = 24,
    __NR_close_range = 436,
    __NR_mount_setattr = 442,
    __NR_landlock_create_ruleset = 444,
    __NR_landlock_add_rule = 445,
    __NR_landlock_restrict_self = 446,
};

#define ARCH_MACHINE EM_X86_64
/* Of the other word size, whose programs the same kernel starts: EM_386 in a file of ELFCLASS32. */
#define ARCH_OTHER_MACHINE 3
#define ARCH_OTHER_CLASS 1
#define ARCH_BITS 64
#define ARCH_TRIPLET "x86_64-linux-gnu"
#define ARCH_NIX_LD "NIX_LD_x86_64_linux"
#define ARCH_NIX_LD_LIBRARY_PATH "NIX_LD_LIBRARY_PATH_x86_64_linux"

/* The kernel enters with every register but the stack pointer zeroed (ELF_PLAT_INIT); an entry stub
   passes its record in rdi. The kernel's words may grow down by STACK_ROOM bytes (auxv.h). */
#define ARCH_START                         \
    __asm__(".globl _start\n"              \
            ".type _start, @function\n"    \
            "_start:\n"                    \
            "    mov %rdi, %rsi\n"         \
            "    xor %ebp, %ebp\n"         \
            "    mov %rsp, %rdi\n"         \
            "    sub $512, %rsp\n"         \
            "    call loader_start\n"      \
            "    hlt\n")

/* In the place of the program's entry point: the stack and rdx are the program's. */
#define ARCH_ENTRY_HOOK                        \
    __asm__(".globl entry_hook_start\n"        \
            ".hidden entry_hook_start\n"       \
            ".type entry_hook_start, @function\n" \
            "entry_hook_start:\n"              \
            "    mov %rsp, %rdi\n"         \
            "    push %rdx\n"              \
            "    push %rdx\n"              \
            "    call entry_hook_run\n"    \
            "    pop %rdx\n"               \
            "    pop %rdx\n"               \
            "    xor %ebp, %ebp\n"         \
            "    jmp *%rax\n")

/* The stack as the kernel left it; rdx 0, because the ABI reads it as a function to run at exit. */
static inline _Noreturn void arch_jump(uintptr_t entry, uintptr_t stack)
{
    __asm__ volatile("mov %0, %%rsp\n\txor %%edx, %%edx\n\txor %%ebp, %%ebp\n\tjmp *%1"
                     :
                     : "r"(stack), "a"(entry)
                     : "memory", "rdx");
    __builtin_unreachable();
}

static inline long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* A process on another stack (16-byte aligned, its upper end), which does `run`. */
static inline long arch_run_apart(long flags, char *stack, void (*run)(void *), void *argument)
{
    long result;
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    register void (*r12)(void *) __asm__("r12") = run;
    register void *r13 __asm__("r13") = argument;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r13, %%rdi\n\t"
                     "call *%%r12\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "a"(__NR_clone), "D"(flags), "S"(stack), "d"(0), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
                     : "rcx", "r11", "memory");
    return result;
}

/* The registers of a traced process (struct user_regs_struct, asm/user_64.h). */
struct arch_registers {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
    uint64_t rip, cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};

static inline uintptr_t arch_program_counter(const struct arch_registers *registers)
{
    return registers->rip;
}

static inline uintptr_t arch_stack_pointer(const struct arch_registers *registers)
{
    return registers->rsp;
}

static inline void arch_set_call(struct arch_registers *registers, long number, const long arguments[6])
{
    registers->rax = (uint64_t)number;
    registers->rdi = (uint64_t)arguments[0];
    registers->rsi = (uint64_t)arguments[1];
    registers->rdx = (uint64_t)arguments[2];
    registers->r10 = (uint64_t)arguments[3];
    registers->r8 = (uint64_t)arguments[4];
    registers->r9 = (uint64_t)arguments[5];
}

static inline uintptr_t arch_call_result(const struct arch_registers *registers)
{
    return registers->rax;
}

/* Begin where the loader does, with a record as an entry stub passes it. */
static inline void arch_set_start(struct arch_registers *registers, uintptr_t entry, uintptr_t record)
{
    registers->rip = entry;
    registers->rdi = record;
}

/* The bytes of memory `word` with the instruction of a system call at their beginning. */
static inline uintptr_t arch_with_call(uintptr_t word)
{
    return (word & ~(uintptr_t)0xffff) | 0x050f;
}

/* Data and instruction caches agree on this architecture. */
static inline void arch_flush_code(uintptr_t address, size_t size)
{
    (void)address;
    (void)size;
}

/* struct stat of the newfstatat system call (asm/stat.h). */
struct arch_stat {
    uint64_t device;
    uint64_t inode;
    uint64_t links;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t zero;
    uint64_t rdev;
    int64_t size;
    int64_t block_size;
    int64_t blocks;
    int64_t atime;
    int64_t atime_ns;
    int64_t mtime;
    int64_t mtime_ns;
    int64_t ctime;
    int64_t ctime_ns;
    int64_t reserved[3];
};
#define ARCH_FSTATAT __NR_newfstatat
#define ARCH_MMAP(address, length, protection, flags, fd, offset) \
    arch_syscall(__NR_mmap, (long)(address), (long)(length), protection, flags, fd, (long)(offset))

#endif
