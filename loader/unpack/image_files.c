#include "image_files.h"

enum { S_IFLNK_ = 0120000 };

long files_make_directory(int at, const char *name, int mode)
{
    long result = arch_syscall(__NR_mkdirat, at, (long)name, mode, 0, 0, 0);
    return result == -FILES_EEXIST ? 0 : result;
}

long files_write(int fd, const uint8_t *content, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        long written = sys_write(fd, content + done, (size_t)(size - done));
        if (written == -SYS_EINTR)
            continue;
        if (written <= 0)
            return written ? written : -5; /* EIO */
        done += (uint64_t)written;
    }
    return 0;
}

static long make_link(int at, const char *name, const uint8_t *target, uint64_t size)
{
    char room[PATH_ROOM];
    if (size >= sizeof room)
        return -36; /* ENAMETOOLONG */
    __builtin_memcpy(room, target, (size_t)size);
    room[size] = '\0';
    return arch_syscall(__NR_symlinkat, (long)room, at, (long)name, 0, 0, 0);
}

/* A file system that keeps no times is no obstacle. */
static void set_time(int fd, uint32_t seconds)
{
    long times[4] = {(long)seconds, 0, (long)seconds, 0};
    arch_syscall(__NR_utimensat, fd, 0, (long)times, 0, 0, 0);
}

long files_take(void *taker, const struct packed *packed, const struct packed_entry *entry, const uint8_t *content)
{
    int at = *(const int *)taker;
    const char *name = packed_name(packed, entry);
    if (entry->kind == PACKED_DIRECTORY)
        return files_make_directory(at, name, 0755);
    if (entry->kind == PACKED_LINK)
        return make_link(at, name, content, entry->size);
    int mode = entry->kind == PACKED_PROGRAM ? 0755 : 0644;
    long fd = arch_syscall(__NR_openat, at, (long)name, FILES_WRITE_ONLY | FILES_CREATE | FILES_EXCLUSIVE | SYS_CLOEXEC, mode, 0, 0);
    if (sys_failed(fd))
        return fd;
    long result = files_write((int)fd, content, entry->size);
    if (!sys_failed(result))
        set_time((int)fd, entry->modified);
    sys_close((int)fd);
    return result;
}

bool files_are_whole(int directory, const struct packed *packed)
{
    /* Of a tree of many thousands a start cannot look at all; what comes first is what is loaded. */
    enum { MANY = 1000 };
    struct arch_stat facts;
    for (uint32_t i = 0; i < packed->header->entries && i < MANY; i++) {
        const struct packed_entry *entry = &packed->entries[i];
        long result = arch_syscall(ARCH_FSTATAT, directory, (long)packed_name(packed, entry), (long)&facts,
                                   SYS_AT_SYMLINK_NOFOLLOW, 0, 0);
        uint32_t kind = facts.mode & SYS_S_IFMT;
        bool same = entry->kind == PACKED_DIRECTORY ? kind == SYS_S_IFDIR
                    : entry->kind == PACKED_LINK    ? kind == S_IFLNK_
                                                    : kind == SYS_S_IFREG && (uint64_t)facts.size == entry->size;
        if (sys_failed(result) || !same)
            return false;
    }
    return true;
}
