#include "entry_stub.h"

#include "text.h"

const char *stub_undo(struct arena *arena, const struct process *process, const struct stub_record *stub)
{
    if (__builtin_memcmp(stub->magic, "DZSTUB\1", sizeof stub->magic) != 0)
        fail("started by a stub of another version", (char *)0);
    uintptr_t bias = (uintptr_t)stub - (uintptr_t)stub->at;
    process->entry->a_un.a_val = bias + (uintptr_t)stub->entry;
    /* The stub may lie over code that is put back. */
    const char *loader = (const char *)(stub + 1);
    size_t size = text_length(loader) + 1;
    return __builtin_memcpy(arena_take(arena, size), loader, size);
}
