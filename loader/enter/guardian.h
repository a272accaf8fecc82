/* The process that stays behind when a builder starts: it ends the builder and all that the builder leaves, and tells
   the end. Results below zero are negative errnos; what makes several calls says which one failed. */
#ifndef DENIZEN_GUARDIAN_H
#define DENIZEN_GUARDIAN_H

/* The caller goes on as a child; the process that stays behind guards it, and writes its end to the descriptor
   `status`; -1 for nobody who is told. */
long guardian_leave_behind(int status, const char **call);
/* The same without a namespace of processes: all descendants of the child end with it. */
long guardian_of_descendants(int status, const char **call);

#endif
