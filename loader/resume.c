#include "resume.h"

/* ld.so jumps here instead of to the program. The registers are those the ABI says something of at a program's entry:
   the stack, and a function to run at exit (arch/). */
ARCH_RESUME;

extern const char resume_entry[] __attribute__((visibility("hidden")));
uintptr_t resume_process(uintptr_t *stack);

uintptr_t resume_process(uintptr_t *stack)
{
    struct process process = process_read(stack);
    const struct resumption *resumption = (const struct resumption *)process.phdr->a_un.a_val - 1;
    for (char **each = process.environment; *each; each++)
        if (*each == resumption->shown)
            *each = (char *)(uintptr_t)resumption->given;
    process.entry->a_un.a_val = resumption->entry;
    return resumption->entry;
}

void resume_after(struct resumption *resumption, const struct process *process, char **slot, const char *shown)
{
    *resumption = (struct resumption){.entry = process->entry->a_un.a_val, .shown = shown, .given = *slot};
    *slot = (char *)(uintptr_t)shown;
    process->entry->a_un.a_val = (uintptr_t)resume_entry;
}
