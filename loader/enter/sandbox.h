/* What confines the builder of a derivation (denizen.build.runner.sandbox_plan). Results below zero are negative
   errnos; what makes several calls says which one failed. */
#ifndef DENIZEN_SANDBOX_H
#define DENIZEN_SANDBOX_H

#include "../text.h"
#include "users.h"

/* Close those above it, which the program must not have. The descriptor by which the end of the program is told, -1 where nobody is. */
long sandbox_set_status(int fd);
/* The one byte that says that there was no program: `o` an operation failed, `x` the execve. */
void sandbox_tell_failure(int fd, const char *kind);
/* A user, mount, process, IPC and UTS namespace of its own; the caller goes on as its first process,
   which a guardian outside guards. */
long sandbox_isolate(struct somebody inside, int status, const char **call);
/* Once isolated: nobody in there can make a namespace of control groups, and so mount the groups. */
long sandbox_allow_no_control_groups(const char **call);
long sandbox_bring_loopback_up(const char **call);
long sandbox_name_host(const char *name, const char **call);
/* uname(2) says what it says on a machine of 32 bits. */
void sandbox_be_32_bit(void);
/* As fresh and as weak as a builder has to be: see enter.c. */
long sandbox_weaken(const char **call);
long sandbox_filter(const char *program, const char **call);
/* Where the kernel can: no connection to abstract sockets of processes that are not confined with this one. */
void sandbox_scope(void);

#endif
