/* What the budget kept out, until the user settles otherwise. */
#ifndef DENIZEN_BUDGET_H
#define DENIZEN_BUDGET_H

#include <stdbool.h>

/* Tell whether the user's settings changed after `directory` (with a slash at its end) got the record of a name that
   the budget keeps out: then it may be asked for again. False where there is no such record. */
bool budget_changed_since(const char *directory, const char *name);

#endif
