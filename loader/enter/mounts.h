/* What a plan may ask of the kernel. Results below zero are negative errnos; what makes several calls says
   which one failed. */
#ifndef DENIZEN_MOUNTS_H
#define DENIZEN_MOUNTS_H

#include "../text.h"

struct names {
    char **first;
    long count;
};

long mounts_become_private(const char **call);
long mounts_mirror(const char *directory, const char *stage, const char **call);
long mounts_make_directory(const char *path);
long mounts_make_file(const char *path);
long mounts_interpret(const char *stage, const struct names *entries, const char **call);
long mounts_bind(const char *source, const char *target);
long mounts_become_offline(void);
long mounts_make_tmpfs(const char *path);
long mounts_add_entries(const char *directory, const char *into, const struct names *but);
long mounts_make_link(const char *words, const char *path);
long mounts_make_text(const char *content, const char *path);
long mounts_set_apart(const char *path);
long mounts_detach(const char *path);
long mounts_make_readonly(const char *path);
long mounts_become_root(const char *stage);
void mounts_change_directory(const char *path);
/* The kernel's word for an error. */
void failure_add(struct text *text, long problem);

#endif
