#include "appimage.h"

#include "../text.h"
#include "files.h"

enum { PATH_ROOM = 4096, STDOUT = 1 };
static const char ROOT[] = "squashfs-root";
static const char HELP[] = "--appimage-extract          unpack into squashfs-root\n"
                           "--appimage-mount            unpack into the cache, print where, and wait\n"
                           "--appimage-offset           print where the file system begins in this file\n"
                           "--appimage-extract-and-run  start the program, as without it\n"
                           "--appimage-version          print what this runtime is\n";

static void print(const char *text)
{
    files_write(STDOUT, (const uint8_t *)text, text_length(text));
}

static _Noreturn void print_and_end(const char *text, const char *more)
{
    print(text);
    print(more);
    sys_exit(0);
}

enum appimage_wish appimage_wish(struct process *process, const char *offset)
{
    const char *word = process->stack[0] > 1 ? process->arguments[1] : "";
    if (!text_starts(word, "--appimage-"))
        return APPIMAGE_START;
    word += sizeof "--appimage-" - 1;
    if (text_equal(word, "help"))
        print_and_end(HELP, "");
    if (text_equal(word, "offset"))
        print_and_end(offset, "\n");
    if (text_equal(word, "version"))
        print_and_end("AppImage runtime of denizen", "\n");
    if (text_equal(word, "mount"))
        return APPIMAGE_SHOW;
    if (text_equal(word, "extract") && process->stack[0] == 2)
        return APPIMAGE_EXTRACT;
    if (!text_equal(word, "extract-and-run"))
        fail("--appimage-", word, process->stack[0] > 2 ? " with a word behind it" : "",
             " is nothing that this AppImage knows; --appimage-help has the options", (char *)0);
    const char *name = process->arguments[0];
    process_drop_arguments(process, 1);
    process->arguments[0] = (char *)(uintptr_t)name;
    return APPIMAGE_START;
}

void appimage_extract(const struct packed *packed)
{
    long made = arch_syscall(__NR_mkdirat, SYS_AT_CWD, (long)ROOT, 0755, 0, 0, 0);
    int fd = sys_failed(made) ? -1 : sys_openat(SYS_AT_CWD, ROOT, SYS_RDONLY | SYS_DIRECTORY | SYS_NOFOLLOW | SYS_CLOEXEC);
    long result = fd < 0 ? made : packed_expand(packed, files_take, &fd);
    if (fd < 0 || sys_failed(result))
        fail("cannot unpack into ", ROOT, text_of_problem(result), fd < 0 ? "; is it there already?" : "", (char *)0);
    print_and_end(ROOT, "\n");
}

void appimage_show(const char *directory)
{
    print(directory);
    print("\n");
    for (;;)
        arch_syscall(__NR_ppoll, 0, 0, 0, 0, 0, 0);
}

static const char *joined(struct arena *arena, const char *name, const char *value)
{
    char *room = arena_take(arena, PATH_ROOM);
    struct text text = text_in(room, PATH_ROOM);
    text_add(&text, name);
    text_add(&text, value);
    return room;
}

void appimage_tell(struct arena *arena, struct process *process, const char *own, const char *directory)
{
    static const char NAMES[][12] = {"APPDIR=", "APPIMAGE=", "ARGV0=", "OWD="};
    char working[PATH_ROOM];
    long length = arch_syscall(__NR_getcwd, (long)working, sizeof working, 0, 0, 0, 0);
    if (length <= 0 || working[0] != '/')
        working[0] = '\0';
    const char *values[] = {directory, own, process->stack[0] ? process->arguments[0] : own, working};
    const char *words[sizeof NAMES / sizeof *NAMES];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        process_forget(process, NAMES[i]);
        words[i] = joined(arena, NAMES[i], values[i]);
    }
    process_insert_variables(process, words, sizeof words / sizeof *words);
}
