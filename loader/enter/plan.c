#include "plan.h"

const char *plan_take(struct plan *plan)
{
    if (!*plan->next)
        fail("denizen-enter: an operation lacks a word", (char *)0);
    return *plan->next++;
}

long plan_number(const char *word)
{
    long number = 0;
    for (; *word >= '0' && *word <= '9' && number < 10000; word++)
        number = number * 10 + (*word - '0');
    return number;
}

struct names plan_take_names(struct plan *plan)
{
    struct names names = {.count = plan_number(plan_take(plan))};
    names.first = plan->next;
    for (long i = 0; i < names.count; i++)
        plan_take(plan);
    return names;
}

char **plan_program(const struct plan *plan)
{
    char **word = plan->next;
    while (*word && !text_equal(*word, "--"))
        word++;
    if (!*word || !word[1])
        fail("usage: denizen-enter OPERATION... -- PROGRAM ARGUMENT...", (char *)0);
    return word + 1;
}
