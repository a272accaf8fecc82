#include "command_start.h"

#include "helper.h"
#include "run_as_program.h"

/* By the program, or, as another link to its file changes its times, by the command's name. */
static bool find_decision(struct start *start, struct subject *subject, const char *name, struct decision *decision)
{
    char key[PATH_ROOM];
    struct text text = text_in(key, sizeof key);
    if (decision_find(&start->arena, &start->process, subject, decision).found)
        return true;
    text_add(&text, "command-");
    text_add(&text, name);
    subject->named = true;
    return !text.cut && decision_find_named(&start->arena, &start->process, subject, key, decision).found;
}

/* The program that a command is, by the link of its name; and the decision about it. */
static bool find_command(struct start *start, const char *commands, const char *name, struct decision *decision)
{
    struct subject subject = {.headers = {0, 0}};
    start->path = launch_command_path(&start->arena, commands, name);
    if (!start->path || !identity_of_path(start->path, &subject.identity))
        return false;
    image_inspect(start->path, start->process.page_size, &start->arena, &subject);
    return find_decision(start, &subject, name, decision);
}

/* A command is found: by its own command, by the kernel, or mapped. A script that we map the interpreter of gets its
   own path, any other program the name that it was called by. */
static _Noreturn void become_command(struct start *start, const struct decision *decision)
{
    struct process *process = &start->process;
    uint32_t count = decision->header->command.count;
    bool mapped = count > 1 && text_equal(decision_string(decision, decision->command[1]), "--as");
    if (count)
        launch_command(&start->arena, process, decision, (struct target){.path = start->path, .child = !mapped});
    if (decision->header->flags & DECISION_HOST)
        launch_natively(process, start->path);
    start_stand_in(start);
    start_follow(start, decision);
}

_Noreturn void command_start_brought(struct start *start, const char *commands)
{
    struct decision decision;
    struct process *process = &start->process;
    const char *own = start_path(start);
    const char *name = text_file_name(own);
    if (!process_is_plain(process) ||
        (!find_command(start, commands, name, &decision) &&
         (!helper_brings(process, own) || !find_command(start, commands, name, &decision))))
        fail(own, ": the command is not here", (char *)0);
    become_command(start, &decision);
}

/* The program of an installed command, and the decision about it. */
static bool find_installed(struct start *start, const char *own, struct decision *decision)
{
    struct subject subject = {.headers = {0, 0}, .named = true};
    struct installed installed = launch_installed(&start->arena, own);
    start->path = installed.program;
    if (!start->path)
        return false;
    subject.foreign = launch_is_foreign(start->path);
    /* A link to another package's file leads nowhere here: in an environment both packages are. */
    if (!subject.foreign && sys_exists(start->path))
        image_inspect(start->path, start->process.page_size, &start->arena, &subject);
    return decision_find_named(&start->arena, &start->process, &subject, installed.decision, decision).found;
}

_Noreturn void command_start_installed(struct start *start)
{
    struct decision decision;
    const char *own = start_path(start);
    if (!find_installed(start, own, &decision)) {
        if (helper_decides(&start->process, NULL, own) == HELPER_REFUSED)
            sys_exit(EXIT_CANNOT_START);
        if (!find_installed(start, own, &decision))
            fail(own, ": it was not decided how to start it; install it again", (char *)0);
    }
    become_command(start, &decision);
}
