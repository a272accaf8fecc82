/* The C library's functions that open a file: each passes on to the next definition, with the path of the file that is
   meant. A command that the program was told of is brought when it is read.

   Types of the C library are opaque here, and an argument that only some calls have is passed on always, as the
   C library's own stubs do. Where something may be written or made nothing is redirected. */
#include "command_search.h"
#include "forwarding.h"

static bool only_reads(int flags)
{
    return !(flags & (O_WRITES | O_CREATES | O_TMPFILE_BIT));
}

static bool mode_reads(const char *mode)
{
    if (!mode || *mode != 'r')
        return false;
    while (*mode && *mode != '+' && *mode != ',')
        mode++;
    return *mode != '+';
}

static const char *to_open(const char *path, bool reads, char *room)
{
    return reads && paths_are_redirected() ? redirected(path, room) : path;
}

/* The command that the program was told of, where it is opened in vain; null for none. */
static const char *told_command(bool failed, bool reads, const char *given, char *room)
{
    return failed && reads && has_no_entry() ? command_to_read(given, room) : NULL;
}

#define OPENING(type, name, none, reads, parameters, arguments)                                                    \
    ASKED_AGAIN(type, name, none, to_open(path, reads, room), told_command(result == none, reads, given, room), \
                parameters, arguments)
#define PATH const char *path
#define DESCRIPTOR(name, parameters, arguments) OPENING(int, name, -1, only_reads(flags), parameters, arguments)
#define STREAM(name, parameters, arguments) OPENING(void *, name, NULL, mode_reads(mode), parameters, arguments)
/* When it failed the stream is closed: there is no second try. */
#define STREAM_ANEW(name) \
    POINTER(name, to_open(path, mode_reads(mode), room), (PATH, const char *mode, void *stream), (path, mode, stream))

DESCRIPTOR(open, (PATH, int flags, unsigned int mode), (path, flags, mode))
DESCRIPTOR(open64, (PATH, int flags, unsigned int mode), (path, flags, mode))
DESCRIPTOR(openat, (int at, PATH, int flags, unsigned int mode), (at, path, flags, mode))
DESCRIPTOR(openat64, (int at, PATH, int flags, unsigned int mode), (at, path, flags, mode))
DESCRIPTOR(__open_2, (PATH, int flags), (path, flags))
DESCRIPTOR(__open64_2, (PATH, int flags), (path, flags))
DESCRIPTOR(__openat_2, (int at, PATH, int flags), (at, path, flags))
DESCRIPTOR(__openat64_2, (int at, PATH, int flags), (at, path, flags))
STREAM(fopen, (PATH, const char *mode), (path, mode))
STREAM(fopen64, (PATH, const char *mode), (path, mode))
STREAM_ANEW(freopen)
STREAM_ANEW(freopen64)
