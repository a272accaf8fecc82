#include "dynamic_section.h"

#include "entry_hook.h"
#include "entry_stub.h"

/* A longer dynamic section is treated as damaged. */
enum { MAX_ENTRIES = 65536 };

static uintptr_t bias_of(const Phdr *phdr, size_t count)
{
    /* As rtld.c does: without PT_PHDR the program is taken to lie at its own addresses. */
    for (const Phdr *each = phdr; each < phdr + count; each++)
        if (each->p_type == PT_PHDR)
            return (uintptr_t)phdr - each->p_vaddr;
    return 0;
}

static uintptr_t end_of(const struct program *program, const Phdr *segment)
{
    uintptr_t within = program->page_size - 1;
    return (segment->p_vaddr + segment->p_memsz + within) & ~within;
}

/* Whole pages are mapped, and patchelf has put dynamic sections behind what a segment says it holds. */
static const Phdr *segment_holding(const struct program *program, uintptr_t address)
{
    for (const Phdr *each = program->phdr; each < program->phdr + program->phnum; each++)
        if (each->p_type == PT_LOAD && (each->p_flags & PF_R) && address >= (each->p_vaddr & ~(program->page_size - 1)) &&
            address < end_of(program, each))
            return each;
    return NULL;
}

/* patchelf lets a string table begin in one segment and go on in the next. */
static bool is_mapped(const struct program *program, uintptr_t address, size_t size)
{
    uintptr_t end = address + size;
    if (end < address)
        return false;
    while (address < end) {
        const Phdr *segment = segment_holding(program, address);
        if (!segment)
            return false;
        address = end_of(program, segment);
    }
    return true;
}

static Dyn *find_tag(const struct program *program, intptr_t tag)
{
    for (Dyn *entry = program->dynamic; entry < program->dynamic + program->dynamic_count; entry++)
        if (entry->d_tag == tag)
            return entry;
    return NULL;
}

/* The string table, if it lies in what was loaded and ends with a NUL. */
static bool read_strings(struct program *program)
{
    const Dyn *start = find_tag(program, DT_STRTAB);
    const Dyn *size = find_tag(program, DT_STRSZ);
    if (!start || !size || !size->d_un.d_val ||
        !is_mapped(program, start->d_un.d_ptr, size->d_un.d_val))
        return false;
    program->strings = (const char *)(program->bias + start->d_un.d_ptr);
    program->strings_size = size->d_un.d_val;
    return program->strings[program->strings_size - 1] == '\0';
}

static void read_dynamic(struct program *program, const Phdr *header)
{
    const Phdr *holder = segment_holding(program, header->p_vaddr);
    if (!holder || !is_mapped(program, header->p_vaddr, header->p_memsz) ||
        header->p_vaddr % sizeof(uintptr_t))
        return;
    Dyn *entries = (Dyn *)(program->bias + header->p_vaddr);
    size_t most = header->p_memsz / sizeof(Dyn);
    size_t count = 0;
    while (count < most && count < MAX_ENTRIES && entries[count].d_tag != DT_NULL)
        count++;
    if (count == most || count == MAX_ENTRIES)
        return; /* no DT_NULL: left as it is, so that ld.so fails as it would without the loader */
    program->dynamic = entries;
    program->dynamic_count = count;
    program->dynamic_writable = holder->p_flags & PF_W;
    if (!read_strings(program)) {
        program->dynamic = NULL;
        program->dynamic_count = 0;
    }
}

struct program program_read(const struct process *process)
{
    struct program program = {
        .phdr = (const Phdr *)process->phdr->a_un.a_val,
        .phnum = process->phnum->a_un.a_val,
        .page_size = process->page_size,
    };
    program.bias = bias_of(program.phdr, program.phnum);
    for (const Phdr *each = program.phdr; each < program.phdr + program.phnum; each++)
        if (each->p_type == PT_DYNAMIC)
            read_dynamic(&program, each);
    return program;
}

/* ld.so adds what is in an entry to the address of the string table, and wraps. */
static uintptr_t string_offset(const struct program *program, const char *string)
{
    return (uintptr_t)string - (uintptr_t)program->strings;
}

/* A list of directories grows by another. ld.so takes ';' for ':' in the environment, not in DT_RPATH. */
static void add_paths(struct text *path, const char *more, const char *origin)
{
    if (!more || !*more)
        return;
    text_add(path, path->length ? ":" : "");
    while (*more) {
        size_t token = origin ? text_origin(more) : 0;
        if (token)
            text_add(path, origin);
        else
            text_add_bytes(path, *more == ';' ? ":" : more, 1);
        more += token ? token : 1;
    }
}

/* Enough for the list with every token replaced. */
static size_t room_for(const char *list, const char *origin)
{
    size_t room = 2;
    for (; list && *list; list++)
        room += 1 + (origin && *list == '$' ? text_length(origin) : 0);
    return room;
}

const char *program_string(const struct program *program, const Dyn *entry)
{
    bool inside = entry && entry->d_un.d_val < program->strings_size;
    return inside ? program->strings + entry->d_un.d_val : NULL;
}

const char *program_interpreter(const struct program *program)
{
    for (const Phdr *each = program->phdr; each < program->phdr + program->phnum; each++)
        if (each->p_type == PT_INTERP && each->p_filesz && is_mapped(program, each->p_vaddr, each->p_filesz)) {
            const char *path = (const char *)(program->bias + each->p_vaddr);
            return path[each->p_filesz - 1] ? NULL : path;
        }
    return NULL;
}

/* One DT_RPATH in the order of a native start: the program's DT_RPATH (which counts only without a
   DT_RUNPATH), the user's LD_LIBRARY_PATH, the program's DT_RUNPATH, ours. Why it must be DT_RPATH:
   README.md. */
static const char *search_path(struct arena *arena, const struct program *program,
                               const struct presentation *presentation)
{
    const char *runpath = program_string(program, find_tag(program, DT_RUNPATH));
    const char *rpath = runpath ? NULL : program_string(program, find_tag(program, DT_RPATH));
    const struct resident_facts *resident = presentation->resident_facts;
    const char *last = resident ? resident->search : presentation->search;
    const char *lists[] = {rpath, presentation->user_paths, runpath, last};
    size_t room = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        room += room_for(lists[i], presentation->origin);
    struct text path = text_in(arena_take(arena, room), room);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        add_paths(&path, lists[i], presentation->origin);
    return path.length ? path.data : NULL;
}

const char *program_own_directories(struct arena *arena, const struct program *program, const char *origin)
{
    const char *runpath = program_string(program, find_tag(program, DT_RUNPATH));
    if (!runpath || !*runpath)
        return NULL;
    size_t room = room_for(runpath, origin);
    struct text path = text_in(arena_take(arena, room), room);
    add_paths(&path, runpath, origin);
    return path.data;
}

static void push(Dyn **next, intptr_t tag, uintptr_t number)
{
    (*next)->d_tag = (__typeof__((*next)->d_tag))tag;
    (*next)->d_un.d_val = number;
    ++*next;
}

/* By path, so that nothing is searched. By name where the user's LD_LIBRARY_PATH must get its say (a
   pinned library is one it never had a say in), and always for musl. */
static void push_libraries(Dyn **next, const struct program *program, const struct presentation *presentation)
{
    const struct decision *decision = presentation->decision;
    if (!decision || (decision->header->flags & DECISION_BY_NAME))
        return;
    const struct decision_library *library = decision->libraries;
    for (uint32_t left = decision->header->libraries.count; left--; library++) {
        bool by_name = presentation->user_paths && !(library->flags & LIBRARY_PINNED);
        const char *name = decision_string(decision, by_name ? library->name : library->path);
        push(next, DT_NEEDED, string_offset(program, name));
    }
}

/* Libraries that others ask for by a name they do not call themselves by: one more search each, in our
   directory, after which ld.so knows them by it. */
static void push_renamed(Dyn **next, const struct program *program, const struct presentation *presentation)
{
    const struct decision *decision = presentation->decision;
    if (!decision || (decision->header->flags & DECISION_BY_NAME))
        return;
    const struct decision_library *library = decision->libraries;
    for (uint32_t left = decision->header->libraries.count; left--; library++)
        if (library->flags & LIBRARY_RENAMED)
            push(next, DT_NEEDED, string_offset(program, decision_string(decision, library->name)));
}

static bool is_replaced(intptr_t tag, const struct presentation *presentation)
{
    return tag == DT_RPATH || tag == DT_RUNPATH || (tag == DT_AUDIT && presentation->resident);
}

/* glibc replaces tokens in the name (elf/dl-deps.c, expand_dst), musl none: with the program's directory where glibc
   would take another one. Filters have such names too, and end ld.so's work in a program (dl-fini.c). */
static uintptr_t own_entry(struct arena *arena, const struct program *program, const Dyn *entry,
                           const struct presentation *presentation)
{
    bool musl = presentation->decision && presentation->decision->header->flags & DECISION_BY_NAME;
    const char *name = entry->d_tag == DT_NEEDED && !musl ? program_string(program, entry) : NULL;
    if (!name || !presentation->origin || !text_has_origin(name))
        return entry->d_un.d_val;
    return string_offset(program, arena_expanded(arena, name, presentation->origin));
}

/* The program's own DT_NEEDED stay, after ours: each finds its library already loaded and gives it
   the name that version checking asks for (glibc elf/dl-version.c, find_needed, asserts it). */
static void push_own(Dyn **next, struct arena *arena, const struct program *program,
                     const struct presentation *presentation, bool needed)
{
    for (const Dyn *entry = program->dynamic; entry < program->dynamic + program->dynamic_count; entry++) {
        if ((entry->d_tag == DT_NEEDED) == needed && !is_replaced(entry->d_tag, presentation))
            push(next, entry->d_tag, own_entry(arena, program, entry, presentation));
    }
}

/* What goes inside comes first of all libraries, so that its answers are the ones that count. It finds what it
   must know by an entry of its own, and the loaded objects by the one debuggers use. */
static void push_inside(Dyn **next, const struct program *program, const struct presentation *presentation)
{
    if (!presentation->inside)
        return;
    push(next, DT_NEEDED, string_offset(program, presentation->inside));
    push(next, INSIDE_TAG, (uintptr_t)presentation->facts);
    if (!find_tag(program, DT_DEBUG))
        push(next, DT_DEBUG, 0);
}

/* Libraries of the host that what is preloaded asks for. */
static void push_preloaded(Dyn **next, const struct program *program, const struct presentation *presentation)
{
    for (size_t i = 0; presentation->preload && i < presentation->preload->count; i++)
        push(next, DT_NEEDED, string_offset(program, presentation->preload->needs[i]));
}

/* AddressSanitizer's runtime ends a program in whose list of objects it is not the first after the program
   (compiler-rt asan_linux.cpp, AsanCheckDynamicRTPrereqs), and passes on to the next as we do: it goes before us. */
static const char *runtime_that_leads(const struct program *program, const struct presentation *presentation)
{
    const struct decision *decision = presentation->decision;
    bool listed = decision && !(decision->header->flags & DECISION_BY_NAME) && decision->header->libraries.count;
    const Dyn *own = find_tag(program, DT_NEEDED);
    const char *first = listed ? decision_string(decision, decision->libraries->path)
                        : own  ? program_string(program, own)
                               : NULL;
    if (!first || !presentation->inside)
        return NULL;
    const char *name = text_file_name(first);
    bool leads = text_starts(name, "libasan.so") || text_starts(name, "libhwasan.so") ||
                 text_starts(name, "libclang_rt.asan") || text_starts(name, "libclang_rt.hwasan");
    return leads ? first : NULL;
}

/* ld.so takes one list with colons (glibc elf/rtld.c, audit_list_add_dynamic_tag): the program's own first. */
static const char *auditors(struct arena *arena, const struct program *program, const char *resident)
{
    const char *own = program_string(program, find_tag(program, DT_AUDIT));
    if (!own || !*own)
        return resident;
    size_t room = text_length(own) + text_length(resident) + 2;
    struct text all = text_in(arena_take(arena, room), room);
    text_add(&all, own);
    text_add(&all, ":");
    text_add(&all, resident);
    return all.data;
}

static void push_resident(Dyn **next, struct arena *arena, const struct program *program,
                          const struct presentation *presentation)
{
    if (!presentation->resident)
        return;
    push(next, DT_AUDIT, string_offset(program, auditors(arena, program, presentation->resident)));
    push(next, RESIDENT_TAG, (uintptr_t)presentation->resident_facts);
}

struct section {
    const Dyn *start;
    size_t size;
};

static struct section new_dynamic(struct arena *arena, const struct program *program,
                                  const struct presentation *presentation)
{
    size_t libraries = presentation->decision ? presentation->decision->header->libraries.count : 0;
    size_t preloaded = presentation->preload ? presentation->preload->count : 0;
    const char *path = search_path(arena, program, presentation);
    Dyn *start = arena_take(arena, (program->dynamic_count + 2 * libraries + preloaded + 8) * sizeof *start);
    Dyn *next = start;
    const char *leading = runtime_that_leads(program, presentation);
    if (leading)
        push(&next, DT_NEEDED, string_offset(program, leading));
    push_inside(&next, program, presentation);
    push_libraries(&next, program, presentation);
    push_renamed(&next, program, presentation);
    push_preloaded(&next, program, presentation);
    push_own(&next, arena, program, presentation, true);
    if (path)
        push(&next, DT_RPATH, string_offset(program, path));
    push_own(&next, arena, program, presentation, false);
    push_resident(&next, arena, program, presentation);
    push(&next, DT_NULL, 0);
    return (struct section){start, (size_t)(next - start) * sizeof *start};
}

static void point_at(Phdr *header, const struct program *program, const void *target, size_t size)
{
    header->p_vaddr = header->p_paddr = (uintptr_t)target - program->bias;
    header->p_filesz = header->p_memsz = size;
}

void present(struct arena *arena, const struct process *process, const struct program *program,
             const struct presentation *presentation)
{
    struct entry_hook *hook = arena_take(arena, sizeof *hook + program->phnum * sizeof(Phdr));
    Phdr *copy = (Phdr *)(hook + 1);
    __builtin_memcpy(copy, program->phdr, program->phnum * sizeof *copy);
    for (Phdr *each = copy; each < copy + program->phnum; each++) {
        if (each->p_type == PT_PHDR)
            point_at(each, program, copy, each->p_memsz);
        if (each->p_type == PT_INTERP || each->p_type == STUB_INTERP) {
            each->p_type = PT_INTERP;
            point_at(each, program, presentation->ldso, text_length(presentation->ldso) + 1);
        }
        if (each->p_type == PT_DYNAMIC && program->dynamic) {
            struct section made = new_dynamic(arena, program, presentation);
            point_at(each, program, made.start, made.size);
            each->p_flags |= PF_W; /* ld.so adjusts it in place */
        }
    }
    process->phdr->a_un.a_val = (uintptr_t)copy;
    const struct preload *preload = presentation->preload;
    if (preload && preload->shown)
        entry_hook_set(hook, process, preload->slot, preload->shown);
}

/* The tags whose addresses ld.so makes absolute in place (glibc elf/get-dynamic-info.h). */
static bool is_adjusted(intptr_t tag)
{
    switch (tag) {
    case DT_HASH:
    case DT_PLTGOT:
    case DT_STRTAB:
    case DT_SYMTAB:
    case DT_RELA:
    case DT_REL:
    case DT_RELR:
    case DT_JMPREL:
    case DT_VERSYM:
    case DT_GNU_HASH: return true;
    default: return false;
    }
}

void reflect_addresses(const struct program *program)
{
    if (program->dynamic_writable)
        for (Dyn *entry = program->dynamic; entry < program->dynamic + program->dynamic_count; entry++)
            if (is_adjusted(entry->d_tag))
                entry->d_un.d_ptr += program->bias;
}

void reflect_debugger(const struct program *program, uintptr_t r_debug)
{
    Dyn *entry = program->dynamic_writable ? find_tag(program, DT_DEBUG) : NULL;
    if (entry)
        entry->d_un.d_ptr = r_debug;
}
