#include "path_variable.h"

#include "../arena.h"
#include "../text.h"

static bool is_searched(const char *paths, const char *directory)
{
    for (size_t length = text_length(directory);; paths++) {
        if (text_starts(paths, directory) && (!paths[length] || paths[length] == ':'))
            return true;
        while (*paths && *paths != ':')
            paths++;
        if (!*paths)
            return false;
    }
}

void search_path_add(char **environment, const char *directory)
{
    enum { ROOM = 16384 };
    char **variable = environment;
    while (*variable && !text_starts(*variable, "PATH="))
        variable++;
    if (!*variable || is_searched(*variable + sizeof "PATH=" - 1, directory))
        return;
    struct arena arena = arena_make();
    char *room = arena_take(&arena, ROOM);
    struct text path = text_in(room, ROOM);
    text_add(&path, *variable);
    text_add(&path, ":");
    text_add(&path, directory);
    if (!path.cut)
        *variable = room;
}
