#include "failure_note.h"

#include "../symbols.h"

/* Below the directory of links: for each name that policy kept out the line to be told (app/missing_library.py). */
static const char *const KEPT_OUT = ".kept-out/";
enum { MAX_LINES = 4, LINE_ROOM = 1024, STANDARD_ERROR = 2 };

typedef int on_exit_function(void (*)(int, void *), void *);

static const struct link_map *c_library;
static struct line {
    char text[LINE_ROOM];
    size_t length;
} *lines;
static unsigned count;
static long process;

void failure_note_know(const struct link_map *object)
{
    if (object->name && text_equal(text_file_name(object->name), "libc.so.6"))
        c_library = object;
}

/* exit(3) calls it, in the process that missed and in none that it forked. */
static void tell_at_exit(int status, void *unused)
{
    (void)unused;
    if (!status || arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0) != process)
        return;
    for (unsigned i = 0; i < count; i++)
        sys_write(STANDARD_ERROR, lines[i].text, lines[i].length);
}

/* In the program's own C library, once. on_exit(3) is glibc's, as is auditing. */
static bool is_registered(void)
{
    static bool tried;
    if (lines)
        return true;
    uintptr_t address = c_library && !tried ? symbols_find(c_library->bias, c_library->dynamic, "on_exit") : 0;
    tried = true;
    long at = address ? sys_mmap(0, MAX_LINES * sizeof *lines, SYS_PROT_READ | SYS_PROT_WRITE,
                                 SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0)
                      : -1;
    if (sys_failed(at))
        return false;
    lines = (struct line *)at;
    process = arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0);
    ((on_exit_function *)address)(tell_at_exit, NULL);
    return true;
}

static bool is_known(const struct line *line)
{
    for (unsigned i = 0; i < count; i++)
        if (lines[i].length == line->length && __builtin_memcmp(lines[i].text, line->text, line->length) == 0)
            return true;
    return false;
}

void regret(const struct resident_facts *facts, const char *name)
{
    char room[PATH_ROOM];
    struct line line;
    struct text path = text_in(room, sizeof room);
    text_add(&path, facts->opened);
    text_add(&path, KEPT_OUT);
    text_add(&path, name);
    int fd = path.cut ? -1 : sys_open(room, SYS_RDONLY);
    if (fd < 0)
        return;
    long length = sys_read(fd, line.text, sizeof line.text);
    sys_close(fd);
    line.length = length > 0 ? (size_t)length : 0;
    if (line.length && line.text[line.length - 1] == '\n' && is_registered() && count < MAX_LINES && !is_known(&line))
        lines[count++] = line;
}
