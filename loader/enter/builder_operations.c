#include "builder_operations.h"

#include "../sys.h"
#include "confinement.h"
#include "guardian.h"
#include "mounts.h"
#include "sandbox.h"

static long isolate(struct plan *plan, const char **call)
{
    /* Not in one initialiser: C does not say which of its expressions is evaluated first. */
    struct somebody inside = {.uid = (uint32_t)plan_number(plan_take(plan))};
    inside.gid = (uint32_t)plan_number(plan_take(plan));
    return sandbox_isolate(inside, plan->status, call);
}

static long confine(struct plan *plan, const char **call)
{
    struct names readable = plan_take_names(plan);
    struct names writable = plan_take_names(plan);
    return confinement_enter(&readable, &writable, call);
}

static long make_file_system(struct plan *plan, const char **object)
{
    const char *kind = plan_take(plan), *options = plan_take(plan);
    *object = plan_take(plan);
    return mounts_make_file_system(kind, options, *object);
}

static long set_status(struct plan *plan)
{
    plan->status = (int)plan_number(plan_take(plan));
    return sandbox_set_status(plan->status);
}

static long show_names(struct plan *plan, const char **object)
{
    const char *directory = plan_take(plan);
    *object = plan_take(plan);
    struct names names = plan_take_names(plan);
    return mounts_show_objects(directory, *object, &names);
}

static long show(struct plan *plan, const char **object, bool must_exist)
{
    const char *source = plan_take(plan);
    *object = plan_take(plan);
    return must_exist || sys_exists(source) ? mounts_show(source, *object) : 0;
}

bool builder_operation(struct plan *plan, const char *operation, const char **object, const char **call, long *result)
{
    if (text_equal(operation, "status"))
        *result = set_status(plan);
    else if (text_equal(operation, "guard"))
        *result = guardian_of_descendants(plan->status, call);
    else if (text_equal(operation, "isolate"))
        *result = isolate(plan, call);
    else if (text_equal(operation, "no-cgroups"))
        *result = sandbox_allow_no_control_groups(call);
    else if (text_equal(operation, "names"))
        *result = sandbox_name_host(plan_take(plan), call);
    else if (text_equal(operation, "loopback"))
        *result = sandbox_bring_loopback_up(call);
    else if (text_equal(operation, "shown"))
        *result = show_names(plan, object);
    else if (text_equal(operation, "mount"))
        *result = make_file_system(plan, object);
    else if (text_equal(operation, "show") || text_equal(operation, "show-if"))
        *result = show(plan, object, !operation[4]);
    else if (text_equal(operation, "harden"))
        *result = mounts_harden(*object = plan_take(plan));
    else if (text_equal(operation, "safe"))
        *result = mounts_make_safe(*object = plan_take(plan));
    else if (text_equal(operation, "weaken"))
        *result = sandbox_weaken(call);
    else if (text_equal(operation, "confine"))
        *result = confine(plan, call);
    else if (text_equal(operation, "filter"))
        *result = sandbox_filter(plan_take(plan), call);
    else if (text_equal(operation, "scoped"))
        sandbox_scope();
    else if (text_equal(operation, "linux32"))
        sandbox_be_32_bit();
    else
        return false;
    return true;
}
