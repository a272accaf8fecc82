#include "entry_hook.h"

/* ld.so jumps here instead of to the program. The registers are those the ABI says something of at a program's entry:
   the stack, and a function to run at exit (arch/). */
ARCH_ENTRY_HOOK;

extern const char entry_hook_start[] __attribute__((visibility("hidden")));
uintptr_t entry_hook_run(uintptr_t *stack);

uintptr_t entry_hook_run(uintptr_t *stack)
{
    struct process process = process_read(stack);
    const struct entry_hook *hook = (const struct entry_hook *)process.phdr->a_un.a_val - 1;
    for (char **each = process.environment; *each; each++)
        if (*each == hook->shown)
            *each = (char *)(uintptr_t)hook->given;
    process.entry->a_un.a_val = hook->entry;
    return hook->entry;
}

void entry_hook_set(struct entry_hook *hook, const struct process *process, char **slot, const char *shown)
{
    *hook = (struct entry_hook){.entry = process->entry->a_un.a_val, .shown = shown, .given = *slot};
    *slot = (char *)(uintptr_t)shown;
    process->entry->a_un.a_val = (uintptr_t)entry_hook_start;
}
