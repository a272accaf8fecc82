#include "run_as_program.h"

#include "loader_settings.h"

static const char *const USAGE =
    "usage: denizen-loader PROGRAM [ARGUMENT...]; or a link to denizen-loader, named after a program that a "
    "decision directory's links/ names";

/* Return whether a name is one of ld.so's; a loader mounted over ld.so may be run by that name. */
static bool is_a_linkers_name(const char *name)
{
    return text_starts(name, "ld-") || text_starts(name, "ld.so") || text_starts(name, "ld64");
}

bool launch_is_our_name(const char *name)
{
    return text_starts(name, "denizen-loader");
}

/* What `ld.so [OPTION...] PROGRAM ARGUMENT...` says. */
struct linker_words {
    /* The number of words before the program's; 0 where no program is named, or another option is among them. */
    size_t before;
    const char *library_path;
    const char *name;
};

/* Options by which ld.so starts a program all the same (elf/dl-usage.c). Which directories of an object are not searched
   (--inhibit-rpath) means nothing where all libraries are decided. */
static struct linker_words linker_words_of(const struct process *process)
{
    struct linker_words found = {0, NULL, NULL};
    size_t at = 1, count = process->stack[0];
    while (at + 1 < count && process->arguments[at][0] == '-') {
        const char *option = process->arguments[at], *value = process->arguments[at + 1];
        if (text_equal(option, "--library-path"))
            found.library_path = value;
        else if (text_equal(option, "--argv0"))
            found.name = value;
        else if (text_equal(option, "--inhibit-cache"))
            at--;
        else if (!text_equal(option, "--inhibit-rpath"))
            return found;
        at += 2;
    }
    found.before = at < count && process->arguments[at][0] != '-' ? at : 0;
    return found;
}

/* `links/NAME` in a decision directory is a symbolic link to the program. */
static bool follow_link(const struct process *process, const char *name, char *room)
{
    for (const char *pattern = config_next(SETTING_DIRECTORY, NULL); pattern;
         pattern = config_next(SETTING_DIRECTORY, pattern)) {
        char link[PATH_ROOM];
        struct text path = text_in(link, sizeof link);
        decision_directory(&path, pattern, process);
        text_add(&path, "/links/");
        text_add(&path, name);
        long length = sys_readlink(link, room, PATH_ROOM - 1);
        if (length > 0) {
            room[length] = '\0';
            return true;
        }
    }
    return false;
}

/* `--as PROGRAM NAME ARGUMENT...`, `--mapped ...` or `--alone ...`: what inside/child.c makes of a child. */
static bool is_child(const struct process *process)
{
    const char *word = process->stack[0] > 3 ? process->arguments[1] : "";
    return text_equal(word, "--as") || text_equal(word, "--mapped") || text_equal(word, "--alone");
}

const char *launch_command_word(struct process *process)
{
    if (process->stack[0] < 4 || !text_equal(process->arguments[1], "--command"))
        return NULL;
    const char *path = process->arguments[2];
    process_drop_arguments(process, 3);
    return path;
}

/* Where no linker was covered, `ld.so --version` and the like are the package's, and a program is started as any. */
static struct target target_as_linker(struct process *process, const char *ldso, const char **library_path)
{
    struct linker_words words = linker_words_of(process);
    if (!words.before) {
        sys_execve(ldso, process->arguments, process->environment);
        fail("cannot run ", ldso, (char *)0);
    }
    process_drop_arguments(process, words.before);
    struct target target = {.path = process->arguments[0]};
    if (words.name)
        process->arguments[0] = (char *)(uintptr_t)words.name;
    *library_path = words.library_path;
    return target;
}

static struct target child_target(struct process *process)
{
    const char *how = process->arguments[1];
    const char *path = process->arguments[2];
    process_drop_arguments(process, 3);
    return (struct target){path, true, text_equal(how, "--mapped"), text_equal(how, "--alone")};
}

struct target launch_target(struct arena *arena, struct process *process, const char **library_path)
{
    const char *started = process->execfn ? (const char *)process->execfn->a_un.a_val : process->arguments[0];
    const char *name = text_file_name(started ? started : "");
    const char *host_ldso = config_next(SETTING_HOST_LDSO, NULL);
    const char *package_ldso = config_next(SETTING_PACKAGE_LDSO, NULL);
    if (process->secure)
        fail("a set-user-ID loader starts nothing", (char *)0);
    if (host_ldso && is_a_linkers_name(name)) {
        sys_execve(host_ldso, process->arguments, process->environment);
        fail("cannot run ", host_ldso, (char *)0);
    }
    if (package_ldso && is_a_linkers_name(name))
        return target_as_linker(process, package_ldso, library_path);
    /* As a script's interpreter the kernel calls it by the script's name, and argv[0] is its own. */
    if (launch_is_our_name(name) || (process->stack[0] && launch_is_our_name(text_file_name(process->arguments[0])))) {
        if (process->stack[0] < 2)
            fail(USAGE, (char *)0);
        if (is_child(process))
            return child_target(process);
        process_drop_arguments(process, 1);
        return (struct target){.path = process->arguments[0]};
    }
    char *target = arena_take(arena, PATH_ROOM);
    if (!follow_link(process, name, target))
        fail(name, ": no decision directory has links/", name, (char *)0);
    return (struct target){.path = target};
}

const char *launch_command_path(struct arena *arena, const char *commands, const char *name)
{
    char link[PATH_ROOM];
    struct text path = text_in(link, sizeof link);
    text_add(&path, commands);
    text_add(&path, "/");
    text_add(&path, name);
    char *program = arena_take(arena, PATH_ROOM);
    return !path.cut && sys_readlink(link, program, PATH_ROOM - 1) > 0 ? program : NULL;
}

/* OBJECT/programs/NAME leads to ../../OTHER/usr/bin/NAME. */
static const char *program_of(struct arena *arena, const char *own, size_t object, const char *name)
{
    enum { UP = 6 };
    char link[PATH_ROOM], *room = arena_take(arena, PATH_ROOM);
    struct text path = text_in(link, sizeof link), program = text_in(room, PATH_ROOM);
    text_add_bytes(&path, own, object);
    text_add(&path, "/programs/");
    text_add(&path, name);
    char target[PATH_ROOM];
    long length = path.cut ? 0 : sys_readlink(link, target, PATH_ROOM - 1);
    if (length <= 0)
        return NULL;
    target[length] = '\0';
    if (target[0] == '/')
        return text_add(&program, target), room;
    if (!text_starts(target, "../../"))
        return NULL;
    while (object && own[object - 1] != '/')
        object--;
    text_add_bytes(&program, own, object);
    text_add(&program, target + UP);
    return program.cut ? NULL : room;
}

void launch_name_decision(struct text *decision, const char *object, const char *name)
{
    enum { DIGITS = 32 };
    for (size_t i = 0; i < DIGITS && object[i] && object[i] != '/'; i++)
        text_add_bytes(decision, object + i, 1);
    text_add(decision, "-");
    text_add(decision, name);
}

struct installed launch_installed(struct arena *arena, const char *own)
{
    enum { BIN = 4 };
    const char *name = text_file_name(own);
    size_t object = (size_t)(name - own), start;
    if (object <= BIN + 1 || !text_starts(own + object - BIN - 1, "/bin/"))
        return (struct installed){NULL, NULL};
    object -= BIN + 1;
    for (start = object; start && own[start - 1] != '/';)
        start--;
    char *room = arena_take(arena, PATH_ROOM);
    struct text decision = text_in(room, PATH_ROOM);
    launch_name_decision(&decision, own + start, name);
    return (struct installed){program_of(arena, own, object, name), room};
}

const char *launch_real_path(struct arena *arena, const char *path)
{
    char name[32];
    struct text link = text_in(name, sizeof name);
    char *real = arena_take(arena, PATH_ROOM);
    int fd = sys_open(path, SYS_RDONLY);
    if (fd < 0)
        return NULL;
    text_add(&link, "/proc/self/fd/");
    text_add_decimal(&link, (uint32_t)fd);
    long length = sys_readlink(name, real, PATH_ROOM - 1);
    sys_close(fd);
    if (length <= 0)
        return NULL;
    real[length] = '\0';
    return real;
}

const char *launch_origin(struct arena *arena, const char *real)
{
    size_t length = (size_t)(text_file_name(real) - real);
    char *origin = arena_take(arena, length + 1);
    __builtin_memcpy(origin, real, length);
    origin[length > 1 ? length - 1 : length] = '\0';
    return origin;
}

/* EM_386 and EM_X86_64, EM_ARM and EM_AARCH64: the kernels of the larger ones start programs of both. */
static const uint16_t KIN[][2] = {{3, 62}, {40, 183}};

static bool is_kin(unsigned machine)
{
    for (size_t i = 0; i < sizeof KIN / sizeof *KIN; i++)
        if ((machine == KIN[i][0] || machine == KIN[i][1]) && (ARCH_MACHINE == KIN[i][0] || ARCH_MACHINE == KIN[i][1]))
            return true;
    return machine == ARCH_MACHINE;
}

bool launch_is_foreign(const char *path)
{
    enum { BIG_ENDIAN = 2, DATA = 5, MACHINE = 18, SIZE = 20 };
    unsigned char head[SIZE];
    int fd = sys_open(path, SYS_RDONLY);
    if (fd < 0)
        return false;
    long size = sys_read(fd, head, SIZE);
    sys_close(fd);
    if (size != SIZE || __builtin_memcmp(head, "\177ELF", 4) != 0)
        return false;
    unsigned first = head[MACHINE], second = head[MACHINE + 1];
    return !is_kin(head[DATA] == BIG_ENDIAN ? first << 8 | second : second << 8 | first);
}

_Noreturn void launch_natively(const struct process *process, const char *path)
{
    long problem = sys_execve(path, process->arguments, process->environment);
    fail(path, " cannot be started", text_of_problem(problem), (char *)0);
}

/* denizen-enter's word for which file it is, whatever the name; a later one of the command's own counts. */
static char **add_file(char **next, const char *path)
{
    *next++ = (char *)(uintptr_t)"as";
    *next++ = (char *)(uintptr_t)path;
    return next;
}

_Noreturn void launch_command(struct arena *arena, const struct process *process,
                              const struct decision *decision, struct target target)
{
    uint32_t count = decision->header->command.count;
    char **arguments = arena_take(arena, (count + process->stack[0] + 4) * sizeof *arguments);
    char **next = arguments;
    for (uint32_t i = 0; i < count; i++) {
        *next++ = (char *)(uintptr_t)decision_string(decision, decision->command[i]);
        if (i == 0 && target.child)
            next = add_file(next, target.path);
    }
    *next++ = target.child ? process->arguments[0] : (char *)(uintptr_t)target.path;
    for (char **given = process->arguments + (process->stack[0] != 0); *given; given++)
        *next++ = *given;
    long problem = sys_execve(arguments[0], arguments, process->environment);
    fail("cannot run ", arguments[0], " to start ", target.path, text_of_problem(problem), (char *)0);
}
