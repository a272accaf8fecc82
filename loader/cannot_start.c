/* The message about a program that cannot be started. */
#include "start.h"

#include "dynamic_section.h"
#include "text.h"

_Noreturn void start_give_up(struct start *start, const char *reason)
{
    char room[PATH_ROOM];
    struct text needs = text_in(room, sizeof room);
    struct program program = program_read(&start->process);
    for (const Dyn *entry = program.dynamic; entry < program.dynamic + program.dynamic_count; entry++) {
        const char *name = program_string(&program, entry);
        if (name && entry->d_tag == DT_NEEDED) {
            text_add(&needs, needs.length ? " " : "; it needs ");
            text_add(&needs, name);
        }
    }
    const char *path = start_path(start);
    char word_room[PATH_ROOM];
    struct text word = text_in(word_room, sizeof word_room);
    text_add_word(&word, path);
    fail("cannot start ", path, ": ", reason, room, "; run: denizen run ", word_room, (char *)0);
}
