#include "tracee.h"

#include "../attached.h"

/* <linux/ptrace.h> */
enum {
    PEEK = 1,
    POKE = 4,
    DETACH = 17,
    SYSCALL = 24,
    GET_REGISTERS = 0x4204,
    SET_REGISTERS = 0x4205,
    SEIZE = 0x4206,
    EVENT_EXEC = 4,
    OPTIONS = 1 /* TRACESYSGOOD */ | 0x10 /* TRACEEXEC */,
    GENERAL_REGISTERS = 1,
    SIGTRAP = 5,
    OF_A_CALL = 0x80,
    WAIT_FOR_ALL = 0x40000000,
};
/* Below the stack's end the kernel maps 128 KB for a new program (fs/exec.c, setup_arg_pages); the loader takes less. */
enum { BELOW = 64 * 1024 };

struct tracee {
    long process;
    /* Of the last stop: what stopped it, and a signal that it was about to get. */
    int stop;
    struct arch_registers registers;
};

static long request(const struct tracee *tracee, int what, uintptr_t address, uintptr_t data)
{
    return arch_syscall(__NR_ptrace, what, tracee->process, (long)address, (long)data, 0, 0);
}

static bool transfer_registers(struct tracee *tracee, int what, struct arch_registers *registers)
{
    struct {
        void *start;
        size_t size;
    } vector = {registers, sizeof *registers};
    /* A program of another word size has a shorter set. */
    return request(tracee, what, GENERAL_REGISTERS, (uintptr_t)&vector) == 0 && vector.size == sizeof *registers;
}

static bool peek(const struct tracee *tracee, uintptr_t address, uintptr_t *word)
{
    return request(tracee, PEEK, address, (uintptr_t)word) == 0;
}

static bool poke(const struct tracee *tracee, uintptr_t address, uintptr_t word)
{
    return request(tracee, POKE, address, word) == 0;
}

/* Return false if it has ended. */
static bool await_stop(struct tracee *tracee)
{
    int status = 0;
    long result;
    do
        result = arch_syscall(__NR_wait4, tracee->process, (long)&status, WAIT_FOR_ALL, 0, 0, 0);
    while (result == -SYS_EINTR);
    tracee->stop = status >> 8;
    return result == tracee->process && (status & 0x7f) == 0x7f;
}

/* Go on to the beginning or the end of its next call; false if something else stopped it. */
static bool go_to_call(struct tracee *tracee)
{
    return request(tracee, SYSCALL, 0, 0) == 0 && await_stop(tracee) && tracee->stop == (SIGTRAP | OF_A_CALL);
}

/* The signal that stopped it, which detaching hands on; none for the stops of ptrace's own. */
static uintptr_t pending_signal(const struct tracee *tracee)
{
    bool own = tracee->stop >> 8 || (tracee->stop & 0x7f) == SIGTRAP;
    return own ? 0 : (uintptr_t)tracee->stop & 0x7f;
}

static bool map_loader(struct tracee *tracee, int descriptor, size_t size, uintptr_t *at)
{
    struct arch_registers call = tracee->registers;
    arch_set_call(&call, __NR_mmap, (long[6]){0, (long)size, SYS_PROT_READ | SYS_PROT_EXEC, SYS_MAP_PRIVATE, descriptor, 0});
    if (!transfer_registers(tracee, SET_REGISTERS, &call) || !go_to_call(tracee) || !go_to_call(tracee) ||
        !transfer_registers(tracee, GET_REGISTERS, &call))
        return false;
    *at = arch_call_result(&call);
    return !sys_failed((long)*at);
}

static bool leave_record(struct tracee *tracee, int descriptor, uintptr_t *at)
{
    union {
        struct attached_record record;
        uintptr_t words[sizeof(struct attached_record) / sizeof(uintptr_t)];
    } left = {.record = {
                  .magic = ATTACHED_MAGIC,
                  .entry = arch_program_counter(&tracee->registers),
                  .tracer = (uint64_t)arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0),
                  .descriptor = (uint64_t)descriptor,
              }};
    *at = arch_stack_pointer(&tracee->registers) - BELOW;
    for (size_t i = 0; i < sizeof left.words / sizeof *left.words; i++)
        if (!poke(tracee, *at + i * sizeof *left.words, left.words[i]))
            return false;
    return true;
}

/* It executes one call in the place of the dynamic linker's first instruction, which is put back: tracing writes into
   a private copy of the page. */
static void put_loader_first(struct tracee *tracee, int descriptor, size_t size, uintptr_t entry)
{
    struct arch_registers last = tracee->registers;
    uintptr_t first = arch_program_counter(&last), word, loader, record;
    if (!peek(tracee, first, &word) || !poke(tracee, first, arch_with_call(word)))
        return;
    bool ready = map_loader(tracee, descriptor, size, &loader) && leave_record(tracee, descriptor, &record);
    poke(tracee, first, word);
    if (ready)
        arch_set_start(&last, loader + entry, record);
    transfer_registers(tracee, SET_REGISTERS, &last);
}

bool tracee_seize(long process)
{
    struct tracee tracee = {.process = process};
    return request(&tracee, SEIZE, 0, OPTIONS) == 0;
}

void tracee_begin_with_loader(long process, int descriptor, size_t size, uintptr_t entry)
{
    struct tracee tracee = {.process = process};
    if (!await_stop(&tracee))
        return;
    /* The call that executes the program ends once more; its result would overwrite registers. */
    if (tracee.stop == (SIGTRAP | EVENT_EXEC << 8) && go_to_call(&tracee) &&
        transfer_registers(&tracee, GET_REGISTERS, &tracee.registers))
        put_loader_first(&tracee, descriptor, size, entry);
    request(&tracee, DETACH, 0, pending_signal(&tracee));
}
