#include "variables.h"

#include "../arena.h"
#include "../sys.h"
#include "../temporary_directory.h"
#include "../text.h"

enum { MAX_VARIABLES = 8192, VALUE_ROOM = 8192 };

bool variables_knows(const char *operation)
{
    return text_equal(operation, "set") || text_equal(operation, "default") || text_equal(operation, "set-name") ||
           text_equal(operation, "set-program") || text_equal(operation, "set-directory") ||
           text_equal(operation, "temporary") || text_equal(operation, "portable");
}

/* Append the working directory; false where it cannot be told. */
static bool add_directory(struct text *text)
{
    char room[VALUE_ROOM / 2];
    long length = arch_syscall(__NR_getcwd, (long)room, sizeof room, 0, 0, 0, 0);
    if (sys_failed(length) || room[0] != '/')
        return false;
    text_add(text, room);
    return true;
}

/* Append the absolute path of a program, without links where /proc tells it. */
static bool add_program(struct text *text, const char *program)
{
    char real[VALUE_ROOM / 2], link[32];
    struct text name = text_in(link, sizeof link);
    int fd = sys_open(program, SYS_PATH);
    text_add(&name, "/proc/self/fd/");
    text_add_decimal(&name, fd < 0 ? 0 : (uint32_t)fd);
    long length = fd < 0 ? fd : sys_readlink(link, real, sizeof real - 1);
    if (fd >= 0)
        sys_close(fd);
    if (!sys_failed(length) && real[0] == '/') {
        text_add_bytes(text, real, (size_t)length);
        return true;
    }
    if (program[0] != '/' && !add_directory(text))
        return false;
    text_add(text, program[0] != '/' ? "/" : "");
    text_add(text, program);
    return true;
}

/* NAME=SUFFIX becomes NAME=PROGRAMSUFFIX where that is a directory that can be written. */
static const char *portable_variable(struct arena *arena, const char *word, const char *program)
{
    enum { WRITE = 2 };
    char *room = arena_take(arena, VALUE_ROOM);
    struct text text = text_in(room, VALUE_ROOM);
    while (*word && *word != '=')
        text_add_bytes(&text, word++, 1);
    text_add(&text, "=");
    size_t name = text.length;
    struct arch_stat facts;
    if (!*word || !add_program(&text, program))
        return NULL;
    text_add(&text, word + 1);
    return !text.cut && sys_stat(room + name, &facts) >= 0 && (facts.mode & SYS_S_IFMT) == SYS_S_IFDIR &&
                   arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)room + (long)name, WRITE, 0, 0, 0) == 0
               ? room
               : NULL;
}

static const char *temporary_variable(struct arena *arena, const char *directory)
{
    char *room = arena_take(arena, VALUE_ROOM);
    struct text text = text_in(room, VALUE_ROOM);
    text_add(&text, "TMPDIR=");
    text_add(&text, directory);
    return text.cut ? NULL : room;
}

static const char *word_of(struct arena *arena, const char *operation, const char *word, const char *program)
{
    if (text_equal(operation, "set") || text_equal(operation, "default"))
        return word;
    if (text_equal(operation, "temporary"))
        return temporary_variable(arena, word);
    if (text_equal(operation, "portable"))
        return portable_variable(arena, word, program);
    char *room = arena_take(arena, VALUE_ROOM);
    struct text text = text_in(room, VALUE_ROOM);
    text_add(&text, word);
    bool told = text_equal(operation, "set-program") ? add_program(&text, program)
                : text_equal(operation, "set-name")  ? true
                                                     : add_directory(&text);
    if (text_equal(operation, "set-name"))
        text_add(&text, program);
    return told && !text.cut ? room : NULL;
}

/* Whether VARIABLE has the name that WORD begins with. */
static bool same_name(const char *variable, const char *word)
{
    size_t at = 0;
    while (word[at] && word[at] != '=' && variable[at] == word[at])
        at++;
    return word[at] == '=' && variable[at] == '=';
}

static bool is_set(char **environment, const char *word)
{
    while (*environment && !same_name(*environment, word))
        environment++;
    return *environment != NULL;
}

char **variables_with(char **environment, const char *operation, const char *word, const char *program)
{
    if (text_equal(operation, "temporary") && !temporary_executes_nothing(environment))
        return environment;
    if (text_equal(operation, "default") && is_set(environment, word))
        return environment;
    struct arena arena = arena_make();
    const char *made = word_of(&arena, operation, word, program);
    size_t count = 0, kept = 0;
    while (environment[count])
        count++;
    if (!made || count > MAX_VARIABLES)
        return environment;
    char **copy = arena_take(&arena, (count + 2) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        if (!same_name(environment[i], made))
            copy[kept++] = environment[i];
    copy[kept++] = (char *)(uintptr_t)made;
    copy[kept] = NULL;
    return copy;
}
