#include "python_environment.h"

#include "../sys.h"
#include "../text.h"

static const char VARIABLE[] = "LD_LIBRARY_PATH=", WHOLE[] = "DENIZEN_LIBRARY_PATH=";

static bool is_hosts(const char *path)
{
    return text_starts(path, "/usr/") || text_starts(path, "/lib/") || text_starts(path, "/lib64/");
}

/* Whether the Python is the host's: the file that a virtual environment's leads to. */
static bool is_hosts_python(const char *python)
{
    char real[PATH_ROOM], name[32];
    struct text text = text_in(name, sizeof name);
    int file = sys_open(python, SYS_PATH | SYS_CLOEXEC);
    if (file < 0)
        return false;
    text_add(&text, "/proc/self/fd/");
    text_add_decimal(&text, (uint32_t)file);
    long length = sys_readlink(name, real, sizeof real - 1);
    sys_close(file);
    real[sys_failed(length) ? 0 : length] = '\0';
    return is_hosts(real);
}

/* Whether a C library lies in the directory: that is the root of another system. */
static bool has_c_library(const char *directory, size_t length)
{
    char path[PATH_ROOM];
    struct text text = text_in(path, sizeof path);
    text_add_bytes(&text, directory, length);
    text_add(&text, "/libc.so.6");
    return !text.cut && sys_exists(path);
}

/* Add the elements that fit the Python. Both separators are ld.so's (ld.so(8)). */
static void add_fitting(struct text *text, const char *list, bool hosts_python)
{
    for (const char *end = list; *list; list = *end ? end + 1 : end) {
        for (end = list; *end && *end != ':' && *end != ';';)
            end++;
        size_t length = (size_t)(end - list);
        if (!is_hosts(list) && (hosts_python || has_c_library(list, length)))
            continue;
        if (text->data[text->length - 1] != '=')
            text_add(text, ":");
        text_add_bytes(text, list, length);
    }
}

/* Write what replaces one setting of the variable: the whole, and the part that fits unless it is empty. */
static char **replaced(char **to, const char *setting, char *room, bool hosts_python)
{
    const char *list = setting + sizeof VARIABLE - 1;
    size_t length = text_length(list);
    struct text whole = text_in(room, sizeof WHOLE + length);
    struct text part = text_in(room + sizeof WHOLE + length, sizeof VARIABLE + length);
    text_add(&whole, WHOLE);
    text_add(&whole, list);
    *to++ = whole.data;
    text_add(&part, VARIABLE);
    add_fitting(&part, list, hosts_python);
    if (part.length > sizeof VARIABLE - 1)
        *to++ = part.data;
    return to;
}

char **python_environment(const char *python, char **environment)
{
    size_t count = 0, setting = 0;
    for (; environment[count]; count++)
        if (text_starts(environment[count], VARIABLE))
            setting = count + 1;
    if (!setting)
        return environment;
    size_t pointers = (count + 2) * sizeof(char *);
    size_t texts = sizeof WHOLE + sizeof VARIABLE + 2 * text_length(environment[setting - 1]);
    long room = sys_mmap(0, pointers + texts, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1,
                         0);
    if (sys_failed(room))
        return environment;
    char **all = (void *)(uintptr_t)room, **to = all;
    for (size_t at = 0; at < count; at++)
        if (at + 1 == setting)
            to = replaced(to, environment[at], (char *)(uintptr_t)room + pointers, is_hosts_python(python));
        else if (!text_starts(environment[at], VARIABLE))
            *to++ = environment[at];
    *to = NULL;
    return all;
}
