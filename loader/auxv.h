/* The initial stack of the process: argument count, arguments, environment, auxiliary vector. */
#ifndef DENIZEN_AUXV_H
#define DENIZEN_AUXV_H

#include "sys.h"

/* Bytes that are free below the initial stack: ARCH_START leaves them to process_insert_arguments. */
enum { STACK_ROOM = 512 };

/* Pointers into the stack: writing through them changes what the program will see. */
struct process {
    uintptr_t *stack;
    char **arguments;
    char **environment;
    Auxv *auxv;
    Auxv *phdr;
    Auxv *phnum;
    Auxv *entry;
    Auxv *base;
    Auxv *execfn;
    uint32_t uid;
    uint32_t euid;
    uint32_t gid;
    uint32_t egid;
    uintptr_t page_size;
    /* Words that were inserted, and those that align them. */
    size_t inserted;
    bool secure;
    /* Has capabilities without being root. */
    bool capable;
};

struct process process_read(uintptr_t *stack);
/* The value of an environment variable, or null; empty counts as unset, as glibc's ld.so has it. In
   secure execution always null. */
const char *process_variable(const struct process *process, const char *name);
/* Return whether the process has only the rights of the user who started it. */
bool process_is_plain(const struct process *process);
/* Return whether the process has rights by which it may follow root alone. */
bool process_is_strict(const struct process *process);
/* Return whether a user has a number in this user namespace. */
bool process_has_number(uint32_t uid);
/* Remove the environment variables with this prefix, also for the program and its children. */
void process_forget(struct process *process, const char *prefix);
/* Return the address behind the auxiliary vector's last entry. */
Auxv *process_auxv_end(const struct process *process);
/* Drop the first arguments: the program sees what follows as argv[0]. The stack pointer stays where it is,
   so it stays aligned; everything after the count moves down. */
void process_drop_arguments(struct process *process, size_t count);
/* Insert words behind argv[0]. Only in a process that began with ARCH_START. False where there is no room for them. */
bool process_insert_arguments(struct process *process, const char *const *words, size_t count);
/* Insert `NAME=VALUE` words before the other variables, under the same conditions. */
bool process_insert_variables(struct process *process, const char *const *words, size_t count);

#endif
