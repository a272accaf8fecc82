/* Programs started as nix-ld would start them, on a machine that is set up for nix-ld. */
#include "start.h"

#include "dynamic_section.h"
#include "loader_settings.h"

/* glibc's ld.so drops in secure execution what steers ld.so (elf/rtld.c, unsecure_envvars), so that what the program
   starts as root is not steered either; these variables steer this loader. */
void start_forget_nix(struct process *process)
{
    process_forget(process, "NIX_LD");
}

const char *start_nix_linker(const struct process *process)
{
    if (!config_next(SETTING_NIX_LD, NULL) || !process_is_plain(process) || !process->uid)
        return NULL;
    const char *ldso = process_variable(process, ARCH_NIX_LD);
    return ldso ? ldso : process_variable(process, "NIX_LD");
}

_Noreturn void start_follow_nix(struct start *start, const char *ldso)
{
    const char *paths = process_variable(&start->process, ARCH_NIX_LD_LIBRARY_PATH);
    struct program program = program_read(&start->process);
    struct presentation presentation = {
        .user_paths = process_variable(&start->process, "LD_LIBRARY_PATH"),
        .search = paths ? paths : process_variable(&start->process, "NIX_LD_LIBRARY_PATH"),
        .ldso = ldso,
        .origin = start->origin,
    };
    struct image image = image_map_linker(ldso, start->process.page_size, NULL);
    present(&start->arena, &start->process, &program, &presentation);
    reflect_addresses(&program);
    start_hand_over(&start->process, image);
}
