/* The operations of a plan that only the builder of a derivation needs (denizen.build.runner.sandbox_plan). */
#ifndef DENIZEN_BUILDER_OPERATIONS_H
#define DENIZEN_BUILDER_OPERATIONS_H

#include <stdbool.h>

#include "plan.h"

/* Carry one out, and say what it is about and which call it makes; false where the operation is another. Results below
   zero are negative errnos. */
bool builder_operation(struct plan *plan, const char *operation, const char **object, const char **call, long *result);

#endif
