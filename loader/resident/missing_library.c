#include "missing_library.h"

#include "../budget.h"
#include "entered_sandbox.h"
#include "helper_call.h"
#include "kept_out.h"
#include "package_index.h"

/* Below the directory of links: an empty file for each name that nobody has, or that is kept out. */
static const char *const ABSENT = ".absent/";
static const char *const INDEXES = ".index/";
/* Links to the directories that ld.so goes on to search, 0, 1, ...; none where all that is searched are ours. */
static const char *const HOST = ".host/";
enum { NAME_ROOM = 200, MAX_VAIN = 8 };

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

static bool is_letter(char one)
{
    return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') ||
           one == '.' || one == '_' || one == '+' || one == '-';
}

/* A file name as packages have them, of a shared object. Directories of processors' capabilities have a slash. */
static bool is_soname(const char *name)
{
    bool shared = false;
    size_t length = 0;
    for (; name[length]; length++) {
        if (length == NAME_ROOM || !is_letter(name[length]))
            return false;
        shared = shared || text_starts(name + length, ".so");
    }
    return shared && name[0] != '.' && name[0] != '-';
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
    return rest[0] == '/' && is_soname(rest + 1) ? rest + 1 : NULL;
}

static bool below(char *room, const struct resident_facts *facts, const char *directory, const char *name)
{
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, facts->opened);
    text_add(&path, directory);
    text_add(&path, name);
    return !path.cut;
}

static bool is_absent(const struct resident_facts *facts, const char *name)
{
    char room[PATH_ROOM];
    if (below(room, facts, ABSENT, name) && !sys_exists(room))
        return false;
    return !(below(room, facts, KEPT_OUT, "") && budget_changed_since(room, name));
}

/* Most misses are of what no distribution has: optional parts, other spellings. Those cost microseconds, not a helper. */
static bool nobody_has(const struct resident_facts *facts, const char *name)
{
    char room[PATH_ROOM];
    return !below(room, facts, INDEXES, "") || index_rules_out(room, name);
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
    return facts->words && !is_absent(facts, name) && !nobody_has(facts, name) && missing_library_may_ask();
}

bool missing_library(const struct resident_facts *facts, const char *path, const struct link_map *asker)
{
    /* The directory itself is out of reach after chroot or setuid: there is nobody to ask there. */
    const char *name = path + text_length(facts->opened);
    if (!is_soname(name) || sys_exists(path) || !sys_exists(facts->opened) || host_has(facts, name))
        return true;
    if (vain >= MAX_VAIN || !may_ask(facts, name))
        return false;
    call_helper(facts, link_map_needs(asker, name) ? "--needed" : "--missed", name);
    if (sys_exists(path))
        return true;
    vain += !is_absent(facts, name);
    return false;
}

/* A path that a package can have, and that a record can be named by. */
static bool is_plain(const char *path)
{
    size_t length = 0;
    for (; path[length]; length++)
        if (length == NAME_ROOM || (path[length] == '/' && (path[length + 1] == '/' || path[length + 1] == '.')))
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
    if (!is_plain(path) || !is_soname(name) || !sys_exists(facts->opened))
        return;
    /* Beside a host's own libraries no file is shown. */
    if (!below(host, facts, HOST, "0") || sys_exists(host))
        return;
    path_as_name(path, denied);
    if (vain < MAX_VAIN && !is_absent(facts, denied) && may_ask(facts, name)) {
        call_helper(facts, "--at", path);
        if (sys_exists(path))
            return;
        vain += !is_absent(facts, denied);
    }
    kept_out_note(facts, denied);
}
