#include "kernel_record.h"

/* linux/prctl.h, struct prctl_mm_map, as a 64-bit kernel has it; others refuse it by its size. */
struct mm_map {
    uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv;
    uint32_t auxv_size;
    int32_t exe_fd;
};

/* proc_pid_stat(5). */
enum {
    STAT_START_CODE = 26,
    STAT_END_CODE = 27,
    STAT_START_STACK = 28,
    STAT_START_DATA = 45,
    STAT_END_DATA = 46,
    STAT_START_BRK = 47,
    STAT_ARG_START = 48,
    STAT_ARG_END = 49,
    STAT_ENV_START = 50,
    STAT_ENV_END = 51,
    STAT_FIELDS,
    STAT_ROOM = 1024,
};

/* The numbers in a stat line, by their place; the second field, a name, may hold anything but its last parenthesis. */
static bool read_fields(const char *line, uint64_t fields[STAT_FIELDS])
{
    const char *at = NULL;
    for (const char *each = line; *each; each++)
        if (*each == ')')
            at = each + 1;
    int number = 2;
    for (; at && *at; at++) {
        if (*at == ' ' && number == STAT_ENV_END)
            break;
        if (*at == ' ')
            fields[++number] = 0;
        else if (*at >= '0' && *at <= '9' && number > 2)
            fields[number] = fields[number] * 10 + (uint64_t)(*at - '0');
    }
    return number == STAT_ENV_END;
}

static bool read_own_stat(uint64_t fields[STAT_FIELDS])
{
    char line[STAT_ROOM];
    int file = sys_open("/proc/self/stat", SYS_RDONLY);
    if (file < 0)
        return false;
    long size = sys_read(file, line, sizeof line - 1);
    sys_close(file);
    line[size > 0 ? size : 0] = '\0';
    return read_fields(line, fields);
}

void kernel_tell(const struct process *process)
{
    uint64_t fields[STAT_FIELDS];
    if (!read_own_stat(fields))
        return;
    struct mm_map map = {
        .start_code = fields[STAT_START_CODE],
        .end_code = fields[STAT_END_CODE],
        .start_data = fields[STAT_START_DATA],
        .end_data = fields[STAT_END_DATA],
        .start_brk = fields[STAT_START_BRK],
        .brk = fields[STAT_START_BRK], /* nobody has asked for more yet */
        .start_stack = fields[STAT_START_STACK],
        .arg_start = fields[STAT_ARG_START],
        .arg_end = fields[STAT_ARG_END],
        .env_start = fields[STAT_ENV_START],
        .env_end = fields[STAT_ENV_END],
        .auxv = (uintptr_t)process->auxv,
        .auxv_size = (uint32_t)((uintptr_t)process_auxv_end(process) - (uintptr_t)process->auxv),
        .exe_fd = -1,
    };
    uintptr_t name = process->stack[0] ? (uintptr_t)process->arguments[0] : 0;
    if (name > map.arg_start && name < map.arg_end)
        map.arg_start = name;
    sys_set_memory_map(&map, sizeof map);
}
