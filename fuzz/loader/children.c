/* The reader of children: which programs and scripts go through the loader. */
#define _GNU_SOURCE
#include "inside/child.c"

#include "driver.h"

static const struct inside_facts facts = {.host_prefixes = "/usr/\0", .loader = "/"};

const struct inside_facts *known(void)
{
    return &facts;
}

const char *place_of(const char *path, char *room)
{
    (void)room;
    return path;
}

_Noreturn void fail(const char *first, ...)
{
    (void)first;
    abort();
}

static bool look(const char *path)
{
    struct child child;
    child_look_at(&child, path);
    return child.through;
}
