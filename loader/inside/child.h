/* Decide which programs are started through the loader, and with which arguments. */
#ifndef DENIZEN_INSIDE_CHILD_H
#define DENIZEN_INSIDE_CHILD_H

#include "path_redirection.h"

enum { LINE_ROOM = 256, EXTRA_WORDS = 6 };

/* How a program is to be started. It may be asked for in a child of vfork: it lies on the stack. */
struct child {
    /* Through the loader, which maps or starts `file`; else `path` as it is. */
    bool through;
    const char *loader;
    const char *path;
    const char *file;
    /* Of a script: its interpreter's argument (null for none), and the script. */
    bool script;
    const char *argument;
    /* It is static: the loader only finds what its decision gives it. */
    bool alone;
    /* The path of a command that the host lacks and that was brought; else null. */
    const char *command;
    /* Of a program that maps another one itself: how many of its words are before that one; else 0. `file` is what it
       is to map by the loader. */
    size_t before;
    char place[PATH_ROOM];
    char other[PATH_ROOM];
    char line[LINE_ROOM];
};

/* `brings`: a command that the host lacks is brought; the interpreter of a script that is there always is. */
void child_look_at(struct child *child, const char *path, char *const *words, bool brings);
/* Return what the kernel is asked to start, for one that goes through the loader. */
const char *child_start(const struct child *child);
size_t child_count(char *const *words);
/* The words to start that with: `room` has child_count + EXTRA_WORDS. */
char *const *child_words(const struct child *child, char *const *words, const char **room);
/* Replace this process. Never comes back with success; the negative errno. */
long child_execute(const char *path, char *const *words, char *const *environment, bool brings);
/* Room for so many words and some of ours: on the caller's stack where they are few, for a thread's may be small
   (musl's have 128 KiB); else memory, or null. What a child of vfork takes so is its parent's and stays there. */
enum { FEW_WORDS = 1024 };
#define CHILD_SIZE(count) (((count) + EXTRA_WORDS) * sizeof(char *))
#define CHILD_ROOM(count) ((count) < FEW_WORDS ? __builtin_alloca(CHILD_SIZE(count)) : child_take(count))
const char **child_take(size_t count);
void child_give(const char **room, size_t count);

#endif
