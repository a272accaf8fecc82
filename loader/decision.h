/* Finding a program's decision, and reading it (docs/formats/decision.md). */
#ifndef DENIZEN_DECISION_H
#define DENIZEN_DECISION_H

#include "arena.h"
#include "program_identity.h"

enum decision_flag { DECISION_HOST = 1, DECISION_BY_NAME = 2, DECISION_EXECUTES = 4, DECISION_NAMES = 8 };
enum library_flag { LIBRARY_PINNED = 1, LIBRARY_RENAMED = 2 };
/* An optional one is of the linker too, and left out where its old bytes are not. */
enum edit_target { EDIT_LDSO = 0, EDIT_PROGRAM = 1, EDIT_LDSO_OPTIONAL = 2 };

struct table {
    uint32_t offset;
    uint32_t count;
};

/* The file's own layout; 240 bytes. */
struct decision_header {
    char magic[8];
    uint32_t version;
    uint32_t flags;
    uint32_t size;
    uint32_t machine;
    struct sum sum;
    struct identity identity;
    struct sum headers;
    uint32_t build_id_length;
    uint32_t generation;
    uint8_t build_id[MAX_BUILD_ID];
    uint32_t ldso;
    uint32_t search;
    uint32_t program;
    uint32_t shown;
    uint32_t resources;
    uint32_t opened;
    uint64_t r_debug;
    struct table libraries;
    struct table objects;
    struct table command;
    struct table edits;
    struct table strings;
};

struct decision_library {
    uint32_t path;
    uint32_t name;
    uint32_t flags;
    uint32_t zero;
};

struct decision_edit {
    uint64_t address;
    uint32_t old_bytes;
    uint32_t new_bytes;
    uint32_t length;
    uint32_t target;
};

/* A decision that passed every check: each offset below is inside, each string ends. */
struct decision {
    const struct decision_header *header;
    const char *strings;
    const struct decision_library *libraries;
    const uint32_t *objects;
    const uint32_t *command;
    const struct decision_edit *edits;
};

/* The program that was started. */
struct subject {
    struct identity identity;
    struct sum headers;
    struct build_id build_id;
    /* Another architecture's: it is not mapped, and its headers are not read. */
    bool foreign;
    /* The LD_LIBRARY_PATH of this start, for which there may be a decision of its own; null for none. */
    const char *library_path;
    /* A program of the store, which does not change: its decision is found by the command's name. */
    bool named;
};

/* The result of a search for a decision; the reason is shown when no decision can be made either. */
struct search_result {
    bool found;
    const char *reason;
};

static inline const char *decision_string(const struct decision *decision, uint32_t offset)
{
    return decision->strings + offset;
}

/* Look in every configured directory for the decision about this subject. */
struct search_result decision_find(struct arena *arena, const struct process *process,
                                   const struct subject *subject, struct decision *decision);
/* Look for the decision of this name in named/ of every configured directory. */
struct search_result decision_find_named(struct arena *arena, const struct process *process,
                                         const struct subject *subject, const char *name,
                                         struct decision *decision);
/* The decision in a file that is believed as much as this loader, beside which it lies: whoever owns it. */
bool decision_open(struct arena *arena, const char *path, struct decision *decision);
/* Whether it is about this very program. */
bool decision_is_about(const struct decision *decision, const struct subject *subject);
/* Replace "%u" in a configured directory by the user's number. */
void decision_directory(struct text *path, const char *pattern, const struct process *process);

#endif
