#include "budget.h"

#include "sys.h"
#include "text.h"

/* Beside the records, by what keeps something out for its size (src/denizen/launch/kept_out.py): a link to the directory
   of the user's settings. */
static const char SETTINGS[] = ".settings";

static uint64_t time_of(const char *directory, const char *name, const char *below)
{
    char room[PATH_ROOM];
    struct arch_stat facts;
    struct text path = text_in(room, sizeof room);
    text_add(&path, directory);
    text_add(&path, name);
    text_add(&path, below);
    if (path.cut || sys_stat(room, &facts) < 0)
        return 0;
    return (uint64_t)facts.mtime * 1000000000 + (uint64_t)facts.mtime_ns;
}

/* A file that is taken away, or put into another's place, changes the directory. Both may be of one tick of the clock. */
bool budget_changed_since(const char *directory, const char *name)
{
    uint64_t since = time_of(directory, name, "");
    return since && (time_of(directory, SETTINGS, "") >= since || time_of(directory, SETTINGS, "/budget") >= since);
}
