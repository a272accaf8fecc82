#include "start.h"

#include "dynamic_section.h"
#include "library_facts.h"
#include "loader_settings.h"
#include "run_as_program.h"

const char *start_library_path(const struct start *start)
{
    return start->library_path ? start->library_path : process_variable(&start->process, "LD_LIBRARY_PATH");
}

/* The kernel knows the program: a library in it is wanted only where the kernel cannot start what it starts. */
static void add_exec(struct start *start, const struct decision *decision, struct presentation *presentation)
{
    presentation->inside = exec_library(&start->process, decision);
    if (presentation->inside)
        presentation->facts = exec_facts_of(&start->arena, &start->process, start_path(start));
}

/* Add the `inside` library to the program. */
static void add_inside(struct start *start, const struct decision *decision, struct presentation *presentation)
{
    if (!start->loader) {
        add_exec(start, decision, presentation);
        return;
    }
    presentation->inside = inside_library(start->inside);
    if (!presentation->inside)
        return;
    presentation->facts = inside_facts_of(&start->arena, &start->process, decision, start_path(start), start->loader);
    if (decision && decision->header->shown && start->process.execfn)
        start->process.execfn->a_un.a_val = (uintptr_t)presentation->facts->program;
}

/* Beside the host's libraries its DT_RUNPATH is the program's alone, as natively: they find theirs where the host has
   them. A list of the user's may name the same directories, for all. */
static const char *own_directories(struct start *start, const struct decision *decision,
                                   const struct program *program)
{
    if (!(decision->header->flags & DECISION_HOST) || start_library_path(start))
        return NULL;
    const char *origin = start->origin ? start->origin : launch_origin(&start->arena, start_path(start));
    return program_own_directories(&start->arena, program, origin);
}

/* Add the `resident` library, which provides libraries opened later, to the program. */
static void add_resident(struct start *start, const struct decision *decision, const struct program *program,
                         struct presentation *presentation)
{
    presentation->resident = resident_library(&start->process, decision, start->resident);
    if (presentation->resident)
        presentation->resident_facts =
            resident_facts_of(&start->arena, &start->process, decision, own_directories(start, decision, program));
}

/* A decision made for a namespace may name the place where the host's dynamic linker is there: an empty file here,
   where a program that maps others (valgrind) starts one outside of it. */
static const char *linker_of(const struct start *start, const struct decision *decision, const struct program *program)
{
    struct arch_stat facts;
    const char *ldso = decision_string(decision, decision->header->ldso);
    const char *covered = config_next(SETTING_HOST_LDSO, NULL);
    if (covered && !start->loader && (decision->header->flags & DECISION_HOST))
        return covered; /* we lie over it */
    bool empty = start->loader && sys_stat(ldso, &facts) >= 0 && !facts.size;
    const char *own = empty ? program_interpreter(program) : NULL;
    return own ? own : ldso;
}

_Noreturn void start_follow(struct start *start, const struct decision *decision)
{
    const struct decision_header *header = decision->header;
    struct program program = program_read(&start->process);
    struct preload preload;
    preload_settle(&start->arena, &start->process, decision, start->origin, &preload);
    struct presentation presentation = {
        .decision = decision,
        .user_paths = start_library_path(start),
        .search = header->search ? decision_string(decision, header->search) : NULL,
        .ldso = linker_of(start, decision, &program),
        .origin = start->origin,
        .preload = &preload,
    };
    add_inside(start, decision, &presentation);
    add_resident(start, decision, &program, &presentation);
    struct image ldso = start->attached.entry
                            ? start_attached_linker(start)
                            : image_map_linker(presentation.ldso, start->process.page_size, decision);
    if (start->attached.entry)
        image_edit_linker(ldso.bias, start->process.page_size, decision);
    image_restore(program.phdr, program.phnum, program.bias, start->process.page_size, decision);
    present(&start->arena, &start->process, &program, &presentation);
    if (!(header->flags & DECISION_BY_NAME))
        reflect_addresses(&program);
    if (header->r_debug)
        reflect_debugger(&program, ldso.bias + (uintptr_t)header->r_debug);
    start_hand_over(&start->process, ldso);
}

void start_carry(struct start *start, const char *mapped)
{
    struct program program = program_read(&start->process);
    struct presentation presentation = {
        .user_paths = start_library_path(start),
        .ldso = program_interpreter(&program),
        .origin = start->origin,
    };
    if (!presentation.ldso || !sys_exists(presentation.ldso))
        return;
    add_inside(start, NULL, &presentation);
    if (mapped && !presentation.inside)
        return;
    struct image ldso = image_map_linker(mapped ? mapped : presentation.ldso, start->process.page_size, NULL);
    present(&start->arena, &start->process, &program, &presentation);
    reflect_addresses(&program);
    start_hand_over(&start->process, ldso);
}
