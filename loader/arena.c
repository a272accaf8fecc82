#include "arena.h"

#include "sys.h"
#include "text.h"

/* A decision (256 KiB), two search paths of which each string has the kernel's limit (128 KiB each), 4096
   libraries as dynamic entries (64 KiB), and slack. Below 2 MiB, because from there on Linux aligns
   for huge pages, and where those are always given the first touch zeroes all of one. */
static const size_t ARENA_SIZE = 1024 * 1024;

struct arena arena_make(void)
{
    long at = sys_mmap(0, ARENA_SIZE, SYS_PROT_READ | SYS_PROT_WRITE,
                       SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE, -1, 0);
    if (sys_failed(at))
        fail("no memory", (char *)0);
    return (struct arena){.next = (char *)at, .end = (char *)at + ARENA_SIZE};
}

void *arena_take(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (size > (size_t)(arena->end - arena->next))
        fail("the program's tables are larger than any linker makes them", (char *)0);
    void *taken = arena->next;
    arena->next += size;
    return taken;
}

const char *arena_expanded(struct arena *arena, const char *string, const char *origin)
{
    size_t room = text_length(string) + 1;
    for (const char *at = string; *at; at++)
        room += *at == '$' ? text_length(origin) : 0;
    struct text whole = text_in(arena_take(arena, room), room);
    while (*string) {
        size_t token = text_origin(string);
        text_add_bytes(&whole, token ? origin : string, token ? text_length(origin) : 1);
        string += token ? token : 1;
    }
    return whole.data;
}
