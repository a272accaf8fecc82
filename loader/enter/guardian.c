#include "guardian.h"

#include "../sys.h"
#include "../text.h"

#include <stdint.h>

/* prctl.h, wait.h, signal.h, errno.h. */
enum {
    PR_SET_PDEATHSIG = 1,
    PR_SET_CHILD_SUBREAPER = 36,
    WNOHANG = 1,
    SIGKILL = 9,
    SIGTERM = 15,
    SIGCHLD = 17,
    EAGAIN_ = 11,
    CHILDREN_ROOM = 4096,
};
/* Signals that end a guardian (signal(7)): it ends what it guards first. */
#define ENDING ((uint64_t)1 << (1 - 1) | (uint64_t)1 << (2 - 1) | (uint64_t)1 << (SIGTERM - 1))
#define CHILD_ENDED ((uint64_t)1 << (SIGCHLD - 1))

static void tell_end(int fd, int status)
{
    char room[16];
    struct text line = text_in(room, sizeof room);
    text_add_decimal(&line, (uint32_t)status);
    text_add(&line, "\n");
    if (fd >= 0)
        sys_write(fd, room, line.length);
}

static void end(long process)
{
    arch_syscall(__NR_kill, process, SIGKILL, 0, 0, 0, 0);
}

/* Kill the children that this process has by now; false where there are none, or where they cannot be told. */
static bool end_children(void)
{
    char room[CHILDREN_ROOM], path[60];
    struct text place = text_in(path, sizeof path);
    text_add(&place, "/proc/self/task/");
    text_add_decimal(&place, (uint32_t)arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0));
    text_add(&place, "/children"); /* proc(5): absent without CONFIG_PROC_CHILDREN */
    int fd = sys_open(path, SYS_RDONLY);
    long length = fd < 0 ? 0 : sys_read(fd, room, sizeof room - 1);
    if (fd >= 0)
        sys_close(fd);
    long number = 0;
    for (long i = 0; i < length; i++) {
        bool digit = room[i] >= '0' && room[i] <= '9';
        if (digit)
            number = number * 10 + (room[i] - '0');
        else if (number)
            end(number);
        if (!digit)
            number = 0;
    }
    return length > 0;
}

/* Wait for all that has ended; true once `child` is among it. */
static bool collect(long child, int *status)
{
    bool ended = false;
    int found;
    long process;
    while ((process = arch_syscall(__NR_wait4, -1, (long)&found, WNOHANG, 0, 0, 0)) > 0)
        if (process == child) {
            *status = found;
            ended = true;
        }
    return ended;
}

/* The children of a process that ends become children of its nearest subreaper: what a builder leaves behind is
   this process's, generation after generation. */
static void end_descendants(void)
{
    int status;
    while (end_children() && sys_wait(-1, &status) > 0)
        ;
}

static _Noreturn void stand_guard(long child, int status_fd)
{
    uint64_t awaited = ENDING | CHILD_ENDED;
    int status = 0;
    while (!collect(child, &status)) {
        long signal = arch_syscall(__NR_rt_sigtimedwait, (long)&awaited, 0, 0, sizeof awaited, 0, 0);
        if (signal > 0 && signal != SIGCHLD)
            end(child);
    }
    end_descendants();
    tell_end(status_fd, status);
    sys_exit(0);
}

/* PR_SET_PDEATHSIG tells nothing of a parent that has died before it; the end of a pipe does, and getppid(2) does
   not where the parent is outside of the namespace. */
static void end_with_guardian(const int pipe[2])
{
    char byte;
    sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
    sys_close(pipe[1]);
    if (sys_read(pipe[0], &byte, 1) != -EAGAIN_)
        sys_exit(1);
    sys_close(pipe[0]);
}

long guardian_leave_behind(int status, const char **call)
{
    uint64_t blocked = ENDING | CHILD_ENDED, before;
    int pipe[2];
    *call = "pipe2";
    long result = arch_syscall(__NR_pipe2, (long)pipe, SYS_CLOEXEC | SYS_NONBLOCK, 0, 0, 0, 0);
    if (sys_failed(result))
        return result;
    sys_set_mask(SYS_SIG_BLOCK, &blocked, &before);
    /* Whoever started us ends: so does the builder, and all that it has started. */
    sys_prctl(PR_SET_PDEATHSIG, SIGTERM, 0);
    *call = "clone";
    long child = sys_fork();
    if (child > 0)
        stand_guard(child, status);
    if (child < 0)
        return child;
    end_with_guardian(pipe);
    sys_set_mask(SYS_SIG_SETMASK, &before, NULL);
    return 0;
}

long guardian_of_descendants(int status, const char **call)
{
    *call = "prctl";
    long result = sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0);
    return sys_failed(result) ? result : guardian_leave_behind(status, call);
}
