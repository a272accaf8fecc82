#include "failure_note.h"

#include "failure_signals.h"
#include "sys.h"
#include "text.h"

enum { MAX_LINES = 4, LINE_ROOM = 1000, STANDARD_ERROR = 2 };
/* Bytes of a line that stand for what only the process knows (src/denizen/launch/kept_out.py). */
enum { PROGRAM_HERE = 1, NAME_HERE = 2 };

/* Shared with children: who misses a command is often one that was forked to execute it. */
static struct note {
    unsigned count;
    struct line {
        char text[LINE_ROOM];
        size_t length;
        int when;
    } lines[MAX_LINES];
} *note;
static long process;

/* In the process that began and in none that it forked, nor in a child of vfork, which has its memory. */
void failure_note_tell(int status)
{
    if (!note || !note->count || !status || arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0) != process)
        return;
    for (unsigned i = 0; i < note->count && i < MAX_LINES; i++)
        if (note->lines[i].when == FAILURE_ANY || note->lines[i].when == status)
            sys_write(STANDARD_ERROR, note->lines[i].text, note->lines[i].length);
    note->count = 0;
}

/* exit(3) calls it. */
static void tell_at_exit(int status, void *unused)
{
    (void)unused;
    failure_note_tell(status);
}

bool failure_note_begin(on_exit_function *register_at_exit)
{
    static bool tried;
    if (tried || !register_at_exit)
        return note != NULL;
    tried = true;
    long at = sys_mmap(0, sizeof *note, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_SHARED | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at))
        return false;
    note = (struct note *)at;
    process = arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0);
    register_at_exit(tell_at_exit, NULL);
    return true;
}

static bool is_known(const char *line, size_t length)
{
    for (unsigned i = 0; i < note->count && i < MAX_LINES; i++)
        if (note->lines[i].length == length && __builtin_memcmp(note->lines[i].text, line, length) == 0)
            return true;
    return false;
}

void failure_note_add(const char *line, size_t length, int when)
{
    if (!note || note->count >= MAX_LINES || length > LINE_ROOM || is_known(line, length))
        return;
    unsigned index = note->count;
    __builtin_memcpy(note->lines[index].text, line, length);
    note->lines[index].length = length;
    note->lines[index].when = when;
    note->count = index + 1;
    /* A child that is about to execute something has dispositions of its own. */
    if (index == 0 && arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0) == process)
        failure_signals_watch(failure_note_tell);
}

void failure_note_add_file(const char *path, const char *program, const char *name, int when)
{
    char template[LINE_ROOM], room[LINE_ROOM];
    struct text line = text_in(room, sizeof room);
    int fd = sys_open(path, SYS_RDONLY);
    if (fd < 0)
        return;
    long length = sys_read(fd, template, sizeof template);
    sys_close(fd);
    for (long i = 0; i < length; i++)
        if (template[i] == PROGRAM_HERE)
            text_add_word(&line, program);
        else if (template[i] == NAME_HERE)
            text_add_word(&line, name);
        else
            text_add_bytes(&line, template + i, 1);
    if (line.length && !line.cut)
        failure_note_add(room, line.length, when);
}
