/* The C library's functions that give the real form of a path: each passes on to the next definition, with the path of the
   file that is meant. Where the program was told of a command, the path is as a link to that, which comes: who looks beside
   itself goes from there (GCC's `cpp` to `cc1`). A command of the packages around the program is where these are shown:
   beside it there is what other packages have, which its own has not (`gcc`, to which `cpp` brings `cc1`). */
#include "command_search.h"
#include "forwarding.h"
#include "missing_command.h"

static const char *to_follow(const char *path, char *room)
{
    return paths_are_redirected() ? redirected(path, room) : path;
}

static const char *told_command(const void *result, const char *given, char *room)
{
    return !result && has_no_entry() ? command_to_read(given, room) : NULL;
}

static bool is_shown_as(const char *path, const char *file)
{
    char room[PATH_ROOM];
    struct arch_stat shown, meant;
    const char *place = redirected_link(path, room);
    return place != path && sys_stat(place, &shown) >= 0 && sys_stat(file, &meant) >= 0 &&
           shown.device == meant.device && shown.inode == meant.inode;
}

static char *as_shown(const char *given, char *result)
{
    if (!result || !paths_are_redirected() || !command_has_place(given))
        return result;
    const char *at = result + 1;
    while (*at && !(*at == '/' && is_shown_as(at, result)))
        at++;
    if (*at) {
        char *to = result;
        while ((*to++ = *at++))
            continue;
    }
    return result;
}

#define PATH const char *path
#define REAL_PATH(name, parameters, arguments)           \
    EXPORTED char *name parameters;                      \
    static any_function *next_##name;                    \
    char *name parameters                                \
    {                                                    \
        char room[PATH_ROOM];                            \
        const char *given = path;                        \
        __typeof__(&name) next = NEXT(name);             \
        if (!next) {                                     \
            result_or_errno(NO_FUNCTION);                \
            return NULL;                                 \
        }                                                \
        path = to_follow(path, room);                    \
        char *result = next arguments;                   \
        path = told_command(result, given, room);        \
        return as_shown(given, path ? next arguments : result); \
    }

REAL_PATH(realpath, (PATH, char *resolved), (path, resolved))
REAL_PATH(__realpath_chk, (PATH, char *resolved, size_t size), (path, resolved, size))
REAL_PATH(canonicalize_file_name, (PATH), (path))
