#include "users.h"

#include "../sys.h"
#include "../text.h"
#include "made_names.h"

/* linux/sched.h. */
enum { CLONE_NEWUSER = 0x10000000 };

static long map_one(const char *path, uint32_t inside, uint32_t outside)
{
    char room[40];
    struct text line = text_in(room, sizeof room);
    text_add_decimal(&line, inside);
    text_add(&line, " ");
    text_add_decimal(&line, outside);
    text_add(&line, " 1\n");
    return file_write(path, room);
}

struct somebody users_myself(void)
{
    return (struct somebody){(uint32_t)arch_syscall(__NR_geteuid, 0, 0, 0, 0, 0, 0),
                             (uint32_t)arch_syscall(__NR_getegid, 0, 0, 0, 0, 0, 0)};
}

long users_become(struct somebody inside, unsigned long flags, const char **call)
{
    struct somebody outside = users_myself();
    *call = "unshare";
    long result = arch_syscall(__NR_unshare, (long)(flags | CLONE_NEWUSER), 0, 0, 0, 0, 0);
    if (sys_failed(result))
        return result;
    file_write("/proc/self/setgroups", "deny"); /* absent before Linux 3.19, which did not ask for it */
    *call = "writing /proc/self/uid_map";
    result = map_one("/proc/self/uid_map", inside.uid, outside.uid);
    if (sys_failed(result))
        return result;
    *call = "writing /proc/self/gid_map";
    return map_one("/proc/self/gid_map", inside.gid, outside.gid);
}

/* A line "INSIDE OUTSIDE COUNT" of our own map becomes "INSIDE INSIDE COUNT": who is somebody here stays who he is. */
static const char *add_same(struct text *map, const char *line)
{
    char inside[16], count[16];
    struct text fields[3] = {text_in(inside, sizeof inside), {0}, text_in(count, sizeof count)};
    for (size_t field = 0; field < 3; field++) {
        while (*line == ' ')
            line++;
        for (; *line >= '0' && *line <= '9'; line++)
            if (field != 1)
                text_add_bytes(&fields[field], line, 1);
    }
    text_add(map, inside);
    text_add(map, " ");
    text_add(map, inside);
    text_add(map, " ");
    text_add(map, count);
    text_add(map, "\n");
    return *line ? line + 1 : line;
}

/* Give another process's new namespace the users or groups (`kind`) of ours. */
static bool give_all(uint32_t process, const char *kind)
{
    enum { ROOM = 4096 };
    char own[ROOM], path[64], made[ROOM];
    struct text target = text_in(path, sizeof path), map = text_in(made, sizeof made);
    text_add(&target, "/proc/self/");
    text_add(&target, kind);
    int fd = sys_open(path, SYS_RDONLY);
    long length = fd < 0 ? -1 : sys_read(fd, own, sizeof own - 1);
    if (fd >= 0)
        sys_close(fd);
    if (length <= 0)
        return false;
    own[length] = '\0';
    for (const char *line = own; *line;)
        line = add_same(&map, line);
    target = text_in(path, sizeof path);
    text_add(&target, "/proc/");
    text_add_decimal(&target, process);
    text_add(&target, "/");
    text_add(&target, kind);
    return !map.cut && !sys_failed(file_write(path, made));
}

/* A process that stays outside, where it has root's rights, writes the maps of a namespace with all users
   (user_namespaces(7)). */
static _Noreturn void give_from_outside(const int ends[2], uint32_t process)
{
    char byte;
    int ready = ends[0];
    sys_close(ends[1]);
    bool given = sys_read(ready, &byte, 1) == 1 && give_all(process, "uid_map") && give_all(process, "gid_map");
    sys_exit(!given);
}

long users_become_root_of_all(unsigned long flags, const char **call)
{
    enum { EPERM_ = 1 };
    int ends[2];
    uint32_t self = (uint32_t)arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0);
    *call = "unshare";
    long result = arch_syscall(__NR_pipe2, (long)ends, SYS_CLOEXEC, 0, 0, 0, 0);
    long outside = sys_failed(result) ? result : sys_fork();
    if (outside == 0)
        give_from_outside(ends, self);
    if (sys_failed(outside))
        return outside;
    result = arch_syscall(__NR_unshare, (long)(flags | CLONE_NEWUSER), 0, 0, 0, 0, 0);
    if (!sys_failed(result))
        sys_write(ends[1], "", 1);
    sys_close(ends[1]);
    sys_close(ends[0]);
    int status;
    while (sys_wait(outside, &status) == -SYS_EINTR)
        continue;
    *call = sys_failed(result) ? *call : "writing uid_map";
    /* Whose number is not mapped is nobody. */
    return sys_failed(result) || !users_myself().uid ? result : -EPERM_;
}
