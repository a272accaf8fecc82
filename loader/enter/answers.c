#include "answers.h"

#include "../text.h"
#include "notifications.h"
#include "questions.h"

/* sched.h, linux/close_range.h, sys/socket.h, signal.h, sys/wait.h, linux/prctl.h, fcntl.h. */
enum {
    CLONE_FILES = 0x400,
    CLOSE_RANGE_UNSHARE = 2,
    AF_UNIX = 1,
    SOCK_STREAM = 1,
    SOCK_CLOEXEC = 02000000,
    IGNORED = 1,
    WAIT_FOR_ALL = 0x40000000,
    PR_SET_PTRACER = 0x59616d61,
};
/* Below each directory of sysroots: no file, but the process that answers says that it is there. */
static const char QUESTION[] = ".answered";

static bool is_question(const struct names *directories, const char *path)
{
    for (long i = 0; i < directories->count; i++)
        if (text_starts(path, directories->first[i]) &&
            text_equal(path + text_length(directories->first[i]), QUESTION))
            return true;
    return false;
}

/* Whether a process answers for all these directories: the one that started this program did the same. */
static bool are_answered(const struct names *directories)
{
    char room[PATH_ROOM];
    for (long i = 0; i < directories->count; i++) {
        struct text path = text_in(room, sizeof room);
        text_add(&path, directories->first[i]);
        text_add(&path, QUESTION);
        if (path.cut || !notifications_look(room))
            return false;
    }
    return directories->count > 0;
}

/* Nothing of the program's stays: no descriptor that keeps a pipe open, no directory that keeps a file system busy, no
   signal that its terminal sends. Children are not waited for. */
static void part(void)
{
    const uintptr_t ignored[4] = {IGNORED};
    /* Not by unshare(2): containers refuse it, whatever is to be unshared. */
    arch_syscall(__NR_close_range, -1, -1, CLOSE_RANGE_UNSHARE, 0, 0, 0);
    arch_syscall(__NR_setsid, 0, 0, 0, 0, 0, 0);
    arch_syscall(__NR_chdir, (long)"/", 0, 0, 0, 0, 0);
    arch_syscall(__NR_rt_sigaction, SYS_SIGCHLD, (long)ignored, 0, 8, 0, 0);
    sys_name_process("denizen");
}

static void keep_only(int listener)
{
    if (listener != LISTENER)
        arch_syscall(__NR_dup3, listener, LISTENER, SYS_CLOEXEC, 0, 0, 0);
    for (int fd = 0; fd < LISTENER; fd++)
        sys_close(fd);
    arch_syscall(__NR_close_range, LISTENER + 1, -1, 0, 0, 0, 0);
}

static void answer(const struct answers *answers, struct searches *searches, const struct notification *notification)
{
    char path[PATH_ROOM];
    if (!notifications_is_execution(notification) && notifications_path(notification, path) &&
        is_question(answers->directories, path))
        notifications_say_there(LISTENER, notification);
    else
        questions_take(answers, searches, notification);
}

static _Noreturn void answer_all(const struct answers *answers, const int ends[2])
{
    int listener = -1;
    struct notification notification;
    struct searches searches = {.next = 0};
    if (sys_read(ends[1], &listener, sizeof listener) != sizeof listener || listener < 0)
        sys_exit(0);
    part();
    /* Here ends the time in which both processes have the same descriptors. */
    sys_write(ends[1], "", 1);
    keep_only(listener);
    while (notifications_next(LISTENER, &notification))
        answer(answers, &searches, &notification);
    sys_exit(0);
}

/* What the kernel reports goes to a process that was there before, and whose own looks are not reported. */
static long hand_over(long answering, const int ends[2], const char **call)
{
    char ready;
    int status;
    /* Where Yama lets only ancestors read a process's memory. */
    sys_prctl(PR_SET_PTRACER, answering, 0);
    *call = "seccomp";
    long listener = notifications_begin();
    int told = (int)listener;
    sys_write(ends[0], &told, sizeof told);
    if (sys_failed(listener)) {
        arch_syscall(__NR_wait4, answering, (long)&status, WAIT_FOR_ALL, 0, 0, 0);
        return listener;
    }
    while (sys_read(ends[0], &ready, 1) == -SYS_EINTR)
        continue;
    sys_close((int)listener);
    return 0;
}

long answers_begin(const struct names *directories, const struct names *helper, const struct command_places *places,
                   const char **call)
{
    int ends[2];
    if (are_answered(directories))
        return 0;
    *call = "mmap";
    long shared = sys_mmap(0, sizeof(struct counts), SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_SHARED | SYS_MAP_ANONYMOUS, -1,
                           0);
    if (sys_failed(shared))
        return shared;
    struct answers answers = {directories, helper, places, (struct counts *)shared};
    *call = "socketpair";
    long result = arch_syscall(__NR_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (long)ends, 0, 0);
    if (sys_failed(result))
        return result;
    /* Without a signal at its end, so that no wait(2) of the program's finds it. */
    *call = "clone";
    result = arch_syscall(__NR_clone, CLONE_FILES, 0, 0, 0, 0, 0);
    if (result == 0)
        answer_all(&answers, ends);
    if (!sys_failed(result))
        result = hand_over(result, ends, call);
    sys_close(ends[0]);
    sys_close(ends[1]);
    return result;
}
