/* The C library's functions that take a path to something that is there: each passes on to the next definition,
   with the path of the file that is meant.

   Types of the C library are opaque here, and an argument that only some calls have is passed on always, as the
   C library's own stubs do. Where something may be written or made nothing is redirected. */
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

static const char *to_read(const char *path, bool reads, char *room)
{
    return reads ? redirected(path, room) : path;
}

#define PATH const char *path
#define READ redirected(path, room)
#define BY_FLAGS to_read(path, only_reads(flags), room)
#define BY_MODE to_read(path, mode_reads(mode), room)

NUMBER(open, BY_FLAGS, (PATH, int flags, unsigned int mode), (path, flags, mode))
NUMBER(open64, BY_FLAGS, (PATH, int flags, unsigned int mode), (path, flags, mode))
NUMBER(openat, BY_FLAGS, (int at, PATH, int flags, unsigned int mode), (at, path, flags, mode))
NUMBER(openat64, BY_FLAGS, (int at, PATH, int flags, unsigned int mode), (at, path, flags, mode))
NUMBER(__open_2, BY_FLAGS, (PATH, int flags), (path, flags))
NUMBER(__open64_2, BY_FLAGS, (PATH, int flags), (path, flags))
NUMBER(__openat_2, BY_FLAGS, (int at, PATH, int flags), (at, path, flags))
NUMBER(__openat64_2, BY_FLAGS, (int at, PATH, int flags), (at, path, flags))
POINTER(fopen, BY_MODE, (PATH, const char *mode), (path, mode))
POINTER(fopen64, BY_MODE, (PATH, const char *mode), (path, mode))
POINTER(freopen, BY_MODE, (PATH, const char *mode, void *stream), (path, mode, stream))
POINTER(freopen64, BY_MODE, (PATH, const char *mode, void *stream), (path, mode, stream))
NUMBER(chdir, READ, (PATH), (path))
NUMBER(statfs, READ, (PATH, void *facts), (path, facts))
NUMBER(statfs64, READ, (PATH, void *facts), (path, facts))
NUMBER(statvfs, READ, (PATH, void *facts), (path, facts))
NUMBER(statvfs64, READ, (PATH, void *facts), (path, facts))
POINTER(realpath, READ, (PATH, char *resolved), (path, resolved))
POINTER(__realpath_chk, READ, (PATH, char *resolved, size_t size), (path, resolved, size))
POINTER(canonicalize_file_name, READ, (PATH), (path))
