#include "command_misses.h"

#include "../command_names.h"

static bool is_executable(const char *path)
{
    enum { EXECUTE = 1 };
    return arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, EXECUTE, 0, 0, 0) == 0;
}

static bool join(char *room, const char *directory, const char *name)
{
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, directory);
    text_add(&path, "/");
    text_add(&path, name);
    return !path.cut;
}

/* Whether a search for the name goes on to a file that is there. */
static bool is_elsewhere(const struct search_path *along, const char *name)
{
    char room[PATH_ROOM];
    for (const char *one = along->elements; *one; one = search_path_next(one))
        if (join(room, one, name) && is_executable(room))
            return true;
    return false;
}

/* Number the element of PATH that a path is in, from 0; -1 for none. */
static long element_of(const struct search_path *along, const char *path)
{
    size_t length = (size_t)(text_file_name(path) - path) - 1;
    long number = 0;
    for (const char *one = along->elements; *one; one = search_path_next(one), number++)
        if (text_length(one) == length && text_starts(path, one))
            return number;
    return -1;
}

/* Of a script's first line the interpreter (execve(2)); false for any other file. */
static bool read_interpreter(const char *path, char *room)
{
    enum { FIRST_LINE = 256 };
    char line[FIRST_LINE + 1];
    int fd = sys_open(path, SYS_RDONLY | SYS_CLOEXEC);
    long length = fd < 0 ? 0 : sys_read(fd, line, FIRST_LINE);
    if (fd >= 0)
        sys_close(fd);
    line[length > 0 ? length : 0] = '\0';
    if (!text_starts(line, "#!"))
        return false;
    const char *at = line + 2;
    while (*at == ' ' || *at == '\t')
        at++;
    size_t end = 0;
    while (at[end] && at[end] != ' ' && at[end] != '\t' && at[end] != '\n')
        end++;
    struct text kept = text_in(room, PATH_ROOM);
    text_add_bytes(&kept, at, end);
    return !kept.cut;
}

static bool is_missing(const char *path)
{
    return command_name_in(path) &&
           arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, 0, 0, 0, 0) == -SYS_ENOENT;
}

bool command_misses_executed(uint32_t process, const char *path, char *room)
{
    struct search_path along;
    if (path[0] != '/' || !emulated_process_is(process))
        return false;
    if (sys_exists(path))
        return read_interpreter(path, room) && is_missing(room);
    if (!is_missing(path))
        return false;
    emulated_process_search_path(process, &along);
    struct text kept = text_in(room, PATH_ROOM);
    text_add(&kept, path);
    return element_of(&along, path) < 0 || !is_elsewhere(&along, text_file_name(path));
}

/* FNV-1a. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    return hash;
}

static struct search *search_of(struct searches *searches, uint32_t process)
{
    for (size_t i = 0; i < SEARCHES; i++)
        if (searches->last[i].process == process)
            return &searches->last[i];
    struct search *one = &searches->last[searches->next++ % SEARCHES];
    *one = (struct search){.process = process};
    return one;
}

/* Directories of commands are called so; where PATH has others a look at them is not waited for. */
static bool is_of_commands(const char *directory)
{
    size_t length = text_length(directory);
    return length >= 3 && text_equal(directory + length - 3, "bin");
}

bool command_misses_looked_for(struct searches *searches, uint32_t process, const char *path)
{
    char directory[PATH_ROOM];
    struct search_path along;
    const char *name = text_file_name(path);
    struct text before = text_in(directory, sizeof directory);
    text_add_bytes(&before, path, (size_t)(name - path) - (name > path));
    if (!command_name_is_plain(name) || !is_of_commands(directory))
        return false;
    struct search *search = search_of(searches, process);
    if (search->name != hash_of(name))
        *search = (struct search){process, hash_of(name), 0};
    emulated_process_search_path(process, &along);
    long here = element_of(&along, path);
    if (here < 0 || here >= 64)
        return false;
    search->tried |= (uint64_t)1 << here;
    uint64_t wanted = 0, bit = 1;
    bool ours = false;
    for (const char *one = along.elements; *one && bit; one = search_path_next(one), bit <<= 1) {
        char place[PATH_ROOM];
        if (is_of_commands(one))
            wanted |= bit;
        ours = join(place, one, name) && command_name_in(place) ? true : ours;
    }
    return ours && (search->tried & wanted) == wanted && !is_elsewhere(&along, name);
}

enum looker command_misses_looker(uint32_t process, const char *program, const char *name)
{
    char file[40];
    struct arguments arguments;
    emulated_process_file(file, sizeof file, process, "cmdline");
    arguments_read(&arguments, file);
    arguments_leave_emulator(&arguments);
    return looker_of(&arguments, program, name);
}
