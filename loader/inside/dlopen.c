/* Libraries opened by a path where the resource tree has them: the modules of an embedded Python. */
#include "forwarding.h"

EXPORTED void *dlopen(const char *path, int flags);
static any_function *next_dlopen;

/* The token at `at`, if ld.so would take it for a directory (elf/dl-load.c, _dl_dst_count: a longer word is none). */
static size_t origin_token(const char *at)
{
    if (text_starts(at, "${ORIGIN}"))
        return 9;
    return text_starts(at, "$ORIGIN") && (at[7] == '/' || at[7] == '\0') ? 7 : 0;
}

/* The program's directory for $ORIGIN: ld.so knows a library's own by its path, and the program's by the kernel's
   /proc/self/exe. Where there is no such token, the path itself. */
static const char *expanded(const char *path, char *room)
{
    const struct inside_facts *facts = loader_facts();
    const char *at = path;
    while (*at && !origin_token(at))
        at++;
    if (!*at || !facts || !facts->program)
        return path;
    size_t directory = (size_t)(text_file_name(facts->program) - facts->program);
    struct text text = text_in(room, PATH_ROOM);
    text_add_bytes(&text, path, (size_t)(at - path));
    text_add_bytes(&text, facts->program, directory > 1 ? directory - 1 : directory);
    text_add(&text, at + origin_token(at));
    return text.cut ? path : room;
}

/* dlopen asks its return address who is calling, and searches by that one's DT_RUNPATH. So it must be left for,
   not called: no local whose address is taken may live here, and the path is kept in memory that stays. */
__attribute__((noinline)) static const char *kept_place(const char *path, uintptr_t caller)
{
    char room[PATH_ROOM], whole[PATH_ROOM];
    const char *meant = is_of_program(caller) ? expanded(path, whole) : path;
    const char *place = redirected(meant, room);
    if (place == path)
        return place;
    size_t length = text_length(place) + 1;
    long kept = sys_mmap(0, length, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(kept))
        return path;
    __builtin_memcpy((char *)kept, place, length);
    return (const char *)kept;
}

__attribute__((noinline)) static __typeof__(&dlopen) next_opener(void)
{
    return NEXT(dlopen);
}

void *dlopen(const char *path, int flags)
{
    __typeof__(&dlopen) next = next_opener();
    if (!next)
        return NULL;
    return next(path ? kept_place(path, (uintptr_t)__builtin_return_address(0)) : NULL, flags);
}
