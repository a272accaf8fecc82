/* What a plan may ask of the kernel. Results below zero are negative errnos. */
#ifndef DENIZEN_MOUNTS_H
#define DENIZEN_MOUNTS_H

long mounts_become_private(void);
long mounts_mirror(const char *directory, const char *stage);
long mounts_make_directory(const char *path);
long mounts_make_file(const char *path);
long mounts_bind(const char *source, const char *target);
/* The kernel's word for an error. */
const char *failure_name(long problem);

#endif
