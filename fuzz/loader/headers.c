/* The reader of program headers: what the loader maps and inspects. */
#define _GNU_SOURCE
#include <setjmp.h>

#include "arena.c"
#include "covered.c"
#include "identity.c"
#include "image.c"

#include "driver.h"

static jmp_buf refused;

_Noreturn void fail(const char *first, ...)
{
    (void)first;
    longjmp(refused, 1);
}

static bool inspects(const char *path, struct arena *arena)
{
    struct subject subject = {.headers = {0, 0}};
    return !setjmp(refused) && image_inspect(path, 4096, arena, &subject);
}

/* All of image_map but the mapping, which would put pages where the file says. */
static bool would_map(const char *path)
{
    static struct file file;
    static struct head head;
    bool taken = false;
    file.fd = -1;
    if (!setjmp(refused)) {
        file = open_image(path, 4096);
        read_head(&file, &head);
        check_header(&file, &head);
        span_of(&file);
        address_of_segments(&file);
        taken = true;
    }
    sys_close(file.fd);
    return taken;
}

static bool look(const char *path)
{
    static struct arena arena;
    if (!arena.next)
        arena = arena_make();
    struct arena fresh = arena;
    bool inspected = inspects(path, &fresh);
    return would_map(path) && inspected;
}
