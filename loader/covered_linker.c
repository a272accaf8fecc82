#include "covered_linker.h"

#include "sys.h"
#include "text.h"

/* docs/formats/loader-config.md. In two pieces, for the whole may be in a loader only once. */
static const char MAGIC[] = "DENIZEN-LOADER-";
static const char REST[] = "SETTINGS";
enum { BLOCK_SIZE = 4096, HEADER_SIZE = 32, HOST_LDSO = 'h', MAX_LOADERS = 8 };

static size_t read_file(const char *path, char *content)
{
    struct arch_stat facts;
    size_t size = 0;
    int fd = sys_open(path, SYS_RDONLY | SYS_NONBLOCK);
    if (fd < 0)
        return 0;
    if (sys_fstat(fd, &facts) >= 0 && (facts.mode & SYS_S_IFMT) == SYS_S_IFREG && facts.size > BLOCK_SIZE &&
        facts.size <= COVERED_MAX_LOADER) {
        long found = sys_read(fd, content, (size_t)facts.size);
        size = found > 0 ? (size_t)found : 0;
    }
    sys_close(fd);
    return size;
}

/* Return the settings in a file's content; null if it is no loader. */
static const char *settings_in(const char *content, size_t size)
{
    for (size_t at = 0; at + BLOCK_SIZE <= size; at++)
        if (content[at] == MAGIC[0] && text_starts(content + at, MAGIC) &&
            text_equal(content + at + sizeof MAGIC - 1, REST) && !content[at + BLOCK_SIZE - 1])
            return content + at + HEADER_SIZE;
    return NULL;
}

static bool next_behind(const char *path, char *room)
{
    char content[COVERED_MAX_LOADER];
    const char *setting = settings_in(content, read_file(path, content));
    while (setting && *setting && *setting != HOST_LDSO)
        setting += text_length(setting) + 1;
    if (!setting || !*setting)
        return false;
    struct text behind = text_in(room, PATH_ROOM);
    text_add(&behind, setting + 1);
    return !behind.cut;
}

bool covered_linker(const char *path, char *room)
{
    bool covered = false;
    for (int count = 0; count < MAX_LOADERS && next_behind(covered ? room : path, room); count++)
        covered = true;
    return covered;
}
