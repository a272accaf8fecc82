/* The C library's functions that list a directory. One that a package would fill is brought when it is listed in vain. */
#include "forwarding.h"
#include "missing_place.h"

/* Where the kernel knows the program and shows it files, paths are left as they are: it has no tree to look in. */
#define LISTING(type, name, none, parameters, arguments)         \
    EXPORTED type name parameters;                               \
    static any_function *next_##name;                            \
    type name parameters                                         \
    {                                                            \
        char room[PATH_ROOM];                                    \
        const char *given = path;                                \
        __typeof__(&name) next = NEXT(name);                     \
        if (!next) {                                             \
            result_or_errno(NO_FUNCTION);                        \
            return none;                                         \
        }                                                        \
        path = redirected_link(given, room);                     \
        type result = next arguments;                            \
        path = result == none ? missing_place_answer(given, room) : NULL; \
        return path ? next arguments : result;                   \
    }

#define PATH const char *path

LISTING(void *, opendir, NULL, (PATH), (path))
LISTING(int, scandir, -1, (PATH, void *names, void *filter, void *compare), (path, names, filter, compare))
LISTING(int, scandir64, -1, (PATH, void *names, void *filter, void *compare), (path, names, filter, compare))
