/* A program that looks what is installed (for a Java in /usr/lib/jvm, for fonts) misses no library and no command: it
   lists a directory or asks whether a file is there. resolve/rules.toml names the places, and what fills them. */
#if defined(__aarch64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("no-outline-atomics") /* GCC's calls for atomic operations are in libgcc */
#endif
#include "missing_place.h"

#include "missing_command.h"

/* What `looked` of resolve/rules.toml lists (a test compares). */
static const char PLACES[] = "/etc/fonts\0"
                             "/etc/mime.types\0"
                             "/usr/lib/jvm\0"
                             "/usr/share/dict\0"
                             "/usr/share/fonts\0"
                             "/usr/share/hunspell\0"
                             "/usr/share/zoneinfo\0";

/* A bit for each place that this process asked about: it asks once. */
static uint64_t asked;

static bool is_at_or_below(const char *path, const char *place)
{
    size_t length = text_length(place);
    return text_starts(path, place) && (path[length] == '\0' || path[length] == '/');
}

static const char *place_of(const char *path, uint64_t *bit)
{
    *bit = 1;
    for (const char *one = PLACES; *one; one += text_length(one) + 1, *bit <<= 1)
        if (is_at_or_below(path, one))
            return one;
    return NULL;
}

static bool is_missing(const char *place, char *room)
{
    return redirected_link(place, room) == place && !sys_exists(place);
}

const char *missing_place_answer(const char *path, char *room)
{
    const struct inside_facts *facts = loader_facts();
    uint64_t bit;
    const char *place = path && path[0] == '/' ? place_of(path, &bit) : NULL;
    if (!place || !facts || !facts->words || !is_missing(place, room))
        return NULL;
    if (__atomic_fetch_or(&asked, bit, __ATOMIC_RELAXED) & bit || !place_is_brought(place))
        return NULL;
    const char *found = redirected_link(path, room);
    return found != path || sys_exists(path) ? found : NULL;
}
