/* What a plan may ask of the kernel. Results below zero are negative errnos; what makes several calls says
   which one failed. */
#ifndef DENIZEN_MOUNTS_H
#define DENIZEN_MOUNTS_H

#include "../text.h"

struct names {
    char **first;
    long count;
};

long mounts_mirror(const char *directory, const char *stage, const char **call);
long mounts_interpret(const char *stage, const struct names *entries, const char **call);
long mounts_bind(const char *source, const char *target);
long mounts_become_offline(void);
long mounts_make_tmpfs(const char *path);
long mounts_make_file_system(const char *kind, const char *options, const char *path);
/* SOURCE with all that is mounted in it, read-only, at TARGET, which is made. */
long mounts_show(const char *source, const char *target);
/* These names of DIRECTORY, read-only, in the directory INTO. */
long mounts_show_objects(const char *directory, const char *into, const struct names *names);
/* Read-only, where there is such a path. */
long mounts_harden(const char *path);
long mounts_add_entries(const char *directory, const char *into, const struct names *but);
long mounts_set_apart(const char *path);
long mounts_detach(const char *path);
long mounts_make_readonly(const char *path);
/* Neither set-user-ID programs nor devices. */
long mounts_make_safe(const char *path);
long mounts_become_root(const char *stage);
void mounts_change_directory(const char *path);

#endif
