#include "missing_command.h"

#include "../budget.h"
#include "../failure_note.h"
#include "../starters.h"
#include "../unseen_child.h"
#include "search_path.h"

enum { MAX_WORDS = 128, NAME_LIMIT = 100 };

struct question {
    const char *words[MAX_WORDS];
    char path[PATH_ROOM];
};

/* Directories in which packages have commands. */
static const char DIRECTORIES[] = "/usr/bin/\0/bin/\0/usr/sbin/\0/sbin/\0";

static bool is_letter(char one)
{
    return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') || one == '_' ||
           one == '+';
}

/* The pattern of src/denizen/launch/command_links.py, which asks for no other name. */
static bool is_name(const char *name)
{
    size_t length = 1;
    if (!is_letter(name[0]) && name[0] != '[')
        return false;
    for (; name[length]; length++)
        if (length == NAME_LIMIT || (!is_letter(name[length]) && name[length] != '.' && name[length] != '-'))
            return false;
    return true;
}

static const char *name_in(const char *path)
{
    for (const char *one = DIRECTORIES; *one; one += text_length(one) + 1)
        if (text_starts(path, one))
            return is_name(path + text_length(one)) ? path + text_length(one) : NULL;
    return NULL;
}

static bool below(char *room, const char *commands, const char *directory, const char *name)
{
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, commands);
    text_add(&path, directory);
    text_add(&path, name);
    return !path.cut;
}

/* Where the link of the name leads, if that is there. */
static bool find_link(const struct inside_facts *facts, const char *name, char *room)
{
    char link[PATH_ROOM];
    long length = below(link, facts->commands, "/", name) ? sys_readlink(link, room, PATH_ROOM - 1) : -1;
    room[length > 0 ? length : 0] = '\0';
    return length > 0 && sys_exists(room);
}

/* `how` takes the place of the word before the one that ends the options (library_facts.c). */
static void ask(const struct inside_facts *facts, const char *how, const char *path)
{
    if (facts->path_at < 2 || facts->path_at >= MAX_WORDS - 1)
        return;
    long at = sys_mmap(0, sizeof(struct question), SYS_PROT_READ | SYS_PROT_WRITE,
                       SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at))
        return;
    struct question *question = (struct question *)at;
    struct text kept = text_in(question->path, PATH_ROOM);
    text_add(&kept, path);
    for (uint64_t i = 0; i <= facts->path_at; i++)
        question->words[i] = i == facts->path_at ? question->path : facts->words[i];
    question->words[facts->path_at - 2] = how;
    if (!kept.cut)
        run_apart(question->words);
    arch_syscall(__NR_munmap, at, sizeof *question, 0, 0, 0, 0);
}

bool command_has_place(const char *path)
{
    return name_in(path) != NULL;
}

bool command_is_missing(const char *path)
{
    const struct inside_facts *facts = loader_facts();
    return facts && facts->words && path && name_in(path) &&
           arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, 0, 0, 0, 0) == -SYS_ENOENT;
}

static bool is_marked(const struct inside_facts *facts, const char *directory, const char *name)
{
    char room[PATH_ROOM];
    return below(room, facts->commands, directory, name) && sys_exists(room);
}

/* Nobody has it, or policy keeps it out and nothing has changed that. */
static bool is_absent(const struct inside_facts *facts, const char *name)
{
    char room[PATH_ROOM];
    return is_marked(facts, "/.absent/", name) &&
           !(below(room, facts->commands, "/.kept-out/", "") && budget_changed_since(room, name));
}

/* The line that the helper left, if policy kept the command out (app/run_time/missing_command.py). */
static void note_kept_out(const struct inside_facts *facts, const char *name, int when)
{
    char room[PATH_ROOM];
    if (below(room, facts->commands, "/.kept-out/", name))
        failure_note_add_file(room, facts->program, when);
}

/* A lock names the libraries of one program, and no commands: which package would have one nobody looks up. */
static bool is_locked(const struct inside_facts *facts, const char *name, int when)
{
    char line[PATH_ROOM];
    if (!is_marked(facts, "/", ".locked"))
        return false;
    struct text text = text_in(line, sizeof line);
    text_add(&text, "denizen: ");
    text_add(&text, name);
    text_add(&text, " is not here, and with --lock no command is brought; without it denizen run ");
    text_add_word(&text, facts->program);
    text_add(&text, " may bring it\n");
    if (!text.cut)
        failure_note_add(line, text.length, when);
    return true;
}

const char *command_brought(const char *path, char *room)
{
    const struct inside_facts *facts = loader_facts();
    const char *name = name_in(path);
    if (find_link(facts, name, room))
        return room;
    if (is_locked(facts, name, FAILURE_ANY))
        return NULL;
    if (!is_absent(facts, name)) {
        ask(facts, "--try", path);
        if (find_link(facts, name, room))
            return room;
    }
    note_kept_out(facts, name, FAILURE_ANY);
    return NULL;
}

const char *command_to_bring(const char *path, char *const *environment, char *room)
{
    enum { EXECUTE = 1 };
    bool last = false, along = false, ours = false;
    struct text elsewhere = text_in(room, PATH_ROOM);
    const struct inside_facts *facts = loader_facts();
    if (!facts || !facts->words || !path || path[0] != '/' || sys_exists(path))
        return NULL;
    struct lookup lookup = lookup_along(text_file_name(path), environment);
    for (const char *one = lookup_next(&lookup); one; one = lookup_next(&lookup)) {
        last = text_equal(one, path);
        along = along || last;
        ours = ours || name_in(one);
        if (!elsewhere.length && arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)one, EXECUTE, 0, 0, 0) == 0)
            text_add(&elsewhere, one);
    }
    /* Who searches goes on to that place by itself; whoever was told by a look that the command is here does not. */
    if (along && elsewhere.length)
        return elsewhere.cut ? NULL : room;
    if (last && !ours)
        return command_beyond_path(text_file_name(path), room);
    return command_is_missing(path) ? path : NULL;
}

/* Where few commands are a namespace shows loaders in the place of those that most programs execute (`sh`): PATH need not
   lead there for them either. */
const char *command_beyond_path(const char *name, char *room)
{
    enum { EXECUTE = 1 };
    const struct inside_facts *facts = loader_facts();
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, DIRECTORIES);
    text_add(&path, name ? name : "");
    if (path.cut || !facts || !facts->words || !name_in(room))
        return NULL;
    long problem = arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)room, EXECUTE, 0, 0, 0);
    return problem == 0 || problem == -SYS_ENOENT ? room : NULL;
}

/* Of one name after the other: who looks for more has others to do without. */
enum { MAX_LOOKS = 8 };
static unsigned looks;

/* What runs a script's lines: it looks for a command that it is about to execute, or whose absence ends the script. */
static const char SHELLS[] = "sh\0bash\0dash\0ash\0ksh*\0mksh\0zsh\0yash\0busybox\0fish\0which\0";
static const char INTERPRETERS[] = "python*\0pypy*\0node*\0bun\0deno\0perl*\0ruby*\0php*\0lua*\0tclsh*\0Rscript\0";

/* Who looks, which is what `decide --look` is told. */
enum looker { PROGRAM, SCRIPT, ARGUMENT };
static const char *const LOOKS[] = {"--look=program", "--look=script", "--look=argument"};

/* The program's words as far as they are on the first page, each with its end, and an empty one behind the last. */
struct arguments {
    char words[4096 + 2];
};

static void read_arguments(struct arguments *arguments)
{
    enum { ROOM = 4096 };
    long file = sys_open("/proc/self/cmdline", 0);
    long length = sys_failed(file) ? 0 : sys_read((int)file, arguments->words, ROOM);
    if (!sys_failed(file))
        sys_close((int)file);
    length = length > 0 ? length : 0;
    arguments->words[length] = arguments->words[length + 1] = '\0';
}

static const char *next_argument(const char *word)
{
    return *word ? word + text_length(word) + 1 : word;
}

/* Whether the user named the command to the program (`ccache gcc`, `strace python3 a.py`): a whole word after the first. */
static bool is_argument(const char *name)
{
    struct arguments arguments;
    read_arguments(&arguments);
    for (const char *one = next_argument(arguments.words); *one; one = next_argument(one))
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
static bool is_in_line(const char *name)
{
    struct arguments arguments;
    read_arguments(&arguments);
    const char *one = next_argument(arguments.words);
    while (*one == '-' && !has_letter(one, text_length(one), 'c'))
        one = next_argument(one);
    return *one == '-' && line_executes(next_argument(one), name);
}

static enum looker looker_for(const struct inside_facts *facts, const char *name)
{
    /* `which gcc` and `sh -c gcc` have it among their arguments always. */
    if (names_have(SHELLS, facts->program))
        return is_in_line(name) ? ARGUMENT : SCRIPT;
    if (is_argument(name))
        return ARGUMENT;
    return names_have(INTERPRETERS, facts->program) ? SCRIPT : PROGRAM;
}

static bool is_seen(const struct inside_facts *facts, const char *name, enum looker looker)
{
    return is_marked(facts, "/.seen/", name) || (looker == SCRIPT && is_marked(facts, "/.seen-by-scripts/", name));
}

/* What is not seen by a program because it comes with others, or by nobody because programs do without it, is seen by
   those who ask for more. */
static bool is_judged(const struct inside_facts *facts, const char *name, enum looker looker)
{
    return is_absent(facts, name) || (looker != ARGUMENT && is_marked(facts, "/.unseen/", name)) ||
           (looker == PROGRAM && (is_marked(facts, "/.seen-by-scripts/", name) || is_marked(facts, "/.unseen-by-programs/", name)));
}

bool command_is_to_be_had(const char *name)
{
    char room[PATH_ROOM];
    const struct inside_facts *facts = loader_facts();
    if (!is_name(name) || find_link(facts, name, room))
        return is_name(name);
    enum looker looker = looker_for(facts, name);
    if (is_seen(facts, name, looker))
        return true;
    if (is_locked(facts, name, FAILURE_NOT_FOUND))
        return false;
    if (!is_judged(facts, name, looker) && looks < MAX_LOOKS) {
        struct text path = text_in(room, PATH_ROOM);
        text_add(&path, DIRECTORIES);
        text_add(&path, name);
        looks++;
        ask(facts, LOOKS[looker], room);
        if (is_seen(facts, name, looker))
            return true;
    }
    /* Whoever looks for what programs do without fails for want of it only by a shell's word. */
    note_kept_out(facts, name, is_marked(facts, "/.unseen/", name) ? FAILURE_NOT_FOUND : FAILURE_ANY);
    return false;
}
