#include "joined_library.h"

/* By bytes, as Python sorts them. */
static int compare(const char *one, const char *other)
{
    while (*one && *one == *other)
        one++, other++;
    return (unsigned char)*one - (unsigned char)*other;
}

const char *joined_library_path(const struct joined_libraries *table, const char *name, const char *otherwise)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare((const char *)table + table->row[middle].name, name);
        if (order == 0)
            return (const char *)table + table->row[middle].path;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return otherwise;
}
