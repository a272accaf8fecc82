#include "tell.h"

#include "config.h"

enum { PATH_ROOM = 4096 };

const char *tell_whom(void)
{
    const char *library = config_next(SETTING_INSIDE, NULL);
    return library && sys_exists(library) ? library : NULL;
}

const char *tell_seen(struct arena *arena)
{
    char *room = arena_take(arena, PATH_ROOM);
    long length = sys_readlink("/proc/self/exe", room, PATH_ROOM - 1);
    room[length > 0 ? length : 0] = '\0';
    return room;
}

static const char *host_prefixes(struct arena *arena)
{
    char *room = arena_take(arena, PATH_ROOM);
    struct text all = text_in(room, PATH_ROOM - 1);
    for (const char *prefix = config_next(SETTING_HOST_PREFIX, NULL); prefix;
         prefix = config_next(SETTING_HOST_PREFIX, prefix))
        text_add_bytes(&all, prefix, text_length(prefix) + 1);
    room[all.length] = '\0';
    return room;
}

const struct inside_facts *tell(struct arena *arena, const struct decision *decision, const char *program,
                                const char *loader)
{
    const struct decision_header *header = decision ? decision->header : NULL;
    struct inside_facts *facts = arena_take(arena, sizeof *facts);
    *facts = (struct inside_facts){
        .version = INSIDE_VERSION,
        .program = header && header->shown ? decision_string(decision, header->shown) : program,
        .seen = tell_seen(arena),
        .loader = loader,
        .furniture = header && header->furniture ? decision_string(decision, header->furniture) : NULL,
        .host_prefixes = host_prefixes(arena),
    };
    return facts;
}
