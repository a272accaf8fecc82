#include "link_map.h"

Dyn *link_map_entry(const struct link_map *object, intptr_t tag)
{
    for (Dyn *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == tag)
            return entry;
    return NULL;
}

/* ld.so makes the address absolute in place, but where the section cannot be written. */
const char *link_map_strings(const struct link_map *object)
{
    const Dyn *entry = link_map_entry(object, DT_STRTAB);
    uintptr_t at = entry ? entry->d_un.d_ptr : 0;
    return (const char *)(at && at < object->bias ? at + object->bias : at);
}

bool link_map_needs(const struct link_map *object, const char *name)
{
    const char *strings = link_map_strings(object);
    for (const Dyn *entry = object->dynamic; strings && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_NEEDED && text_equal(strings + entry->d_un.d_val, name))
            return true;
    return false;
}
