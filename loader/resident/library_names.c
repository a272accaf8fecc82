#include "library_names.h"

#include "../budget.h"
#include "package_index.h"

/* Below the directory of links: an empty file for each name that nobody has, or that is kept out. */
static const char *const ABSENT = ".absent/";
static const char *const INDEXES = ".index/";

static bool is_letter(char one)
{
    return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') ||
           one == '.' || one == '_' || one == '+' || one == '-';
}

bool library_name_is_plain(const char *name)
{
    bool shared = false;
    size_t length = 0;
    for (; name[length]; length++) {
        if (length == LIBRARY_NAME_ROOM || !is_letter(name[length]))
            return false;
        shared = shared || text_starts(name + length, ".so");
    }
    return shared && name[0] != '.' && name[0] != '-';
}

bool library_name_below(char *room, const char *opened, const char *directory, const char *name)
{
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, opened);
    text_add(&path, directory);
    text_add(&path, name);
    return !path.cut;
}

bool library_name_is_denied(const char *opened, const char *name)
{
    char room[PATH_ROOM];
    if (library_name_below(room, opened, ABSENT, name) && !sys_exists(room))
        return false;
    return !(library_name_below(room, opened, KEPT_OUT, "") && budget_changed_since(room, name));
}

bool library_name_is_unknown(const char *opened, const char *name)
{
    char room[PATH_ROOM];
    return !library_name_below(room, opened, INDEXES, "") || index_rules_out(room, name);
}
