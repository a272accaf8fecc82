/* The launcher with an image in it: it tries one place after the other (cache.h) to unpack the image, once. */
#include "../bundle.h"
#include "../helper.h"
#include "../loader_settings.h"
#include "../run_as_program.h"
#include "appimage.h"
#include "cache.h"
#include "memory.h"
#include "sha256.h"
#include "zstd.h"

static int digit_of(char letter)
{
    return letter >= '0' && letter <= '9' ? letter - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static uint64_t take_hex(const char **at)
{
    uint64_t number = 0;
    for (; digit_of(**at) >= 0; (*at)++)
        number = number << 4 | (uint64_t)digit_of(**at);
    if (**at == '-')
        (*at)++;
    return number;
}

static bool digest_is(const uint8_t *content, size_t size, const char *digits)
{
    uint8_t digest[SHA256_SIZE];
    sha256(content, size, digest);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        if (digit_of(digits[2 * i]) != digest[i] >> 4 || digit_of(digits[2 * i + 1]) != (digest[i] & 15))
            return false;
    return true;
}

/* OFFSET-SIZE-DIGEST in hex. The image is mapped from where a page begins, of whatever size pages are, with the slack
   behind it that the decompressors need. */
static bool map_image(const char *file, const char *setting, struct packed_source *source)
{
    enum { LARGEST_PAGE = 65536, ALIGNMENT = 8 };
    uint64_t offset = take_hex(&setting), size = take_hex(&setting), before = offset % LARGEST_PAGE;
    int fd = sys_open(file, SYS_RDONLY);
    if (fd < 0)
        return false;
    struct arch_stat facts;
    bool holds = sys_fstat(fd, &facts) >= 0 && (uint64_t)facts.size >= offset + size + ZSTD_SLACK &&
                 offset % ALIGNMENT == 0 && text_length(setting) == 2 * SHA256_SIZE;
    long at = holds ? sys_mmap(0, (size_t)(before + size) + ZSTD_SLACK, SYS_PROT_READ, SYS_MAP_PRIVATE, fd, offset - before)
                    : -SYS_ENOENT;
    sys_close(fd);
    if (sys_failed(at))
        return false;
    *source = (struct packed_source){
        .digest = setting, .at = (const uint8_t *)at + before, .size = (size_t)size, .mapped = (size_t)(before + size) + ZSTD_SLACK};
    return packed_read(&source->packed, source->at, source->size);
}

/* The path without links of the AppImage that the caller names; null where it names none. */
static const char *target_appimage(struct arena *arena, const struct process *process)
{
    const char *named = config_next(SETTING_APPIMAGE, NULL) ? process_variable(process, TARGET_APPIMAGE) : NULL;
    const char *real = named ? launch_real_path(arena, named) : NULL;
    return real ? real : named;
}

/* The file that the image is in: this one, by the kernel's name for it or its own; else, of an AppImage's runtime that
   a tool took out of its file to have it executed, the file that the tool names. `*own` becomes that file's path. */
static const char *find_image(struct arena *arena, const struct process *process, const char **own, const char *setting,
                              struct packed_source *source)
{
    const char *files[] = {"/proc/self/exe", *own, target_appimage(arena, process)};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] && map_image(files[i], setting, source)) {
            *own = i < 2 ? *own : files[i];
            return files[i];
        }
    fail(files[2] ? files[2] : *own, files[2] ? ": it is not the AppImage that this runtime is of, or it is damaged"
                                              : ": it is damaged: it ends too early, or its image is none", (char *)0);
}

static void verify(struct packed_source *source, const char *own)
{
    if (!source->verified && !digest_is(source->at, source->size, source->digest))
        fail(own, ": it is damaged: its content does not have the hash it was made with", (char *)0);
    source->verified = true;
}

struct bundle packed_open(struct arena *arena, struct process *process, const char *own, const char *setting)
{
    struct packed_source source;
    const char *file = find_image(arena, process, &own, setting, &source);
    const char *offset = config_next(SETTING_APPIMAGE, NULL);
    enum appimage_wish wish = offset ? appimage_wish(process, own, offset) : APPIMAGE_START;
    if (wish == APPIMAGE_UPDATE || wish == APPIMAGE_SIGNATURE)
        appimage_print_section(file, take_hex(&setting), wish);
    if (wish == APPIMAGE_EXTRACT) {
        verify(&source, own);
        appimage_extract(&source.packed, process->stack[0] > 2 ? process->arguments[2] : NULL);
    }
    char *room = arena_take(arena, PATH_ROOM);
    struct cache_search search = {.source = &source};
    for (size_t place = 0; place < cache_places(); place++) {
        struct text base = text_in(room, PATH_ROOM);
        if (!cache_directory(place, process, &base) || !cache_open(&search, room))
            continue;
        if (!search.whole) {
            verify(&source, own);
            if (!cache_fill(&search, room))
                continue;
        }
        cache_add_object(&base, &source);
        if (wish == APPIMAGE_SHOW)
            appimage_show(room);
        if (offset)
            appimage_tell(arena, process, own, room);
        text_add(&base, "/bundle");
        arch_syscall(__NR_munmap, (long)(source.at + source.size + ZSTD_SLACK - source.mapped), (long)source.mapped, 0, 0, 0, 0);
        return (struct bundle){.base = room};
    }
    verify(&source, own);
    struct bundle bundle;
    if (wish == APPIMAGE_SHOW || !memory_bundle(arena, &source.packed, &bundle))
        fail(own, ": it cannot be unpacked: ", search.obstacle[0] ? search.obstacle : "no directory can be written",
             wish == APPIMAGE_SHOW ? "" : "; nor into memory, which takes /proc", "; let XDG_CACHE_HOME name a directory with room, from which programs"
             " may be executed", (char *)0);
    if (offset)
        appimage_tell(arena, process, own, NULL);
    return bundle;
}
