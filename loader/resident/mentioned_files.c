#include "mentioned_files.h"

#include "missing_library.h"
#include "helper_call.h"

/* Below the directory of links: an empty file for each object that was looked at. */
static const char *const EXAMINED = ".examined/";
enum { PLACE_ROOM = 24, CREATE_NEW = 0301, PRIVATE = 0600 };
enum { LARGEST = 256 * 1024 * 1024 };

/* What `mentions` of resolve/rules.toml lists (a test compares), and which path is there where nothing is to come. */
static const struct place {
    char text[PLACE_ROOM];
    char there[PLACE_ROOM];
} PLACES[] = {
    {"/etc/fonts", "/etc/fonts"},
    {"/usr/share/fonts", "/usr/share/fonts"},
    {"/usr/share/zoneinfo", "/usr/share/zoneinfo"},
    {"/etc/services", "/etc/services"},
    {"/etc/ssl/cert", "/etc/ssl/certs"},
    {"/etc/pki/tls/", "/etc/ssl/certs"},
    {"/usr/share/alsa", "/usr/share/alsa"},
    {"/etc/mime.types", "/etc/mime.types"},
    {"/usr/share/terminfo", "/usr/share/terminfo"},
    {"/lib/terminfo", "/usr/share/terminfo"},
};
enum { COUNT = sizeof PLACES / sizeof *PLACES };

static bool begins(const char *bytes, size_t left, size_t length, const char *text)
{
    return left >= length && __builtin_memcmp(bytes, text, length) == 0;
}

static bool names_missing_place(const char *bytes, size_t size)
{
    bool wanted[COUNT];
    bool any = false;
    for (size_t i = 0; i < COUNT; i++)
        any = (wanted[i] = !sys_exists(PLACES[i].there)) || any;
    for (size_t at = 0; any && at + 1 < size; at++)
        if (bytes[at] == '/' && (bytes[at + 1] == 'e' || bytes[at + 1] == 'u'))
            for (size_t i = 0; i < COUNT; i++)
                if (wanted[i] && begins(bytes + at, size - at, text_length(PLACES[i].text), PLACES[i].text))
                    return true;
    return false;
}

/* The name is that of launch/dlopen_record.py. */
static bool mark_of(char *room, const struct resident_facts *facts, const struct arch_stat *file)
{
    struct text path = text_in(room, PATH_ROOM);
    text_add(&path, facts->opened);
    text_add(&path, EXAMINED);
    /* Where nothing is remembered nothing is looked at: it would be at each start. */
    if (path.cut || !sys_exists(room))
        return false;
    text_add_hex(&path, (uint64_t)file->device);
    text_add(&path, "-");
    text_add_hex(&path, (uint64_t)file->inode);
    text_add(&path, "-");
    text_add_hex(&path, (uint64_t)file->mtime);
    text_add(&path, "-");
    text_add_hex(&path, (uint64_t)file->mtime_ns);
    return !path.cut;
}

static void mark(const char *path)
{
    int fd = (int)arch_syscall(__NR_openat, SYS_AT_CWD, (long)path, CREATE_NEW | SYS_CLOEXEC, PRIVATE, 0, 0);
    if (fd >= 0)
        sys_close(fd);
}

/* The helper's working directory is another: it gets the whole path, of the file that is open. */
static void ask_about(const struct resident_facts *facts, int fd)
{
    char link[32], path[PATH_ROOM];
    struct text name = text_in(link, sizeof link);
    text_add(&name, "/proc/self/fd/");
    text_add_decimal(&name, (uint32_t)fd);
    long length = sys_readlink(link, path, sizeof path - 1);
    if (length <= 0 || path[0] != '/')
        return;
    path[length] = 0;
    call_helper(facts, "--mentioned", path);
}

static void examine(const struct resident_facts *facts, int fd, const struct arch_stat *file, const char *known)
{
    size_t size = file->size < LARGEST ? (size_t)file->size : LARGEST;
    long at = sys_mmap(0, size, SYS_PROT_READ, SYS_MAP_PRIVATE, fd, 0);
    if (sys_failed(at))
        return;
    /* A byte of constants costs a nanosecond, once. */
    bool names = names_missing_place((const char *)at, size);
    arch_syscall(__NR_munmap, at, (long)size, 0, 0, 0, 0);
    if (names)
        ask_about(facts, fd);
    else
        mark(known);
}

static bool is_from_package(const struct resident_facts *facts, const char *path)
{
    /* `search` is the decision's directory and `opened`, with a colon between, or `opened` alone. */
    size_t length = (size_t)(facts->opened - facts->search);
    return text_starts(path, facts->opened) ||
           (length > 1 && begins(path, text_length(path), length - 1, facts->search));
}

void mentioned_files_look(const struct resident_facts *facts, const struct link_map *object)
{
    char known[PATH_ROOM];
    struct arch_stat file;
    const char *path = object->name;
    if (!facts->words || !path || !*path || is_from_package(facts, path))
        return;
    int fd = sys_open(path, SYS_RDONLY);
    if (fd < 0)
        return;
    if (sys_fstat(fd, &file) >= 0 && (file.mode & SYS_S_IFMT) == SYS_S_IFREG && mark_of(known, facts, &file) &&
        !sys_exists(known) && missing_library_may_ask())
        examine(facts, fd, &file, known);
    sys_close(fd);
}
