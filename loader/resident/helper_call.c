#include "helper_call.h"

#include "../loader_settings.h"
#include "../unseen_child.h"
#include "../text.h"

/* The helper's command, and what a question adds (../library_facts.c). */
enum { MAX_WORDS = MAX_SETTINGS + 7, NAME_ROOM = 4096 };

/* In memory of its own, as unseen_child.c says. */
struct question {
    const char *words[MAX_WORDS];
    char name[NAME_ROOM];
};

static bool take_words(struct question *question, const struct resident_facts *facts, const char *option,
                       const char *name)
{
    struct text kept = text_in(question->name, NAME_ROOM);
    size_t count = 0;
    text_add(&kept, name);
    for (; facts->words[count] || count == facts->name_at; count++) {
        if (count == MAX_WORDS - 1)
            return false;
        question->words[count] = count == facts->name_at ? question->name : facts->words[count];
    }
    question->words[count] = NULL;
    question->words[facts->name_at - 1] = option;
    return !kept.cut;
}

void call_helper(const struct resident_facts *facts, const char *option, const char *name)
{
    long at = sys_mmap(0, sizeof(struct question), SYS_PROT_READ | SYS_PROT_WRITE,
                       SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at))
        return;
    struct question *question = (struct question *)at;
    if (take_words(question, facts, option, name))
        run_apart(question->words);
    arch_syscall(__NR_munmap, at, sizeof *question, 0, 0, 0, 0);
}
