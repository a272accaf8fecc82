#include "told_path.h"

#include "loader_facts.h"

/* Beside all decisions, whatever their options: what runs in an environment has others than who started it
   (src/denizen/launch/fast_path.py, VARIANTS). */
static const char COMMANDS[] = "/commands", VARIANTS[] = "/with/", TOLD[] = "/commands/.told";
enum { STAT_ROOM = 512, MAX_ANCESTORS = 32, MAX_TOLD = 256, PARENT = 1, GROUP = 2, STARTED = 19, NAME_MAX = 255, WRITE = 01, CREATE = 0100,
       TRUNCATE = 01000, APPEND = 02000, PRIVATE = 0600, PRIVATE_DIRECTORY = 0700 };

/* A process that was told: its number alone is some other one's some day. */
struct listener {
    uint64_t number;
    uint64_t started;
};

/* A record holds the processes that were told of one path, no more than fit; then it begins anew. */
struct told {
    struct listener listeners[MAX_TOLD];
    size_t count;
};

struct process {
    struct listener own;
    uint64_t parent;
    uint64_t group;
};

static uint64_t number_in(const char *digits)
{
    uint64_t number = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        number = number * 10 + (uint64_t)(*digits - '0');
    return number;
}

/* The start of a field of /proc/PID/stat behind the name, which may hold blanks and brackets (proc_pid_stat(5)). */
static const char *field_of(const char *stat, size_t length, int field)
{
    while (length && stat[length - 1] != ')')
        length--;
    stat += length;
    for (; *stat && field >= 0; stat++)
        field -= *stat == ' ';
    return stat;
}

static bool read_process(uint64_t number, struct process *process)
{
    char stat[STAT_ROOM];
    struct text path = text_in(stat, sizeof stat);
    text_add(&path, "/proc/");
    text_add_decimal(&path, (uint32_t)number);
    text_add(&path, "/stat");
    int file = sys_open(stat, SYS_RDONLY);
    long length = file < 0 ? 0 : sys_read(file, stat, sizeof stat - 1);
    if (file >= 0)
        sys_close(file);
    if (length <= 0)
        return false;
    stat[length] = '\0';
    *process = (struct process){
        .own = {number, number_in(field_of(stat, (size_t)length, STARTED))},
        .parent = number_in(field_of(stat, (size_t)length, PARENT)),
        .group = number_in(field_of(stat, (size_t)length, GROUP)),
    };
    return process->own.started != 0;
}

static struct text record_directory(char *room)
{
    struct text path = text_in(room, PATH_ROOM);
    const char *commands = loader_facts()->commands;
    size_t length = text_length(commands) - (sizeof COMMANDS - 1);
    for (size_t at = length; at-- > sizeof VARIANTS;)
        if (commands[at] == '/') {
            size_t before = at - (sizeof VARIANTS - 2);
            length = text_starts(commands + before, VARIANTS) ? before : length;
            break;
        }
    text_add_bytes(&path, commands, length);
    text_add(&path, TOLD);
    return path;
}

/* The name of a record is the path, with = for each /. */
static bool record_name(const char *path, char *room)
{
    struct text name = record_directory(room);
    text_add(&name, "/");
    if (text_length(path) > NAME_MAX)
        return false;
    for (; *path; path++)
        text_add_bytes(&name, *path == '/' ? "=" : path, 1);
    return !name.cut;
}

static void read_record(const char *record, struct told *told)
{
    int file = sys_open(record, SYS_RDONLY);
    long length = file < 0 ? 0 : sys_read(file, told->listeners, sizeof told->listeners);
    if (file >= 0)
        sys_close(file);
    told->count = length > 0 ? (size_t)length / sizeof *told->listeners : 0;
}

static bool has(const struct told *told, struct listener one)
{
    for (size_t i = 0; i < told->count; i++)
        if (told->listeners[i].number == one.number && told->listeners[i].started == one.started)
            return true;
    return false;
}

static uint64_t own_number(void)
{
    return (uint64_t)arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0);
}

static int open_to_add(const char *record, bool anew)
{
    char directory[PATH_ROOM];
    struct text whole = record_directory(directory);
    directory[whole.length - (sizeof "/.told" - 1)] = '\0';
    arch_syscall(__NR_mkdirat, SYS_AT_CWD, (long)directory, PRIVATE_DIRECTORY, 0, 0, 0);
    (void)record_directory(directory);
    arch_syscall(__NR_mkdirat, SYS_AT_CWD, (long)directory, PRIVATE_DIRECTORY, 0, 0, 0);
    int flags = WRITE | CREATE | APPEND | SYS_NOFOLLOW | SYS_CLOEXEC | (anew ? TRUNCATE : 0);
    return (int)arch_syscall(__NR_openat, SYS_AT_CWD, (long)record, flags, PRIVATE, 0, 0);
}

void told_path_record(const char *path)
{
    char record[PATH_ROOM];
    struct told told, more = {.count = 0};
    struct process process = {.parent = own_number()};
    if (!record_name(path, record))
        return;
    read_record(record, &told);
    /* Those above a process that is known were recorded with it. */
    for (; process.parent > 1 && more.count < MAX_ANCESTORS; more.count++) {
        if (!read_process(process.parent, &process) || has(&told, process.own))
            break;
        more.listeners[more.count] = process.own;
    }
    int file = more.count ? open_to_add(record, told.count + more.count > MAX_TOLD) : -1;
    if (file < 0)
        return;
    sys_write(file, more.listeners, more.count * sizeof *more.listeners); /* what is not written is not believed later */
    sys_close(file);
}

/* The job is as far as one above this process stands for the same program: a shell at a terminal, who started that and
   others, is in a group of its own. */
bool told_path_holds(const char *path)
{
    char record[PATH_ROOM];
    struct told told;
    struct process process = {.parent = own_number()};
    if (!record_name(path, record) || !sys_exists(record))
        return false;
    read_record(record, &told);
    uint64_t group = 0;
    for (size_t i = 0; i < MAX_ANCESTORS && process.parent > 1 && read_process(process.parent, &process); i++) {
        group = i ? group : process.group;
        if (process.group != group)
            return false;
        if (has(&told, process.own))
            return true;
    }
    return false;
}
