/* The operations of a plan that only a root of its own needs (denizen.fhs). */
#ifndef DENIZEN_ROOT_OPERATIONS_H
#define DENIZEN_ROOT_OPERATIONS_H

#include "plan.h"

/* Carry one out, and say what it is about. An operation that there is not ends the process. Results below zero are
   negative errnos. */
long root_operation(struct plan *plan, const char *operation, const char **object, const char **call);

#endif
