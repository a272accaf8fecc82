/* A program that looks for a command itself (shutil.which, `which`, a loop of access) tries its name in one directory of
   PATH after the other. Only who tried them all has searched: a look at one path is none. */
#if defined(__aarch64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("no-outline-atomics") /* GCC's calls for atomic operations are in libgcc */
#endif
#include "command_search.h"

#include "missing_command.h"
#include "search_path.h"
#include "told_path.h"

enum { EXECUTE = 1 };

/* The search that goes on: the name, by a hash; the elements of PATH in which it was looked for, and the last of them. */
static struct search {
    uint64_t name;
    uint64_t tried;
    uint64_t last;
} search;
static int lock;
extern WEAK char **environ;

/* FNV-1a. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    return hash;
}

/* Where a path is among the candidates of PATH for its name, and where a search ends that could be answered: at the last
   element in which packages have commands, at the last of all where PATH has none of these. Where PATH is not set each
   shell has elements of its own in an order of its own, and the search ends at whichever is tried last of those that all
   have (`in_any_order`). */
struct candidates {
    uint64_t here;
    uint64_t end;
    bool in_any_order;
};

static struct candidates candidates_of(const char *path)
{
    struct candidates found = {0, 0, !lookup_has_path(environ)};
    bool ours = false;
    uint64_t bit = 1;
    struct lookup lookup = lookup_along(text_file_name(path), environ);
    for (const char *one = lookup_next(&lookup); one && bit; one = lookup_next(&lookup), bit <<= 1) {
        if (text_equal(one, path))
            found.here |= bit;
        if (command_has_place(one) || !ours)
            found.end = bit;
        ours = ours || command_has_place(one);
    }
    return found;
}

/* Two looks at one element are of one search, as stat and access; when the search comes back to an element, another has
   begun. Where a thread is in the middle of this, the look of another counts for nothing. */
static bool is_end(const char *path, struct candidates at)
{
    bool whole = false;
    if (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        return false;
    uint64_t name = hash_of(text_file_name(path));
    if (search.name != name || ((search.tried & at.here) && search.last != at.here))
        search.tried = 0;
    search.name = name;
    search.last = at.here;
    search.tried |= at.here;
    if ((at.here & at.end) || at.in_any_order) {
        uint64_t others = (at.end | (at.end - 1)) & ~at.here;
        whole = (search.tried & others) == others;
    }
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    return whole;
}

static bool is_elsewhere(const char *name)
{
    struct lookup lookup = lookup_along(name, environ);
    for (const char *one = lookup_next(&lookup); one; one = lookup_next(&lookup))
        if (arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)one, EXECUTE, 0, 0, 0) == 0)
            return true;
    return false;
}

/* Whether the look at a path ends a search, for a command that is to be had. */
static bool is_found(const char *path)
{
    if (!lookup_covers(path, environ))
        return false;
    struct candidates at = candidates_of(path);
    return at.here && is_end(path, at) && !is_elsewhere(text_file_name(path)) &&
           command_is_to_be_had(text_file_name(path));
}

/* Whoever reads what a search printed may have another PATH. */
static bool could_be_told(const char *path)
{
    return command_has_place(path) || lookup_covers(path, environ);
}

const char *command_search_answer(const char *path)
{
    const struct inside_facts *facts = loader_facts();
    if (!facts || !facts->words || !path || path[0] != '/')
        return NULL;
    if (is_found(path)) {
        told_path_record(path);
        return facts->loader;
    }
    return could_be_told(path) && told_path_holds(path) ? facts->loader : NULL;
}

const char *command_to_read(const char *path, char *room)
{
    char place[PATH_ROOM];
    const struct inside_facts *facts = loader_facts();
    if (!facts || !facts->words || !path || path[0] != '/' || !could_be_told(path) || !told_path_holds(path))
        return NULL;
    const char *command = command_has_place(path) ? path : command_beyond_path(text_file_name(path), place);
    return command ? command_brought(command, room) : NULL;
}
