/* The C library's functions that list a directory. One that a package would fill is brought when it is listed in vain. */
#include "forwarding.h"
#include "missing_place.h"

/* Where the kernel knows the program and shows it files, paths are left as they are: it has no tree to look in. */
#define LISTING(type, name, none, parameters, arguments)             \
    ASKED_AGAIN(type, name, none, redirected_link(path, room),       \
                result == none ? missing_place_answer(given, room) : NULL, parameters, arguments)

#define PATH const char *path

LISTING(void *, opendir, NULL, (PATH), (path))
LISTING(int, scandir, -1, (PATH, void *names, void *filter, void *compare), (path, names, filter, compare))
LISTING(int, scandir64, -1, (PATH, void *names, void *filter, void *compare), (path, names, filter, compare))
