#include "path_redirection.h"

bool paths_are_redirected(void)
{
    const struct inside_facts *facts = loader_facts();
    return facts && !facts->kernel_first;
}

/* What packages have files in. A program's other files are its own. */
static bool is_resource_path(const char *path)
{
    return text_starts(path, "/usr/") || text_starts(path, "/etc/") || text_starts(path, "/lib") ||
           text_starts(path, "/bin/") || text_starts(path, "/sbin/");
}

static const char *after_number(const char *digits, uint32_t number)
{
    char text[16];
    struct text own = text_in(text, sizeof text);
    text_add_decimal(&own, number);
    return text_starts(digits, text) ? digits + own.length : digits;
}

/* /proc/self, /proc/thread-self, /proc/NUMBER; and /task/NUMBER below those. */
bool is_own_file(const char *path)
{
    if (!path || !text_starts(path, "/proc/"))
        return false;
    const char *rest = path + sizeof "/proc/" - 1;
    if (text_starts(rest, "self"))
        rest += sizeof "self" - 1;
    else if (text_starts(rest, "thread-self"))
        rest += sizeof "thread-self" - 1;
    else
        rest = after_number(rest, (uint32_t)arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0));
    if (text_starts(rest, "/task/")) {
        rest += sizeof "/task/" - 1;
        while (*rest >= '0' && *rest <= '9')
            rest++;
    }
    return text_equal(rest, "/exe");
}

/* The path in the resource tree, where the host has nothing of that name. */
static const char *resource_at(const struct inside_facts *facts, const char *path, char *room)
{
    if (arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, 0, 0, 0, 0) != -SYS_ENOENT)
        return path;
    struct text other = text_in(room, PATH_ROOM);
    text_add(&other, facts->resources);
    text_add(&other, path);
    return !other.cut && sys_exists(room) ? room : path;
}

const char *redirected_link(const char *path, char *room)
{
    const struct inside_facts *facts = loader_facts();
    if (!facts || !facts->resources || !path || path[0] != '/')
        return path;
    return is_resource_path(path) ? resource_at(facts, path, room) : path;
}

const char *redirected(const char *path, char *room)
{
    if (path && path[0] == '/' && is_own_file(path) && loader_facts())
        return loader_facts()->program;
    return redirected_link(path, room);
}

size_t redirected_pattern(const char *pattern, char *room)
{
    const struct inside_facts *facts = loader_facts();
    if (!facts || !facts->resources || !pattern || !is_resource_path(pattern))
        return 0;
    struct text other = text_in(room, PATH_ROOM);
    text_add(&other, facts->resources);
    size_t length = other.length;
    text_add(&other, pattern);
    return other.cut ? 0 : length;
}
