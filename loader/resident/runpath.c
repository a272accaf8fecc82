#include "runpath.h"

enum { SIGNAL_SET_SIZE = 8, BLOCK = 0 };

/* Whether the entry can be written, which no map says as cheaply as the kernel: it is asked to put the signal mask
   there. Every sandbox allows that call, and DT_NULL comes after the entry, so that eight bytes are its. */
static bool is_writable(Dyn *entry)
{
    uint8_t kept[SIGNAL_SET_SIZE];
    __builtin_memcpy(kept, &entry->d_un, sizeof kept);
    long result = arch_syscall(__NR_rt_sigprocmask, BLOCK, 0, (long)&entry->d_un, SIGNAL_SET_SIZE, 0, 0);
    if (sys_failed(result))
        return false;
    __builtin_memcpy(&entry->d_un, kept, sizeof kept);
    return true;
}

/* Memory that stays as long as the process: ld.so reads the list when it first searches for the object. */
static char *room_for(size_t size)
{
    enum { CHUNK = 64 * 1024 };
    static char *next;
    static size_t left;
    if (size > left) {
        size_t taken = size > CHUNK ? size : CHUNK;
        long at = sys_mmap(0, taken, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
        if (sys_failed(at))
            return NULL;
        next = (char *)at;
        left = taken;
    }
    char *room = next;
    next += size;
    left -= size;
    return room;
}

void runpath_extend(const struct link_map *object, const char *directories)
{
    Dyn *runpath = link_map_entry(object, DT_RUNPATH);
    const char *strings = runpath ? link_map_strings(object) : NULL;
    if (!strings || !is_writable(runpath))
        return;
    const char *own = strings + runpath->d_un.d_val;
    size_t size = text_length(own) + text_length(directories) + 2;
    char *room = room_for(size);
    if (!room)
        return;
    struct text all = text_in(room, size);
    text_add(&all, own);
    text_add(&all, *own ? ":" : "");
    text_add(&all, directories);
    /* ld.so adds what is in an entry to the address of the string table, and wraps. */
    runpath->d_un.d_val = (uintptr_t)room - (uintptr_t)strings;
}

static bool lies_in(const char *path, const char *directory, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (path[i] != directory[i])
            return false;
    return path[length] == '/';
}

bool runpath_is_anothers(const char *path, const char *directories, const struct link_map *asker)
{
    if (link_map_entry(asker, DT_RUNPATH) || link_map_entry(asker, DT_RPATH))
        return false;
    while (*directories) {
        size_t length = 0;
        while (directories[length] && directories[length] != ':')
            length++;
        /* ld.so drops the slashes at the end (elf/dl-load.c, fillin_rpath). */
        size_t bare = length;
        while (bare > 1 && directories[bare - 1] == '/')
            bare--;
        if (bare && lies_in(path, directories, bare))
            return true;
        directories += length + (directories[length] == ':');
    }
    return false;
}
