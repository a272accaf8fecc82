#include "memory.h"

#include "../text.h"
#include "image_files.h"

enum { MFD_CLOEXEC_ = 1, MFD_EXEC_ = 0x10, EINVAL_ = 22, EMFILE_ = 24, FIRST_FD = 200, F_DUPFD_CLOEXEC_ = 1030, MAX_FILES = 4096 };

struct memory {
    struct memory_file *files;
    size_t count;
};

/* Linux 6.3 wants to be told that it may be executed; those before do not know the flag. */
static long create(const char *name)
{
    long fd = arch_syscall(__NR_memfd_create, (long)name, MFD_CLOEXEC_ | MFD_EXEC_, 0, 0, 0, 0);
    return fd == -EINVAL_ ? arch_syscall(__NR_memfd_create, (long)name, MFD_CLOEXEC_, 0, 0, 0, 0) : fd;
}

/* Out of the way of those that programs count on getting. */
static long moved_up(long fd)
{
    if (sys_failed(fd))
        return fd;
    long high = arch_syscall(__NR_fcntl, fd, F_DUPFD_CLOEXEC_, FIRST_FD, 0, 0, 0);
    if (sys_failed(high))
        return fd;
    sys_close((int)fd);
    return high;
}

/* A link is another name of a file before it, in the same directory. */
static long add_link(struct memory *memory, const char *name, const uint8_t *target, uint64_t size)
{
    size_t directory = (size_t)(text_file_name(name) - name);
    for (size_t i = 0; i < memory->count; i++) {
        const struct memory_file *file = &memory->files[i];
        const char *last = file->name + directory;
        if (text_length(file->name) == directory + size && __builtin_memcmp(file->name, name, directory) == 0 &&
            __builtin_memcmp(last, target, (size_t)size) == 0) {
            memory->files[memory->count++] = (struct memory_file){name, file->fd};
            return 0;
        }
    }
    return 0;
}

static long take(void *taker, const struct packed *packed, const struct packed_entry *entry, const uint8_t *content)
{
    struct memory *memory = taker;
    const char *name = packed_name(packed, entry);
    if (entry->kind == PACKED_DIRECTORY)
        return 0;
    if (memory->count == MAX_FILES)
        return -EMFILE_;
    if (entry->kind == PACKED_LINK)
        return add_link(memory, name, content, entry->size);
    long fd = moved_up(create(text_file_name(name)));
    if (sys_failed(fd))
        return fd;
    memory->files[memory->count++] = (struct memory_file){name, (int)fd};
    return files_write((int)fd, content, entry->size);
}

/* The bundle's own files; not the launcher beside them. */
static bool is_inside(const char *name)
{
    return text_starts(name, "bundle/");
}

bool memory_bundle(struct arena *arena, const struct packed *packed, struct bundle *bundle)
{
    size_t room = packed->header->entries < MAX_FILES ? packed->header->entries : MAX_FILES;
    struct memory memory = {.files = arena_take(arena, (room + 1) * sizeof *memory.files)};
    /* They have no other paths than those of their descriptors. */
    if (!sys_exists("/proc/self/fd") || sys_failed(packed_expand(packed, take, &memory)))
        return false;
    for (size_t i = 0; i < memory.count; i++)
        memory.files[i].name += is_inside(memory.files[i].name) ? sizeof "bundle/" - 1 : 0;
    *bundle = (struct bundle){.files = memory.files, .count = memory.count};
    return true;
}
