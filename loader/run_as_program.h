/* The loader run as a program: `denizen-loader PROGRAM ARGS`, or through a link named after one. */
#ifndef DENIZEN_RUN_AS_PROGRAM_H
#define DENIZEN_RUN_AS_PROGRAM_H

#include "auxv.h"
#include "decision.h"

/* The program that is meant. `child`: a program we are inside of started it, and argv[0] is what it said. `mapped`:
   who runs us maps programs itself (valgrind), and would lose one that is executed. `alone`: it is static, and takes
   nothing from a loader but its decision's command. */
struct target {
    const char *path;
    bool child;
    bool mapped;
    bool alone;
};

/* Return whether a file of this name is the loader, and not what it stands for. */
bool launch_is_our_name(const char *name);
/* What is meant, its name left as argv[0]. Does not return when the loader stands in for the host's ld.so and
   was run as that, or when nothing is meant. `library_path` is the value of ld.so's option, else left alone. */
struct target launch_target(struct arena *arena, struct process *process, const char **library_path);

/* The path of a command that was brought (`--command PATH NAME ARGUMENT...`), its name left as argv[0]; null for another
   word. */
const char *launch_command_word(struct process *process);
/* Where the link NAME in the directory of commands leads, or null. */
const char *launch_command_path(struct arena *arena, const char *commands, const char *name);
/* An installed command: the loader is bin/NAME of an object, where programs/NAME is a link that leads to the program. */
struct installed {
    /* The program's path in the store, its last link not followed; null where there is none. */
    const char *program;
    /* HASH-NAME, by which its decision is kept: the hash is the object's. */
    const char *decision;
};
struct installed launch_installed(struct arena *arena, const char *own);
/* Write HASH-NAME: the hash with which the name of a store object begins, and a program's name. */
void launch_name_decision(struct text *decision, const char *object, const char *name);
/* The path with links resolved, as /proc/self/exe would have it; null if /proc does not tell. */
const char *launch_real_path(struct arena *arena, const char *path);
/* The directory of a path, as $ORIGIN has it. */
const char *launch_origin(struct arena *arena, const char *real);
/* Become the program by the kernel's own means. */
/* Whether the file is an ELF file of an architecture whose programs this kernel does not start. */
bool launch_is_foreign(const char *path);
_Noreturn void launch_natively(const struct process *process, const char *path);
/* Become the decision's command, with the program and its arguments appended. */
_Noreturn void launch_command(struct arena *arena, const struct process *process,
                              const struct decision *decision, struct target target);

#endif
