#include "command_places.h"

#include "emulated_process.h"
#include "made_names.h"
#include "mounts.h"

/* sched.h, fcntl.h, sys/file.h. */
enum { CLONE_NEWNS = 0x20000, LOCK_EX = 2 };
enum { MOUNTS_ROOM = 512 * 1024 };

void command_places_enter(uint32_t process)
{
    char path[40];
    emulated_process_file(path, sizeof path, process, "ns/mnt");
    int fd = sys_open(path, SYS_RDONLY | SYS_CLOEXEC);
    if (fd < 0)
        return;
    arch_syscall(__NR_setns, fd, CLONE_NEWNS, 0, 0, 0, 0);
    sys_close(fd);
}

static long read_whole(const char *path, char *room, size_t size)
{
    size_t length = 0;
    int fd = sys_open(path, SYS_RDONLY | SYS_CLOEXEC);
    long got = fd < 0 ? -1 : 1;
    while (got > 0 && length < size - 1) {
        got = sys_read(fd, room + length, size - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        sys_close(fd);
    room[length] = '\0';
    return got;
}

static const char *find(const char *text, const char *wanted)
{
    while (*text && *text != '\n' && !text_starts(text, wanted))
        text++;
    return text_starts(text, wanted) ? text : NULL;
}

static const char *next_line(const char *text)
{
    while (*text && *text != '\n')
        text++;
    return *text ? text + 1 : text;
}

/* The number of the mount that an open file is of, with a blank before and behind it (proc_pid_fdinfo(5)). */
static bool read_mount(int fd, char *room, size_t size)
{
    char path[40], facts[256];
    struct text text = text_in(path, sizeof path);
    text_add(&text, "/proc/self/fdinfo/");
    text_add_decimal(&text, (uint32_t)fd);
    if (read_whole(path, facts, sizeof facts) < 0)
        return false;
    const char *one = facts;
    while (*one && !text_starts(one, "mnt_id:"))
        one = next_line(one);
    if (!*one)
        return false;
    for (one += sizeof "mnt_id:" - 1; *one == ' ' || *one == '\t';)
        one++;
    struct text number = text_in(room, size);
    for (; *one >= '0' && *one <= '9'; one++)
        text_add_bytes(&number, one, 1);
    text_add(&number, " ");
    return !number.cut;
}

/* Whether an open directory is of a file system that mounts_make_tmpfs made. */
static bool is_mirrored(int fd)
{
    char number[24];
    if (!read_mount(fd, number, sizeof number))
        return false;
    long at = sys_mmap(0, MOUNTS_ROOM, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at))
        return false;
    bool found = false;
    if (read_whole("/proc/self/mountinfo", (char *)at, MOUNTS_ROOM) == 0)
        for (const char *line = (const char *)at; *line && !found; line = next_line(line))
            found = text_starts(line, number) && find(line, " - tmpfs denizen ");
    arch_syscall(__NR_munmap, at, MOUNTS_ROOM, 0, 0, 0, 0);
    return found;
}

/* Write where an open directory is, without links. */
static bool real_path(int fd, char *room)
{
    char path[40];
    struct text text = text_in(path, sizeof path);
    text_add(&text, "/proc/self/fd/");
    text_add_decimal(&text, (uint32_t)fd);
    long length = sys_readlink(path, room, PATH_ROOM - 1);
    room[length > 0 ? length : 0] = '\0';
    return room[0] == '/';
}

static int open_directory(const char *path)
{
    return sys_open(path, SYS_PATH | SYS_DIRECTORY | SYS_CLOEXEC);
}

/* Make a mirror of a directory unless it is in one. The root's would take the working directories of who runs: it is made
   before the program starts (launch/strategies/emulated_children.py). */
static bool can_be_written(const struct command_places *places, const char *directory)
{
    char real[PATH_ROOM];
    const char *call;
    int fd = open_directory(directory);
    if (fd < 0)
        return false;
    bool is_ready = is_mirrored(fd);
    bool is_known = real_path(fd, real);
    sys_close(fd);
    return is_ready || (is_known && !text_equal(real, "/") && !sys_failed(mounts_mirror(real, places->stage, &call)));
}

/* The end of the nearest directory above that is there. */
static size_t existing_length(const char *path)
{
    char room[PATH_ROOM];
    size_t length = (size_t)(text_file_name(path) - path) - 1;
    for (;; length--) {
        struct text directory = text_in(room, sizeof room);
        text_add_bytes(&directory, path, length);
        if (!length || sys_exists(room))
            return length;
        while (length > 1 && path[length - 1] != '/')
            length--;
    }
}

static void make_link(const struct command_places *places, const char *path, size_t existing)
{
    char room[PATH_ROOM];
    for (size_t at = existing + 1; path[at]; at++)
        if (path[at] == '/') {
            struct text directory = text_in(room, sizeof room);
            text_add_bytes(&directory, path, at);
            file_make_directory(room);
        }
    /* By the loader's own name it knows which command is wanted (launch/loader/configured_tools.py, stand_in). */
    struct text loader = text_in(room, sizeof room);
    text_add_bytes(&loader, places->stand_in, (size_t)(text_file_name(places->stand_in) - places->stand_in));
    text_add(&loader, text_file_name(path));
    if (!sys_exists(room))
        arch_syscall(__NR_linkat, SYS_AT_CWD, (long)places->stand_in, SYS_AT_CWD, (long)room, 0, 0);
    if (!loader.cut && sys_exists(room))
        file_make_link(room, path);
}

void command_places_show(const struct command_places *places, const char *path)
{
    char room[PATH_ROOM];
    /* One at a time: two mirrors of one directory would hide what the first was given. */
    int turn = sys_open(places->stage, SYS_RDONLY | SYS_DIRECTORY | SYS_CLOEXEC);
    if (turn < 0)
        return;
    while (arch_syscall(__NR_flock, turn, LOCK_EX, 0, 0, 0, 0) == -SYS_EINTR)
        continue;
    size_t length = existing_length(path);
    struct text directory = text_in(room, sizeof room);
    text_add_bytes(&directory, length ? path : "/", length ? length : 1);
    if (!sys_exists(path) && can_be_written(places, room))
        make_link(places, path, length);
    sys_close(turn);
}
