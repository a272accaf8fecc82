/* `ldconfig -p` for one program: it lists the libraries that the program has, and those that packages have for it.

   Python's ctypes.util.find_library, JNA and launchers in shell ask `/sbin/ldconfig -p` for the name of a library and
   open nothing that it does not list; so a library that would be brought when it is opened must be in the list. Where
   the host has an ldconfig, its answer comes first, and it does whatever else is asked for.

   Settings (loader_settings.h): the directories of links, the first of them with the links to indexes; the kind of library, as
   ldconfig prints it; where the host's own ldconfig is; names that are the host's to have, a * at the end for anything. */
#include "../loader_settings.h"
#include "../resident/package_index.h"
#include "../sys.h"
#include "../text.h"
#include "listing.h"

ARCH_START;

_Noreturn void loader_start(uintptr_t *stack, const void *unused);

enum { STATUS_FAILED = 1 };

static bool asks_for_list(char **words, size_t count)
{
    return count == 2 && (text_equal(words[1], "-p") || text_equal(words[1], "--print-cache"));
}

/* The host's own, with its own words for what it has, before ours. */
static void let_host_list(const char *own, char **words, char **environment)
{
    int status = 0;
    long child = sys_fork();
    if (child == 0) {
        sys_execve(own, words, environment);
        sys_exit(STATUS_FAILED);
    }
    while (child > 0 && sys_wait(child, &status) == -SYS_EINTR)
        continue;
}

static const char *below(struct text *path, const char *directory, const char *name)
{
    text_add(path, directory);
    text_add(path, name);
    return path->data;
}

/* Every index's names, but not one that an earlier index has: the first is the preferred suite's. Nothing comes where
   a lock determines all libraries. */
static void list_indexes(struct listing *listing, const char *opened)
{
    enum { MOST = 16 };
    struct index indexes[MOST];
    char room[PATH_ROOM], locked[PATH_ROOM];
    struct text directory = text_in(room, sizeof room), lock = text_in(locked, sizeof locked);
    below(&directory, opened, "/.listed/");
    if (directory.cut || sys_exists(below(&lock, opened, "/.locked")))
        return;
    for (uint32_t number = 0; number < MOST && index_open(room, number, &indexes[number]); number++)
        listing_index(listing, indexes, number);
}

static _Noreturn void list(void)
{
    char room[PATH_ROOM];
    const char *opened = config_next(SETTING_DIRECTORY, NULL);
    struct text absent = text_in(room, sizeof room);
    struct names denied = names_in(below(&absent, opened ? opened : "", "/.absent"));
    struct listing listing = listing_of(config_next(SETTING_KIND, NULL), &denied);
    for (const char *one = opened; one; one = config_next(SETTING_DIRECTORY, one))
        listing_directory(&listing, one);
    if (opened)
        list_indexes(&listing, opened);
    sys_exit(listing_write(&listing) ? 0 : STATUS_FAILED);
}

_Noreturn void loader_start(uintptr_t *stack, const void *unused)
{
    (void)unused;
    char **words = (char **)(stack + 1), **environment = words + *stack + 1;
    const char *own = config_next(SETTING_HOST_LDSO, NULL);
    bool listed = asks_for_list(words, *stack);
    if (own && !listed) {
        sys_execve(own, words, environment);
        fail(own, " cannot be started", (char *)0);
    }
    if (!listed) {
        say("this ldconfig has no cache to write: it only lists (-p) what the program can open", (char *)0);
        sys_exit(STATUS_FAILED);
    }
    if (own)
        let_host_list(own, words, environment);
    list();
}
