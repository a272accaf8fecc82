/* The C library's functions that tell whether a file is there, and what it is. A command that a program looks for
   along PATH, and that could be brought, is there for them, and so is what fills a place at which a program looks. */
#include "../failure_note.h"
#include "forwarding.h"
#include "command_search.h"
#include "missing_command.h"
#include "told_path.h"
#include "missing_place.h"

EXPORTED long syscall(long number, long first, long second, long third, long fourth, long fifth, long sixth);

static const char *to_look_at(const char *path, int flags, char *room)
{
    if (!paths_are_redirected())
        return path;
    return flags & SYS_AT_SYMLINK_NOFOLLOW ? redirected_link(path, room) : redirected(path, room);
}

/* A command in the tree of files is nowhere for who hears of it from this process. */
static void note_told(int result, const char *path, const char *given)
{
    if (result == 0 && path != given && command_has_place(given))
        told_path_record(given);
}

/* What to look at instead; null for nothing. */
static const char *answer_to(int result, const char *path, const char *given, char *room)
{
    note_told(result, path, given);
    if (result != -1 || !has_no_entry())
        return NULL;
    const char *command = command_search_answer(given);
    return command ? command : missing_place_answer(given, room);
}

#define LOOKING(name, place, parameters, arguments) \
    ASKED_AGAIN(int, name, -1, place, answer_to(result, path, given, room), parameters, arguments)

#define PATH const char *path
#define READ to_look_at(path, 0, room)
#define LINK to_look_at(path, SYS_AT_SYMLINK_NOFOLLOW, room)
#define LOOK to_look_at(path, flags, room)

LOOKING(stat, READ, (PATH, void *facts), (path, facts))
LOOKING(stat64, READ, (PATH, void *facts), (path, facts))
LOOKING(lstat, LINK, (PATH, void *facts), (path, facts))
LOOKING(lstat64, LINK, (PATH, void *facts), (path, facts))
LOOKING(fstatat, LOOK, (int at, PATH, void *facts, int flags), (at, path, facts, flags))
LOOKING(fstatat64, LOOK, (int at, PATH, void *facts, int flags), (at, path, facts, flags))
LOOKING(__xstat, READ, (int version, PATH, void *facts), (version, path, facts))
LOOKING(__xstat64, READ, (int version, PATH, void *facts), (version, path, facts))
LOOKING(__lxstat, LINK, (int version, PATH, void *facts), (version, path, facts))
LOOKING(__lxstat64, LINK, (int version, PATH, void *facts), (version, path, facts))
LOOKING(__fxstatat, LOOK, (int version, int at, PATH, void *facts, int flags), (version, at, path, facts, flags))
LOOKING(__fxstatat64, LOOK, (int version, int at, PATH, void *facts, int flags), (version, at, path, facts, flags))
LOOKING(statx, LOOK, (int at, PATH, int flags, unsigned int mask, void *facts), (at, path, flags, mask, facts))
LOOKING(access, READ, (PATH, int mode), (path, mode))
LOOKING(faccessat, LOOK, (int at, PATH, int mode, int flags), (at, path, mode, flags))
LOOKING(euidaccess, READ, (PATH, int mode), (path, mode))
LOOKING(eaccess, READ, (PATH, int mode), (path, mode))

/* libuv (Node.js) looks by the call's number. The C library's function makes the call and sets errno, no more, and is
   called between fork and exec: nothing is searched for the next one here. */
long syscall(long number, long first, long second, long third, long fourth, long fifth, long sixth)
{
    if (number == __NR_statx)
        return statx((int)first, (const char *)second, (int)third, (unsigned int)fourth, (void *)fifth);
    if (number == __NR_exit_group)
        failure_note_tell((int)first & 0xff);
    return result_or_errno(arch_syscall(number, first, second, third, fourth, fifth, sixth));
}
