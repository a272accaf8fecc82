/* Mounts that this process and those it starts alone have. Results below zero are negative errnos. */
#ifndef DENIZEN_OWN_MOUNTS_H
#define DENIZEN_OWN_MOUNTS_H

/* `call` is the call that failed. */
long mounts_become_private(const char **call);
/* What is written below a directory stays in memory, in a layer over what is there. From Linux 5.11, for who is not
   root. */
long mounts_lay_over(const char *directory);

#endif
