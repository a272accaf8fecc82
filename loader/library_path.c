#include "library_path.h"

#include "program_identity.h"

/* A longer one serves the program alone: ld.so itself reads it. */
enum { MOST = 32 * 1024 };

static bool ends_element(char letter)
{
    return letter == ':' || letter == ';' || letter == '\0';
}

/* Return whether an element means the same everywhere; $ORIGIN and its like are left to who expands them. */
static bool is_absolute(const char *element)
{
    return element[0] == '/' || element[0] == '$';
}

static const char *working_directory(char *room)
{
    long length = arch_syscall(__NR_getcwd, (long)room, PATH_ROOM, 0, 0, 0, 0);
    return !sys_failed(length) && room[0] == '/' ? room : NULL;
}

/* An empty element is the working directory (ld.so(8)). */
static bool add_element(struct text *all, const char *element, size_t length, const char *here)
{
    if (!is_absolute(element)) {
        if (!here)
            return false;
        text_add(all, here);
        text_add(all, length ? "/" : "");
    }
    text_add_bytes(all, element, length);
    return true;
}

const char *library_path_of(struct arena *arena, const char *given)
{
    char room[PATH_ROOM];
    const char *at = given;
    if (!at || text_length(at) > MOST)
        return NULL;
    const char *here = working_directory(room);
    struct text all = text_in(arena_take(arena, 2 * MOST), 2 * MOST);
    for (;; at++) {
        const char *element = at;
        while (!ends_element(*at))
            at++;
        if (!add_element(&all, element, (size_t)(at - element), here))
            return NULL;
        if (!*at)
            return all.cut ? NULL : all.data;
        text_add(&all, ":");
    }
}

void library_path_key(struct arena *arena, const char *path, struct text *name)
{
    size_t length = text_length(path);
    size_t padded = (length + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
    uint64_t *words = arena_take(arena, padded + sizeof *words);
    __builtin_memcpy(words, path, length);
    struct sum sum = sum_words(words, padded);
    text_add_hex(name, sum.words);
    text_add(name, "-");
    text_add_hex(name, sum.running);
}
