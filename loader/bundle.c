#include "bundle.h"

enum { PATH_ROOM = 4096 };
/* How a bundle's decision begins the paths of the bundle's own files. */
static const char *const PLACE = "/@bundle/";
static const char *const DIRECTORY = "bundle";

static struct bundle beside(struct arena *arena, const char *own)
{
    const char *name = text_file_name(own);
    char *room = arena_take(arena, PATH_ROOM);
    struct text base = text_in(room, PATH_ROOM);
    text_add_bytes(&base, own, (size_t)(name - own));
    /* The loader for children lies among the bundle's files, the one for people beside their directory. */
    if (!text_starts(name, "denizen-loader"))
        text_add(&base, DIRECTORY);
    if (base.length > 1 && room[base.length - 1] == '/')
        room[base.length - 1] = '\0';
    return (struct bundle){.base = room};
}

struct bundle bundle_open(struct arena *arena, const struct process *process, const char *own, const char *setting)
{
    return setting[0] == '.' ? beside(arena, own) : packed_open(arena, process, own, setting);
}

static const char *path_in_memory(struct arena *arena, const struct bundle *bundle, const char *name)
{
    enum { ROOM = 32 };
    for (size_t i = 0; i < bundle->count; i++)
        if (text_equal(bundle->files[i].name, name)) {
            struct text path = text_in(arena_take(arena, ROOM), ROOM);
            text_add(&path, "/proc/self/fd/");
            text_add_decimal(&path, (uint32_t)bundle->files[i].fd);
            return path.data;
        }
    return NULL;
}

const char *bundle_path(struct arena *arena, const struct bundle *bundle, const char *name)
{
    if (!bundle->base)
        return path_in_memory(arena, bundle, name);
    size_t room = text_length(bundle->base) + text_length(name) + 2;
    struct text path = text_in(arena_take(arena, room), room);
    text_add(&path, bundle->base);
    text_add(&path, "/");
    text_add(&path, name);
    return path.data;
}

/* Strings are named by how far they lie behind the first: one that moved lies in the arena, which is at most 1 MiB
   away. What memory does not have (a directory) becomes the empty string. */
static void move(struct arena *arena, const struct bundle *bundle, struct decision *decision, uint32_t *offset)
{
    const char *path = decision_string(decision, *offset);
    if (!text_starts(path, PLACE))
        return;
    const char *moved = bundle_path(arena, bundle, path + text_length(PLACE));
    *offset = moved ? (uint32_t)(moved - decision->strings) : 0;
}

static void move_all(struct arena *arena, const struct bundle *bundle, struct decision *decision)
{
    struct decision_header *header = (struct decision_header *)(uintptr_t)decision->header;
    uint32_t *const single[] = {&header->ldso, &header->search, &header->program, &header->shown, &header->resources, &header->opened};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        move(arena, bundle, decision, single[i]);
    struct decision_library *library = (struct decision_library *)(uintptr_t)decision->libraries;
    for (uint32_t left = header->libraries.count; left--; library++)
        move(arena, bundle, decision, &library->path);
}

bool bundle_decision(struct arena *arena, const struct process *process, const struct bundle *bundle,
                     struct decision *decision)
{
    const char *path = bundle_path(arena, bundle, "decision");
    if (process->secure || !path || !decision_open(arena, path, decision))
        return false;
    move_all(arena, bundle, decision);
    return sys_exists(decision_string(decision, decision->header->ldso));
}
