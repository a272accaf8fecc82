#include "auxv.h"

#include "text.h"

enum { MAP_ROOM = 4096 };

static const char *read_number(const char *at, uint64_t *number)
{
    while (*at == ' ')
        at++;
    for (*number = 0; *at >= '0' && *at <= '9'; at++)
        *number = *number * 10 + (uint64_t)(*at - '0');
    return at;
}

/* A user namespace shows the files of users without a number in it, which mostly are root's, as an overflow number's
   (user_namespaces(7)). Lines of the map: the first number inside, the first outside, how many. */
bool process_has_number(uint32_t uid)
{
    char map[MAP_ROOM];
    uint64_t first, outside, count;
    int fd = sys_open("/proc/self/uid_map", SYS_RDONLY);
    long length = fd < 0 ? -1 : sys_read(fd, map, sizeof map - 1);
    if (fd >= 0)
        sys_close(fd);
    if (length <= 0)
        return true;
    map[length] = '\0';
    for (const char *at = map; *at; at += *at == '\n') {
        at = read_number(read_number(read_number(at, &first), &outside), &count);
        if (uid >= first && uid - first < count)
            return true;
        if (*at && *at != '\n')
            return true;
    }
    return false;
}

/* Capabilities of a user who is not root and started no program of root's: ambient ones, as a service has them or a
   program with capabilities leaves them to its children (capabilities(7)). The kernel does not call that secure. In a
   user namespace anybody may have all of them. */
static bool has_capabilities(void)
{
    enum { VERSION_3 = 0x20080522 };
    struct {
        uint32_t version;
        int32_t process;
    } header = {VERSION_3, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } sets[2];
    return arch_syscall(__NR_capget, (long)&header, (long)sets, 0, 0, 0, 0) == 0 &&
           (sets[0].permitted | sets[1].permitted) != 0 && process_has_number(UINT32_MAX - 1);
}

static void note_entry(struct process *process, Auxv *entry)
{
    switch (entry->a_type) {
    case AT_PHDR: process->phdr = entry; break;
    case AT_PHNUM: process->phnum = entry; break;
    case AT_ENTRY: process->entry = entry; break;
    case AT_BASE: process->base = entry; break;
    case AT_EXECFN: process->execfn = entry; break;
    case AT_UID: process->uid = (uint32_t)entry->a_un.a_val; break;
    case AT_EUID: process->euid = (uint32_t)entry->a_un.a_val; break;
    case AT_GID: process->gid = (uint32_t)entry->a_un.a_val; break;
    case AT_EGID: process->egid = (uint32_t)entry->a_un.a_val; break;
    case AT_PAGESZ: process->page_size = entry->a_un.a_val; break;
    case AT_SECURE: process->secure = entry->a_un.a_val != 0; break;
    default: break;
    }
}

struct process process_read(uintptr_t *stack)
{
    struct process process = {.stack = stack, .page_size = 4096, .secure = true};
    process.arguments = (char **)(stack + 1);
    process.environment = process.arguments + stack[0] + 1;
    char **end = process.environment;
    while (*end)
        end++;
    process.auxv = (Auxv *)(end + 1);
    for (Auxv *entry = process.auxv; entry->a_type != AT_NULL; entry++)
        note_entry(&process, entry);
    if (!process.phdr || !process.phnum || !process.entry || !process.base)
        fail("the kernel gave an incomplete auxiliary vector", (char *)0);
    if (!process.phdr->a_un.a_val)
        fail("the program's headers are not in memory", (char *)0);
    process.capable = process.uid && !process.secure && has_capabilities();
    return process;
}

const char *process_variable(const struct process *process, const char *name)
{
    if (process->secure)
        return NULL;
    size_t length = text_length(name);
    for (char **variable = process->environment; *variable; variable++)
        if (text_starts(*variable, name) && (*variable)[length] == '=')
            return (*variable)[length + 1] ? *variable + length + 1 : NULL;
    return NULL;
}

Auxv *process_auxv_end(const struct process *process)
{
    Auxv *last = process->auxv;
    while (last->a_type != AT_NULL)
        last++;
    return last + 1;
}

bool process_is_plain(const struct process *process)
{
    return !process_is_strict(process) && process->uid == process->euid && process->gid == process->egid;
}

bool process_is_strict(const struct process *process)
{
    return process->secure || process->capable;
}

static void read_again(struct process *process, uintptr_t *stack)
{
    size_t inserted = process->inserted;
    *process = process_read(stack);
    process->inserted = inserted;
}

/* Remove words from the stack; everything behind them moves down. The caller adjusts the argument count. */
static void drop_words(const struct process *process, uintptr_t *word, size_t count)
{
    uintptr_t *last = (uintptr_t *)process_auxv_end(process);
    for (; word + count < last; word++)
        word[0] = word[count];
}

void process_drop_arguments(struct process *process, size_t count)
{
    drop_words(process, process->stack + 1, count);
    process->stack[0] -= count;
    read_again(process, process->stack);
}

/* The stack pointer moves down by whole multiples of its alignment; behind the vector's end nothing is read. */
static bool insert_words(struct process *process, uintptr_t *place, const char *const *words, size_t count)
{
    enum { ALIGNED = 16 / sizeof(uintptr_t) };
    size_t moved = (count + ALIGNED - 1) / ALIGNED * ALIGNED;
    if ((process->inserted + moved) * sizeof(uintptr_t) > STACK_ROOM)
        return false;
    uintptr_t *to = process->stack - moved, *next = to;
    const uintptr_t *at = process->stack, *end = (const uintptr_t *)process_auxv_end(process);
    while (at < place)
        *next++ = *at++;
    for (size_t i = 0; i < count; i++)
        *next++ = (uintptr_t)words[i];
    while (at < end)
        *next++ = *at++;
    process->inserted += moved;
    read_again(process, to);
    return true;
}

bool process_insert_arguments(struct process *process, const char *const *words, size_t count)
{
    if (!process->stack[0])
        return false;
    process->stack[0] += count;
    /* process_read finds the variables by the number of arguments, behind all of them. */
    return insert_words(process, process->stack + 2, words, count);
}

bool process_insert_variables(struct process *process, const char *const *words, size_t count)
{
    return insert_words(process, (uintptr_t *)process->environment, words, count);
}

void process_forget(struct process *process, const char *prefix)
{
    char **variable = process->environment;
    while (*variable) {
        if (!text_starts(*variable, prefix)) {
            variable++;
            continue;
        }
        drop_words(process, (uintptr_t *)variable, 1);
        read_again(process, process->stack);
    }
}
