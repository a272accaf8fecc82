#include "decision.h"

#include "library_path.h"
#include "loader_settings.h"
#include "trust.h"

enum {
    VERSION = 2,
    MAX_SIZE = 256 * 1024,
    MAX_ROWS = 4096,
    MAX_EDITS = 64,
    NAME_ROOM = 256,
};

_Static_assert(sizeof(struct decision_header) == 240, "the header is the file's, byte for byte");

/* Of the last entry that could be opened but not followed, for the message. */
static const char *const CAPABLE = "it has capabilities, and only root's decisions count then";
static const char *const NO_DECISION = "it has no decision yet";

static bool table_is_inside(const struct decision_header *header, struct table table, size_t row, uint32_t limit)
{
    return table.offset % 8 == 0 && table.offset >= sizeof *header && table.count <= limit &&
           table.offset <= header->strings.offset &&
           (uint64_t)table.count * row <= header->strings.offset - table.offset;
}

static bool tables_are_inside(const struct decision_header *header)
{
    return table_is_inside(header, header->libraries, sizeof(struct decision_library), MAX_ROWS) &&
           table_is_inside(header, header->objects, sizeof(uint32_t), MAX_ROWS) &&
           table_is_inside(header, header->command, sizeof(uint32_t), MAX_ROWS) &&
           table_is_inside(header, header->edits, sizeof(struct decision_edit), MAX_EDITS);
}

static bool strings_end_the_file(const struct decision_header *header)
{
    const char *start = (const char *)header;
    return header->strings.offset >= sizeof *header && header->strings.offset < header->size &&
           header->strings.count == header->size - header->strings.offset && !start[header->size - 1];
}

static bool is_string(const struct decision *decision, uint32_t offset)
{
    return offset < decision->header->strings.count;
}

static bool is_path(const struct decision *decision, uint32_t offset)
{
    return is_string(decision, offset) && decision_string(decision, offset)[0] == '/';
}

static bool libraries_are_sound(const struct decision *decision)
{
    const struct decision_library *library = decision->libraries;
    for (uint32_t left = decision->header->libraries.count; left--; library++)
        if (!is_path(decision, library->path) || !is_string(decision, library->name) ||
            (library->flags & ~(uint32_t)(LIBRARY_PINNED | LIBRARY_RENAMED)) || library->zero)
            return false;
    return true;
}

static bool edits_are_sound(const struct decision *decision)
{
    const struct decision_edit *edit = decision->edits;
    uint32_t room = decision->header->strings.count;
    for (uint32_t left = decision->header->edits.count; left--; edit++)
        if (edit->target > EDIT_LDSO_OPTIONAL || !edit->length || edit->length > room || edit->old_bytes > room - edit->length ||
            edit->new_bytes > room - edit->length)
            return false;
    return true;
}

static bool strings_are_sound(const struct decision *decision)
{
    const struct decision_header *header = decision->header;
    if (!is_path(decision, header->ldso) || !is_string(decision, header->program) ||
        (header->search && !is_path(decision, header->search)) ||
        (header->shown && !is_path(decision, header->shown)) ||
        (header->resources && !is_path(decision, header->resources)) ||
        (header->opened && !is_path(decision, header->opened)))
        return false;
    for (uint32_t i = 0; i < header->objects.count; i++)
        if (!is_path(decision, decision->objects[i]))
            return false;
    for (uint32_t i = 0; i < header->command.count; i++)
        if (!is_string(decision, decision->command[i]))
            return false;
    return true;
}

static bool sum_is_right(struct decision_header *header)
{
    struct sum stored = header->sum;
    header->sum = (struct sum){0, 0};
    struct sum found = sum_words(header, header->size);
    header->sum = stored;
    return found.words == stored.words && found.running == stored.running;
}

static bool header_is_sound(struct decision_header *header, size_t size)
{
    return size >= sizeof *header && __builtin_memcmp(header->magic, "DENIZEN\1", 8) == 0 &&
           header->version == VERSION && header->size == size && size % 8 == 0 && sum_is_right(header) &&
           !(header->flags & ~(uint32_t)(DECISION_HOST | DECISION_BY_NAME | DECISION_EXECUTES | DECISION_NAMES)) &&
           header->build_id_length <= MAX_BUILD_ID;
}

/* Check the whole content of a decision file before any of it is used. */
static bool decision_read(char *content, size_t size, struct decision *decision)
{
    struct decision_header *header = (struct decision_header *)content;
    if (!header_is_sound(header, size) || !strings_end_the_file(header) || !tables_are_inside(header))
        return false;
    *decision = (struct decision){
        .header = header,
        .strings = content + header->strings.offset,
        .libraries = (const struct decision_library *)(content + header->libraries.offset),
        .objects = (const uint32_t *)(content + header->objects.offset),
        .command = (const uint32_t *)(content + header->command.offset),
        .edits = (const struct decision_edit *)(content + header->edits.offset),
    };
    return strings_are_sound(decision) && libraries_are_sound(decision) && edits_are_sound(decision);
}

static bool same_identity(const struct identity *one, const struct identity *other)
{
    return __builtin_memcmp(one, other, sizeof *one) == 0;
}

/* About this very program: its identity or, when it was moved, its build-id and size; and in both
   cases its program headers. Of a program in the store the name was asked for, and a second link to its file
   changes its times. */
bool decision_is_about(const struct decision *decision, const struct subject *subject)
{
    const struct decision_header *header = decision->header;
    if (subject->foreign)
        return header->command.count && (subject->named || same_identity(&header->identity, &subject->identity));
    if (header->machine != ((uint32_t)ARCH_BITS << 16 | ARCH_MACHINE) ||
        header->headers.words != subject->headers.words ||
        header->headers.running != subject->headers.running)
        return false;
    if (subject->named || same_identity(&header->identity, &subject->identity))
        return true;
    return subject->build_id.length && header->build_id_length == subject->build_id.length &&
           header->identity.size == subject->identity.size &&
           __builtin_memcmp(header->build_id, subject->build_id.bytes, subject->build_id.length) == 0;
}

/* Read, not mapped: a file changed under a mapping would change after it was checked. */
static bool read_whole(struct arena *arena, int fd, const struct arch_stat *facts, struct decision *decision)
{
    if (facts->size < (int64_t)sizeof(struct decision_header) || facts->size > MAX_SIZE)
        return false;
    char *content = arena_take(arena, (size_t)facts->size);
    return sys_pread(fd, content, (size_t)facts->size, 0) == facts->size &&
           decision_read(content, (size_t)facts->size, decision);
}

static const char *load(struct arena *arena, const struct process *process, int fd, struct decision *decision)
{
    struct arch_stat facts;
    if (!owner_is_trusted(fd, process, SYS_S_IFREG, &facts))
        return process->capable ? CAPABLE : "its decision belongs to somebody else, or others may write it";
    return read_whole(arena, fd, &facts, decision) ? NULL : "its decision is damaged";
}

bool decision_open(struct arena *arena, const char *path, struct decision *decision)
{
    struct arch_stat facts;
    int fd = sys_open(path, SYS_RDONLY | SYS_NONBLOCK);
    bool whole = fd >= 0 && sys_fstat(fd, &facts) >= 0 && (facts.mode & SYS_S_IFMT) == SYS_S_IFREG &&
                 read_whole(arena, fd, &facts, decision);
    if (fd >= 0)
        sys_close(fd);
    return whole;
}

/* How much of a path is the store: the directory that the directory for dlopen lies in. */
static size_t store_length(const struct decision *decision)
{
    const char *search = decision->header->search ? decision_string(decision, decision->header->search) : "";
    return (size_t)(text_file_name(search) - search);
}

/* Return whether a library in the store is absent. The path of one in an environment need not exist here. */
static bool is_gone(const struct decision *decision, const char *path, size_t store)
{
    const char *search = decision_string(decision, decision->header->search);
    size_t same = 0;
    while (same < store && path[same] == search[same])
        same++;
    return store && same == store && !sys_exists(path);
}

/* Return the first absent store object, or library in one, or null. */
static const char *missing_object(const struct decision *decision)
{
    for (uint32_t i = 0; i < decision->header->objects.count; i++)
        if (!sys_exists(decision_string(decision, decision->objects[i])))
            return decision_string(decision, decision->objects[i]);
    size_t store = store_length(decision);
    const char *ldso = decision_string(decision, decision->header->ldso);
    if (is_gone(decision, ldso, store))
        return ldso;
    for (uint32_t i = 0; i < decision->header->libraries.count; i++) {
        const char *path = decision_string(decision, decision->libraries[i].path);
        if (is_gone(decision, path, store))
            return path;
    }
    return NULL;
}

static struct search_result try_file(struct arena *arena, const struct process *process,
                                     const struct subject *subject, const char *path,
                                     struct decision *decision)
{
    int fd = owner_open(path, process);
    if (fd < 0)
        return (struct search_result){false, fd == -SYS_ENOENT   ? NULL
                                             : process->capable  ? CAPABLE
                                             : fd == -SYS_EACCES ? "no decision is kept that this user may read"
                                                                 : "its decision cannot be opened"};
    const char *reason = load(arena, process, fd, decision);
    sys_close(fd);
    if (reason)
        return (struct search_result){false, reason};
    if (!decision_is_about(decision, subject))
        return (struct search_result){false, "its decision is about another program"};
    if (missing_object(decision))
        return (struct search_result){false, "a store object that it needs is gone"};
    return (struct search_result){true, NULL};
}

void decision_directory(struct text *path, const char *pattern, const struct process *process)
{
    for (; *pattern; pattern++)
        if (pattern[0] == '%' && pattern[1] == 'u') {
            text_add_decimal(path, process->uid);
            pattern++;
        } else {
            text_add_bytes(path, pattern, 1);
        }
}

/* Look in the directories that settings of one kind name, each with `suffix` behind it. */
static struct search_result search_in(enum setting kind, const char *suffix, struct arena *arena,
                                      const struct process *process, const struct subject *subject,
                                      const char *name, struct decision *decision)
{
    const char *reason = NULL;
    for (const char *pattern = config_next(kind, NULL); pattern; pattern = config_next(kind, pattern)) {
        char room[PATH_ROOM];
        struct text path = text_in(room, sizeof room);
        decision_directory(&path, pattern, process);
        text_add(&path, suffix);
        text_add(&path, "/");
        text_add(&path, name);
        struct search_result result = try_file(arena, process, subject, room, decision);
        if (result.found)
            return result;
        reason = result.reason ? result.reason : reason;
    }
    return (struct search_result){false, reason};
}

static struct search_result search(struct arena *arena, const struct process *process,
                                   const struct subject *subject, const char *name, struct decision *decision)
{
    if (subject->library_path) {
        char room[NAME_ROOM];
        struct text key = text_in(room, sizeof room);
        library_path_key(arena, subject->library_path, &key);
        struct search_result own = search_in(SETTING_LIBRARY_PATHS, room, arena, process, subject, name, decision);
        if (own.found)
            return own;
    }
    return search_in(SETTING_DIRECTORY, "", arena, process, subject, name, decision);
}

struct search_result decision_find(struct arena *arena, const struct process *process,
                                   const struct subject *subject, struct decision *decision)
{
    char room[NAME_ROOM];
    struct text name = text_in(room, sizeof room);
    identity_name(&name, &subject->identity);
    struct search_result first = search(arena, process, subject, room, decision);
    if (first.found || !subject->build_id.length)
        return first.found || first.reason ? first : (struct search_result){false, NO_DECISION};
    name = text_in(room, sizeof room);
    alias_name(&name, subject->build_id, subject->identity.size);
    struct search_result second = search(arena, process, subject, room, decision);
    if (second.found)
        return second;
    return (struct search_result){false, first.reason    ? first.reason
                                         : second.reason ? second.reason
                                                         : NO_DECISION};
}

struct search_result decision_find_named(struct arena *arena, const struct process *process,
                                         const struct subject *subject, const char *name,
                                         struct decision *decision)
{
    char room[2 * NAME_ROOM];
    struct text path = text_in(room, sizeof room);
    text_add(&path, "named/");
    text_add(&path, name);
    if (path.cut)
        return (struct search_result){false, NO_DECISION};
    struct search_result result = search(arena, process, subject, room, decision);
    return result.found || result.reason ? result : (struct search_result){false, NO_DECISION};
}
