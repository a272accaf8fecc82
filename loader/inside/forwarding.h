/* Functions that do what the next of the same name does, with another path. */
#ifndef DENIZEN_INSIDE_FORWARDING_H
#define DENIZEN_INSIDE_FORWARDING_H

#include "path_redirection.h"

/* asm-generic/fcntl.h; __O_TMPFILE without the directory's bit, which differs. */
enum { O_WRITES = 3, O_CREATES = 0100, O_TMPFILE_BIT = 020000000, NO_FUNCTION = -38 };

#define NEXT(name) ((__typeof__(&name))next_function(&next_##name, #name))

/* `PLACE` is the path to use, in terms of the parameter `path` and of `room`; `NONE` what it gives where nobody
   has the function (ENOSYS). */
#define PASSED_ON(type, name, none, place, parameters, arguments) \
    EXPORTED type name parameters;                                \
    static any_function *next_##name;                             \
    type name parameters                                          \
    {                                                             \
        char room[PATH_ROOM];                                     \
        __typeof__(&name) next = NEXT(name);                      \
        path = place;                                             \
        if (next)                                                 \
            return next arguments;                                \
        result_or_errno(NO_FUNCTION);                                      \
        return none;                                              \
    }
/* The same, and once more with the path `AGAIN` unless that is null, in terms of `result`, and of `given`, which is the path
   that the caller gave. */
#define ASKED_AGAIN(type, name, none, place, again, parameters, arguments) \
    EXPORTED type name parameters;                                         \
    static any_function *next_##name;                                      \
    type name parameters                                                   \
    {                                                                      \
        char room[PATH_ROOM];                                              \
        const char *given = path;                                          \
        __typeof__(&name) next = NEXT(name);                               \
        if (!next) {                                                       \
            result_or_errno(NO_FUNCTION);                                  \
            return none;                                                   \
        }                                                                  \
        path = place;                                                      \
        type result = next arguments;                                      \
        path = again;                                                      \
        return path ? next arguments : result;                             \
    }
#define NUMBER(name, place, parameters, arguments) PASSED_ON(int, name, -1, place, parameters, arguments)
#define POINTER(name, place, parameters, arguments) PASSED_ON(void *, name, NULL, place, parameters, arguments)

#endif
