#include "command_records.h"

#include "budget.h"
#include "sys.h"
#include "text.h"

bool command_record_below(char *room, const char *commands, const char *directory, const char *name)
{
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, commands);
    text_add(&path, directory);
    text_add(&path, name);
    return !path.cut;
}

bool command_is_marked(const char *commands, const char *directory, const char *name)
{
    char room[PATH_ROOM];
    return command_record_below(room, commands, directory, name) && sys_exists(room);
}

bool command_is_linked(const char *commands, const char *name, char *room)
{
    char link[PATH_ROOM];
    long length = command_record_below(link, commands, "/", name) ? sys_readlink(link, room, PATH_ROOM - 1) : -1;
    room[length > 0 ? length : 0] = '\0';
    return length > 0 && sys_exists(room);
}

bool command_is_absent(const char *commands, const char *name)
{
    char room[PATH_ROOM];
    return command_is_marked(commands, "/.absent/", name) &&
           !(command_record_below(room, commands, "/.kept-out/", "") && budget_changed_since(room, name));
}

bool command_is_seen(const char *commands, const char *name, enum looker looker)
{
    return command_is_marked(commands, "/.seen/", name) ||
           (looker == SCRIPT && command_is_marked(commands, "/.seen-by-scripts/", name));
}

/* What is not seen by a program because it comes with others, or by nobody because programs do without it, is seen by
   those who ask for more. */
bool command_is_judged(const char *commands, const char *name, enum looker looker)
{
    return command_is_absent(commands, name) || (looker != ARGUMENT && command_is_marked(commands, "/.unseen/", name)) ||
           (looker == PROGRAM && (command_is_marked(commands, "/.seen-by-scripts/", name) ||
                                  command_is_marked(commands, "/.unseen-by-programs/", name)));
}
