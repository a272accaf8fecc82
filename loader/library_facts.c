#include "library_facts.h"

#include "helper.h"
#include "helper_process.h"
#include "joined_libraries.h"
#include "loader_settings.h"

const char *inside_library(const char *own)
{
    const char *library = own ? own : config_next(SETTING_INSIDE, NULL);
    return library && sys_exists(library) ? library : NULL;
}

const char *executable_link(struct arena *arena)
{
    char *room = arena_take(arena, PATH_ROOM);
    long length = sys_readlink("/proc/self/exe", room, PATH_ROOM - 1);
    room[length > 0 ? length : 0] = '\0';
    return room;
}

static const char *host_prefixes(struct arena *arena)
{
    char *room = arena_take(arena, PATH_ROOM);
    struct text all = text_in(room, PATH_ROOM - 1);
    for (const char *prefix = config_next(SETTING_HOST_PREFIX, NULL); prefix;
         prefix = config_next(SETTING_HOST_PREFIX, prefix))
        text_add_bytes(&all, prefix, text_length(prefix) + 1);
    room[all.length] = '\0';
    return room;
}

/* The words of the helper's command, before `more` others for which there is room. */
static const char **helper_words(struct arena *arena, size_t more, size_t *count)
{
    const char *all[MAX_SETTINGS];
    *count = config_all(SETTING_COMMAND, all);
    const char **words = arena_take(arena, (*count + more) * sizeof *words);
    for (size_t i = 0; i < *count; i++)
        words[i] = all[i];
    return words;
}

/* The helper's words for a command, its path left open; null where nobody is asked, as inside a helper. */
static const char **command_words(struct arena *arena, const struct process *process, uint64_t *path_at)
{
    size_t count;
    const char **words = helper_words(arena, 5, &count);
    if (!count || !process_is_plain(process) || process_variable(process, HELPER_MARK) ||
        helper_is_closed(process, words[0]))
        return NULL;
    words[count++] = "--command";
    words[count++] = "--try";
    words[count++] = "--";
    *path_at = count;
    words[count] = words[count + 1] = NULL;
    return words;
}

const struct inside_facts *inside_facts_of(struct arena *arena, const struct process *process, const struct decision *decision,
                                const char *program, const char *loader)
{
    const struct decision_header *header = decision ? decision->header : NULL;
    struct inside_facts *facts = arena_take(arena, sizeof *facts);
    *facts = (struct inside_facts){
        .version = INSIDE_VERSION,
        .program = header && header->shown ? decision_string(decision, header->shown) : program,
        .seen = executable_link(arena),
        .loader = loader,
        .other_loader = config_next(SETTING_OTHER_STARTER, NULL),
        .resources = header && header->resources ? decision_string(decision, header->resources) : NULL,
        .host_prefixes = host_prefixes(arena),
        .commands = config_next(SETTING_BROUGHT, NULL),
    };
    if (facts->commands)
        facts->words = command_words(arena, process, &facts->path_at);
    return facts;
}

const char *exec_library(const struct process *process, const struct decision *decision)
{
    const char *library = config_next(SETTING_EXEC, NULL);
    bool wanted = !decision || (decision->header->flags & DECISION_EXECUTES);
    bool plain = process_is_plain(process) && !process_variable(process, HELPER_MARK);
    return wanted && plain && library && config_next(SETTING_STARTER, NULL) && sys_exists(library) ? library : NULL;
}

const struct inside_facts *exec_facts_of(struct arena *arena, const struct process *process, const char *program)
{
    struct inside_facts *facts = arena_take(arena, sizeof *facts);
    *facts = (struct inside_facts){
        .version = INSIDE_VERSION,
        .kernel_first = true,
        .program = program,
        .seen = program,
        .loader = config_next(SETTING_STARTER, NULL),
        .other_loader = config_next(SETTING_OTHER_STARTER, NULL),
        .host_prefixes = "",
        .commands = config_next(SETTING_BROUGHT, NULL),
    };
    if (facts->commands)
        facts->words = command_words(arena, process, &facts->path_at);
    return facts;
}

const char *resident_library(const struct process *process, const struct decision *decision, const char *own)
{
    const char *library = own ? own : config_next(SETTING_RESIDENT, NULL);
    bool wanted = decision && decision->header->opened && process_is_plain(process);
    return wanted && library && sys_exists(library) ? library : NULL;
}

/* The helper's words, the missed name left open; null where nobody is asked, as inside a helper. */
static const char **miss_words(struct arena *arena, const struct process *process,
                               const struct decision *decision, uint64_t *name_at)
{
    size_t count;
    const char **words = helper_words(arena, 7, &count);
    if (!count || process_variable(process, HELPER_MARK))
        return NULL;
    words[count++] = "--opened";
    words[count++] = decision_string(decision, decision->header->opened);
    words[count++] = "--missed";
    *name_at = count;
    words[count++] = NULL;
    words[count++] = "--";
    words[count++] = decision_string(decision, decision->header->program);
    words[count] = NULL;
    return words;
}

/* The directory that has the decision's libraries and what came later, so that none is searched for twice
   (src/denizen/launch/dlopen_record.py). */
static const struct joined_libraries *find_joined(struct arena *arena, struct text *path, const char *opened,
                                                  const char *search)
{
    text_add(path, opened);
    text_add(path, "/.all");
    return path->cut ? NULL : joined_libraries_read(arena, path->data, search);
}

const struct resident_facts *resident_facts_of(struct arena *arena, const struct process *process,
                                           const struct decision *decision, const char *own)
{
    const struct decision_header *header = decision->header;
    const char *opened = decision_string(decision, header->opened);
    const char *search = header->search ? decision_string(decision, header->search) : "";
    char joined_room[PATH_ROOM];
    struct text joined = text_in(joined_room, sizeof joined_room);
    const struct joined_libraries *table = *search ? find_joined(arena, &joined, opened, search) : NULL;
    if (table)
        search = joined_room;
    size_t length = text_length(search);
    size_t room = length + text_length(opened) + 3;
    struct resident_facts *facts = arena_take(arena, sizeof *facts);
    struct text all = text_in(arena_take(arena, room), room);
    text_add(&all, search);
    text_add(&all, length ? ":" : "");
    text_add(&all, opened);
    /* As ld.so writes it before a name. */
    text_add(&all, "/");
    *facts = (struct resident_facts){
        .version = RESIDENT_VERSION,
        .search = all.data,
        .opened = all.data + (length ? length + 1 : 0),
        .own = own,
        .resources = header->resources ? decision_string(decision, header->resources) : NULL,
        .later = (header->flags & DECISION_HOST) && !header->libraries.count,
        .joined = table,
    };
    facts->words = miss_words(arena, process, decision, &facts->name_at);
    return facts;
}
