#include "missing_library.h"

#include "entered_sandbox.h"
#include "helper_call.h"
#include "kept_out.h"
#include "library_names.h"

/* Links to the directories that ld.so goes on to search, 0, 1, ...; none where all that is searched are ours. */
static const char *const HOST = ".host/";
enum { MAX_VAIN = 8 };

static struct sandbox first;
/* Of answers that said nothing: no network, no memory, no helper. A program that goes on asking is not kept waiting.
   ld.so holds its lock while it searches, so nobody else is here. */
static unsigned vain;

void missing_library_prepare(void)
{
    first = sandbox_begin();
}

bool missing_library_may_ask(void)
{
    return sandbox_is_as(&first);
}

static const char *after(const char *path, const char *prefix)
{
    return text_starts(path, prefix) ? path + text_length(prefix) : path;
}

/* Those of glibc (elf/Makefile, default library directories) and of Debian's: [/usr]/lib[64][/TRIPLET]/NAME. */
const char *missing_library_default_name(const char *path)
{
    const char *rest = after(path, "/usr");
    if (!text_starts(rest, "/lib"))
        return NULL;
    rest = after(after(rest + 4, "64"), "/" ARCH_TRIPLET);
    return rest[0] == '/' && library_name_is_plain(rest + 1) ? rest + 1 : NULL;
}

/* What the host has ld.so finds there next. Most of it: a name that only the cache knows is the helper's to tell. */
static bool host_has(const struct resident_facts *facts, const char *name)
{
    char room[PATH_ROOM];
    for (uint32_t number = 0;; number++) {
        struct text path = text_in(room, sizeof room);
        text_add(&path, facts->opened);
        text_add(&path, HOST);
        text_add_decimal(&path, number);
        if (path.cut || !sys_exists(room))
            return false;
        text_add(&path, "/");
        text_add(&path, name);
        if (!path.cut && sys_exists(room))
            return true;
    }
}

/* Whether it is of use to ask for a name, and nothing forbids it. */
static bool may_ask(const struct resident_facts *facts, const char *name)
{
    return facts->words && !library_name_is_denied(facts->opened, name) &&
           !library_name_is_unknown(facts->opened, name) && missing_library_may_ask();
}

bool missing_library(const struct resident_facts *facts, const char *path, const struct link_map *asker)
{
    /* The directory itself is out of reach after chroot or setuid: there is nobody to ask there. */
    const char *name = path + text_length(facts->opened);
    if (!library_name_is_plain(name) || sys_exists(path) || !sys_exists(facts->opened) || host_has(facts, name))
        return true;
    if (vain >= MAX_VAIN || !may_ask(facts, name))
        return false;
    call_helper(facts, link_map_needs(asker, name) ? "--needed" : "--missed", name);
    if (sys_exists(path))
        return true;
    vain += !library_name_is_denied(facts->opened, name);
    return false;
}

/* A path that a package can have, and that a record can be named by. */
static bool is_plain(const char *path)
{
    size_t length = 0;
    for (; path[length]; length++)
        if (length == LIBRARY_NAME_ROOM || (path[length] == '/' && (path[length + 1] == '/' || path[length + 1] == '.')))
            return false;
    return true;
}

/* The name below .absent for a path: each / is a =, which no soname has (launch/dlopen_record.py). */
static void path_as_name(const char *path, char *room)
{
    size_t length = 0;
    for (; path[length] && length < PATH_ROOM - 1; length++)
        room[length] = path[length] == '/' ? '=' : path[length];
    room[length] = '\0';
}

void missing_library_at(const struct resident_facts *facts, const char *path)
{
    char host[PATH_ROOM], denied[PATH_ROOM];
    const char *name = text_file_name(path);
    const char *rest = after(path, "/usr");
    if (!text_starts(rest, "/lib/") && !text_starts(rest, "/lib64/"))
        return;
    if (!is_plain(path) || !library_name_is_plain(name) || !sys_exists(facts->opened))
        return;
    /* Beside a host's own libraries no file is shown. */
    if (!library_name_below(host, facts->opened, HOST, "0") || sys_exists(host))
        return;
    path_as_name(path, denied);
    if (vain < MAX_VAIN && !library_name_is_denied(facts->opened, denied) && may_ask(facts, name)) {
        call_helper(facts, "--at", path);
        if (sys_exists(path))
            return;
        vain += !library_name_is_denied(facts->opened, denied);
    }
    kept_out_note(facts, denied);
}
