#include "child.h"

#include "../starters.h"
#include "missing_command.h"
#include "search_path.h"

/* The header and every linker's program headers; a kernel reads as much of a script's first line. */
enum { HEAD_ROOM = 2048, MAY_NOT = 06000, X_OK = 1, MAX_HEADERS = 64 };

/* The beginning of a file, which stays open. */
struct head {
    int fd;
    long size;
    char content[HEAD_ROOM];
};

/* Programs that read another one's file and map it themselves, so that the kernel never asks for its dynamic linker.
   The program is their first word without a dash. They are told to map the loader, and that the program. */
static const char MAPPERS[] = "valgrind*\0";

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

/* Where an ELF header and a program header have what is read here, by the class of a file; little-endian. */
static const struct layout {
    unsigned char phoff, phnum, phdr_size, offset, filesz, width;
} LAYOUTS[] = {{28, 44, 32, 4, 16, 4}, {32, 56, 56, 8, 32, 8}};
enum { LITTLE = 1, MACHINE = 18, HEADER_ROOM = 64, HALF = 2 };

static uint64_t number_at(const unsigned char *at, size_t size)
{
    uint64_t number = 0;
    __builtin_memcpy(&number, at, size);
    return number;
}

/* The dynamic linker a program names, by the first PT_INTERP, as for the kernel; "" for a static program. */
static bool read_linker(const struct head *head, const struct layout *layout, const unsigned char *header, char *linker)
{
    unsigned char each[HEADER_ROOM];
    uint64_t start = number_at(header + layout->phoff, layout->width), count = number_at(header + layout->phnum, HALF);
    linker[0] = '\0';
    if (!count || count > MAX_HEADERS)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!read_at(head, start + i * layout->phdr_size, each, layout->phdr_size))
            return false;
        if (number_at(each, sizeof(uint32_t)) == PT_INTERP) {
            uint64_t size = number_at(each + layout->filesz, layout->width);
            return size >= 2 && size <= PATH_ROOM &&
                   read_at(head, number_at(each + layout->offset, layout->width), linker, (size_t)size) &&
                   linker[0] && !linker[size - 1];
        }
    }
    return true;
}

/* Our loader for a file's word size and machine; null for another machine's, which this kernel does not start. */
static const char *loader_for(const struct inside_facts *facts, const unsigned char *header)
{
    uint64_t machine = number_at(header + MACHINE, HALF);
    if (__builtin_memcmp(header, ELFMAG, SELFMAG) != 0 || header[EI_CLASS + 1] != LITTLE)
        return NULL;
    if (header[EI_CLASS] == ARCH_CLASS && machine == ARCH_MACHINE)
        return facts->loader;
    return header[EI_CLASS] == ARCH_OTHER_CLASS && machine == ARCH_OTHER_MACHINE ? facts->other_loader : NULL;
}

/* Whether the program starts itself again (Python's sys.executable). */
static bool is_program(const struct inside_facts *facts, const struct head *head)
{
    struct arch_stat own, facts_of_child;
    return sys_stat(facts->program, &own) >= 0 && sys_fstat(head->fd, &facts_of_child) >= 0 &&
           own.device == facts_of_child.device && own.inode == facts_of_child.inode;
}

/* Whether a static program may look for files that packages have: one of the host's finds the host's. */
static bool may_miss_files(const struct inside_facts *facts, const char *path)
{
    return facts->words && !facts->kernel_first && !is_below(facts->host_prefixes, path);
}

/* What starts a program that is foreign, or is one of the host's that starts others; null where that is the kernel. A
   program that brings its own dynamic linker, at a path of its own, is nobody's to mend, but for the one that we are
   in: it is started as it was. */
static const char *loader_of(struct child *child, const struct inside_facts *facts, const struct head *head)
{
    const char *path = child->file;
    char linker[PATH_ROOM];
    unsigned char header[HEADER_ROOM];
    const char *loader = read_at(head, 0, header, HEADER_ROOM) ? loader_for(facts, header) : NULL;
    /* Not from within a root where our loader is not: then the kernel shall say. */
    if (!loader || !read_linker(head, &LAYOUTS[header[EI_CLASS] - 1], header, linker) || !sys_exists(loader))
        return NULL;
    child->alone = !linker[0];
    if (child->alone)
        return may_miss_files(facts, path) ? loader : NULL;
    bool there = sys_exists(linker), through = !there;
    if (there && !facts->kernel_first)
        through = is_below(facts->host_prefixes, path)
                      ? starters_have(path)
                      : is_below(facts->host_prefixes, linker) || is_program(facts, head);
    return through ? loader : NULL;
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

/* ldconfig's place is in the tree of files: a package's would list the libraries of the host, and not the program's. */
static bool is_listing(const char *path)
{
    return text_equal(text_file_name(path), "ldconfig");
}

/* Whether a file of the tree is a loader in the place of a command (launch/loader/configured_tools.py, stand_in), which
   lies in a directory beside ours. Without /proc it is taken for one. */
static bool is_stand_in(const char *place)
{
    enum { O_PATH_ = 010000000 };
    char link[32], real[PATH_ROOM];
    int fd = sys_open(place, O_PATH_);
    struct text own = text_in(link, sizeof link);
    text_add(&own, "/proc/self/fd/");
    text_add_decimal(&own, (uint32_t)fd);
    long length = fd < 0 ? -1 : sys_readlink(link, real, sizeof real - 1);
    if (fd >= 0)
        sys_close(fd);
    if (length < 0)
        return true;
    real[length] = '\0';
    const char *loader = loader_facts()->loader;
    size_t directory = (size_t)(text_file_name(loader) - loader);
    return __builtin_memcmp(real, loader, directory) == 0 && text_starts(real + directory, "commands");
}

/* The path to use of a command: of the packages around the program, where there are any; of one that was brought, or is
   now, where the host has none (`brings`); else what `redirected` says. */
static const char *command_place(const char *path, bool brings, char *room)
{
    if (!command_is_missing(path))
        return loader_facts()->kernel_first ? path : redirected(path, room);
    if (redirected(path, room) != path && (is_listing(path) || !is_stand_in(room)))
        return room;
    const char *brought = brings ? command_brought(path, room) : NULL;
    /* A name that only a link of the tree has (cc), which no package can be asked for. */
    return brought ? brought : redirected(path, room);
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
    child->file = child->other;
    child->loader = loader_of(child, facts, &head);
    child->through = child->loader != NULL;
    child->before = at;
    sys_close(head.fd);
}

/* A command that was brought to `place`, a script's interpreter too, has a decision of its own, which may lead into an
   environment: its loader finds that. */
static bool is_brought(struct child *child, const char *path, const char *place)
{
    const struct inside_facts *facts = loader_facts();
    if (place == path || !command_is_missing(path) || is_listing(path) || !sys_exists(facts->loader))
        return false;
    if (facts->resources && text_starts(place, facts->resources) && !is_stand_in(place))
        return false;
    child->command = path;
    child->loader = facts->loader;
    return child->through = true;
}

void child_look_at(struct child *child, const char *path, char *const *words, bool brings)
{
    struct head head;
    const struct inside_facts *facts = loader_facts();
    child->through = child->script = child->alone = false;
    child->before = 0;
    child->argument = child->command = child->loader = NULL;
    child->file = child->path = facts ? command_place(path, brings, child->place) : path;
    if (!facts || !child->path || is_brought(child, path, child->path) || !open_head(child->path, &head))
        return;
    if (head.content[0] == '#' && head.content[1] == '!') {
        sys_close(head.fd);
        child->script = true;
        const char *interpreter = read_line(child, &head);
        child->file = command_place(interpreter, true, child->other);
        if (is_brought(child, interpreter, child->file) || !open_head(child->file, &head))
            return;
    }
    bool maps = words && !child->script && !facts->kernel_first && names_have(MAPPERS, child->file);
    if (maps && is_below(facts->host_prefixes, child->file)) {
        sys_close(head.fd);
        look_at_mapped(child, facts, words);
        return;
    }
    child->loader = loader_of(child, facts, &head);
    child->through = child->loader != NULL;
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
    return child->before ? child->path : child->loader;
}

char *const *child_words(const struct child *child, char *const *words, const char **room)
{
    const char **next = room;
    for (size_t i = 0; i < child->before; i++)
        *next++ = words[i];
    words += child->before;
    *next++ = child->before ? child->loader : "denizen-loader";
    *next++ = child->before ? "--mapped" : child->command ? "--command" : child->alone ? "--alone" : "--as";
    *next++ = child->command ? child->command : child->file;
    if (child->script) {
        *next++ = child->command ? child->command : child->file;
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
    long problem = loader_facts() && loader_facts()->kernel_first ? sys_execve(path, words, environment) : -SYS_ENOENT;
    if (problem != -SYS_ENOENT)
        return problem;
    child_look_at(&child, path, words, brings);
    const char **room = child.through ? CHILD_ROOM(count) : NULL;
    if (room)
        sys_execve(child_start(&child), child_words(&child, words, room), environment);
    child_give(room, count);
    return sys_execve(child.path, words, environment); /* a few words more may have been too many */
}
