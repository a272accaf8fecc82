/* Start a program in a mount namespace of its own: `denizen-enter OPERATION... -- PROGRAM ARGUMENT...`.

   Operations are carried out in order; plans are made by denizen.launch.strategies.namespace_plan, denizen.fhs.mounts
   and denizen.build.runner.sandbox_plan:

       else N WORD...     if one of the following fails: say why, execute these N words with PROGRAM
                          ARGUMENT... appended
       or N WORD...       as else, but nothing is said
       private            a mount namespace, with a user namespace where that is needed to have one
       interpret STAGE N ENTRY...  a user namespace in which these N lines are registered with binfmt_misc, which is
                          mounted at STAGE; where it is mounted there already, nothing
       answer N DIR... M WORD... 3 LINKS LOADER STAGE  a process that answers for what an emulator misses in its
                          sysroot, a directory in one of these N (answers.c), by the helper of these M words; commands
                          have links in LINKS, and LOADER in their places, as mirrors by STAGE show it. With 0 no
                          commands come
       mirror DIR STAGE   DIR again, entry by entry, in a file system in which names can be made; STAGE is an
                          empty directory used on the way
       dir PATH           an empty directory
       file PATH          an empty file
       bind SOURCE TARGET
       aside LINKER TARGET  as bind; where a loader of ours lies over LINKER, what is behind it
       offer SOURCE TARGET  as bind; where SOURCE is not there, nothing
       tmpfs PATH         an empty file system
       layer DIR          what is written below DIR stays in memory
       entries DIR INTO N NAME...  DIR again, entry by entry but for these N, in the directory INTO; where DIR
                          is not there, nothing
       symlink WORDS PATH
       text CONTENT PATH  a file that holds CONTENT
       joined SOURCE CONTENT PATH  a file that holds what SOURCE does, and CONTENT
       lacking ROOT STAGE N DIR...  each of these N, absolute and sorted, is there below ROOT: where one is missing, an
                          empty file system (lacking_directories.h)
       readonly PATH      what is mounted at PATH can no longer be written
       root STAGE         STAGE becomes /
       apart PATH         what is unmounted at or below PATH stays mounted where it came from
       detach PATH        what is mounted at PATH goes, with all that is mounted below
       offline            a network of its own, with nothing in it
       search DIR         PATH, where it is set, has DIR at its end, unless it has it already
       chdir DIR          go there if it can be gone to
       as FILE            execute FILE and call it PROGRAM
       at FILE            execute FILE in the place of PROGRAM, by its own name
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

   and of tools where there is no namespace (confinement.c):

       confine N DIR... M DIR...  read and execute below these N and M directories alone, write below the M

   Without a guard the process stays the same from here to the program: its number, parent, terminal, signals and exit
   status are nobody else's. That, and half of the time, is what bubblewrap's second process would cost. */
#include "../covered_linker.h"
#include "../ignored_signals.h"
#include "answers.h"
#include "builder_operations.h"
#include "errno_text.h"
#include "made_names.h"
#include "mounts.h"
#include "own_mounts.h"
#include "plan.h"
#include "root_operations.h"
#include "sandbox.h"
#include "variables.h"

ARCH_START;

_Noreturn void loader_start(uintptr_t *stack, const void *unused);

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
    {"entries", "mount"}, {"text", "open"},    {"joined", "open"},    {"symlink", "symlink"}, {"readonly", "mount"}, {"root", "pivot_root"},
    {"apart", "mount"},   {"detach", "umount"}, {"offline", "unshare"}, {"shown", "mount"},   {"safe", "mount"},
    {"show", "mount"},    {"show-if", "mount"}, {"harden", "mount"},    {"status", "fcntl"},   {"layer", "mount"},
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
        fall_back(plan, plan_program(plan));
    sandbox_tell_failure(plan->status, "o");
    sys_exit(EXIT_CANNOT_START);
}

static void remember_fallback(struct plan *plan, bool quiet)
{
    plan->quiet = quiet;
    plan->fallback_count = plan_number(plan_take(plan));
    plan->fallback = plan->next;
    for (long i = 0; i < plan->fallback_count; i++)
        plan_take(plan);
    if (!plan->fallback_count)
        plan->fallback = NULL;
}

/* Inside another program of ours the host's dynamic linker is where that one put it: here already, or elsewhere. */
static long set_aside(const char *linker, const char *target)
{
    char room[PATH_ROOM];
    const char *real = covered_linker(linker, room) ? room : linker;
    return text_equal(real, target) ? 0 : mounts_bind(real, target);
}

static long answer(const struct names *directories, const struct names *helper, const struct names *words,
                   const char **call)
{
    if (words->count < 3)
        return answers_begin(directories, helper, NULL, call);
    struct command_places places = {words->first[0], words->first[1], words->first[2]};
    return answers_begin(directories, helper, &places, call);
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
        object = plan_take(plan);
        struct names entries = plan_take_names(plan);
        result = mounts_interpret(object, &entries, &call);
    } else if (text_equal(operation, "answer")) {
        struct names directories = plan_take_names(plan);
        struct names helper = plan_take_names(plan);
        struct names places = plan_take_names(plan);
        object = "what an emulated program misses";
        result = answer(&directories, &helper, &places, &call);
    } else if (text_equal(operation, "mirror")) {
        object = plan_take(plan);
        result = mounts_mirror(object, plan_take(plan), &call);
    } else if (text_equal(operation, "dir")) {
        object = plan_take(plan);
        result = file_make_directory(object);
    } else if (text_equal(operation, "file")) {
        object = plan_take(plan);
        result = file_make(object);
    } else if (text_equal(operation, "bind")) {
        const char *source = plan_take(plan);
        object = plan_take(plan);
        result = mounts_bind(source, object);
    } else if (text_equal(operation, "aside")) {
        const char *linker = plan_take(plan);
        object = plan_take(plan);
        result = set_aside(linker, object);
    } else if (text_equal(operation, "offer")) {
        const char *source = plan_take(plan);
        object = plan_take(plan);
        result = sys_exists(source) ? mounts_bind(source, object) : 0;
    } else if (text_equal(operation, "as")) {
        plan->as = plan_take(plan);
    } else if (text_equal(operation, "at")) {
        plan->at = plan_take(plan);
    } else if (text_equal(operation, "given")) {
        plan->given = plan_take(plan);
    } else if (variables_knows(operation)) {
        plan->environment = variables_with(plan->environment, operation, plan_take(plan), *plan_program(plan));
    } else if (text_equal(operation, "check")) {
        sys_exit(0);
    } else if (!builder_operation(plan, operation, &object, &call, &result)) {
        result = root_operation(plan, operation, &object, &call);
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
    if (plan->at)
        words[0] = (char *)(uintptr_t)plan->at;
    if (plan->at || !plan->as || !plan->given)
        return words;
    words[0] = (char *)(uintptr_t)plan->given;
    words[-1] = (char *)(uintptr_t)plan->as;
    return words - 1;
}

static _Noreturn void start(struct plan *plan)
{
    char **program = words_of(plan);
    const char *file = plan->as && !plan->at ? plan->as : *program;
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
