/* The resident: an auditing library (rtld-audit(7)) that the program's dynamic section names. It sees where ld.so
   finds no library, has that answered, and lets every object search where the program's own do. */
#include "answer.h"
#include "regret.h"
#include "runpath.h"

#define EXPORTED __attribute__((visibility("default")))

/* <link.h>: the version (glibc 2.35) from which ld.so hooks no calls for a library that does not ask for that (its
   bug 15533): before, every call through a PLT would pay. */
enum { FIRST_CHEAP_VERSION = 2, LA_SER_RUNPATH = 4, LA_ACT_CONSISTENT = 0, PROGRAMS = 0 };

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
            answer_prepare();
    } else {
        runpath_extend(object, facts->search);
        if (name_space == PROGRAMS)
            regret_know(object);
    }
    return 0;
}

/* Told when objects have been loaded, first of all those that the program starts with, before any of them runs. */
void la_activity(uintptr_t *cookie, unsigned what)
{
    (void)cookie;
    complete = complete || (facts && what == LA_ACT_CONSISTENT);
}

/* Told of each path that ld.so is about to try, for the object whose record the cookie still is (rtld-audit(7)). Ours
   are the last of all, so whoever comes there is missed. A path for which null is returned is passed over. */
const char *la_objsearch(const char *path, uintptr_t *cookie, unsigned where)
{
    if (where != LA_SER_RUNPATH || !facts)
        return path;
    const struct link_map *asker = (const struct link_map *)*cookie;
    if (text_starts(path, facts->opened)) {
        if (facts->later && !complete)
            return NULL;
        if (!answer(facts, path, asker) && complete)
            regret(facts, path + text_length(facts->opened));
    } else if (facts->own && asker != started && runpath_is_anothers(path, facts->own, asker)) {
        return NULL;
    }
    return path;
}
