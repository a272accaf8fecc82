#include "questions.h"

#include "../command_names.h"
#include "../command_records.h"
#include "../helper_process.h"
#include "sysroot_misses.h"

/* signal.h, fcntl.h. */
enum { SIGTERM = 15, WRITE_ONLY = 1, NO_TERMINAL = 0400 };
enum { MAX_WORDS = 100, LOOK_AGAIN = 100 * 1000 * 1000 /* nanoseconds */, MAX_VAIN = 8 };

/* One report that is about a path in a sysroot, as an emulator looks for it. */
struct look {
    const struct answers *answers;
    const struct notification *notification;
    char path[PATH_ROOM];
    /* What of the path is the program's. */
    const char *inside;
};

/* The words of the helper, what it is asked and a null pointer. */
static bool take_words(const char **words, const struct names *helper, const char *const *asked)
{
    size_t count = 0;
    for (long i = 0; i < helper->count && count < MAX_WORDS; i++)
        words[count++] = helper->first[i];
    for (; *asked && count < MAX_WORDS; asked++)
        words[count++] = *asked;
    if (count == MAX_WORDS)
        return false;
    words[count] = NULL;
    return true;
}

/* The helper's errors go where the program's do. */
static void take_standard_error(uint32_t process)
{
    char room[40];
    emulated_process_file(room, sizeof room, process, "fd/2");
    int fd = sys_openat(SYS_AT_CWD, room, WRITE_ONLY | NO_TERMINAL);
    if (fd >= 0 && fd != 2) {
        sys_dup_onto(fd, 2);
        sys_close(fd);
    }
}

static _Noreturn void become_helper(const char **words, uint32_t process)
{
    char mark[] = HELPER_MARK "=1";
    char path[] = HELPER_PATH;
    char *environment[] = {path, mark, NULL};
    take_standard_error(process);
    helper_process_prepare();
    sys_execve(words[0], (char *const *)(uintptr_t)words, environment);
    sys_exit(EXIT_CANNOT_START);
}

/* Wait for the helper, and end it if nobody waits for its answer any more. */
static void wait_for(long helper, const struct notification *notification)
{
    struct {
        int fd;
        int16_t events, found;
    } ended = {(int)arch_syscall(__NR_pidfd_open, helper, 0, 0, 0, 0, 0), 1, 0};
    /* The kernel leaves there what remains of it (ppoll(2), C library/kernel differences). */
    struct {
        long seconds, nanoseconds;
    } pause = {0, LOOK_AGAIN};
    int status;
    while (ended.fd >= 0 && arch_syscall(__NR_ppoll, (long)&ended, 1, (long)&pause, 0, 0, 0) == 0) {
        if (!notifications_is_waiting(LISTENER, notification)) {
            arch_syscall(__NR_kill, helper, SIGTERM, 0, 0, 0, 0);
            break;
        }
        pause.nanoseconds = LOOK_AGAIN;
    }
    while (sys_wait(helper, &status) == -SYS_EINTR)
        continue;
}

static void run_helper(const struct answers *answers, const struct notification *notification,
                       const char *const *asked)
{
    const char *words[MAX_WORDS];
    long helper = take_words(words, answers->helper, asked) ? sys_fork() : -1;
    if (helper == 0)
        become_helper(words, notification->process);
    if (helper > 0)
        wait_for(helper, notification);
}

/* The kernel looks in the sysroot by itself where the emulator asked it to; what the emulator asks about the program's
   path alone (qemu's faccessat) is told of the sysroot's. */
static void go_on(const struct look *look)
{
    if (notifications_is_check(look->notification) && sys_exists(look->path))
        notifications_check_there(LISTENER, look->notification, look->path);
    else
        notifications_go_on(LISTENER, look->notification);
}

/* A process for each question: the other threads and processes of the program go on meanwhile. Return 0 in it. */
static long begin_question(void)
{
    return sys_fork();
}

static _Noreturn void ask_for_library(const struct look *look, const struct sysroot_miss *miss)
{
    const char *const asked[] = {"--opened", miss->opened, "--missed", miss->name, "--", miss->program, NULL};
    struct sysroot_miss again;
    run_helper(look->answers, look->notification, asked);
    if (sysroot_misses_library(look->path, look->inside, &again)) {
        ++look->answers->counts->vain;
        struct text vain = text_in(look->answers->counts->library_in_vain, LIBRARY_NAME_ROOM);
        text_add(&vain, miss->name);
    }
    go_on(look);
    sys_exit(0);
}

static _Noreturn void ask_for_file(const struct look *look, const struct sysroot_miss *miss)
{
    const char *const asked[] = {"--opened", miss->opened, "--at", miss->name, "--", miss->program, NULL};
    struct sysroot_miss again;
    run_helper(look->answers, look->notification, asked);
    if (sysroot_misses_file(look->path, look->inside, &again))
        ++look->answers->counts->vain;
    go_on(look);
    sys_exit(0);
}

static _Noreturn void ask_for_place(const struct look *look, const struct sysroot_miss *miss)
{
    const char *const asked[] = {"--opened", miss->opened, "--filled", miss->name, "--", miss->program, NULL};
    struct sysroot_miss again;
    run_helper(look->answers, look->notification, asked);
    if (sysroot_misses_place(look->path, look->inside, &again))
        ++look->answers->counts->vain;
    go_on(look);
    sys_exit(0);
}

/* A lock names the libraries of one program, and no commands. */
static bool may_come(const struct command_places *places, const char *name)
{
    char room[PATH_ROOM];
    return command_is_linked(places->links, name, room) ||
           (!command_is_marked(places->links, "/", ".locked") && !command_is_absent(places->links, name));
}

static void show_command(const struct answers *answers, const struct notification *notification, const char *path)
{
    command_places_enter(notification->process);
    command_places_show(answers->places, path);
}

static _Noreturn void ask_for_command(const struct answers *answers, const struct notification *notification,
                                      const char *path)
{
    const char *const asked[] = {"--command", "--try", "--", path, NULL};
    char room[PATH_ROOM];
    const char *name = command_name_in(path), *links = answers->places->links;
    if (!command_is_linked(links, name, room))
        run_helper(answers, notification, asked);
    if (command_is_linked(links, name, room))
        show_command(answers, notification, path);
    notifications_go_on(LISTENER, notification);
    sys_exit(0);
}

/* As loader/inside/missing_command.c has it: of one name after the other. */
enum { MAX_LOOKS = 32, MAX_LOOKS_IN_VAIN = 8 };

static void ask_whether_seen(const struct look *look, enum looker looker)
{
    const char *const asked[] = {"--command", looker_option(looker), "--", look->inside, NULL};
    const char *name = command_name_in(look->inside), *links = look->answers->places->links;
    struct counts *counts = look->answers->counts;
    if (command_is_judged(links, name, looker) || counts->looks >= MAX_LOOKS ||
        counts->looks_in_vain >= MAX_LOOKS_IN_VAIN)
        return;
    counts->looks++;
    run_helper(look->answers, look->notification, asked);
    counts->looks_in_vain = command_is_seen(links, name, looker) ? 0 : counts->looks_in_vain + 1;
}

static _Noreturn void ask_who_sees(const struct look *look, enum looker looker)
{
    const char *name = command_name_in(look->inside), *links = look->answers->places->links;
    char room[PATH_ROOM];
    bool is_linked = command_is_linked(links, name, room);
    if (!is_linked && !command_is_seen(links, name, looker))
        ask_whether_seen(look, looker);
    if (is_linked || command_is_seen(links, name, looker))
        show_command(look->answers, look->notification, look->inside);
    go_on(look);
    sys_exit(0);
}

/* Return whether somebody else answers that a program is to be executed. */
static bool take_execution(const struct answers *answers, const struct notification *notification, const char *path)
{
    char place[PATH_ROOM];
    if (!answers->places || !command_misses_executed(notification->process, path, place) ||
        !may_come(answers->places, command_name_in(place)))
        return false;
    long asking = begin_question();
    if (asking == 0)
        ask_for_command(answers, notification, place);
    return asking > 0;
}

/* As above, of a look that may end a search along PATH. */
static bool take_search(const struct look *look, struct searches *searches)
{
    char program[PATH_ROOM];
    const struct command_places *places = look->answers->places;
    uint32_t process = look->notification->process;
    const char *name = command_name_in(look->inside);
    if (!places || !command_misses_looked_for(searches, process, look->inside) || !name || !may_come(places, name) ||
        !sysroot_misses_program(look->path, look->inside, program))
        return false;
    enum looker looker = command_misses_looker(process, program, name);
    long asking = begin_question();
    if (asking == 0)
        ask_who_sees(look, looker);
    return asking > 0;
}

/* The dynamic linker looks for a name in /lib and then in /usr/lib, which are one to packages: whoever had no answer there
   is not asked at once again. */
static bool was_in_vain(struct counts *counts, const char *name)
{
    bool same = text_equal(counts->library_in_vain, name);
    counts->library_in_vain[0] = '\0';
    return same;
}

static bool take_look(const struct look *look, struct searches *searches)
{
    struct sysroot_miss miss;
    long asking = 0;
    bool may_ask = look->answers->counts->vain < MAX_VAIN;
    if (may_ask && sysroot_misses_library(look->path, look->inside, &miss)) {
        if (!was_in_vain(look->answers->counts, miss.name) && (asking = begin_question()) == 0)
            ask_for_library(look, &miss);
    } else if (may_ask && sysroot_misses_file(look->path, look->inside, &miss)) {
        if ((asking = begin_question()) == 0)
            ask_for_file(look, &miss);
    } else if (may_ask && sysroot_misses_place(look->path, look->inside, &miss)) {
        if ((asking = begin_question()) == 0)
            ask_for_place(look, &miss);
    } else {
        return take_search(look, searches);
    }
    return asking > 0;
}

/* Write the path as an emulator looks for it in its sysroot; false where it is none of the program's. */
static bool find_look(struct look *look, const char *path)
{
    struct text whole = text_in(look->path, sizeof look->path);
    uint32_t process = look->notification->process;
    if (notifications_is_check(look->notification) &&
        (path[0] != '/' || !emulated_process_is(process) || !emulated_process_sysroot(process, &whole)))
        return false;
    text_add(&whole, path);
    look->inside = whole.cut ? NULL : sysroot_misses_inside(look->answers->directories, look->path);
    return look->inside;
}

void questions_take(const struct answers *answers, struct searches *searches, const struct notification *notification)
{
    char path[PATH_ROOM];
    struct look look = {.answers = answers, .notification = notification};
    bool is_known = notifications_path(notification, path) && notifications_is_waiting(LISTENER, notification);
    if (is_known && notifications_is_execution(notification)) {
        if (take_execution(answers, notification, path))
            return;
    } else if (is_known && find_look(&look, path)) {
        if (!take_look(&look, searches))
            go_on(&look);
        return;
    }
    notifications_go_on(LISTENER, notification);
}
