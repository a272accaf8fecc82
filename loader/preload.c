#include "preload.h"

#include "shared_object.h"

enum { MAX_DEPTH = 8 };

/* Where a native start would have looked last (glibc's default directories, the multiarch ones first). */
static const char *const HOST_DIRECTORIES = "/lib/" ARCH_TRIPLET ":/usr/lib/" ARCH_TRIPLET ":/lib64:/usr/lib64:/lib:/usr/lib";

struct search {
    struct arena *arena;
    const struct decision *decision;
    const char *user_paths;
    /* The whole list: its objects are loaded before any other, and known by their names then. */
    const char *given;
    struct preload *found;
};

/* What stands against an object: something it needs, and of which library if it is a version. */
struct trouble {
    const char *what;
    const char *library;
};
static const struct trouble NONE = {NULL, NULL};

/* glibc elf/rtld.c, handle_preload_list; musl ldso/dynlink.c, load_preload, which takes isspace's. */
static bool is_separator(const struct decision *decision, char letter)
{
    bool musl = decision->header->flags & DECISION_BY_NAME;
    return letter == ' ' || letter == ':' || (musl && letter >= '\t' && letter <= '\r');
}

static const char *keep(struct arena *arena, const char *string)
{
    size_t size = text_length(string) + 1;
    return __builtin_memcpy(arena_take(arena, size), string, size);
}

static bool has_slash(const char *name)
{
    return text_file_name(name) != name;
}

/* One directory of a run path with $ORIGIN expanded, and a name in it. */
static void join(struct text *path, const char *directory, size_t length, const char *object, const char *name)
{
    size_t token = object ? text_origin(directory) : 0;
    if (token) {
        text_add_bytes(path, object, (size_t)(text_file_name(object) - object));
        directory += token;
        length -= token < length ? token : length;
    }
    text_add_bytes(path, directory, length);
    text_add(path, "/");
    text_add(path, name);
}

/* The name in the first directory of the list that has it; null for none. */
static const char *find_in(struct arena *arena, const char *list, const char *object, const char *name)
{
    while (list && *list) {
        const char *end = list;
        while (*end && *end != ':' && *end != ';')
            end++;
        char room[PATH_ROOM];
        struct text path = text_in(room, sizeof room);
        join(&path, list, (size_t)(end - list), object, name);
        if (end > list && !path.cut && sys_exists(room))
            return keep(arena, room);
        list = *end ? end + 1 : end;
    }
    return NULL;
}

/* musl takes these for itself, by whatever version (ldso/dynlink.c, load_library). */
static bool is_musls(const char *name)
{
    static const char RESERVED[][12] = {"libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."};
    for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
        if (text_starts(name, RESERVED[i]))
            return true;
    return false;
}

/* The program's own library of that name; its dynamic linker is one too. */
static const char *own_library(const struct decision *decision, const char *name)
{
    const struct decision_library *library = decision->libraries;
    for (uint32_t left = decision->header->libraries.count; left--; library++)
        if (text_equal(decision_string(decision, library->name), name))
            return decision_string(decision, library->path);
    const char *ldso = decision_string(decision, decision->header->ldso);
    bool musl = decision->header->flags & DECISION_BY_NAME;
    return text_starts(name, "ld-") || (musl && is_musls(name)) ? ldso : NULL;
}

/* What ld.so would load by a name that `object` asks for, as long as nothing of the host is searched. */
static const char *find_as_ldso(const struct search *search, const char *object, const char *paths, const char *name)
{
    const struct decision_header *header = search->decision->header;
    const char *path = own_library(search->decision, name);
    if (!path)
        path = find_in(search->arena, search->user_paths, NULL, name);
    if (!path)
        path = find_in(search->arena, paths, object, name);
    if (!path && header->search)
        path = find_in(search->arena, decision_string(search->decision, header->search), NULL, name);
    return path;
}

static const char *find_of_host(const struct search *search, const char *name)
{
    bool musl = search->decision->header->flags & DECISION_BY_NAME;
    return musl ? NULL : find_in(search->arena, HOST_DIRECTORIES, NULL, name);
}

static const char *run_path_of(const struct object *object)
{
    size_t index = 0;
    const char *runpath = object_string(object, DT_RUNPATH, &index);
    index = 0;
    return runpath ? runpath : object_string(object, DT_RPATH, &index);
}

static bool is_noted(const struct preload *found, const char *path)
{
    for (size_t i = 0; i < found->count; i++)
        if (text_equal(found->needs[i], path))
            return true;
    return false;
}

static bool is_preloaded(const struct search *search, const char *name)
{
    size_t length = text_length(name);
    for (const char *at = search->given; *at; at++)
        if ((at == search->given || at[-1] == '/' || is_separator(search->decision, at[-1])) && text_starts(at, name) &&
            (!at[length] || is_separator(search->decision, at[length])))
            return true;
    return false;
}

static struct trouble check_object(const struct search *search, const char *path, int depth);

static struct trouble check_need(const struct search *search, const char *path, const struct object *object,
                                 const char *name, int depth)
{
    if (has_slash(name) || is_preloaded(search, name) || find_as_ldso(search, path, run_path_of(object), name))
        return NONE;
    const char *of_host = find_of_host(search, name);
    struct preload *found = search->found;
    struct trouble lacking = {keep(search->arena, name), NULL};
    if (!of_host || depth >= MAX_DEPTH)
        return lacking;
    if (is_noted(found, of_host))
        return NONE;
    if (found->count >= MAX_PRELOAD_NEEDS)
        return lacking;
    found->needs[found->count++] = of_host;
    return check_object(search, of_host, depth + 1);
}

static struct trouble check_version(const struct search *search, const char *path, const struct object *object,
                                    const struct version_need *need)
{
    struct object provider;
    if (search->decision->header->flags & DECISION_BY_NAME)
        return NONE; /* musl asks for no versions */
    const char *library = find_as_ldso(search, path, run_path_of(object), need->library);
    if (!library)
        library = find_of_host(search, need->library);
    if (!library || !object_open(library, &provider))
        return NONE;
    bool defined = object_defines(&provider, need->name);
    object_close(&provider);
    return defined ? NONE : (struct trouble){keep(search->arena, need->name), keep(search->arena, need->library)};
}

/* A file that cannot be read as an object is for ld.so to name: it goes on without it. */
static struct trouble check_object(const struct search *search, const char *path, int depth)
{
    struct object object;
    struct version_need need;
    struct trouble trouble = NONE;
    if (!object_open(path, &object))
        return NONE;
    size_t index = 0;
    for (const char *name; !trouble.what && (name = object_string(&object, DT_NEEDED, &index));)
        trouble = check_need(search, path, &object, name, depth);
    for (size_t i = 0; !trouble.what && object_need(&object, i, &need); i++)
        trouble = check_version(search, path, &object, &need);
    object_close(&object);
    return trouble;
}

/* One name of the list goes to what ld.so will see, or is left out. */
static void settle_one(const struct search *search, const char *name, struct text *shown)
{
    const char *path = has_slash(name) ? name : find_as_ldso(search, NULL, NULL, name);
    size_t before = search->found->count;
    if (!path && (path = find_of_host(search, name)))
        name = path;
    struct trouble trouble = path ? check_object(search, path, 0) : NONE; /* else for ld.so to name */
    if (!trouble.what) {
        text_add(shown, shown->length > sizeof "LD_PRELOAD=" - 1 ? ":" : "");
        text_add(shown, name);
        return;
    }
    search->found->count = before;
    say(name, " of LD_PRELOAD is left out: it needs ", trouble.what, trouble.library ? " of " : "",
        trouble.library ? trouble.library : "", ", which this program's libraries have not", (char *)0);
}

/* The variable that counts for ld.so, which is the last. */
static char **find_variable(const struct process *process)
{
    char **found = NULL;
    for (char **each = process->environment; *each; each++)
        if (text_starts(*each, "LD_PRELOAD="))
            found = each;
    return found;
}

/* The list with the program's directory for each $ORIGIN; as given where a separator in the directory would end a name
   in it, which ld.so does not see as it replaces the token later. */
static const char *with_origin(struct arena *arena, const struct decision *decision, const char *list, const char *origin)
{
    for (const char *at = origin; *at; at++)
        if (is_separator(decision, *at))
            return list;
    return arena_expanded(arena, list, origin);
}

static void settle_all(const struct search *search, struct text *shown)
{
    for (const char *given = search->given; *given;) {
        char name[PATH_ROOM];
        struct text one = text_in(name, sizeof name);
        while (is_separator(search->decision, *given))
            given++;
        for (; *given && !is_separator(search->decision, *given); given++)
            text_add_bytes(&one, given, 1);
        if (one.length)
            settle_one(search, name, shown);
    }
}

void preload_settle(struct arena *arena, const struct process *process, const struct decision *decision,
                    const char *origin, struct preload *preload)
{
    bool own_libraries = !process->secure && !(decision->header->flags & DECISION_HOST);
    preload->slot = own_libraries ? find_variable(process) : NULL;
    preload->shown = NULL;
    preload->count = 0;
    if (!preload->slot)
        return;
    const char *given = *preload->slot + sizeof "LD_PRELOAD=" - 1;
    if (origin)
        given = with_origin(arena, decision, given, origin);
    struct search search = {arena, decision, process_variable(process, "LD_LIBRARY_PATH"), given, preload};
    size_t room = text_length(given) + 16 + PATH_ROOM;
    struct text shown = text_in(arena_take(arena, room), room);
    text_add(&shown, "LD_PRELOAD=");
    settle_all(&search, &shown);
    preload->shown = text_equal(shown.data, *preload->slot) || shown.cut ? NULL : shown.data;
}
