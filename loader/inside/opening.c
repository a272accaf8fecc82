/* Libraries opened by a path where the furniture has them: the modules of an embedded Python. */
#include "passing.h"

EXPORTED void *dlopen(const char *path, int flags);
static any_function *next_dlopen;

/* dlopen asks its return address who is calling, and searches by that one's DT_RUNPATH. So it must be left for,
   not called: no local whose address is taken may live here, and the path is kept in memory that stays. */
__attribute__((noinline)) static const char *kept_place(const char *path)
{
    char room[PATH_ROOM];
    const char *place = place_of(path, room);
    if (place != room)
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
    return next(path ? kept_place(path) : NULL, flags);
}
