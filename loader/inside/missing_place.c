/* A program that looks what is installed (for a Java in /usr/lib/jvm, for fonts) misses no library and no command: it
   lists a directory or asks whether a file is there. resolve/rules.toml names the places, and what fills them. */
#if defined(__aarch64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("no-outline-atomics") /* GCC's calls for atomic operations are in libgcc */
#endif
#include "missing_place.h"

#include "../looked_places.h"
#include "missing_command.h"

/* A bit for each place that this process asked about: it asks once. */
static uint64_t asked;

static bool is_missing(const char *place, char *room)
{
    return redirected_link(place, room) == place && !sys_exists(place);
}

const char *missing_place_answer(const char *path, char *room)
{
    const struct inside_facts *facts = loader_facts();
    uint64_t bit;
    const char *place = path && path[0] == '/' ? looked_place_of(path, &bit) : NULL;
    if (!place || !facts || !facts->words || !is_missing(place, room))
        return NULL;
    if (__atomic_fetch_or(&asked, bit, __ATOMIC_RELAXED) & bit || !place_is_brought(place))
        return NULL;
    const char *found = redirected_link(path, room);
    return found != path || sys_exists(path) ? found : NULL;
}
