#include "trust.h"

#include "text.h"

enum { NAME_ROOM = 256, OTHERS_MAY_WRITE = 022 };

static bool is_believed(const struct process *process, uint32_t owner)
{
    if (owner == 0)
        return true;
    return !process_is_strict(process) && (owner == process->euid || !process_has_number(owner));
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
    if (process_is_strict(process))
        return open_by_steps(path, process);
    int fd = sys_open(path, SYS_RDONLY | SYS_NOFOLLOW | SYS_NONBLOCK);
    if (fd < 0 || sys_fstat(fd, &facts) < 0 || facts.uid == 0 || facts.uid == process->euid ||
        process_has_number(facts.uid))
        return fd;
    sys_close(fd);
    return open_by_steps(path, process);
}
