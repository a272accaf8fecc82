#include "owner.h"

#include "text.h"

enum { NAME_ROOM = 256, MAP_ROOM = 4096, OTHERS_MAY_WRITE = 022 };

static const char *read_number(const char *at, uint64_t *number)
{
    while (*at == ' ')
        at++;
    for (*number = 0; *at >= '0' && *at <= '9'; at++)
        *number = *number * 10 + (uint64_t)(*at - '0');
    return at;
}

/* A user namespace shows the files of users without a number in it, which mostly are root's, as an overflow number's
   (user_namespaces(7)). Lines of the map: the first number inside, the first outside, how many. */
static bool has_number_here(uint32_t uid)
{
    char map[MAP_ROOM];
    uint64_t first, outside, count;
    int fd = sys_open("/proc/self/uid_map", SYS_RDONLY);
    long length = fd < 0 ? -1 : sys_read(fd, map, sizeof map - 1);
    if (fd >= 0)
        sys_close(fd);
    if (length <= 0)
        return true;
    map[length] = '\0';
    for (const char *at = map; *at; at += *at == '\n') {
        at = read_number(read_number(read_number(at, &first), &outside), &count);
        if (uid >= first && uid - first < count)
            return true;
        if (*at && *at != '\n')
            return true;
    }
    return false;
}

static bool is_believed(const struct process *process, uint32_t owner)
{
    if (owner == 0)
        return true;
    return !process->secure && (owner == process->euid || !has_number_here(owner));
}

bool owner_is_trusted(int fd, const struct process *process, uint32_t kind, struct arch_stat *facts)
{
    if (sys_fstat(fd, facts) < 0 || (facts->mode & SYS_S_IFMT) != kind || (facts->mode & OTHERS_MAY_WRITE))
        return false;
    return is_believed(process, facts->uid);
}

/* Open a file of which every directory on the way is trusted, and no link is followed. */
static int open_by_steps(const char *path, const struct process *process)
{
    struct arch_stat facts;
    int here = sys_open("/", SYS_PATH | SYS_DIRECTORY);
    while (here >= 0 && *path) {
        char name[NAME_ROOM];
        struct text component = text_in(name, sizeof name);
        while (*path == '/')
            path++;
        const char *start = path;
        while (*path && *path != '/')
            path++;
        text_add_bytes(&component, start, (size_t)(path - start));
        /* A directory need not be open to be listed: others may enter that of root's public decisions. */
        int flags = SYS_NOFOLLOW | SYS_CLOEXEC | (*path ? SYS_PATH | SYS_DIRECTORY : SYS_RDONLY | SYS_NONBLOCK);
        int next = owner_is_trusted(here, process, SYS_S_IFDIR, &facts) && !component.cut
                       ? sys_openat(here, name, flags)
                       : -SYS_EPERM; /* not EACCES: that this user may read it is another matter */
        sys_close(here);
        here = next;
    }
    return here;
}

int owner_open(const char *path, const struct process *process)
{
    struct arch_stat facts;
    if (process->secure)
        return open_by_steps(path, process);
    int fd = sys_open(path, SYS_RDONLY | SYS_NOFOLLOW | SYS_NONBLOCK);
    if (fd < 0 || sys_fstat(fd, &facts) < 0 || facts.uid == 0 || facts.uid == process->euid ||
        has_number_here(facts.uid))
        return fd;
    sys_close(fd);
    return open_by_steps(path, process);
}
