/* The C library's functions that find a user or a group: it reads /etc/passwd and /etc/group by calls
   inside itself. Where the host has none, the ones of the resource tree are read, by the C library's own readers. */
#include "forwarding.h"

enum { NOT_FOUND = 2 }; /* ENOENT */

/* The beginning of struct passwd and of struct group, in every C library. */
struct account {
    char *name;
    char *password;
    uint32_t id;
};
typedef struct account *read_next(void *stream);
typedef int read_next_into(void *stream, struct account *one, char *buffer, size_t size, struct account **result);

static any_function *next_fopen, *next_fclose;

/* Of a file that the host lacks; null for none. */
static void *open_shown(const char *path)
{
    char room[PATH_ROOM];
    const char *shown = redirected_link(path, room);
    void *(*open_stream)(const char *, const char *) = (void *(*)(const char *, const char *))next_function(&next_fopen, "fopen");
    return shown != path && open_stream ? open_stream(shown, "re") : NULL;
}

static void close_shown(void *stream)
{
    int (*close_stream)(void *) = (int (*)(void *))next_function(&next_fclose, "fclose");
    if (close_stream)
        close_stream(stream);
}

/* By its name, or by its number where that is null. */
static bool is_meant(const struct account *one, const char *name, uint32_t id)
{
    return name ? text_equal(one->name, name) : one->id == id;
}

static struct account *find(const char *path, read_next *read, const char *name, uint32_t id)
{
    void *stream = read ? open_shown(path) : NULL;
    struct account *one = NULL;
    if (!stream)
        return NULL;
    while ((one = read(stream)) && !is_meant(one, name, id))
        continue;
    close_shown(stream);
    return one;
}

static int find_into(const char *path, read_next_into *read, const char *name, uint32_t id, struct account *one, char *buffer,
                     size_t size, struct account **result)
{
    void *stream = read ? open_shown(path) : NULL;
    int problem = stream ? 0 : NOT_FOUND;
    do
        problem = problem ? problem : read(stream, one, buffer, size, result);
    while (!problem && !is_meant(one, name, id));
    if (problem)
        *result = NULL;
    if (stream)
        close_shown(stream);
    return problem == NOT_FOUND ? 0 : problem;
}

/* Where the C library found nobody, once more in the file that is shown. */
#define FINDING(function, path, reader, key_type, name, id)                                             \
    EXPORTED struct account *function(key_type key);                                                    \
    static any_function *next_##function, *next_##function##_reader;                                    \
    struct account *function(key_type key)                                                              \
    {                                                                                                   \
        __typeof__(&function) next = NEXT(function);                                                    \
        struct account *found = next ? next(key) : NULL;                                                \
        return found ? found : find(path, (read_next *)next_function(&next_##function##_reader, reader), name, id); \
    }
#define FINDING_INTO(function, path, reader, key_type, name, id)                                        \
    EXPORTED int function(key_type key, struct account *one, char *buffer, size_t size, struct account **result); \
    static any_function *next_##function, *next_##function##_reader;                                    \
    int function(key_type key, struct account *one, char *buffer, size_t size, struct account **result) \
    {                                                                                                   \
        __typeof__(&function) next = NEXT(function);                                                    \
        *result = NULL;                                                                                 \
        int problem = next ? next(key, one, buffer, size, result) : -NO_FUNCTION;                       \
        if (*result || !next)                                                                           \
            return problem;                                                                             \
        read_next_into *read = (read_next_into *)next_function(&next_##function##_reader, reader);      \
        int shown = find_into(path, read, name, id, one, buffer, size, result);                         \
        return *result || shown ? shown : problem;                                                      \
    }
#define USERS "/etc/passwd"
#define GROUPS "/etc/group"

FINDING(getpwnam, USERS, "fgetpwent", const char *, key, 0)
FINDING(getpwuid, USERS, "fgetpwent", uint32_t, NULL, key)
FINDING(getgrnam, GROUPS, "fgetgrent", const char *, key, 0)
FINDING(getgrgid, GROUPS, "fgetgrent", uint32_t, NULL, key)
FINDING_INTO(getpwnam_r, USERS, "fgetpwent_r", const char *, key, 0)
FINDING_INTO(getpwuid_r, USERS, "fgetpwent_r", uint32_t, NULL, key)
FINDING_INTO(getgrnam_r, GROUPS, "fgetgrent_r", const char *, key, 0)
FINDING_INTO(getgrgid_r, GROUPS, "fgetgrent_r", uint32_t, NULL, key)
