#include "emulated_process.h"

#include "../inside/command_looker.h"

enum { ENVIRONMENT_ROOM = 64 * 1024 };

struct text emulated_process_file(char *room, size_t size, uint32_t process, const char *name)
{
    struct text path = text_in(room, size);
    text_add(&path, "/proc/");
    text_add_decimal(&path, process);
    text_add(&path, "/");
    text_add(&path, name);
    return path;
}

bool emulated_process_is(uint32_t process)
{
    char link[40], file[PATH_ROOM];
    emulated_process_file(link, sizeof link, process, "exe");
    long length = sys_readlink(link, file, sizeof file - 1);
    file[length > 0 ? length : 0] = '\0';
    return text_starts(text_file_name(file), "qemu-");
}

/* qemu-ARCHITECTURE -L SYSROOT -- PROGRAM (launch/strategies/emulated.py). */
bool emulated_process_sysroot(uint32_t process, struct text *room)
{
    char file[40];
    struct arguments arguments;
    emulated_process_file(file, sizeof file, process, "cmdline");
    arguments_read(&arguments, file);
    const char *option = arguments_next(arguments.first);
    if (!text_equal(option, "-L"))
        return false;
    text_add(room, arguments_next(option));
    return true;
}

static size_t read_environment(uint32_t process, char *room)
{
    char path[40];
    size_t length = 0;
    emulated_process_file(path, sizeof path, process, "environ");
    int fd = sys_open(path, SYS_RDONLY);
    long got = fd < 0 ? 0 : 1;
    while (got > 0 && length < ENVIRONMENT_ROOM - 2) {
        got = sys_read(fd, room + length, ENVIRONMENT_ROOM - 2 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        sys_close(fd);
    room[length] = room[length + 1] = '\0';
    return length;
}

void emulated_process_search_path(uint32_t process, struct search_path *path)
{
    char environment[ENVIRONMENT_ROOM];
    static const char NAME[] = "PATH=";
    size_t length = read_environment(process, environment), at = 0, to = 0;
    while (at < length && !text_starts(environment + at, NAME))
        at += text_length(environment + at) + 1;
    if (at < length)
        for (at += sizeof NAME - 1; environment[at] && to < PATH_ROOM - 2; at++)
            /* An element that is no absolute path is none of those of packages. */
            if (environment[at] != ':' || (to && path->elements[to - 1]))
                path->elements[to++] = environment[at] == ':' ? '\0' : environment[at];
    path->elements[to] = path->elements[to + 1 < PATH_ROOM ? to + 1 : to] = '\0';
}

const char *search_path_next(const char *element)
{
    return *element ? element + text_length(element) + 1 : element;
}
