#include "missing_command.h"

#include "../command_names.h"
#include "../command_records.h"
#include "../failure_note.h"
#include "../loader_settings.h"
#include "../unseen_child.h"
#include "search_path.h"

/* The helper's command, and what a question adds (../library_facts.c). */
enum { MAX_WORDS = MAX_SETTINGS + 5 };

struct question {
    const char *words[MAX_WORDS];
    char path[PATH_ROOM];
};

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
    return command_name_in(path) != NULL;
}

bool command_is_missing(const char *path)
{
    const struct inside_facts *facts = loader_facts();
    return facts && facts->words && path && command_name_in(path) &&
           arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, 0, 0, 0, 0) == -SYS_ENOENT;
}

/* The line that the helper left, if policy kept the command out (app/run_time/missing_command.py). */
static void note_kept_out(const struct inside_facts *facts, const char *name, int when)
{
    char room[PATH_ROOM];
    if (command_record_below(room, facts->commands, "/.kept-out/", name))
        failure_note_add_file(room, facts->program, name, when);
}

/* A lock names the libraries of one program, and no commands: which package would have one nobody looks up. */
static bool is_locked(const struct inside_facts *facts, const char *name, int when)
{
    char room[PATH_ROOM];
    if (!command_is_marked(facts->commands, "/", ".locked"))
        return false;
    if (command_record_below(room, facts->commands, "/.locked", ""))
        failure_note_add_file(room, facts->program, name, when);
    return true;
}

const char *command_brought(const char *path, char *room)
{
    const struct inside_facts *facts = loader_facts();
    const char *name = command_name_in(path);
    if (command_is_linked(facts->commands, name, room))
        return room;
    if (is_locked(facts, name, FAILURE_ANY))
        return NULL;
    if (!command_is_absent(facts->commands, name)) {
        ask(facts, "--try", path);
        if (command_is_linked(facts->commands, name, room))
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
        ours = ours || command_name_in(one);
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
    text_add(&path, command_directory());
    text_add(&path, name ? name : "");
    if (path.cut || !facts || !facts->words || !command_name_in(room))
        return NULL;
    long problem = arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)room, EXECUTE, 0, 0, 0);
    return problem == 0 || problem == -SYS_ENOENT ? room : NULL;
}

/* Of one name after the other: who looks for so many in vain has others to do without. Who found one before has not
   looked idly, but even that one asks for no more than MAX_LOOKS. */
enum { MAX_LOOKS = 32, MAX_LOOKS_IN_VAIN = 8 };
static unsigned looks, looks_in_vain;

bool command_is_to_be_had(const char *name)
{
    char room[PATH_ROOM];
    const struct inside_facts *facts = loader_facts();
    if (!command_name_is_plain(name) || command_is_linked(facts->commands, name, room))
        return command_name_is_plain(name);
    struct arguments arguments;
    arguments_read(&arguments, "/proc/self/cmdline");
    enum looker looker = looker_of(&arguments, facts->program, name);
    if (command_is_seen(facts->commands, name, looker))
        return true;
    if (is_locked(facts, name, FAILURE_NOT_FOUND))
        return false;
    if (!command_is_judged(facts->commands, name, looker) && looks < MAX_LOOKS && looks_in_vain < MAX_LOOKS_IN_VAIN) {
        struct text path = text_in(room, PATH_ROOM);
        text_add(&path, command_directory());
        text_add(&path, name);
        looks++;
        looks_in_vain++;
        ask(facts, looker_option(looker), room);
        if (command_is_seen(facts->commands, name, looker)) {
            looks_in_vain = 0;
            return true;
        }
    }
    /* Whoever looks for what programs do without fails for want of it only by a shell's word. */
    note_kept_out(facts, name, command_is_marked(facts->commands, "/.unseen/", name) ? FAILURE_NOT_FOUND : FAILURE_ANY);
    return false;
}

/* The name is that of src/denizen/launch/command_links.py: the program's, and the place with = for each /. */
static bool is_unfilled(const struct inside_facts *facts, const char *program, const char *place)
{
    char room[PATH_ROOM];
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, facts->commands);
    text_add(&path, "/.unfilled/");
    text_add(&path, program);
    for (; *place; place++)
        text_add_bytes(&path, *place == '/' ? "=" : place, 1);
    return path.cut || sys_exists(room);
}

bool place_is_brought(const char *place)
{
    char option[PATH_ROOM];
    const struct inside_facts *facts = loader_facts();
    const char *program = text_file_name(facts->program);
    struct text how = text_in(option, sizeof option);
    text_add(&how, "--place=");
    text_add(&how, facts->program);
    if (how.cut || !command_name_is_plain(program) || command_is_marked(facts->commands, "/", ".locked") || is_unfilled(facts, program, place))
        return false;
    ask(facts, option, place);
    return true;
}
