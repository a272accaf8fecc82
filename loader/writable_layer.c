#include "writable_layer.h"

#include "enter/own_mounts.h"
#include "loader_settings.h"

enum { EROFS_ = 30, WRITE = 2 };

/* capget(2): who makes a user namespace has all capabilities in it, and the program shall have those that it had. */
struct capabilities {
    struct {
        uint32_t version;
        int32_t process;
    } header;
    struct {
        uint32_t effective, permitted, inheritable;
    } sets[2];
};

/* Another user's would be nobody's in a user namespace, and is not believed. */
static bool is_read_only(const char *directory, uint32_t user)
{
    struct arch_stat facts;
    return arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)directory, WRITE, 0, 0, 0) == -EROFS_ &&
           sys_stat(directory, &facts) >= 0 && facts.uid == user;
}

static const char *next_read_only(const char *directory, uint32_t user)
{
    do
        directory = config_next(SETTING_LAYERED, directory);
    while (directory && !is_read_only(directory, user));
    return directory;
}

void writable_layer_make(const struct process *process)
{
    struct capabilities had = {.header = {.version = 0x20080522}};
    const char *call, *directory = next_read_only(NULL, process->uid);
    if (!directory || arch_syscall(__NR_capget, (long)&had.header, (long)had.sets, 0, 0, 0, 0) ||
        sys_failed(mounts_become_private(&call)))
        return;
    for (; directory; directory = next_read_only(directory, process->uid))
        mounts_lay_over(directory);
    arch_syscall(__NR_capset, (long)&had.header, (long)had.sets, 0, 0, 0, 0);
}
