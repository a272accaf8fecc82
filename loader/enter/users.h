/* User namespaces: who is who in them (user_namespaces(7)). Results below zero are negative errnos; `call` is then the
   call that failed. */
#ifndef DENIZEN_USERS_H
#define DENIZEN_USERS_H

#include <stdint.h>

struct somebody {
    uint32_t uid;
    uint32_t gid;
};

/* The effective user and group of this process. */
struct somebody users_myself(void);
/* A user namespace, and others by `flags`, in which one user and one group are `inside`; all others are nobody in there,
   as the kernel demands of those without privileges. */
long users_become(struct somebody inside, unsigned long flags, const char **call);
/* The same for root, who would lose all other users by the map that anybody may write, and keeps them. */
long users_become_root_of_all(unsigned long flags, const char **call);

#endif
