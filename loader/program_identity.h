/* The identity of the program's file, and the names of its decision
   (Python: launch/decisions/program_identity.py). */
#ifndef DENIZEN_PROGRAM_IDENTITY_H
#define DENIZEN_PROGRAM_IDENTITY_H

#include "auxv.h"
#include "text.h"

enum { MAX_BUILD_ID = 64 };

struct identity {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    uint64_t mtime_ns;
    uint64_t ctime_ns;
};

/* The two sums of docs/formats/decision.md. */
struct sum {
    uint64_t words;
    uint64_t running;
};

struct build_id {
    const uint8_t *bytes;
    size_t length;
};

bool identity_of_path(const char *path, struct identity *identity);
/* Append the file name of the decision for the program with this identity. */
void identity_name(struct text *name, const struct identity *identity);
/* Append the second name, by which a moved or copied program of this size finds it. */
void alias_name(struct text *name, struct build_id build_id, uint64_t size);
struct sum sum_words(const void *start, size_t size);
/* The GNU build-id in the mapped program's notes; length 0 when it has none. */
struct build_id build_id_of(const Phdr *phdr, size_t count, uintptr_t bias);
/* Return the build-id from the first bytes of a file that is not mapped. */
struct build_id build_id_in_file(const Phdr *phdr, size_t count, const char *head, size_t size);

#endif
