#include "child.h"

#include "commands.h"
#include "lookup.h"

/* The header and every linker's program headers; a kernel reads as much of a script's first line. */
enum { HEAD_ROOM = 2048, MAY_NOT = 06000, X_OK = 1, MAX_HEADERS = 64 };

/* The beginning of a file, which stays open. */
struct head {
    int fd;
    long size;
    char content[HEAD_ROOM];
};

/* The host's programs whose work is to start others: shells, languages (of any version), and those that start what they
   are told. We go with them. The rest is left alone: for the kernel a program that we go with is the loader. */
static const char STARTERS[] = "sh\0bash\0dash\0ash\0ksh\0mksh\0zsh\0perl*\0python*\0ruby*\0lua*\0tclsh*\0node\0"
                               "env\0find\0flock\0git\0make\0gmake\0nice\0nohup\0setsid\0stdbuf\0time\0timeout\0"
                               "xargs\0";

/* Those that read another program's file and map it themselves, so that the kernel never asks for its dynamic linker.
   The program is their first word without a dash. They are told to map the loader, and that the program. */
static const char MAPPERS[] = "valgrind*\0";

static bool is_one_of(const char *names, const char *path)
{
    const char *name = text_file_name(path);
    for (const char *one = names; *one; one += text_length(one) + 1) {
        size_t same = 0;
        while (one[same] && one[same] == name[same])
            same++;
        if ((!one[same] && !name[same]) || one[same] == '*')
            return true;
    }
    return false;
}

static bool is_below(const char *prefixes, const char *path)
{
    for (; *prefixes; prefixes += text_length(prefixes) + 1)
        if (text_starts(path, prefixes))
            return true;
    return false;
}

/* The beginning of a file that the kernel would execute, and with no other rights than ours. */
static bool open_head(const char *path, struct head *head)
{
    struct arch_stat facts;
    if (arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, X_OK, 0, 0, 0) != 0)
        return false;
    head->fd = sys_open(path, SYS_RDONLY | SYS_NONBLOCK);
    if (head->fd < 0)
        return false;
    bool usual =
        sys_fstat(head->fd, &facts) >= 0 && (facts.mode & SYS_S_IFMT) == SYS_S_IFREG && !(facts.mode & MAY_NOT);
    head->size = usual ? sys_read(head->fd, head->content, HEAD_ROOM) : 0;
    if (head->size <= 4)
        sys_close(head->fd);
    return head->size > 4;
}

/* Bytes from anywhere in the file: patchelf puts program headers at the end, Go's linker a program's interpreter behind
   its code. */
static bool read_at(const struct head *head, uint64_t offset, void *to, size_t size)
{
    uint64_t known = (uint64_t)head->size;
    if (offset > known || size > known - offset)
        return sys_pread(head->fd, to, size, offset) == (long)size;
    __builtin_memcpy(to, head->content + offset, size);
    return true;
}

/* The dynamic linker a program names, by the first PT_INTERP, as for the kernel; not of another machine's program. */
static bool read_linker(const struct head *head, char *linker)
{
    Ehdr header;
    Phdr each;
    if (!read_at(head, 0, &header, sizeof header) || __builtin_memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ARCH_CLASS || header.e_machine != ARCH_MACHINE || header.e_phnum > MAX_HEADERS)
        return false;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        if (!read_at(head, (uint64_t)header.e_phoff + i * sizeof each, &each, sizeof each))
            return false;
        if (each.p_type == PT_INTERP)
            return each.p_filesz >= 2 && each.p_filesz <= PATH_ROOM &&
                   read_at(head, each.p_offset, linker, each.p_filesz) && !linker[each.p_filesz - 1];
    }
    return false;
}

/* Foreign, or a program of the host's that starts others. A program that brings its own dynamic linker, at a path
   of its own, is nobody's to mend. */
static bool goes_through(const struct inside_facts *facts, const char *path, const struct head *head)
{
    char linker[PATH_ROOM];
    if (!read_linker(head, linker))
        return false;
    bool there = sys_exists(linker);
    if (there && is_below(facts->host_prefixes, path))
        return is_one_of(STARTERS, path);
    return !there || is_below(facts->host_prefixes, linker);
}

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
}

/* The words of a script's first line, as fs/binfmt_script.c takes them apart: one argument, blanks and all. */
static const char *read_line(struct child *child, const struct head *head)
{
    char *end = child->line;
    for (const char *at = head->content + 2;
         at < head->content + head->size && *at && *at != '\n' && end < child->line + LINE_ROOM - 1; at++)
        *end++ = *at;
    while (end > child->line && is_blank(end[-1]))
        end--;
    *end = '\0';
    char *interpreter = child->line;
    while (is_blank(*interpreter))
        interpreter++;
    char *rest = interpreter;
    while (*rest && !is_blank(*rest))
        rest++;
    if (*rest) {
        *rest++ = '\0';
        while (is_blank(*rest))
            rest++;
        child->argument = rest;
    }
    return interpreter;
}

/* The path to use: of a command that was brought, or is now, where the host has none; else what `place_of` says.
   ldconfig's place comes first: a package's would list the libraries of the host, and not the program's. */
static const char *command_place(const char *path, bool brings, char *room)
{
    if (!command_is_missing(path))
        return place_of(path, room);
    if (text_equal(text_file_name(path), "ldconfig") && place_of(path, room) != path)
        return room;
    const char *brought = command_brought(path, brings, room);
    return brought ? brought : path;
}

/* A command found along PATH, as who maps it finds it. */
static bool find_command(const char *name, char *room)
{
    struct lookup lookup = lookup_begin(name);
    for (const char *path = lookup_next(&lookup); path; path = lookup_next(&lookup))
        if (arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, X_OK, 0, 0, 0) == 0) {
            struct text found = text_in(room, PATH_ROOM);
            text_add(&found, path);
            return !found.cut;
        }
    return false;
}

/* Whether one of MAPPERS is to map a foreign program, and which of its words that is. */
static void look_at_mapped(struct child *child, const struct inside_facts *facts, char *const *words)
{
    struct head head;
    size_t at = 1;
    while (words[0] && words[at] && words[at][0] == '-')
        at++;
    if (!words[0] || !words[at] || !find_command(words[at], child->other) ||
        is_below(facts->host_prefixes, child->other) || !open_head(child->other, &head))
        return;
    child->through = goes_through(facts, child->other, &head) && sys_exists(facts->loader);
    child->file = child->other;
    child->before = at;
    sys_close(head.fd);
}

void child_look_at(struct child *child, const char *path, char *const *words, bool brings)
{
    struct head head;
    const struct inside_facts *facts = known();
    child->through = child->script = false;
    child->before = 0;
    child->argument = NULL;
    child->file = child->path = facts ? command_place(path, brings, child->place) : path;
    if (!facts || !child->path || !open_head(child->path, &head))
        return;
    if (head.content[0] == '#' && head.content[1] == '!') {
        sys_close(head.fd);
        child->script = true;
        child->file = command_place(read_line(child, &head), brings, child->other);
        if (!open_head(child->file, &head))
            return;
    }
    if (words && !child->script && is_one_of(MAPPERS, child->file) && is_below(facts->host_prefixes, child->file)) {
        sys_close(head.fd);
        look_at_mapped(child, facts, words);
        return;
    }
    /* Not from within a root where our loader is not: then the kernel shall say. */
    child->through = goes_through(facts, child->file, &head) && sys_exists(facts->loader);
    sys_close(head.fd);
}

size_t child_count(char *const *words)
{
    size_t count = 0;
    while (words && words[count])
        count++;
    return count;
}

const char *child_start(const struct child *child)
{
    return child->before ? child->path : known()->loader;
}

char *const *child_words(const struct child *child, char *const *words, const char **room)
{
    const char **next = room;
    for (size_t i = 0; i < child->before; i++)
        *next++ = words[i];
    words += child->before;
    *next++ = child->before ? known()->loader : "denizen-loader";
    *next++ = child->before ? "--mapped" : "--as";
    *next++ = child->file;
    if (child->script) {
        *next++ = child->file;
        if (child->argument)
            *next++ = child->argument;
        *next++ = child->path;
    } else {
        *next++ = words && words[0] ? words[0] : child->path;
    }
    for (size_t i = 1; words && words[0] && words[i]; i++)
        *next++ = words[i];
    *next = NULL;
    return (char *const *)(const void *)room;
}

const char **child_take(size_t count)
{
    long at = sys_mmap(0, CHILD_SIZE(count), SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    return sys_failed(at) ? NULL : (const char **)at;
}

void child_give(const char **room, size_t count)
{
    if (room && count >= FEW_WORDS)
        arch_syscall(__NR_munmap, (long)room, (long)CHILD_SIZE(count), 0, 0, 0, 0);
}

long child_execute(const char *path, char *const *words, char *const *environment, bool brings)
{
    struct child child;
    size_t count = child_count(words);
    child_look_at(&child, path, words, brings);
    const char **room = child.through ? CHILD_ROOM(count) : NULL;
    if (room)
        sys_execve(child_start(&child), child_words(&child, words, room), environment);
    child_give(room, count);
    return sys_execve(child.path, words, environment); /* a few words more may have been too many */
}
