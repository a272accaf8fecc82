/* The loader's main path: find the program, its decision and its ld.so, then start ld.so. */
#include "start.h"

#include "bundle_start.h"
#include "command_start.h"
#include "dynamic_section.h"
#include "entry_stub.h"
#include "helper.h"
#include "library_path.h"
#include "loader_settings.h"
#include "run_as_program.h"
#include "starters.h"
#include "temporary_directory.h"

ARCH_START;

extern const char _start[] __attribute__((visibility("hidden")));
_Noreturn void loader_start(uintptr_t *stack, const struct stub_record *stub);

/* Without /proc the name it was started by has to do; the headers are compared in any case. */
static bool identify(const struct process *process, struct identity *identity)
{
    return identity_of_path("/proc/self/exe", identity) ||
           (process->execfn && identity_of_path((const char *)process->execfn->a_un.a_val, identity));
}

static bool is_of_the_host(const char *path)
{
    for (const char *prefix = config_next(SETTING_HOST_PREFIX, NULL); prefix;
         prefix = config_next(SETTING_HOST_PREFIX, prefix))
        if (text_starts(path, prefix))
            return true;
    return false;
}

static uint32_t own_generation(void)
{
    const char *digits = config_next(SETTING_GENERATION, NULL);
    uint32_t number = 0;
    for (; digits && *digits >= '0' && *digits <= '9'; digits++)
        number = number * 10 + (uint32_t)(*digits - '0');
    return number;
}

/* Under valgrind, and emulators of processors, a process is told its program's path by readlink, but has the emulator's
   facts for /proc/self/exe. The headers in memory are compared with the decision's in any case. */
static bool identify_by_name(struct start *start, struct identity *identity)
{
    struct identity named;
    if (start->process.secure || !identity_of_path(start_path(start), &named) ||
        (named.device == identity->device && named.inode == identity->inode))
        return false;
    *identity = named;
    return true;
}

/* The decision, if need be by having it made. One of an older denizen will do where it cannot be made anew. */
static struct search_result decide(struct start *start, struct subject *subject, struct decision *decision)
{
    subject->library_path = library_path_of(&start->arena, start_library_path(start));
    struct search_result result = decision_find(&start->arena, &start->process, subject, decision);
    if (!result.found && identify_by_name(start, &subject->identity))
        result = decision_find(&start->arena, &start->process, subject, decision);
    bool holds = result.found && decision->header->generation >= own_generation();
    if (holds || start_nix_linker(&start->process) ||
        helper_decides(&start->process, subject->library_path, start_path(start)) != HELPER_SUCCEEDED)
        return result;
    return decision_find(&start->arena, &start->process, subject, decision);
}

/* Whether a decision has the program get what natively it would not: libraries, or an answer while it runs. */
static bool adds(const struct decision *decision)
{
    const struct decision_header *header = decision->header;
    return !(header->flags & DECISION_HOST) || header->opened || (header->flags & DECISION_EXECUTES);
}

/* The name of the decision about a program of the environment around us, whose tree a link names. */
static bool name_inside(struct start *start, struct text *name)
{
    char tree[PATH_ROOM];
    long length = sys_readlink("/.denizen/tree", tree, sizeof tree - 1);
    if (length <= 0)
        return false;
    tree[length] = '\0';
    launch_name_decision(name, text_file_name(tree), text_file_name(start_path(start)));
    return !name->cut;
}

/* A program of the environment's own /usr, which its dynamic linker satisfies: it may have been decided that it gets what
   it opens or starts later (src/denizen/app/environments/fhs_resident.py). Nothing is decided for its sake. */
static void follow_inside(struct start *start, struct subject *subject)
{
    char room[PATH_ROOM];
    struct decision decision;
    struct text name = text_in(room, sizeof room);
    if (start->loader || !name_inside(start, &name))
        return;
    subject->named = true;
    if (decision_find_named(&start->arena, &start->process, subject, room, &decision).found && adds(&decision) &&
        (decision.header->flags & DECISION_HOST))
        start_follow(start, &decision);
    subject->named = false;
}

/* TMPDIR, as denizen-enter and denizen-attach set it where the decision's command is executed: a child in a namespace is
   started by none. */
static void add_temporary(struct start *start, const struct decision *decision)
{
    const char *directory = NULL, *words[1];
    for (uint32_t i = 0; i + 1 < decision->header->command.count; i++)
        if (text_equal(decision_string(decision, decision->command[i]), "temporary"))
            directory = decision_string(decision, decision->command[i + 1]);
    if (!directory || start->process.secure || !temporary_executes_nothing(start->process.environment))
        return;
    size_t room = sizeof "TMPDIR=" + text_length(directory);
    struct text text = text_in(arena_take(&start->arena, room), room);
    text_add(&text, "TMPDIR=");
    text_add(&text, directory);
    words[0] = text.data;
    process_forget(&start->process, "TMPDIR=");
    process_insert_variables(&start->process, words, 1);
}

/* The tree of the environment that a decision's command enters, which its plan names (src/denizen/fhs/mounts.py). */
static const char *tree_entered(const struct decision *decision)
{
    static const char LINK[] = "/.denizen/tree";
    for (uint32_t i = 0; i + 2 < decision->header->command.count; i++) {
        const char *path = decision_string(decision, decision->command[i + 2]);
        size_t length = text_length(path), end = sizeof LINK - 1;
        if (text_equal(decision_string(decision, decision->command[i]), "symlink") && length > end &&
            text_equal(path + length - end, LINK))
            return decision_string(decision, decision->command[i + 1]);
    }
    return NULL;
}

/* A child whose decision is an environment enters it, unless it is there already: its own command brought it. */
static void enter_environment(struct start *start, const struct decision *decision)
{
    char here[PATH_ROOM];
    const char *tree = start->process.secure || start->loader || start->attached.entry ? NULL : tree_entered(decision);
    if (!tree)
        return;
    long length = sys_readlink("/.denizen/tree", here, sizeof here - 1);
    here[length > 0 ? length : 0] = '\0';
    if (!text_equal(here, tree))
        launch_command(&start->arena, &start->process, decision, (struct target){.path = start_path(start), .child = true});
}

/* Started by the kernel in the place of the program's own dynamic linker. */
static _Noreturn void interpret(struct start *start)
{
    struct program program = program_read(&start->process);
    struct decision decision;
    struct subject subject = {
        .headers = sum_words(program.phdr, program.phnum * sizeof *program.phdr),
        .build_id = build_id_of(program.phdr, program.phnum, program.bias),
    };
    const char *host_ldso = start->attached.entry ? NULL : config_next(SETTING_HOST_LDSO, NULL);
    if (host_ldso && config_next(SETTING_HOST_PREFIX, NULL) && is_of_the_host(start_path(start))) {
        follow_inside(start, &subject);
        if (!start->loader && starters_have(start_path(start)))
            start_carry(start, host_ldso);
        start_pass_on(&start->process, host_ldso);
    }
    struct search_result result = {false, "its file cannot be identified"};
    if (identify(&start->process, &subject.identity))
        result = start->attached.entry ? decision_find(&start->arena, &start->process, &subject, &decision)
                                       : decide(start, &subject, &decision);
    if (result.found) {
        enter_environment(start, &decision);
        add_temporary(start, &decision);
    }
    /* A patched copy of a program that the host satisfies lacks what the host's ld.so asks for. */
    bool altered = start->loader || start->attached.entry;
    if (result.found && (altered || adds(&decision)))
        start_follow(start, &decision);
    if (start->attached.entry)
        start_hand_over(&start->process, start_attached_linker(start));
    if (host_ldso)
        start_pass_on(&start->process, host_ldso);
    if (result.found)
        start_pass_on(&start->process, decision_string(&decision, decision.header->ldso));
    if (start_nix_linker(&start->process))
        start_follow_nix(start, start_nix_linker(&start->process));
    start_give_up(start, result.reason);
}

/* An emulator is its command. The kernel is not asked once more where nobody decides: it may have asked us. */
static _Noreturn void emulate(struct start *start, struct subject *subject, struct target target)
{
    struct decision decision;
    subject->foreign = true;
    if (decide(start, subject, &decision).found)
        launch_command(&start->arena, &start->process, &decision, (struct target){.path = target.path});
    if (target.child)
        launch_natively(&start->process, target.path);
    fail(target.path, ": it is built for another machine, and nothing was decided that emulates it", (char *)0);
}

/* The loader was run as a program, to start another one. */
static _Noreturn void launch(struct start *start)
{
    struct decision decision;
    struct subject subject = {.headers = {0, 0}};
    struct process *process = &start->process;
    const char *commands = config_next(SETTING_COMMANDS, NULL);
    if (config_next(SETTING_INSTALLED, NULL))
        command_start_installed(start);
    const char *command = launch_command_word(process);
    if (command)
        start->path = command;
    if (command && config_next(SETTING_BROUGHT, NULL))
        command_start_brought(start, config_next(SETTING_BROUGHT, NULL));
    if (commands)
        command_start_brought(start, commands);
    const char *bundled = config_next(SETTING_BUNDLE, NULL), *own = bundled ? start_path(start) : NULL;
    if (own && !launch_is_our_name(text_file_name(own)))
        bundle_start(start, bundled);
    struct target target = launch_target(&start->arena, process, &start->library_path);
    struct bundle bundle = {.base = NULL};
    if (own) {
        bundle = bundle_open(&start->arena, process, own, bundled);
        bundle_start_child(start, &bundle, target.path);
    }
    start->path = target.path;
    if (!identity_of_path(start->path, &subject.identity))
        fail(start->path, ": there is no such program", (char *)0);
    if (launch_is_foreign(start->path))
        emulate(start, &subject, target);
    if (!image_inspect(start->path, process->page_size, &start->arena, &subject))
        launch_natively(process, start->path); /* a script: its interpreter is what needs a decision */
    if (target.child && is_of_the_host(start->path)) {
        start_stand_in(start);
        start_carry(start, NULL);
        fail(start->path, ": its dynamic linker is not here", (char *)0);
    }
    struct search_result result = decide(start, &subject, &decision);
    bool host = result.found && (decision.header->flags & DECISION_HOST);
    if (result.found && decision.header->command.count && !target.mapped)
        launch_command(&start->arena, process, &decision, target);
    if (target.alone || (host && !target.mapped))
        launch_natively(process, start->path);
    start_stand_in(start);
    if (result.found && !host)
        start_follow(start, &decision);
    if (start_nix_linker(process))
        start_follow_nix(start, start_nix_linker(process));
    if (target.child) /* satisfied here, or as it would have gone without us */
        start_carry(start, NULL);
    if (own)
        bundle_start_adopted(start, &bundle);
    start_give_up(start, result.found ? "its dynamic linker is not here" : result.reason);
}

/* By denizen-attach: nothing is to be undone but what it holds. */
static bool note_attached(struct start *start, const struct attached_record *record)
{
    if (__builtin_memcmp(record->magic, ATTACHED_MAGIC, sizeof record->magic) != 0)
        return false;
    start->attached = *record;
    sys_close((int)record->descriptor);
    return true;
}

void loader_start(uintptr_t *stack, const struct stub_record *stub)
{
    struct start start = {.arena = arena_make(), .process = process_read(stack)};
    if (start.process.secure)
        start_forget_nix(&start.process);
    if (stub && note_attached(&start, (const struct attached_record *)(const void *)stub))
        interpret(&start);
    if (stub)
        start.loader = stub_undo(&start.arena, &start.process, stub);
    else if (start.process.entry->a_un.a_val == (uintptr_t)_start)
        launch(&start);
    interpret(&start);
}
