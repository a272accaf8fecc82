#include "root_operations.h"

#include "lacking_directories.h"
#include "made_names.h"
#include "mounts.h"
#include "own_mounts.h"
#include "path_variable.h"

long root_operation(struct plan *plan, const char *operation, const char **object, const char **call)
{
    if (text_equal(operation, "offline"))
        return mounts_become_offline();
    if (text_equal(operation, "search")) {
        search_path_add(plan->environment, plan_take(plan));
        return 0;
    }
    if (text_equal(operation, "chdir")) {
        mounts_change_directory(plan_take(plan));
        return 0;
    }
    if (text_equal(operation, "symlink") || text_equal(operation, "text")) {
        const char *content = plan_take(plan);
        *object = plan_take(plan);
        return operation[0] == 's' ? file_make_link(content, *object) : file_make_text(content, *object);
    }
    if (text_equal(operation, "entries")) {
        const char *directory = plan_take(plan);
        *object = plan_take(plan);
        struct names but = plan_take_names(plan);
        return mounts_add_entries(directory, *object, &but);
    }
    if (text_equal(operation, "joined")) {
        const char *source = plan_take(plan), *content = plan_take(plan);
        *object = plan_take(plan);
        return file_make_joined(source, content, *object);
    }
    if (text_equal(operation, "lacking")) {
        const char *root = plan_take(plan), *stage = plan_take(plan);
        struct names directories = plan_take_names(plan);
        return lacking_directories_make(root, stage, &directories, object, call);
    }
    if (text_equal(operation, "apart") || text_equal(operation, "detach")) {
        *object = plan_take(plan);
        return operation[0] == 'a' ? mounts_set_apart(*object) : mounts_detach(*object);
    }
    if (text_equal(operation, "layer")) {
        *object = plan_take(plan);
        return mounts_lay_over(*object);
    }
    bool known = text_equal(operation, "tmpfs") || text_equal(operation, "readonly") || text_equal(operation, "root");
    if (!known)
        fail("denizen-enter: there is no operation ", operation, (char *)0);
    *object = plan_take(plan);
    if (operation[0] == 't')
        return mounts_make_tmpfs(*object);
    return operation[1] == 'e' ? mounts_make_readonly(*object) : mounts_become_root(*object);
}
