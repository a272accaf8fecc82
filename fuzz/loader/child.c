/* The target for loader/inside/child.c, apart from harness.c: the library inside and the resident, which harness.c has,
   define the same names. */
#include "shim.h"

#include "../../loader/inside/child.h"
#include "../../loader/inside/search_path.h"

/* In the place of inside/loader_facts.c: the host's own programs are below /usr. */
const struct inside_facts *loader_facts(void)
{
    static const struct inside_facts facts = {.host_prefixes = "/usr/\0", .loader = "/loader", .other_loader = "/loader"};
    return &facts;
}

/* In the place of inside/missing_command.c: the host lacks no command. */
bool command_is_missing(const char *path)
{
    (void)path;
    return false;
}

const char *command_brought(const char *path, char *room)
{
    (void)path;
    (void)room;
    return NULL;
}

/* In the place of inside/path_redirection.c: no path stands for another. */
const char *redirected(const char *path, char *room)
{
    (void)room;
    return path;
}

struct lookup lookup_begin(const char *name)
{
    return (struct lookup){.name = name};
}

const char *lookup_next(struct lookup *lookup)
{
    (void)lookup;
    return NULL;
}

bool takes_child(void);

bool takes_child(void)
{
    struct child child;
    child_look_at(&child, "/program", NULL, true);
    if (child.argument)
        text_length(child.argument);
    return child.through || child.script;
}
