#include "variables.h"

#include "../arena.h"
#include "../sys.h"
#include "../text.h"

#include <asm/statfs.h>

enum { MAX_VARIABLES = 8192, VALUE_ROOM = 8192 };

bool variables_knows(const char *operation)
{
    return text_equal(operation, "set") || text_equal(operation, "default") || text_equal(operation, "set-name") ||
           text_equal(operation, "set-program") || text_equal(operation, "set-directory") ||
           text_equal(operation, "temporary");
}

/* The directory for temporary files, as mkstemp's callers find it. */
static const char *temporary_directory(char **environment)
{
    for (char **each = environment; *each; each++)
        if (text_starts(*each, "TMPDIR=") && (*each)[sizeof "TMPDIR=" - 1])
            return *each + sizeof "TMPDIR=" - 1;
    return "/tmp";
}

/* A program that unpacks itself there and executes what it unpacked cannot: it is mounted noexec, or is not there. */
static bool executes_nothing(const char *directory)
{
    enum { ST_NOEXEC_ = 8 };
    struct statfs facts;
    long result = arch_syscall(__NR_statfs, (long)directory, (long)&facts, 0, 0, 0, 0);
    return sys_failed(result) || (facts.f_flags & ST_NOEXEC_);
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
    char *room = arena_take(arena, VALUE_ROOM);
    struct text text = text_in(room, VALUE_ROOM);
    text_add(&text, word);
    bool is_name = text_equal(operation, "set-name"), of_program = text_equal(operation, "set-program");
    bool relative = !is_name && !(of_program && program[0] == '/');
    if (relative && !add_directory(&text))
        return NULL;
    if (relative && of_program)
        text_add(&text, "/");
    if (is_name || of_program)
        text_add(&text, program);
    return text.cut ? NULL : room;
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
    if (text_equal(operation, "temporary") && !executes_nothing(temporary_directory(environment)))
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
