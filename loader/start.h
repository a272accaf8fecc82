/* One start of a program by the loader: what is known of it, and its end, which is the program's own beginning. */
#ifndef DENIZEN_START_H
#define DENIZEN_START_H

#include "attached.h"
#include "auxv.h"
#include "decision.h"
#include "elf_mapping.h"

/* The program being started, by the kernel or by the loader run as a program. */
struct start {
    struct arena arena;
    struct process process;
    /* For prefixes, messages and the helper; null until asked for. */
    const char *path;
    /* The program's directory when /proc/self/exe is the loader, else null. */
    const char *origin;
    /* The loader's file, where the kernel knows another file than the program: a copy of it, or us. */
    const char *loader;
    /* Of denizen-attach, where it put us before the dynamic linker that the kernel mapped; else no entry. */
    struct attached_record attached;
    /* What the program was started with in the place of LD_LIBRARY_PATH (`ld.so --library-path`), else null. */
    const char *library_path;
    /* A bundle's own libraries for programs; null where we are of none, or it has none. */
    const char *inside;
    const char *resident;
};

/* The program's path: as given, or as the kernel knows it; an empty one where neither is known. */
const char *start_path(struct start *start);
/* The user's list of directories, of ld.so's option or else of the variable; null for none. */
const char *start_library_path(const struct start *start);
/* Jump to the dynamic linker, with the stack that the kernel made. */
_Noreturn void start_hand_over(const struct process *process, struct image ldso);
/* The dynamic linker that the kernel has mapped itself, once what put us before it has ended. */
struct image start_attached_linker(const struct start *start);
/* Start a program of the host by the host's own ld.so, without any change. */
_Noreturn void start_pass_on(const struct process *process, const char *ldso);
/* Become the program, with what the decision adds. */
_Noreturn void start_follow(struct start *start, const struct decision *decision);
/* Return the dynamic linker that NIX_LD names, where the settings ask for it and the user is not root; else null. A
   program that became root may have kept the environment of the user who started it (nix_ld.c). */
const char *start_nix_linker(const struct process *process);
/* Remove nix-ld's variables from the environment, in secure execution. */
void start_forget_nix(struct process *process);
/* Become the program as nix-ld would start it. */
_Noreturn void start_follow_nix(struct start *start, const char *ldso);
/* Say why it cannot be started, what it needs, and what to run; then end. */
_Noreturn void start_give_up(struct start *start, const char *reason);
/* A program goes on with its own dynamic linker, which is at `mapped` (null: where the program says), and a library for
   the sake of its children. Comes back where it has no dynamic linker here, or there is no such library. */
void start_carry(struct start *start, const char *mapped);
/* Map the program as the kernel would have, and say so in the auxiliary vector. */
void start_stand_in(struct start *start);

#endif
