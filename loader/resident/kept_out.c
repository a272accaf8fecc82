#include "kept_out.h"

#include "../failure_note.h"
#include "../symbols.h"
#include "library_names.h"

static const struct link_map *c_library;
/* Of the library inside the program, which sees more ends than exit(3). */
static bool (*note_inside)(const char *);

void kept_out_know(const struct link_map *object)
{
    const char *name = object->name ? text_file_name(object->name) : "";
    if (text_equal(name, "libc.so.6"))
        c_library = object;
    if (text_starts(name, "denizen-"))
        note_inside = (bool (*)(const char *))symbols_find(object->bias, object->dynamic, "denizen_note_failure");
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
    if (path.cut || !sys_exists(room) || (note_inside && note_inside(room)))
        return;
    if (begin())
        failure_note_add_file(room, "", name, FAILURE_ANY);
}
