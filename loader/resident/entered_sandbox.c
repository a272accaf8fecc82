#include "entered_sandbox.h"

#include "../text.h"

enum { STATUS_ROOM = 4096, PR_GET_SECCOMP = 21 };

static uint32_t number_after(const char *status, const char *key)
{
    const char *line = status;
    while (*line && !text_starts(line, key)) {
        while (*line && *line != '\n')
            line++;
        line += *line == '\n';
    }
    line += *line ? text_length(key) : 0;
    uint32_t number = 0;
    for (; *line == '\t' || (*line >= '0' && *line <= '9'); line++)
        number = *line == '\t' ? number : number * 10 + (uint32_t)(*line - '0');
    return number;
}

static bool read_status(struct sandbox *sandbox)
{
    char status[STATUS_ROOM];
    int fd = sys_open("/proc/thread-self/status", SYS_RDONLY);
    long length = fd >= 0 ? sys_read(fd, status, sizeof status - 1) : -1;
    if (fd >= 0)
        sys_close(fd);
    if (length <= 0)
        return false;
    status[length] = '\0';
    sandbox->mode = number_after(status, "Seccomp:");
    sandbox->filters = number_after(status, "Seccomp_filters:");
    return true;
}

/* The call costs a fiftieth of the file; who is in a container has a filter from the beginning. */
struct sandbox sandbox_begin(void)
{
    struct sandbox found = {0, 0};
    if (sys_prctl(PR_GET_SECCOMP, 0, 0) != 0 && !read_status(&found))
        found.mode = UINT32_MAX;
    return found;
}

/* By the file: reading files is what ld.so itself is about to do, where the call might be what a filter forbids. */
bool sandbox_is_as(const struct sandbox *first)
{
    struct sandbox now;
    return read_status(&now) && now.mode == first->mode && now.filters == first->filters;
}
