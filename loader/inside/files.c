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
    return reads ? place_of(path, room) : path;
}

static const char *to_look_at(const char *path, int flags, char *room)
{
    return flags & SYS_AT_SYMLINK_NOFOLLOW ? place_of_link(path, room) : place_of(path, room);
}

#define PATH const char *path
#define READ place_of(path, room)
#define LINK place_of_link(path, room)
#define LOOK to_look_at(path, flags, room)
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
POINTER(opendir, READ, (PATH), (path))
NUMBER(scandir, READ, (PATH, void *names, void *filter, void *compare), (path, names, filter, compare))
NUMBER(scandir64, READ, (PATH, void *names, void *filter, void *compare), (path, names, filter, compare))
NUMBER(stat, READ, (PATH, void *facts), (path, facts))
NUMBER(stat64, READ, (PATH, void *facts), (path, facts))
NUMBER(lstat, LINK, (PATH, void *facts), (path, facts))
NUMBER(lstat64, LINK, (PATH, void *facts), (path, facts))
NUMBER(fstatat, LOOK, (int at, PATH, void *facts, int flags), (at, path, facts, flags))
NUMBER(fstatat64, LOOK, (int at, PATH, void *facts, int flags), (at, path, facts, flags))
NUMBER(__xstat, READ, (int version, PATH, void *facts), (version, path, facts))
NUMBER(__xstat64, READ, (int version, PATH, void *facts), (version, path, facts))
NUMBER(__lxstat, LINK, (int version, PATH, void *facts), (version, path, facts))
NUMBER(__lxstat64, LINK, (int version, PATH, void *facts), (version, path, facts))
NUMBER(__fxstatat, LOOK, (int version, int at, PATH, void *facts, int flags), (version, at, path, facts, flags))
NUMBER(__fxstatat64, LOOK, (int version, int at, PATH, void *facts, int flags), (version, at, path, facts, flags))
NUMBER(statx, LOOK, (int at, PATH, int flags, unsigned int mask, void *facts), (at, path, flags, mask, facts))
NUMBER(access, READ, (PATH, int mode), (path, mode))
NUMBER(faccessat, LOOK, (int at, PATH, int mode, int flags), (at, path, mode, flags))
NUMBER(euidaccess, READ, (PATH, int mode), (path, mode))
NUMBER(eaccess, READ, (PATH, int mode), (path, mode))
NUMBER(chdir, READ, (PATH), (path))
NUMBER(statfs, READ, (PATH, void *facts), (path, facts))
NUMBER(statfs64, READ, (PATH, void *facts), (path, facts))
NUMBER(statvfs, READ, (PATH, void *facts), (path, facts))
NUMBER(statvfs64, READ, (PATH, void *facts), (path, facts))
POINTER(realpath, READ, (PATH, char *resolved), (path, resolved))
POINTER(__realpath_chk, READ, (PATH, char *resolved, size_t size), (path, resolved, size))
POINTER(canonicalize_file_name, READ, (PATH), (path))
