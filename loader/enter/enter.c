/* Start a program in a mount namespace of its own: `denizen-enter OPERATION... -- PROGRAM ARGUMENT...`.

   Operations are carried out in order; plans are made by denizen.launch.strategies.namespace_plan, denizen.fhs.mounts
   and denizen.build.runner.sandbox_plan:

       else N WORD...     if one of the following fails: say why, execute these N words with PROGRAM
                          ARGUMENT... appended
       or N WORD...       as else, but nothing is said
       private            a mount namespace, with a user namespace where that is needed to have one
       interpret STAGE N ENTRY...  a user namespace in which these N lines are registered with binfmt_misc, which is
                          mounted at STAGE; where it is mounted there already, nothing
       mirror DIR STAGE   DIR again, entry by entry, in a file system in which names can be made; STAGE is an
                          empty directory used on the way
       dir PATH           an empty directory
       file PATH          an empty file
       bind SOURCE TARGET
       aside LINKER TARGET  as bind; where a loader of ours lies over LINKER, what is behind it
       offer SOURCE TARGET  as bind; where SOURCE is not there, nothing
       tmpfs PATH         an empty file system
       entries DIR INTO N NAME...  DIR again, entry by entry but for these N, in the directory INTO; where DIR
                          is not there, nothing
       symlink WORDS PATH
       text CONTENT PATH  a file that holds CONTENT
       readonly PATH      what is mounted at PATH can no longer be written
       root STAGE         STAGE becomes /
       apart PATH         what is unmounted at or below PATH stays mounted where it came from
       detach PATH        what is mounted at PATH goes, with all that is mounted below
       offline            a network of its own, with nothing in it
       search DIR         PATH, where it is set, has DIR at its end, unless it has it already
       chdir DIR          go there if it can be gone to
       as FILE            execute FILE and call it PROGRAM
       given PATH         with `as`: FILE is called by its own name and gets PATH, then the ARGUMENTs, as the kernel
                          starts an interpreter of binfmt_misc
       set NAME=VALUE     the program's environment has this variable
       default NAME=VALUE as set; where the caller has set it, nothing
       set-name NAME=     this variable, with PROGRAM as it was given
       set-program NAME=  this variable, with the absolute path of PROGRAM, without links
       portable NAME=SUFFIX  this variable, with the same and SUFFIX, where that is a directory that can be written
       set-directory NAME=  this variable, with the working directory
       check              everything so far worked: exit 0

   and of the builders of derivations (sandbox.c, guardian.c):

       status FD          descriptors above FD are closed; how it ends is told there: `o` where an operation failed, `x` where the program cannot be
                          executed, else its status as wait(2) has it, in decimal
       guard              a second process stays behind: it ends all that the program leaves behind, and the program
                          when it gets SIGTERM or its own parent ends
       isolate UID GID    namespaces of users, mounts, processes, IPC and the host's name, in which it is this user;
                          the program is the first process in there, and a second one guards it
       no-cgroups         after `isolate`: in there nobody makes a namespace of control groups, so as to mount them
       names HOST         the host's name
       loopback           the network's own interface is up
       shown DIR INTO N NAME...  these N of DIR, read-only, in the directory INTO
       show SOURCE TARGET  read-only, with all that is mounted in it; TARGET is made
       show-if SOURCE TARGET  as show; where SOURCE is not there, nothing
       harden PATH        read-only, where there is such a path
       mount KIND OPTIONS PATH  a new file system: proc, devpts, tmpfs
       safe PATH          what is mounted at PATH has neither set-user-ID programs nor devices
       linux32            the machine is one of 32 bits
       scoped             no abstract socket of others is reached, where the kernel can tell
       weaken             a session of its own, umask 022, no core dumps, no signal ignored, addresses not at random,
                          no privilege to gain
       filter HEX         a seccomp filter (sock_filter)

   Without a guard the process stays the same from here to the program: its number, parent, terminal, signals and exit
   status are nobody else's. That, and half of the time, is what bubblewrap's second process would cost. */
#include "../covered_linker.h"
#include "../ignored_signals.h"
#include "errno_text.h"
#include "files.h"
#include "guardian.h"
#include "mounts.h"
#include "sandbox.h"
#include "search_path.h"
#include "variables.h"

ARCH_START;

struct plan {
    char **next;
    char **fallback;
    long fallback_count;
    bool quiet;
    const char *as, *given;
    int status;
    char **environment;
};

_Noreturn void loader_start(uintptr_t *stack, const void *unused);

static const char *take(struct plan *plan)
{
    if (!*plan->next)
        fail("denizen-enter: an operation lacks a word", (char *)0);
    return *plan->next++;
}

static long number_of(const char *word)
{
    long number = 0;
    for (; *word >= '0' && *word <= '9' && number < 10000; word++)
        number = number * 10 + (*word - '0');
    return number;
}

static struct names take_names(struct plan *plan)
{
    struct names names = {.count = number_of(take(plan))};
    names.first = plan->next;
    for (long i = 0; i < names.count; i++)
        take(plan);
    return names;
}

static char **program_of(const struct plan *plan)
{
    char **word = plan->next;
    while (*word && !text_equal(*word, "--"))
        word++;
    if (!*word || !word[1])
        fail("usage: denizen-enter OPERATION... -- PROGRAM ARGUMENT...", (char *)0);
    return word + 1;
}

/* The words take the place of what lies before PROGRAM on the stack: there is room, for they came from there. */
static _Noreturn void fall_back(const struct plan *plan, char **program)
{
    char **first = program - plan->fallback_count;
    /* denizen is told the file; the loader, which is told it by its own words, keeps the program's name. */
    if (plan->as && !plan->quiet)
        *program = (char *)(uintptr_t)plan->as;
    for (long i = plan->fallback_count; i--;)
        first[i] = plan->fallback[i];
    ignored_execute(first[0], first, plan->environment);
    fail("cannot run ", first[0], (char *)0);
}

/* By the first word of an operation; arrays, because pointers would need relocations. */
static const struct {
    char operation[10];
    char call[12];
} CALLS[] = {
    {"dir", "mkdir"},     {"file", "open"},    {"bind", "mount"},      {"offer", "mount"},   {"tmpfs", "mount"},
    {"entries", "mount"}, {"text", "open"},    {"symlink", "symlink"}, {"readonly", "mount"}, {"root", "pivot_root"},
    {"apart", "mount"},   {"detach", "umount"}, {"offline", "unshare"}, {"shown", "mount"},   {"safe", "mount"},
    {"show", "mount"},    {"show-if", "mount"}, {"harden", "mount"},    {"status", "fcntl"},
};

static const char *call_of(const char *operation)
{
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
        if (text_equal(CALLS[i].operation, operation))
            return CALLS[i].call;
    return operation;
}

struct failure {
    const char *what;   /* what the user is told before the object */
    const char *object; /* what was to be made */
    const char *call;
    long problem;
};

/* Said before anything else is looked at: a plan that ends in `check` has no program to fall back with. */
static _Noreturn void give_up(const struct plan *plan, const struct failure *failure)
{
    char room[100];
    struct text reason = text_in(room, sizeof room);
    errno_text_add(&reason, failure->problem);
    if (!plan->quiet)
        say(failure->what, failure->object, ": ", failure->call, ": ", room,
            plan->fallback ? "; trying otherwise" : "", (char *)0);
    if (plan->fallback)
        fall_back(plan, program_of(plan));
    sandbox_tell_failure(plan->status, "o");
    sys_exit(EXIT_CANNOT_START);
}

static void remember_fallback(struct plan *plan, bool quiet)
{
    plan->quiet = quiet;
    plan->fallback_count = number_of(take(plan));
    plan->fallback = plan->next;
    for (long i = 0; i < plan->fallback_count; i++)
        take(plan);
    if (!plan->fallback_count)
        plan->fallback = NULL;
}

/* What only a root of its own needs (denizen.fhs). */
static long build_root(struct plan *plan, const char *operation, const char **object)
{
    if (text_equal(operation, "offline"))
        return mounts_become_offline();
    if (text_equal(operation, "search")) {
        search_path_add(plan->environment, take(plan));
        return 0;
    }
    if (text_equal(operation, "chdir")) {
        mounts_change_directory(take(plan));
        return 0;
    }
    if (text_equal(operation, "symlink") || text_equal(operation, "text")) {
        const char *content = take(plan);
        *object = take(plan);
        return operation[0] == 's' ? file_make_link(content, *object) : file_make_text(content, *object);
    }
    if (text_equal(operation, "entries")) {
        const char *directory = take(plan);
        *object = take(plan);
        struct names but = take_names(plan);
        return mounts_add_entries(directory, *object, &but);
    }
    if (text_equal(operation, "apart") || text_equal(operation, "detach")) {
        *object = take(plan);
        return operation[0] == 'a' ? mounts_set_apart(*object) : mounts_detach(*object);
    }
    bool known = text_equal(operation, "tmpfs") || text_equal(operation, "readonly") || text_equal(operation, "root");
    if (!known)
        fail("denizen-enter: there is no operation ", operation, (char *)0);
    *object = take(plan);
    if (operation[0] == 't')
        return mounts_make_tmpfs(*object);
    return operation[1] == 'e' ? mounts_make_readonly(*object) : mounts_become_root(*object);
}

static long isolate(struct plan *plan, const char **call)
{
    /* Not in one initialiser: C does not say which of its expressions is evaluated first. */
    struct somebody inside = {.uid = (uint32_t)number_of(take(plan))};
    inside.gid = (uint32_t)number_of(take(plan));
    return sandbox_isolate(inside, plan->status, call);
}

static long make_file_system(struct plan *plan, const char **object)
{
    const char *kind = take(plan), *options = take(plan);
    *object = take(plan);
    return mounts_make_file_system(kind, options, *object);
}

static long set_status(struct plan *plan)
{
    plan->status = (int)number_of(take(plan));
    return sandbox_set_status(plan->status);
}

static long show_names(struct plan *plan, const char **object)
{
    const char *directory = take(plan);
    *object = take(plan);
    struct names names = take_names(plan);
    return mounts_show_objects(directory, *object, &names);
}

static long show(struct plan *plan, const char **object, bool must_exist)
{
    const char *source = take(plan);
    *object = take(plan);
    return must_exist || sys_exists(source) ? mounts_show(source, *object) : 0;
}

/* What only a builder needs (denizen.build.runner); false where the operation is another. */
static bool confine(struct plan *plan, const char *operation, const char **object, const char **call, long *result)
{
    if (text_equal(operation, "status"))
        *result = set_status(plan);
    else if (text_equal(operation, "guard"))
        *result = guardian_of_descendants(plan->status, call);
    else if (text_equal(operation, "isolate"))
        *result = isolate(plan, call);
    else if (text_equal(operation, "no-cgroups"))
        *result = sandbox_allow_no_control_groups(call);
    else if (text_equal(operation, "names"))
        *result = sandbox_name_host(take(plan), call);
    else if (text_equal(operation, "loopback"))
        *result = sandbox_bring_loopback_up(call);
    else if (text_equal(operation, "shown"))
        *result = show_names(plan, object);
    else if (text_equal(operation, "mount"))
        *result = make_file_system(plan, object);
    else if (text_equal(operation, "show") || text_equal(operation, "show-if"))
        *result = show(plan, object, !operation[4]);
    else if (text_equal(operation, "harden"))
        *result = mounts_harden(*object = take(plan));
    else if (text_equal(operation, "safe"))
        *result = mounts_make_safe(*object = take(plan));
    else if (text_equal(operation, "weaken"))
        *result = sandbox_weaken(call);
    else if (text_equal(operation, "filter"))
        *result = sandbox_filter(take(plan), call);
    else if (text_equal(operation, "scoped"))
        sandbox_scope();
    else if (text_equal(operation, "linux32"))
        sandbox_be_32_bit();
    else
        return false;
    return true;
}

/* Inside another program of ours the host's dynamic linker is where that one put it: here already, or elsewhere. */
static long set_aside(const char *linker, const char *target)
{
    char room[PATH_ROOM];
    const char *real = covered_linker(linker, room) ? room : linker;
    return text_equal(real, target) ? 0 : mounts_bind(real, target);
}

static void carry_out(struct plan *plan, const char *operation)
{
    const char *object = "", *call = call_of(operation);
    long result = 0;
    if (text_equal(operation, "else") || text_equal(operation, "or")) {
        remember_fallback(plan, operation[0] == 'o');
    } else if (text_equal(operation, "private")) {
        result = mounts_become_private(&call);
    } else if (text_equal(operation, "interpret")) {
        object = take(plan);
        struct names entries = take_names(plan);
        result = mounts_interpret(object, &entries, &call);
    } else if (text_equal(operation, "mirror")) {
        object = take(plan);
        result = mounts_mirror(object, take(plan), &call);
    } else if (text_equal(operation, "dir")) {
        object = take(plan);
        result = file_make_directory(object);
    } else if (text_equal(operation, "file")) {
        object = take(plan);
        result = file_make(object);
    } else if (text_equal(operation, "bind")) {
        const char *source = take(plan);
        object = take(plan);
        result = mounts_bind(source, object);
    } else if (text_equal(operation, "aside")) {
        const char *linker = take(plan);
        object = take(plan);
        result = set_aside(linker, object);
    } else if (text_equal(operation, "offer")) {
        const char *source = take(plan);
        object = take(plan);
        result = sys_exists(source) ? mounts_bind(source, object) : 0;
    } else if (text_equal(operation, "as")) {
        plan->as = take(plan);
    } else if (text_equal(operation, "given")) {
        plan->given = take(plan);
    } else if (variables_knows(operation)) {
        plan->environment = variables_with(plan->environment, operation, take(plan), *program_of(plan));
    } else if (text_equal(operation, "check")) {
        sys_exit(0);
    } else if (!confine(plan, operation, &object, &call, &result)) {
        result = build_root(plan, operation, &object);
    }
    if (sys_failed(result))
        give_up(plan, &(struct failure){operation[0] == 'p' ? "no namespace" : "cannot bring about ", object, call,
                                        result});
}

/* The program's words: PROGRAM ARGUMENT..., or FILE PATH ARGUMENT... with FILE in the place of the word `--`. */
static char **words_of(const struct plan *plan)
{
    char **words = plan->next;
    if (!*words)
        fail("usage: denizen-enter OPERATION... -- PROGRAM ARGUMENT...", (char *)0);
    if (!plan->as || !plan->given)
        return words;
    words[0] = (char *)(uintptr_t)plan->given;
    words[-1] = (char *)(uintptr_t)plan->as;
    return words - 1;
}

static _Noreturn void start(struct plan *plan)
{
    char **program = words_of(plan);
    const char *file = plan->as ? plan->as : *program;
    long problem = sys_execve(file, program, plan->environment);
    char room[100];
    struct text reason = text_in(room, sizeof room);
    if (problem == -SYS_ENOENT)
        text_add(&reason, "no such file or directory, or its interpreter is missing (ENOENT)");
    else
        errno_text_add(&reason, problem);
    say("cannot start ", file, ": ", room, (char *)0);
    sandbox_tell_failure(plan->status, "x");
    sys_exit(problem == -SYS_ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_START);
}

_Noreturn void loader_start(uintptr_t *stack, const void *unused)
{
    (void)unused;
    char **arguments = (char **)(stack + 1);
    struct plan plan = {.next = arguments + (*stack != 0), .environment = arguments + *stack + 1, .status = -1};
    while (*plan.next && !text_equal(*plan.next, "--"))
        carry_out(&plan, *plan.next++);
    if (*plan.next)
        plan.next++;
    start(&plan);
}
