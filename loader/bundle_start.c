#include "bundle_start.h"

#include "bundle.h"
#include "dynamic_section.h"
#include "loader_settings.h"
#include "run_as_program.h"

/* What the bundle has for programs that it starts. */
static void belong_to(struct start *start, const struct bundle *bundle)
{
    start->inside = bundle_path(&start->arena, bundle, "denizen-inside");
    start->resident = bundle_path(&start->arena, bundle, "denizen-resident");
}

/* Become the program that a decision of the bundle is about, or the program at `path` if it is that one. Comes back if
   it is not, or if there is no such decision. */
static void become_bundled(struct start *start, const struct bundle *bundle, const char *name, const char *path)
{
    struct decision decision;
    struct subject subject = {.headers = {0, 0}, .named = true};
    if (!bundle_decision(&start->arena, &start->process, bundle, name, &decision))
        return;
    start->path = path ? path : decision_string(&decision, decision.header->program);
    if (!path && decision.header->command.count) /* in an environment, which the launcher has no part in */
        launch_command(&start->arena, &start->process, &decision, (struct target){.path = start->path, .child = true});
    belong_to(start, bundle);
    if (!sys_exists(start->path) ||
        !image_inspect(start->path, start->process.page_size, &start->arena, &subject) ||
        !decision_is_about(&decision, &subject))
        return;
    start_stand_in(start);
    start->loader = bundle_path(&start->arena, bundle, "denizen-loader");
    /* With a tree of its own: there are programs that look for it by the name they were called by. */
    if (!path && decision.header->shown && start->process.stack[0])
        start->process.arguments[0] = (char *)(uintptr_t)decision_string(&decision, decision.header->shown);
    if (!path && !bundle_add_arguments(&start->arena, &start->process, bundle))
        fail(start_path(start), ": the arguments that belong to it cannot be given to it here", (char *)0);
    start_follow(start, &decision);
}

void bundle_start_child(struct start *start, const struct bundle *bundle, const char *path)
{
    const char *real = launch_real_path(&start->arena, path);
    const char *name = bundle_decision_name(&start->arena, bundle, real ? real : path);
    if (name)
        become_bundled(start, bundle, name, path);
    become_bundled(start, bundle, "decision", path);
}

void bundle_start_adopted(struct start *start, const struct bundle *bundle)
{
    struct decision decision;
    struct program program = program_read(&start->process);
    const char *interpreter = program_interpreter(&program);
    if (!interpreter || !text_starts(text_file_name(interpreter), "ld-linux") ||
        !bundle_decision(&start->arena, &start->process, bundle, "decision-any", &decision))
        return;
    start->loader = bundle_path(&start->arena, bundle, "denizen-loader");
    start_follow(start, &decision);
}

/* Of an AppImage whose program is static there is no decision: it is AppRun itself. */
static void become_static(struct start *start, const struct bundle *bundle)
{
    char room[PATH_ROOM];
    struct text path = text_in(room, sizeof room);
    const char *in_memory = bundle->base ? NULL : bundle_path(&start->arena, bundle, "AppRun");
    if (bundle->base)
        text_add_bytes(&path, bundle->base, (size_t)(text_file_name(bundle->base) - bundle->base));
    text_add(&path, bundle->base ? "AppRun" : in_memory ? in_memory : "");
    if (!path.cut && !(bundle->base && sys_exists(bundle->base)))
        sys_execve(room, start->process.arguments, start->process.environment);
}

_Noreturn void bundle_start(struct start *start, const char *setting)
{
    const char *own = start_path(start);
    if (start->process.secure)
        fail(own, ": a bundle starts with no more rights than its user has", (char *)0);
    struct bundle bundle = bundle_open(&start->arena, &start->process, own, setting);
    if (!bundle.base && config_next(SETTING_ARGUMENT, NULL))
        fail(own, ": it can be unpacked nowhere but in memory, where its files do not find each other; let"
             " XDG_CACHE_HOME name a directory with room, from which programs may be executed", (char *)0);
    become_bundled(start, &bundle, "decision", NULL);
    if (config_next(SETTING_APPIMAGE, NULL))
        become_static(start, &bundle);
    fail(own, ": its files in ", bundle.base ? bundle.base : "memory", " are not what was bundled", (char *)0);
}
