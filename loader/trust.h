/* Whose a file is, and who else could have put it where it is. */
#ifndef DENIZEN_TRUST_H
#define DENIZEN_TRUST_H

#include "auxv.h"
#include "sys.h"

/* Return whether an open file or directory (`kind`) is root's or, where the process is not strict, the user's, and
   nobody else may write it. Whoever has no number in this user namespace counts as root: see owner_open. */
bool owner_is_trusted(int fd, const struct process *process, uint32_t kind, struct arch_stat *facts);

/* Open a file for owner_is_trusted, below zero where it cannot be opened. In a strict process, and where the owner has
   no number here, every directory on the way must be trusted as well, and none may be a link. */
int owner_open(const char *path, const struct process *process);

#endif
