#include "notifications.h"

#include "../sys.h"

/* linux/seccomp.h, prctl.h, poll.h, audit.h. */
enum {
    SECCOMP_SET_MODE_FILTER = 1,
    SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3,
    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5,
    SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1,
    PR_SET_NO_NEW_PRIVS = 38,
    POLLIN = 1,
};
#define SECCOMP_RET_USER_NOTIF 0x7fc00000u
#define SECCOMP_RET_ALLOW 0x7fff0000u
#define SECCOMP_IOCTL_NOTIF_RECV 0xc0502100u
#define SECCOMP_IOCTL_NOTIF_SEND 0xc0182101u
#define SECCOMP_IOCTL_NOTIF_ID_VALID 0x40082102u

/* The call by which the C library looks whether a file is there, and which of its arguments are path and mode. */
#if defined(__x86_64__)
#define AUDIT_ARCH 0xc000003eu
enum { LOOK = __NR_access, PATH_AT = 0, MODE_AT = 1 };
#elif defined(__aarch64__)
#define AUDIT_ARCH 0xc00000b7u
enum { LOOK = __NR_faccessat, PATH_AT = 1, MODE_AT = 2 };
#endif

/* struct sock_filter and its codes (linux/filter.h); offsets in struct seccomp_data. */
struct instruction {
    uint16_t code;
    uint8_t if_so, if_not;
    uint32_t value;
};
enum { LOAD = 0x20, COMPARE = 0x15, RETURN = 0x06, AT_NUMBER = 0, AT_ARCHITECTURE = 4, AT_ARGUMENTS = 16 };

static const struct instruction REPORT_LOOKS[] = {
    {LOAD, 0, 0, AT_ARCHITECTURE},
    {COMPARE, 0, 7, AUDIT_ARCH},
    {LOAD, 0, 0, AT_NUMBER},
    {COMPARE, 4, 0, __NR_execve},
    {COMPARE, 3, 0, __NR_faccessat2},
    {COMPARE, 0, 3, LOOK},
    {LOAD, 0, 0, AT_ARGUMENTS + 8 * MODE_AT}, /* the lower half; both machines are little-endian */
    {COMPARE, 0, 1, 0 /* F_OK */},
    {RETURN, 0, 0, SECCOMP_RET_USER_NOTIF},
    {RETURN, 0, 0, SECCOMP_RET_ALLOW},
};

static long install(void)
{
    struct {
        uint16_t count;
        const struct instruction *first;
    } program = {sizeof REPORT_LOOKS / sizeof *REPORT_LOOKS, REPORT_LOOKS};
    /* A signal must not have the same look reported twice. */
    long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    return arch_syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, (long)&program, 0, 0, 0);
}

bool notifications_look(const char *path)
{
#if defined(__x86_64__)
    return arch_syscall(LOOK, (long)path, 0, 0, 0, 0, 0) == 0;
#else
    return arch_syscall(LOOK, SYS_AT_CWD, (long)path, 0, 0, 0, 0) == 0;
#endif
}

long notifications_begin(void)
{
    long listener = install();
    /* Without privileges in a namespace of its own only a process that can gain none may have a filter. */
    if (listener == -SYS_EACCES && !sys_failed(sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0)))
        listener = install();
    return listener;
}

bool notifications_next(int listener, struct notification *notification)
{
    for (;;) {
        struct {
            int fd;
            int16_t events, found;
        } one = {listener, POLLIN, 0};
        long ready = arch_syscall(__NR_ppoll, (long)&one, 1, 0, 0, 0, 0);
        if (ready > 0 && !(one.found & POLLIN))
            return false;
        *notification = (struct notification){0};
        if (ready > 0 && arch_syscall(__NR_ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, (long)notification, 0, 0, 0) == 0)
            return true;
    }
}

bool notifications_is_waiting(int listener, const struct notification *notification)
{
    return arch_syscall(__NR_ioctl, listener, SECCOMP_IOCTL_NOTIF_ID_VALID, (long)&notification->id, 0, 0, 0) == 0;
}

bool notifications_is_execution(const struct notification *notification)
{
    return notification->number == __NR_execve;
}

bool notifications_is_check(const struct notification *notification)
{
    return notification->number == __NR_faccessat2;
}

static int path_at(const struct notification *notification)
{
    return notifications_is_execution(notification) ? 0 : notifications_is_check(notification) ? 1 : PATH_AT;
}

/* In two parts, because what is behind the path's page need not be memory. */
bool notifications_path(const struct notification *notification, char *room)
{
    enum { PAGE = 4096 };
    struct {
        uintptr_t at;
        size_t length;
    } local = {(uintptr_t)room, PATH_ROOM}, remote[2];
    uintptr_t from = (uintptr_t)notification->arguments[path_at(notification)];
    size_t first = PAGE - from % PAGE;
    remote[0].at = from;
    remote[0].length = first;
    remote[1].at = from + first;
    remote[1].length = PATH_ROOM - first;
    long length = arch_syscall(__NR_process_vm_readv, notification->process, (long)&local, 1, (long)remote,
                               first < PATH_ROOM ? 2 : 1, 0);
    for (long i = 0; i < length; i++)
        if (!room[i])
            return true;
    return false;
}

static void respond(int listener, const struct notification *notification, int32_t error, uint32_t flags)
{
    struct {
        uint64_t id;
        int64_t value;
        int32_t error;
        uint32_t flags;
    } response = {notification->id, 0, error, flags};
    arch_syscall(__NR_ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, (long)&response, 0, 0, 0);
}

void notifications_go_on(int listener, const struct notification *notification)
{
    respond(listener, notification, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

void notifications_say_there(int listener, const struct notification *notification)
{
    respond(listener, notification, 0, 0);
}

void notifications_check_there(int listener, const struct notification *notification, const char *path)
{
    long result = arch_syscall(__NR_faccessat2, SYS_AT_CWD, (long)path, (long)notification->arguments[2],
                               (long)notification->arguments[3], 0, 0);
    respond(listener, notification, (int32_t)result, 0);
}
