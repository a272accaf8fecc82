#include "looked_places.h"

#include "text.h"

/* What `looked` of src/denizen/resolve/rules.toml lists (a test compares). */
static const char PLACES[] = "/etc/fonts\0"
                             "/etc/mime.types\0"
                             "/usr/lib/jvm\0"
                             "/usr/share/dict\0"
                             "/usr/share/fonts\0"
                             "/usr/share/hunspell\0"
                             "/usr/share/zoneinfo\0";

static bool is_at_or_below(const char *path, const char *place)
{
    size_t length = text_length(place);
    return text_starts(path, place) && (path[length] == '\0' || path[length] == '/');
}

const char *looked_place_of(const char *path, uint64_t *bit)
{
    *bit = 1;
    for (const char *one = PLACES; *one; one += text_length(one) + 1, *bit <<= 1)
        if (is_at_or_below(path, one))
            return one;
    return NULL;
}
