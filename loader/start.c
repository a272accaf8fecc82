/* The loader's main path: find the program, its decision and its ld.so, then start ld.so. */
#include "attached.h"
#include "bundle.h"
#include "config.h"
#include "dynamic.h"
#include "helper.h"
#include "kernel.h"
#include "launch.h"
#include "library_path.h"
#include "starters.h"
#include "stub.h"
#include "tell.h"

enum { PATH_ROOM = 4096 };

ARCH_START;

extern const char _start[] __attribute__((visibility("hidden")));
_Noreturn void loader_start(uintptr_t *stack, const struct stub_record *stub);

/* The program being started, by the kernel or by the loader run as a program. */
struct start {
    struct arena arena;
    struct process process;
    /* For prefixes, messages and the helper; null until asked for. */
    const char *path;
    /* The program's directory when /proc/self/exe is the loader, else null. */
    const char *origin;
    /* The loader's file, where the kernel knows another file than the program: a copy of it, or us. */
    const char *loader;
    /* Of denizen-attach, where it put us before the dynamic linker that the kernel mapped; else no entry. */
    struct attached_record attached;
    /* A bundle's own libraries for programs; null where we are of none, or it has none. */
    const char *inside;
    const char *resident;
};

static const char *path_of(struct start *start)
{
    if (start->path)
        return start->path;
    char *room = arena_take(&start->arena, PATH_ROOM);
    const Auxv *execfn = start->process.execfn;
    if (sys_readlink("/proc/self/exe", room, PATH_ROOM - 1) <= 0 && execfn) {
        struct text path = text_in(room, PATH_ROOM);
        text_add(&path, (const char *)execfn->a_un.a_val);
    }
    return start->path = room;
}

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

static _Noreturn void hand_over(const struct process *process, struct image ldso)
{
    process->base->a_un.a_val = ldso.bias;
    arch_jump(ldso.entry, (uintptr_t)process->stack);
}

/* The dynamic linker that the kernel has mapped itself, once what put us before it has ended. */
static struct image attached_linker(const struct start *start)
{
    enum { WAIT_FOR_ALL = 0x40000000 };
    while (arch_syscall(__NR_wait4, (long)start->attached.tracer, 0, WAIT_FOR_ALL, 0, 0, 0) == -SYS_EINTR)
        continue;
    return (struct image){.bias = start->process.base->a_un.a_val, .entry = (uintptr_t)start->attached.entry};
}

/* Start a program of the host by the host's own ld.so, without any change. */
static _Noreturn void pass_on(const struct process *process, const char *ldso)
{
    hand_over(process, image_map_linker(ldso, process->page_size, NULL));
}

/* The kernel knows the program: a library in it is wanted only where the kernel cannot start what it starts. */
static void add_exec(struct start *start, const struct decision *decision, struct presentation *presentation)
{
    presentation->inside = tell_exec_whom(&start->process, decision);
    if (presentation->inside)
        presentation->facts = tell_exec(&start->arena, &start->process, path_of(start));
}

/* Add the `inside` library to the program. */
static void add_inside(struct start *start, const struct decision *decision, struct presentation *presentation)
{
    if (!start->loader) {
        add_exec(start, decision, presentation);
        return;
    }
    presentation->inside = tell_whom(start->inside);
    if (!presentation->inside)
        return;
    presentation->facts = tell(&start->arena, &start->process, decision, path_of(start), start->loader);
    if (decision && decision->header->shown && start->process.execfn)
        start->process.execfn->a_un.a_val = (uintptr_t)presentation->facts->program;
}

/* Beside the host's libraries its DT_RUNPATH is the program's alone, as natively: they find theirs where the host has
   them. A list of the user's may name the same directories, for all. */
static const char *own_directories(struct start *start, const struct decision *decision,
                                   const struct program *program)
{
    if (!(decision->header->flags & DECISION_HOST) || process_variable(&start->process, "LD_LIBRARY_PATH"))
        return NULL;
    const char *origin = start->origin ? start->origin : launch_origin(&start->arena, path_of(start));
    return program_own_directories(&start->arena, program, origin);
}

/* Add the `resident` library, which provides libraries opened later, to the program. */
static void add_resident(struct start *start, const struct decision *decision, const struct program *program,
                         struct presentation *presentation)
{
    presentation->resident = tell_resident_whom(&start->process, decision, start->resident);
    if (presentation->resident)
        presentation->resident_facts =
            tell_resident(&start->arena, &start->process, decision, own_directories(start, decision, program));
}

/* A decision made for a namespace may name the place where the host's dynamic linker is there: an empty file here,
   where a program that maps others (valgrind) starts one outside of it. */
static const char *linker_of(const struct start *start, const struct decision *decision, const struct program *program)
{
    struct arch_stat facts;
    const char *ldso = decision_string(decision, decision->header->ldso);
    const char *covered = config_next(SETTING_HOST_LDSO, NULL);
    if (covered && !start->loader && (decision->header->flags & DECISION_HOST))
        return covered; /* we lie over it */
    bool empty = start->loader && sys_stat(ldso, &facts) >= 0 && !facts.size;
    const char *own = empty ? program_interpreter(program) : NULL;
    return own ? own : ldso;
}

static _Noreturn void follow(struct start *start, const struct decision *decision)
{
    const struct decision_header *header = decision->header;
    struct program program = program_read(&start->process);
    struct preload preload;
    preload_settle(&start->arena, &start->process, decision, &preload);
    struct presentation presentation = {
        .decision = decision,
        .user_paths = process_variable(&start->process, "LD_LIBRARY_PATH"),
        .search = header->search ? decision_string(decision, header->search) : NULL,
        .ldso = linker_of(start, decision, &program),
        .origin = start->origin,
        .preload = &preload,
    };
    add_inside(start, decision, &presentation);
    add_resident(start, decision, &program, &presentation);
    struct image ldso = start->attached.entry
                            ? attached_linker(start)
                            : image_map_linker(presentation.ldso, start->process.page_size, decision);
    image_restore(program.phdr, program.phnum, program.bias, start->process.page_size, decision);
    present(&start->arena, &start->process, &program, &presentation);
    if (!(header->flags & DECISION_BY_NAME))
        reflect_addresses(&program);
    if (header->r_debug)
        reflect_debugger(&program, ldso.bias + (uintptr_t)header->r_debug);
    hand_over(&start->process, ldso);
}

/* Nobody decided, but somebody set the machine up for nix-ld. Never for root: a program that became root may have
   kept the environment of the one who started it. */
static const char *nix_linker(const struct process *process)
{
    if (!config_next(SETTING_NIX_LD, NULL) || !process_is_plain(process) || !process->uid)
        return NULL;
    const char *ldso = process_variable(process, ARCH_NIX_LD);
    return ldso ? ldso : process_variable(process, "NIX_LD");
}

static _Noreturn void follow_nix(struct start *start, const char *ldso)
{
    const char *paths = process_variable(&start->process, ARCH_NIX_LD_LIBRARY_PATH);
    struct program program = program_read(&start->process);
    struct presentation presentation = {
        .user_paths = process_variable(&start->process, "LD_LIBRARY_PATH"),
        .search = paths ? paths : process_variable(&start->process, "NIX_LD_LIBRARY_PATH"),
        .ldso = ldso,
        .origin = start->origin,
    };
    struct image image = image_map_linker(ldso, start->process.page_size, NULL);
    present(&start->arena, &start->process, &program, &presentation);
    reflect_addresses(&program);
    hand_over(&start->process, image);
}

static _Noreturn void give_up(struct start *start, const char *reason)
{
    char room[PATH_ROOM];
    struct text needs = text_in(room, sizeof room);
    struct program program = program_read(&start->process);
    for (const Dyn *entry = program.dynamic; entry < program.dynamic + program.dynamic_count; entry++) {
        const char *name = program_string(&program, entry);
        if (name && entry->d_tag == DT_NEEDED) {
            text_add(&needs, needs.length ? " " : "; it needs ");
            text_add(&needs, name);
        }
    }
    const char *path = path_of(start);
    fail("cannot start ", path, ": ", reason, room, "; run: denizen run ", path, (char *)0);
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
    if (start->process.secure || !identity_of_path(path_of(start), &named) ||
        (named.device == identity->device && named.inode == identity->inode))
        return false;
    *identity = named;
    return true;
}

/* The decision, if need be by having it made. One of an older denizen will do where it cannot be made anew. */
static struct search_result decide(struct start *start, struct subject *subject, struct decision *decision)
{
    subject->library_path = library_path_of(&start->arena, &start->process);
    struct search_result result = decision_find(&start->arena, &start->process, subject, decision);
    if (!result.found && identify_by_name(start, &subject->identity))
        result = decision_find(&start->arena, &start->process, subject, decision);
    bool holds = result.found && decision->header->generation >= own_generation();
    if (holds || nix_linker(&start->process) ||
        !helper_decides(&start->process, subject->library_path, path_of(start)))
        return result;
    return decision_find(&start->arena, &start->process, subject, decision);
}

/* Whether a decision has the program get what natively it would not: libraries, or an answer while it runs. */
static bool adds(const struct decision *decision)
{
    const struct decision_header *header = decision->header;
    return !(header->flags & DECISION_HOST) || header->opened || (header->flags & DECISION_EXECUTES);
}

/* A program goes on with its own dynamic linker, which is at `mapped` (null: where the program says), and a library for
   the sake of its children. Comes back where it has no dynamic linker here, or there is no such library. */
static void carry(struct start *start, const char *mapped)
{
    struct program program = program_read(&start->process);
    struct presentation presentation = {
        .user_paths = process_variable(&start->process, "LD_LIBRARY_PATH"),
        .ldso = program_interpreter(&program),
        .origin = start->origin,
    };
    if (!presentation.ldso || !sys_exists(presentation.ldso))
        return;
    add_inside(start, NULL, &presentation);
    if (mapped && !presentation.inside)
        return;
    struct image ldso = image_map_linker(mapped ? mapped : presentation.ldso, start->process.page_size, NULL);
    present(&start->arena, &start->process, &program, &presentation);
    reflect_addresses(&program);
    hand_over(&start->process, ldso);
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
    if (host_ldso && config_next(SETTING_HOST_PREFIX, NULL) && is_of_the_host(path_of(start))) {
        if (!start->loader && starters_have(path_of(start)))
            carry(start, host_ldso);
        pass_on(&start->process, host_ldso);
    }
    struct search_result result = {false, "its file cannot be identified"};
    if (identify(&start->process, &subject.identity))
        result = start->attached.entry ? decision_find(&start->arena, &start->process, &subject, &decision)
                                       : decide(start, &subject, &decision);
    /* A patched copy of a program that the host satisfies lacks what the host's ld.so asks for. */
    bool altered = start->loader || start->attached.entry;
    if (result.found && (altered || adds(&decision)))
        follow(start, &decision);
    if (start->attached.entry)
        hand_over(&start->process, attached_linker(start));
    if (host_ldso)
        pass_on(&start->process, host_ldso);
    if (result.found)
        pass_on(&start->process, decision_string(&decision, decision.header->ldso));
    if (nix_linker(&start->process))
        follow_nix(start, nix_linker(&start->process));
    give_up(start, result.reason);
}

/* Map the program as the kernel would have, and say so in the auxiliary vector. */
static void stand_in(struct start *start)
{
    struct image image = image_map(start->path, start->process.page_size);
    start->process.phdr->a_un.a_val = image.phdr;
    start->process.phnum->a_un.a_val = image.phnum;
    start->process.entry->a_un.a_val = image.entry;
    if (start->process.execfn)
        start->process.execfn->a_un.a_val = (uintptr_t)start->path;
    start->loader = tell_seen(&start->arena);
    const char *real = launch_real_path(&start->arena, start->path);
    if (!real && start->path[0] == '/') /* no /proc: its links are not known */
        real = start->path;
    if (real) {
        start->origin = launch_origin(&start->arena, real);
        start->path = real;
    }
    sys_name_process(text_file_name(start->path));
    /* Before AT_PHDR names a table of ours: debuggers compare the one in memory with the file's. */
    kernel_tell(&start->process);
}

/* The program that a command is, by the link of its name; and the decision about it. */
static bool find_command(struct start *start, const char *commands, const char *name, struct decision *decision)
{
    struct subject subject = {.headers = {0, 0}};
    start->path = launch_command_path(&start->arena, commands, name);
    if (!start->path || !identity_of_path(start->path, &subject.identity))
        return false;
    image_inspect(start->path, start->process.page_size, &start->arena, &subject);
    return decision_find(&start->arena, &start->process, &subject, decision).found;
}

/* A command is found: by its own command, by the kernel, or mapped. A script that we map the interpreter of gets its
   own path, any other program the name that it was called by. */
static _Noreturn void become_command(struct start *start, const struct decision *decision)
{
    struct process *process = &start->process;
    uint32_t count = decision->header->command.count;
    bool mapped = count > 1 && text_equal(decision_string(decision, decision->command[1]), "--as");
    if (count)
        launch_command(&start->arena, process, decision, (struct target){start->path, !mapped, false});
    if (decision->header->flags & DECISION_HOST)
        launch_natively(process, start->path);
    stand_in(start);
    follow(start, decision);
}

/* We lie where a command should be that this host does not have: the first to execute it has it brought (`asks`). Or we
   are told which one was. */
static _Noreturn void stand_for_command(struct start *start, const char *commands, bool asks)
{
    struct decision decision;
    struct process *process = &start->process;
    const char *own = path_of(start);
    const char *name = text_file_name(own);
    if (!process_is_plain(process) ||
        (!find_command(start, commands, name, &decision) &&
         (!asks || !helper_decides(process, NULL, own) || !find_command(start, commands, name, &decision))))
        fail(own, ": the command is not here", (char *)0);
    become_command(start, &decision);
}

/* The program of an installed command, and the decision about it. */
static bool find_installed(struct start *start, const char *own, struct decision *decision)
{
    struct subject subject = {.headers = {0, 0}, .named = true};
    struct installed installed = launch_installed(&start->arena, own);
    start->path = installed.program;
    if (!start->path)
        return false;
    subject.foreign = launch_is_foreign(start->path);
    /* A link to another package's file leads nowhere here: in an environment both packages are. */
    if (!subject.foreign && sys_exists(start->path))
        image_inspect(start->path, start->process.page_size, &start->arena, &subject);
    return decision_find_named(&start->arena, &start->process, &subject, installed.decision, decision).found;
}

/* We are a command of a profile (docs/decisions/0011). What an attacker's process with others' rights asks for is
   not decided, and what was decided for the user is not believed (decision.c). */
static _Noreturn void stand_for_installed(struct start *start)
{
    struct decision decision;
    const char *own = path_of(start);
    if (!find_installed(start, own, &decision) &&
        (!helper_decides(&start->process, NULL, own) || !find_installed(start, own, &decision)))
        fail(own, ": it was not decided how to start it; install it again", (char *)0);
    become_command(start, &decision);
}

/* What the bundle has for programs that it starts. */
static void belong_to(struct start *start, const struct bundle *bundle)
{
    start->inside = bundle_path(&start->arena, bundle, "denizen-inside");
    start->resident = bundle_path(&start->arena, bundle, "denizen-resident");
}

/* Become the program that a decision of the bundle is about, or the program at `path` if it is that one. Comes back if
   it is not, or if there is no such decision. */
static void become_bundled(struct start *start, const struct bundle *bundle, const char *name, const char *path)
{
    struct decision decision;
    struct subject subject = {.headers = {0, 0}, .named = true};
    if (!bundle_decision(&start->arena, &start->process, bundle, name, &decision))
        return;
    start->path = path ? path : decision_string(&decision, decision.header->program);
    belong_to(start, bundle);
    if (!sys_exists(start->path) ||
        !image_inspect(start->path, start->process.page_size, &start->arena, &subject) ||
        !decision_is_about(&decision, &subject))
        return;
    stand_in(start);
    start->loader = bundle_path(&start->arena, bundle, "denizen-loader");
    /* With a tree of its own: there are programs that look for it by the name they were called by. */
    if (!path && decision.header->shown && start->process.stack[0])
        start->process.arguments[0] = (char *)(uintptr_t)decision_string(&decision, decision.header->shown);
    if (!path && !bundle_add_arguments(&start->arena, &start->process, bundle))
        fail(path_of(start), ": the arguments that belong to it cannot be given to it here", (char *)0);
    follow(start, &decision);
}

/* Become the program at `path` by the decision about that file of the tree, or by that about the bundle's program, of
   which it may be a copy. */
static void become_child(struct start *start, const struct bundle *bundle, const char *path)
{
    const char *real = launch_real_path(&start->arena, path);
    const char *name = bundle_decision_name(&start->arena, bundle, real ? real : path);
    if (name)
        become_bundled(start, bundle, name, path);
    become_bundled(start, bundle, "decision", path);
}

/* A mapped program that this host has no dynamic linker for, and nothing was decided about, as one that the bundle's
   program unpacked: the bundle's linker and libraries may do. Comes back where it is for another C library. */
static void adopt(struct start *start, const struct bundle *bundle)
{
    struct decision decision;
    struct program program = program_read(&start->process);
    const char *interpreter = program_interpreter(&program);
    if (!interpreter || !text_starts(text_file_name(interpreter), "ld-linux") ||
        !bundle_decision(&start->arena, &start->process, bundle, "decision-any", &decision))
        return;
    start->loader = bundle_path(&start->arena, bundle, "denizen-loader");
    follow(start, &decision);
}

/* Of an AppImage whose program is static there is no decision: it is AppRun itself. */
static void become_static(struct start *start, const char *base)
{
    char room[PATH_ROOM];
    struct text path = text_in(room, sizeof room);
    text_add_bytes(&path, base, (size_t)(text_file_name(base) - base));
    text_add(&path, "AppRun");
    if (!path.cut && !sys_exists(base))
        sys_execve(room, start->process.arguments, start->process.environment);
}

/* We are a bundle's launcher (docs/decisions/0012). */
static _Noreturn void stand_for_bundle(struct start *start, const char *setting)
{
    const char *own = path_of(start);
    if (start->process.secure)
        fail(own, ": a bundle starts with no more rights than its user has", (char *)0);
    struct bundle bundle = bundle_open(&start->arena, &start->process, own, setting);
    if (!bundle.base && config_next(SETTING_ARGUMENT, NULL))
        fail(own, ": it can be unpacked nowhere but in memory, where its files do not find each other; let"
             " XDG_CACHE_HOME name a directory with room, from which programs may be executed", (char *)0);
    become_bundled(start, &bundle, "decision", NULL);
    if (bundle.base && config_next(SETTING_APPIMAGE, NULL))
        become_static(start, bundle.base);
    fail(own, ": its files in ", bundle.base ? bundle.base : "memory", " are not what was bundled", (char *)0);
}

/* An emulator is its command. The kernel is not asked once more where nobody decides: it may have asked us. */
static _Noreturn void emulate(struct start *start, struct subject *subject, struct target target)
{
    struct decision decision;
    subject->foreign = true;
    if (decide(start, subject, &decision).found)
        launch_command(&start->arena, &start->process, &decision, (struct target){target.path, false, false});
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
        stand_for_installed(start);
    const char *command = launch_command_word(process);
    if (command)
        start->path = command;
    if (command && config_next(SETTING_BROUGHT, NULL))
        stand_for_command(start, config_next(SETTING_BROUGHT, NULL), false);
    if (commands)
        stand_for_command(start, commands, true);
    const char *bundled = config_next(SETTING_BUNDLE, NULL), *own = bundled ? path_of(start) : NULL;
    if (own && !launch_is_our_name(text_file_name(own)))
        stand_for_bundle(start, bundled);
    struct target target = launch_target(&start->arena, process);
    struct bundle bundle = {.base = NULL};
    if (own) {
        bundle = bundle_open(&start->arena, process, own, bundled);
        become_child(start, &bundle, target.path);
    }
    start->path = target.path;
    if (!identity_of_path(start->path, &subject.identity))
        fail(start->path, ": there is no such program", (char *)0);
    if (launch_is_foreign(start->path))
        emulate(start, &subject, target);
    if (!image_inspect(start->path, process->page_size, &start->arena, &subject))
        launch_natively(process, start->path); /* a script: its interpreter is what needs a decision */
    if (target.child && is_of_the_host(start->path)) {
        stand_in(start);
        carry(start, NULL);
        fail(start->path, ": its dynamic linker is not here", (char *)0);
    }
    struct search_result result = decide(start, &subject, &decision);
    bool host = result.found && (decision.header->flags & DECISION_HOST);
    if (result.found && decision.header->command.count && !target.mapped)
        launch_command(&start->arena, process, &decision, target);
    if (host && !target.mapped)
        launch_natively(process, start->path);
    stand_in(start);
    if (result.found && !host)
        follow(start, &decision);
    if (nix_linker(process))
        follow_nix(start, nix_linker(process));
    if (target.child) /* satisfied here, or as it would have gone without us */
        carry(start, NULL);
    if (own)
        adopt(start, &bundle);
    give_up(start, result.found ? "its dynamic linker is not here" : result.reason);
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
    /* glibc's ld.so drops in secure execution what steers itself (elf/rtld.c, unsecure_envvars), so that what the
       program starts as root is not steered either; these steer us. */
    if (start.process.secure)
        process_forget(&start.process, "NIX_LD");
    if (stub && note_attached(&start, (const struct attached_record *)(const void *)stub))
        interpret(&start);
    if (stub)
        start.loader = stub_undo(&start.arena, &start.process, stub);
    else if (start.process.entry->a_un.a_val == (uintptr_t)_start)
        launch(&start);
    interpret(&start);
}
