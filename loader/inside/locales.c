/* Locales and converters: glibc opens them itself, at paths that were compiled in, or where LOCPATH and
   GCONV_PATH say. Where the host has none those are shown to it for the time of one call, in an environment
   that nobody else is given. */
#include "forwarding.h"

typedef struct locale *locale_type;
EXPORTED char *setlocale(int category, const char *locale);
EXPORTED locale_type newlocale(int mask, const char *locale, locale_type base);
EXPORTED locale_type __newlocale(int mask, const char *locale, locale_type base);
EXPORTED void *iconv_open(const char *to, const char *from);
WEAK int iconv_close(void *converter);
extern WEAK char **environ;
static any_function *next_setlocale;
static any_function *next_newlocale;
static any_function *next___newlocale;
static any_function *next_iconv_open;

static const char *const LOCALES = "/usr/lib/locale";
static const char *const CONVERTERS = "/usr/lib/" ARCH_TRIPLET "/gconv";

/* The environment while a call lasts. */
struct shown {
    char **given;
    char **shown;
    size_t size;
    char locales[PATH_ROOM];
    char converters[PATH_ROOM];
};

static bool has_variable(const char *name)
{
    size_t length = text_length(name);
    for (char **each = environ; each && *each; each++)
        if (text_starts(*each, name) && (*each)[length - 1] == '=')
            return true;
    return false;
}

/* The variable, where it is not set already and the resource tree has the directory that the host lacks. */
static bool add_variable(char *room, const char *name, const char *directory)
{
    struct text variable = text_in(room, PATH_ROOM);
    text_add(&variable, name);
    text_add(&variable, loader_facts()->resources);
    text_add(&variable, directory);
    return !variable.cut && !has_variable(name) && sys_exists(room + text_length(name));
}

/* Whether there is anything to show. Another thread that reads its environment meanwhile sees one that is whole. */
static bool show(struct shown *shown)
{
    const struct inside_facts *facts = loader_facts();
    if (!facts || !facts->resources || !&environ || !environ)
        return false;
    bool locales = add_variable(shown->locales, "LOCPATH=", LOCALES);
    bool converters = add_variable(shown->converters, "GCONV_PATH=", CONVERTERS);
    size_t count = 0;
    while (environ[count])
        count++;
    shown->size = (count + 3) * sizeof *environ;
    long at = locales || converters ? sys_mmap(0, shown->size, SYS_PROT_READ | SYS_PROT_WRITE,
                                               SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0)
                                    : -1;
    if (sys_failed(at))
        return false;
    char **next = shown->shown = (char **)at;
    for (size_t i = 0; i < count; i++)
        *next++ = environ[i];
    if (locales)
        *next++ = shown->locales;
    if (converters)
        *next = shown->converters;
    shown->given = environ;
    environ = shown->shown;
    return true;
}

static void hide(struct shown *shown)
{
    if (environ == shown->shown)
        environ = shown->given;
    arch_syscall(__NR_munmap, (long)shown->shown, (long)shown->size, 0, 0, 0, 0);
}

/* glibc reads its list of converters once, for whoever asks first (iconv/gconv_conf.c, __gconv_load_conf): so we
   do, before a locale of several bytes makes somebody ask in our absence. */
static void load_converters(void)
{
    static bool loaded;
    struct shown shown;
    __typeof__(&iconv_open) next = NEXT(iconv_open);
    bool again = __atomic_load_n(&loaded, __ATOMIC_RELAXED);
    __atomic_store_n(&loaded, true, __ATOMIC_RELAXED);
    if (again || !next || !show(&shown))
        return;
    void *converter = next("UTF-8", "UTF-16");
    hide(&shown);
    if (converter != (void *)-1 && iconv_close)
        iconv_close(converter);
}

char *setlocale(int category, const char *locale)
{
    __typeof__(&setlocale) next = NEXT(setlocale);
    struct shown shown;
    char *found = next ? next(category, locale) : NULL;
    if (!locale || !next)
        return found;
    load_converters();
    if (!found && show(&shown)) {
        found = next(category, locale);
        hide(&shown);
    }
    return found;
}

static locale_type new_locale(__typeof__(&newlocale) next, int mask, const char *locale, locale_type base)
{
    struct shown shown;
    locale_type found = next ? next(mask, locale, base) : NULL;
    load_converters();
    if (!found && next && show(&shown)) {
        found = next(mask, locale, base);
        hide(&shown);
    }
    return found;
}

locale_type newlocale(int mask, const char *locale, locale_type base)
{
    return new_locale(NEXT(newlocale), mask, locale, base);
}

locale_type __newlocale(int mask, const char *locale, locale_type base)
{
    return new_locale(NEXT(__newlocale), mask, locale, base);
}

void *iconv_open(const char *to, const char *from)
{
    __typeof__(&iconv_open) next = NEXT(iconv_open);
    load_converters();
    return next ? next(to, from) : (void *)-1;
}
