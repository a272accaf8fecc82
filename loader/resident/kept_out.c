#include "kept_out.h"

#include "../failure_note.h"
#include "../symbols.h"

/* Below the directory of links: for each name that policy kept out the line to be told (app/run_time/missing_library.py). */
static const char *const KEPT_OUT = ".kept-out/";

static const struct link_map *c_library;

void kept_out_know(const struct link_map *object)
{
    if (object->name && text_equal(text_file_name(object->name), "libc.so.6"))
        c_library = object;
}

/* Only a program that misses such a name has anything registered. */
static bool begin(void)
{
    uintptr_t address = c_library ? symbols_find(c_library->bias, c_library->dynamic, "on_exit") : 0;
    return address && failure_note_begin((on_exit_function *)address);
}

void kept_out_note(const struct resident_facts *facts, const char *name)
{
    char room[PATH_ROOM];
    struct text path = text_in(room, sizeof room);
    text_add(&path, facts->opened);
    text_add(&path, KEPT_OUT);
    text_add(&path, name);
    if (!path.cut && sys_exists(room) && begin())
        failure_note_add_file(room, "");
}
