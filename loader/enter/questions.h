/* What is reported of an emulated program, and who answers: at once, or a process of its own that asks the helper. */
#ifndef DENIZEN_ENTER_QUESTIONS_H
#define DENIZEN_ENTER_QUESTIONS_H

#include "../resident/library_names.h"
#include "command_misses.h"
#include "command_places.h"
#include "mounts.h"
#include "notifications.h"

/* The descriptor that reports. */
enum { LISTENER = 3 };

/* What is counted over all questions, by the processes that answer. */
struct counts {
    /* Answers that said nothing: no network, no memory, no helper. */
    unsigned vain;
    /* Names that were looked for along PATH, and those of them, in a row, that nobody may see. */
    unsigned looks, looks_in_vain;
    /* The library that was asked for last and did not come. */
    char library_in_vain[LIBRARY_NAME_ROOM];
};

struct answers {
    const struct names *directories;
    const struct names *helper;
    /* Null where names for commands cannot be made. */
    const struct command_places *places;
    /* In memory that all these processes share. */
    struct counts *counts;
};

/* Answer one report, or leave a process behind that does. */
void questions_take(const struct answers *answers, struct searches *searches, const struct notification *notification);

#endif
