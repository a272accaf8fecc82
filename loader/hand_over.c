/* The end of a start: the jump to a dynamic linker, the program's own or the host's. */
#include "start.h"

_Noreturn void start_hand_over(const struct process *process, struct image ldso)
{
    process->base->a_un.a_val = ldso.bias;
    arch_jump(ldso.entry, (uintptr_t)process->stack);
}

struct image start_attached_linker(const struct start *start)
{
    enum { WAIT_FOR_ALL = 0x40000000 };
    while (arch_syscall(__NR_wait4, (long)start->attached.tracer, 0, WAIT_FOR_ALL, 0, 0, 0) == -SYS_EINTR)
        continue;
    return (struct image){.bias = start->process.base->a_un.a_val, .entry = (uintptr_t)start->attached.entry};
}

_Noreturn void start_pass_on(const struct process *process, const char *ldso)
{
    start_hand_over(process, image_map_linker(ldso, process->page_size, NULL));
}
