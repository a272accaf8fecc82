#include "bundle.h"

#include "ignored_signals.h"
#include "loader_settings.h"

enum { MAX_ARGUMENTS = 32 };
/* How a bundle's decision begins the paths of the bundle's own files. */
static const char *const PLACE = "/@bundle/";
static const char *const DIRECTORY = "bundle";
/* An argument that stands for the numbers of ignored signals: a Python changes these (ignored_signals.h). */
static const char *const IGNORED = "/@ignored-signals";
/* Decisions about the programs of the tree, each at the program's path in it. */
static const char DECISIONS[] = "decisions/";

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

struct bundle bundle_open(struct arena *arena, struct process *process, const char *own, const char *setting)
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

const char *bundle_decision_name(struct arena *arena, const struct bundle *bundle, const char *path)
{
    const char *tree = bundle->base ? bundle_path(arena, bundle, "program/") : NULL;
    if (!tree || !text_starts(path, tree))
        return NULL;
    const char *below = path + text_length(tree);
    size_t room = sizeof DECISIONS + text_length(below);
    struct text name = text_in(arena_take(arena, room), room);
    text_add(&name, DECISIONS);
    text_add(&name, below);
    return name.data;
}

bool bundle_decision(struct arena *arena, const struct process *process, const struct bundle *bundle, const char *name,
                     struct decision *decision)
{
    const char *path = bundle_path(arena, bundle, name);
    if (process->secure || !path || !decision_open(arena, path, decision))
        return false;
    move_all(arena, bundle, decision);
    return sys_exists(decision_string(decision, decision->header->ldso));
}

/* An argument as the program gets it; null for a file that is not to be had. */
static const char *settled(struct arena *arena, const struct bundle *bundle, const char *argument)
{
    if (text_equal(argument, IGNORED))
        return ignored_numbers();
    return text_starts(argument, PLACE) ? bundle_path(arena, bundle, argument + text_length(PLACE)) : argument;
}

bool bundle_add_arguments(struct arena *arena, struct process *process, const struct bundle *bundle)
{
    const char *words[MAX_ARGUMENTS];
    size_t count = 0;
    for (const char *argument = config_next(SETTING_ARGUMENT, NULL); argument;
         argument = config_next(SETTING_ARGUMENT, argument)) {
        words[count] = count < MAX_ARGUMENTS - 1 ? settled(arena, bundle, argument) : NULL;
        if (!words[count++])
            return false;
    }
    return !count || process_insert_arguments(process, words, count);
}
