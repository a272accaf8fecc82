#include "appimage.h"

#include "../text.h"
#include "image_files.h"

enum { STDOUT = 1, STDERR = 2, WRONG_USAGE = 1 };
static const char ROOT[] = "squashfs-root";
static const char HELP[] = "--appimage-extract [PATTERN] unpack into squashfs-root\n"
                           "--appimage-mount             unpack into the cache, print where, and wait\n"
                           "--appimage-offset            print where the file system begins in this file\n"
                           "--appimage-extract-and-run   start the program, as without it\n"
                           "--appimage-portable-home     make a directory beside this file that is the program's HOME\n"
                           "--appimage-portable-config   the same for XDG_CONFIG_HOME\n"
                           "--appimage-updateinformation print where newer versions are to be had\n"
                           "--appimage-signature         print the signature in this file\n"
                           "--appimage-version           print what this runtime is\n";

/* A directory beside the AppImage, named like it, that is the program's own place for what it keeps. */
static const struct portable {
    char suffix[8];
    char variable[20];
} PORTABLE[] = {{".home", "HOME="}, {".config", "XDG_CONFIG_HOME="}};
enum { PORTABLES = sizeof PORTABLE / sizeof *PORTABLE };

static void print(int to, const char *text)
{
    files_write(to, (const uint8_t *)text, text_length(text));
}

/* As other runtimes: what a tool asks for goes to standard output, what people ask for to standard error. */
static _Noreturn void print_and_end(int to, const char *text, const char *more)
{
    print(to, text);
    print(to, more);
    sys_exit(0);
}

static _Noreturn void make_portable(const char *own, const char *suffix)
{
    char room[PATH_ROOM];
    struct text path = text_in(room, sizeof room);
    text_add(&path, own);
    text_add(&path, suffix);
    long made = path.cut ? -SYS_ENOENT : files_make_directory(SYS_AT_CWD, room, 0700);
    if (sys_failed(made))
        fail("cannot make ", room, text_of_problem(made), (char *)0);
    print_and_end(STDERR, room, " is the program's from now on\n");
}

static _Noreturn void refuse(const struct process *process, const char *word)
{
    say("--appimage-", word, process->stack[0] > 2 ? " with these words behind it" : "",
        " is nothing that this AppImage knows; --appimage-help has the options", (char *)0);
    sys_exit(WRONG_USAGE);
}

enum appimage_wish appimage_wish(struct process *process, const char *own, const char *offset)
{
    const char *word = process->stack[0] > 1 ? process->arguments[1] : "";
    if (!text_starts(word, "--appimage-"))
        return APPIMAGE_START;
    word += sizeof "--appimage-" - 1;
    if (text_equal(word, "help"))
        print_and_end(STDERR, HELP, "");
    if (text_equal(word, "offset"))
        print_and_end(STDOUT, offset, "\n");
    if (text_equal(word, "version"))
        print_and_end(STDERR, "AppImage runtime of denizen", "\n");
    if (text_equal(word, "mount"))
        return APPIMAGE_SHOW;
    if (text_equal(word, "extract") && process->stack[0] <= 3)
        return APPIMAGE_EXTRACT;
    if (text_equal(word, "updateinformation") || text_equal(word, "updateinfo"))
        return APPIMAGE_UPDATE;
    if (text_equal(word, "signature"))
        return APPIMAGE_SIGNATURE;
    for (size_t i = 0; i < PORTABLES && text_starts(word, "portable-"); i++)
        if (text_equal(word + sizeof "portable-" - 1, PORTABLE[i].suffix + 1))
            make_portable(own, PORTABLE[i].suffix);
    if (!text_equal(word, "extract-and-run"))
        refuse(process, word);
    const char *name = process->arguments[0];
    process_drop_arguments(process, 1);
    process->arguments[0] = (char *)(uintptr_t)name;
    return APPIMAGE_START;
}

/* The sections that tools write into lie before the image, so that they are no part of what its hash is about
   (bundle_launcher.py has their order). */
void appimage_print_section(const char *file, uint64_t image, enum appimage_wish wish)
{
    enum { SIZE = 1024, SECTIONS = 12288, SIGNATURE_AT = 1024 };
    char room[SIZE + 1];
    int fd = sys_open(file, SYS_RDONLY);
    long size = fd < 0 ? fd : sys_pread(fd, room, SIZE, image - SECTIONS + (wish == APPIMAGE_SIGNATURE ? SIGNATURE_AT : 0));
    if (size != SIZE)
        fail(file, ": cannot be read", (char *)0);
    room[SIZE] = '\0';
    print_and_end(STDOUT, room, "\n");
}

/* Behind a [ : whether the letter is in the set, and `*at` behind its ] ; a [ without ] stands for itself. */
static bool is_in_set(const char **at, char letter)
{
    const char *first = *at + (**at == '!' || **at == '^');
    bool found = false, negated = first != *at;
    const char *end = first;
    do {
        if (!*end)
            return letter == '[';
        bool range = end[1] == '-' && end[2] && end[2] != ']';
        found = found || (range ? letter >= end[0] && letter <= end[2] : letter == end[0]);
        end += range ? 3 : 1;
    } while (*end != ']');
    *at = end + 1;
    return found != negated;
}

/* As fnmatch with FNM_PATHNAME and FNM_LEADING_DIR: a name below one that the pattern names is named too. */
static bool is_named(const char *pattern, const char *name)
{
    const char *star = NULL, *after = NULL;
    while (*name || *pattern) {
        const char *next = pattern + (*pattern != '\0');
        if (!*pattern && *name == '/')
            return true;
        if (*pattern == '*') {
            star = pattern = next;
            after = name;
            continue;
        }
        bool same = *name && (*pattern == '?'   ? *name != '/'
                              : *pattern == '[' ? *name != '/' && is_in_set(&next, *name)
                                                : *pattern == *name);
        if (!same && (!star || !*after || *after == '/'))
            return false;
        pattern = same ? next : star;
        name = same ? name + 1 : ++after;
    }
    return true;
}

struct extraction {
    int root;
    const char *pattern;
};

static void make_parents(int root, const char *name)
{
    char room[PATH_ROOM];
    struct text path = text_in(room, sizeof room);
    for (; *name && !path.cut; name++) {
        if (*name == '/')
            files_make_directory(root, room, 0755);
        text_add_bytes(&path, name, 1);
    }
}

/* What is there already is replaced: tools extract from the same place several times. */
static long extract(void *taker, const struct packed *packed, const struct packed_entry *entry, const uint8_t *content)
{
    struct extraction *extraction = taker;
    const char *name = packed_name(packed, entry);
    if (extraction->pattern && !is_named(extraction->pattern, name))
        return 0;
    make_parents(extraction->root, name);
    long result = files_take(&extraction->root, packed, entry, content);
    if (result == -FILES_EEXIST) {
        arch_syscall(__NR_unlinkat, extraction->root, (long)name, 0, 0, 0, 0);
        result = files_take(&extraction->root, packed, entry, content);
    }
    print(STDOUT, ROOT);
    print(STDOUT, "/");
    print(STDOUT, name);
    print(STDOUT, "\n");
    return result;
}

void appimage_extract(const struct packed *packed, const char *pattern)
{
    long made = files_make_directory(SYS_AT_CWD, ROOT, 0755);
    int fd = sys_failed(made) ? -1 : sys_openat(SYS_AT_CWD, ROOT, SYS_RDONLY | SYS_DIRECTORY | SYS_NOFOLLOW | SYS_CLOEXEC);
    struct extraction extraction = {fd, pattern};
    long result = sys_failed(made) ? made : fd < 0 ? fd : packed_expand(packed, extract, &extraction);
    if (sys_failed(result))
        fail("cannot unpack into ", ROOT, text_of_problem(result), (char *)0);
    sys_exit(0);
}

void appimage_show(const char *directory)
{
    print(STDOUT, directory);
    print(STDOUT, "\n");
    for (;;)
        arch_syscall(__NR_ppoll, 0, 0, 0, 0, 0, 0);
}

static const char *joined(struct arena *arena, const char *name, const char *value, const char *suffix)
{
    char *room = arena_take(arena, PATH_ROOM);
    struct text text = text_in(room, PATH_ROOM);
    text_add(&text, name);
    text_add(&text, value);
    text_add(&text, suffix);
    return text.cut ? NULL : room;
}

/* The variable of a directory beside the AppImage; null where there is none that can be written. */
static const char *portable_variable(struct arena *arena, const char *own, const struct portable *one)
{
    enum { WRITE = 2 };
    const char *variable = joined(arena, one->variable, own, one->suffix);
    const char *path = variable ? variable + text_length(one->variable) : "";
    struct arch_stat facts;
    bool usable = sys_stat(path, &facts) >= 0 && (facts.mode & SYS_S_IFMT) == SYS_S_IFDIR &&
                  arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, WRITE, 0, 0, 0) == 0;
    return usable ? variable : NULL;
}

void appimage_tell(struct arena *arena, struct process *process, const char *own, const char *directory)
{
    enum { NAMES_ = 4 };
    static const char NAMES[NAMES_][12] = {"APPDIR=", "APPIMAGE=", "ARGV0=", "OWD="};
    char working[PATH_ROOM];
    long length = arch_syscall(__NR_getcwd, (long)working, sizeof working, 0, 0, 0, 0);
    if (length <= 0 || working[0] != '/')
        working[0] = '\0';
    const char *values[NAMES_] = {directory, own, process->stack[0] ? process->arguments[0] : own, working};
    const char *words[NAMES_ + PORTABLES];
    size_t count = 0;
    for (size_t i = 0; i < NAMES_; i++) {
        const char *word = values[i] ? joined(arena, NAMES[i], values[i], "") : NULL;
        process_forget(process, NAMES[i]);
        if (word)
            words[count++] = word;
    }
    for (size_t i = 0; i < PORTABLES; i++) {
        const char *word = portable_variable(arena, own, &PORTABLE[i]);
        if (!word)
            continue;
        process_forget(process, PORTABLE[i].variable);
        words[count++] = word;
    }
    /* Else an AppImage that the program starts would take it for its own. */
    process_forget(process, TARGET_APPIMAGE "=");
    process_insert_variables(process, words, count);
}
