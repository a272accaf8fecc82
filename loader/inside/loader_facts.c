#include "loader_facts.h"

#include "../failure_note.h"
#include "../symbols.h"

/* <link.h>: the interface between ld.so and debuggers, the same in glibc and musl. */
struct link_map {
    uintptr_t bias;
    char *name;
    const Dyn *dynamic;
    const struct link_map *next;
    const struct link_map *previous;
};
struct r_debug {
    int version;
    const struct link_map *first;
};
/* As much of struct dl_phdr_info as both C libraries have had from the beginning. */
struct loaded {
    uintptr_t bias;
    const char *name;
    const Phdr *phdr;
    uint16_t phnum;
};

WEAK int dl_iterate_phdr(int (*each)(struct loaded *, size_t, void *), void *data);
WEAK int *__errno_location(void);
WEAK int on_exit(void (*call)(int, void *), void *data);
extern const Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

static const struct inside_facts *facts;
static const struct r_debug *debug;
static uintptr_t program_start, program_end;

/* The first that is told is the program, whose table is the one the loader made. */
static int find_program(struct loaded *program, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (size_t i = 0; i < program->phnum; i++) {
        uintptr_t start = program->bias + program->phdr[i].p_vaddr;
        if (program->phdr[i].p_type == PT_LOAD) {
            program_start = program_end ? program_start : start; /* they are in ascending order */
            program_end = start + program->phdr[i].p_memsz;
        }
        if (program->phdr[i].p_type != PT_DYNAMIC)
            continue;
        const Dyn *entry = (const Dyn *)start;
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_DEBUG)
                debug = (const struct r_debug *)entry->d_un.d_ptr;
            if (entry->d_tag == INSIDE_TAG)
                facts = (const struct inside_facts *)entry->d_un.d_ptr;
        }
    }
    return 1;
}

/* When first asked: a library's own code may run before this one's. */
static void learn(void)
{
    if (!facts && dl_iterate_phdr)
        dl_iterate_phdr(find_program, NULL);
}

/* Before the program's own code, where ld.so can arrange it: who executes in a child that it forked is the one to
   tell. musl has no on_exit. */
__attribute__((constructor)) static void begin(void)
{
    learn();
    if (loader_facts() && facts->words)
        failure_note_begin(on_exit);
}

bool is_of_program(uintptr_t address)
{
    learn();
    return address >= program_start && address < program_end;
}

const struct inside_facts *loader_facts(void)
{
    learn();
    return facts && facts->version == INSIDE_VERSION ? facts : NULL;
}

any_function *next_function(any_function **place, const char *name)
{
    any_function *found = __atomic_load_n(place, __ATOMIC_RELAXED);
    learn();
    bool after = false;
    for (const struct link_map *object = debug && !found ? debug->first : NULL; object && !found;
         object = object->next) {
        if (after)
            found = (any_function *)symbols_find(object->bias, object->dynamic, name);
        after = after || object->dynamic == _DYNAMIC;
    }
    __atomic_store_n(place, found, __ATOMIC_RELAXED);
    return found;
}

long result_or_errno(long result)
{
    if (!sys_failed(result))
        return result;
    if (__errno_location)
        *__errno_location() = (int)-result;
    return -1;
}

bool has_no_entry(void)
{
    return __errno_location && *__errno_location() == SYS_ENOENT;
}
