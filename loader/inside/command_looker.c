#include "command_looker.h"

#include "../starters.h"
#include "../sys.h"
#include "../text.h"

/* What runs a script's lines: it looks for a command that it is about to execute, or whose absence ends the script. */
static const char SHELLS[] = "sh\0bash\0dash\0ash\0ksh*\0mksh\0zsh\0yash\0busybox\0fish\0which\0";
static const char INTERPRETERS[] = "python*\0pypy*\0node*\0bun\0deno\0perl*\0ruby*\0php*\0lua*\0tclsh*\0Rscript\0";

const char *looker_option(enum looker looker)
{
    return looker == PROGRAM ? "--look=program" : looker == SCRIPT ? "--look=script" : "--look=argument";
}

void arguments_read(struct arguments *arguments, const char *file)
{
    long fd = sys_open(file, 0);
    long length = sys_failed(fd) ? 0 : sys_read((int)fd, arguments->words, ARGUMENTS_ROOM);
    if (!sys_failed(fd))
        sys_close((int)fd);
    length = length > 0 ? length : 0;
    arguments->words[length] = arguments->words[length + 1] = '\0';
    arguments->first = arguments->words;
}

const char *arguments_next(const char *word)
{
    return *word ? word + text_length(word) + 1 : word;
}

void arguments_leave_emulator(struct arguments *arguments)
{
    const char *one = arguments->first;
    while (*one && !text_equal(one, "--"))
        one = arguments_next(one);
    arguments->first = arguments_next(one);
}

/* Whether the user named the command to the program (`ccache gcc`, `strace python3 a.py`): a whole word after the first. */
static bool is_argument(const struct arguments *arguments, const char *name)
{
    for (const char *one = arguments_next(arguments->first); *one; one = arguments_next(one))
        if (text_equal(one, name))
            return true;
    return false;
}

/* What may stand before a command in a line of the shell's (POSIX, 2.4, 2.14), and what only asks for one. */
static const char BEFORE_COMMANDS[] = "!\0{\0if\0then\0elif\0else\0while\0until\0do\0exec\0time\0";
static const char ASKING[] = "type\0which\0hash\0-v\0-V\0";

static bool is_one_of(const char *names, const char *word, size_t length)
{
    for (const char *one = names; *one; one += text_length(one) + 1)
        if (text_length(one) == length && __builtin_memcmp(one, word, length) == 0)
            return true;
    return false;
}

static bool has_letter(const char *word, size_t length, char letter)
{
    for (size_t i = 0; i < length; i++)
        if (word[i] == letter)
            return true;
    return false;
}

static bool has_end(const char *ends, char one)
{
    return !one || has_letter(ends, text_length(ends), one);
}

/* Whether a line executes a command without having asked whether that is here. Quotes are letters like others. */
static bool line_executes(const char *line, const char *name)
{
    bool found = false, first = true, asks = false;
    while (*line) {
        size_t length = 0;
        while (!has_end(" \t\n;&|()`", line[length]))
            length++;
        bool is_it = length == text_length(name) && __builtin_memcmp(line, name, length) == 0;
        if (is_it && asks)
            return false;
        found = found || (is_it && first);
        if (length) {
            asks = is_one_of(ASKING, line, length);
            /* NAME=value stands before a command too. */
            first = first && (is_one_of(BEFORE_COMMANDS, line, length) || has_letter(line, length, '='));
            line += length;
        } else {
            first = first || !has_end(" \t", *line);
            line++;
        }
    }
    return found;
}

/* `sh -c LINE`, as system(3), popen(3) and npm start what a program is told to run. */
static bool is_in_line(const struct arguments *arguments, const char *name)
{
    const char *one = arguments_next(arguments->first);
    while (*one == '-' && !has_letter(one, text_length(one), 'c'))
        one = arguments_next(one);
    return *one == '-' && line_executes(arguments_next(one), name);
}

enum looker looker_of(const struct arguments *arguments, const char *program, const char *name)
{
    /* `which gcc` and `sh -c gcc` have it among their arguments always. */
    if (names_have(SHELLS, program))
        return is_in_line(arguments, name) ? ARGUMENT : SCRIPT;
    if (is_argument(arguments, name))
        return ARGUMENT;
    return names_have(INTERPRETERS, program) ? SCRIPT : PROGRAM;
}
