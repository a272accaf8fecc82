#include "lacking_directories.h"

#include "../sys.h"
#include "made_names.h"

enum { MOST_SHOWN_AGAIN = 16, ENAMETOOLONG_ = 36, E2BIG_ = 7 };

/* The first bytes of a word of the plan. */
struct beginning {
    const char *path;
    size_t length;
};

struct making {
    const char *root, *stage;
    struct beginning shown_again[MOST_SHOWN_AGAIN];
    size_t count;
    struct beginning made; /* the last file system */
};

static bool begins(const char *path, struct beginning with)
{
    for (size_t i = 0; i < with.length; i++)
        if (path[i] != with.path[i])
            return false;
    return with.length != 0;
}

static bool is_equal(struct beginning one, struct beginning other)
{
    return one.length == other.length && begins(one.path, other);
}

static size_t end_of_name(const char *path, size_t from)
{
    size_t end = from + (path[from] == '/');
    while (path[end] && path[end] != '/')
        end++;
    return end;
}

static bool place_of(char *room, const struct making *making, struct beginning path)
{
    struct text place = text_in(room, PATH_ROOM);
    text_add(&place, making->root);
    text_add_bytes(&place, path.path, path.length);
    return !place.cut;
}

/* The length of what is there of a path, as directories; the whole where there is nothing to make. */
static size_t length_there(const struct making *making, const char *path)
{
    char room[PATH_ROOM], target[1];
    struct arch_stat facts;
    size_t there = 0, whole = text_length(path);
    while (there < whole) {
        size_t end = end_of_name(path, there);
        if (!place_of(room, making, (struct beginning){path, end}) || sys_readlink(room, target, sizeof target) >= 0)
            return whole; /* a link leads into the host, which is not this root yet */
        int result = sys_stat(room, &facts);
        if (result == -SYS_ENOENT)
            return there ? there : whole;
        if (sys_failed(result) || (facts.mode & SYS_S_IFMT) != SYS_S_IFDIR)
            return whole;
        there = end;
    }
    return whole;
}

static long show_again(struct making *making, struct beginning directory, const char **call)
{
    char room[PATH_ROOM];
    for (size_t i = 0; i < making->count; i++)
        if (is_equal(making->shown_again[i], directory))
            return 0;
    if (making->count == MOST_SHOWN_AGAIN)
        return -E2BIG_;
    making->shown_again[making->count++] = directory;
    return place_of(room, making, directory) ? mounts_mirror(room, making->stage, call) : -ENAMETOOLONG_;
}

static long make_names(const struct making *making, const char *path, size_t from)
{
    char room[PATH_ROOM];
    long result = 0;
    while (!sys_failed(result) && path[from]) {
        from = end_of_name(path, from);
        result = place_of(room, making, (struct beginning){path, from}) ? file_make_directory(room) : -ENAMETOOLONG_;
    }
    return result;
}

static long make_missing(struct making *making, const char *path, const char **call)
{
    size_t there = length_there(making, path);
    if (!path[there])
        return 0;
    char room[PATH_ROOM];
    if (!(begins(path, making->made) && path[making->made.length] == '/')) {
        long result = show_again(making, (struct beginning){path, there}, call);
        *call = "mount";
        struct beginning first = {path, end_of_name(path, there)};
        if (!sys_failed(result))
            result = place_of(room, making, first) ? file_make_directory(room) : -ENAMETOOLONG_;
        if (!sys_failed(result))
            result = mounts_make_tmpfs(room);
        if (sys_failed(result))
            return result;
        making->made = first;
        there = first.length;
    }
    *call = "mkdir";
    return make_names(making, path, there);
}

long lacking_directories_make(const char *root, const char *stage, const struct names *directories,
                              const char **object, const char **call)
{
    char room[PATH_ROOM];
    struct making making = {.root = root, .stage = stage};
    for (long i = 0; i < directories->count; i++) {
        *object = directories->first[i];
        long result = make_missing(&making, *object, call);
        if (sys_failed(result))
            return result;
    }
    for (size_t i = 0; i < making.count; i++) {
        long result = place_of(room, &making, making.shown_again[i]) ? mounts_make_readonly(room) : 0;
        if (sys_failed(result))
            return result;
    }
    return 0;
}
