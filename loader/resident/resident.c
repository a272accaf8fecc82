/* The resident: an auditing library (rtld-audit(7)) that the program's dynamic section names. It sees where ld.so
   finds no library, has that answered, and lets every object search where the program's own do. */
#include "missing_library.h"
#include "joined_library.h"
#include "mentioned_files.h"
#include "kept_out.h"
#include "runpath.h"

#define EXPORTED __attribute__((visibility("default")))

/* <link.h>: the version (glibc 2.35) from which ld.so hooks no calls for a library that does not ask for that (its
   bug 15533): before, every call through a PLT would pay. */
enum { FIRST_CHEAP_VERSION = 2, LA_SER_ORIG = 1, LA_SER_RUNPATH = 4, LA_ACT_CONSISTENT = 0, PROGRAMS = 0 };

EXPORTED unsigned la_version(unsigned version);
EXPORTED void la_activity(uintptr_t *cookie, unsigned what);
EXPORTED unsigned la_objopen(struct link_map *object, long name_space, uintptr_t *cookie);
EXPORTED const char *la_objsearch(const char *path, uintptr_t *cookie, unsigned where);

static const struct resident_facts *facts;
static const struct link_map *started;
static bool complete;

unsigned la_version(unsigned version)
{
    return version < FIRST_CHEAP_VERSION ? 0 : version;
}

static const struct resident_facts *facts_in(const struct link_map *program)
{
    for (const Dyn *entry = program->dynamic; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == RESIDENT_TAG) {
            const struct resident_facts *found = (const struct resident_facts *)entry->d_un.d_ptr;
            return found->version == RESIDENT_VERSION ? found : NULL;
        }
    return NULL;
}

/* Told of each object when it is mapped and before anything is searched for it, of the program first. */
unsigned la_objopen(struct link_map *object, long name_space, uintptr_t *cookie)
{
    (void)cookie;
    if (!facts) {
        facts = facts_in(object);
        started = object;
        if (facts)
            missing_library_prepare();
    } else {
        runpath_extend(object, facts->search);
        if (name_space == PROGRAMS)
            kept_out_know(object);
        /* What the program starts with was looked at when it was decided about; beside a host's own libraries
           nothing can be shown. */
        if (name_space == PROGRAMS && complete && !facts->later)
            mentioned_files_look(facts, object);
    }
    return 0;
}

/* Told when objects have been loaded, first of all those that the program starts with, before any of them runs. */
void la_activity(uintptr_t *cookie, unsigned what)
{
    (void)cookie;
    complete = complete || (facts && what == LA_ACT_CONSISTENT);
}

/* A file that is shown at a path since, in a namespace or, without one, in the tree. */
static const char *shown_at(const char *path, char *room)
{
    struct text there = text_in(room, PATH_ROOM);
    text_add(&there, facts->resources ? facts->resources : "");
    text_add(&there, path);
    return facts->resources && !there.cut && !sys_exists(path) && sys_exists(room) ? room : path;
}

/* Told of each name as it was given: one with a slash is not searched for. A path in a default directory that is not
   there is answered like the name alone; ld.so copies what is returned. */
static const char *original(const char *path, const struct link_map *asker)
{
    static char room[PATH_ROOM];
    const char *name = missing_library_default_name(path);
    if (path[0] != '/' || sys_exists(path))
        return path;
    if (!name) {
        missing_library_at(facts, path);
        return shown_at(path, room);
    }
    /* The decision's own directory, which `search` begins with unless it has none, then what came later. */
    size_t length = (size_t)(facts->opened - facts->search);
    struct text there = text_in(room, sizeof room);
    text_add_bytes(&there, facts->search, length ? length - 1 : 0);
    text_add(&there, "/");
    text_add(&there, name);
    if (length && !there.cut && sys_exists(room))
        return room;
    there = text_in(room, sizeof room);
    text_add(&there, facts->opened);
    text_add(&there, name);
    if (!there.cut)
        missing_library(facts, room, asker);
    return !there.cut && sys_exists(room) ? room : path;
}

/* The rest of a path in the directory that `search` begins with; null for one that lies elsewhere. */
static const char *below_search(const char *path)
{
    size_t length = (size_t)(facts->opened - facts->search);
    for (size_t i = 0; i + 1 < length; i++)
        if (path[i] != facts->search[i])
            return NULL;
    return length && path[length - 1] == '/' ? path + length : NULL;
}

static bool is_name(const char *path)
{
    return text_file_name(path) == path;
}

/* Told of a path in one of our directories. Those have links and no directories, so what ld.so would look for there
   because of the processor (glibc-hwcaps; before glibc 2.37 some 10 more) is passed over. */
static const char *in_ours(const char *path, const char *asked, const struct link_map *asker)
{
    if (asked && is_name(asked)) {
        if (!missing_library(facts, path, asker) && complete)
            kept_out_note(facts, asked);
        return path;
    }
    const char *name = below_search(path);
    if (!name || !is_name(name))
        return NULL;
    return facts->joined ? joined_library_path(facts->joined, name, path) : path;
}

/* Told of each path that ld.so is about to try, for the object whose record the cookie still is (rtld-audit(7)). Ours
   are the last of all, so whoever comes there is missed. A path for which null is returned is passed over. */
const char *la_objsearch(const char *path, uintptr_t *cookie, unsigned where)
{
    if (!facts || (where != LA_SER_RUNPATH && where != LA_SER_ORIG))
        return path;
    const struct link_map *asker = (const struct link_map *)*cookie;
    if (where == LA_SER_ORIG)
        return complete ? original(path, asker) : path;
    const char *asked = text_starts(path, facts->opened) ? path + text_length(facts->opened) : NULL;
    if (asked && facts->later && !complete)
        return NULL;
    if (asked || below_search(path))
        return in_ours(path, asked, asker);
    if (facts->own && asker != started && runpath_is_anothers(path, facts->own, asker))
        return NULL;
    return path;
}
