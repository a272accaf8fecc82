/* The program's own path: the kernel's answer, else the name it was started by. */
#include "start.h"

#include "text.h"

const char *start_path(struct start *start)
{
    if (start->path)
        return start->path;
    char *room = arena_take(&start->arena, PATH_ROOM);
    const Auxv *execfn = start->process.execfn;
    if (sys_readlink("/proc/self/exe", room, PATH_ROOM - 1) <= 0 && execfn) {
        struct text path = text_in(room, PATH_ROOM);
        text_add(&path, (const char *)execfn->a_un.a_val);
    }
    return start->path = room;
}
