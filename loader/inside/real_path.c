/* The C library's functions that give the real form of a path: each passes on to the next definition, with the path of the
   file that is meant. Where the program was told of a command, the path is as a link to that, which comes: who looks beside
   itself goes from there (GCC's `cpp` to `cc1`). */
#include "command_search.h"
#include "forwarding.h"

static const char *to_follow(const char *path, char *room)
{
    return paths_are_redirected() ? redirected(path, room) : path;
}

static const char *told_command(const void *result, const char *given, char *room)
{
    return !result && has_no_entry() ? command_to_read(given, room) : NULL;
}

#define PATH const char *path
#define REAL_PATH(name, parameters, arguments)                                                                       \
    ASKED_AGAIN(void *, name, NULL, to_follow(path, room), told_command(result, given, room), parameters, arguments)

REAL_PATH(realpath, (PATH, char *resolved), (path, resolved))
REAL_PATH(__realpath_chk, (PATH, char *resolved, size_t size), (path, resolved, size))
REAL_PATH(canonicalize_file_name, (PATH), (path))
