/* A program that the kernel did not map: the loader was run as one, and stands in for the kernel. */
#include "start.h"

#include "kernel_record.h"
#include "library_facts.h"
#include "run_as_program.h"

void start_stand_in(struct start *start)
{
    struct image image = image_map(start->path, start->process.page_size);
    start->process.phdr->a_un.a_val = image.phdr;
    start->process.phnum->a_un.a_val = image.phnum;
    start->process.entry->a_un.a_val = image.entry;
    if (start->process.execfn)
        start->process.execfn->a_un.a_val = (uintptr_t)start->path;
    start->loader = executable_link(&start->arena);
    const char *real = launch_real_path(&start->arena, start->path);
    if (!real && start->path[0] == '/') /* no /proc: its links are not known */
        real = start->path;
    if (real) {
        start->origin = launch_origin(&start->arena, real);
        start->path = real;
    }
    sys_name_process(text_file_name(start->path));
    /* Before AT_PHDR names a table of ours: debuggers compare the one in memory with the file's. */
    kernel_tell(&start->process);
}
