/* Mutates files and shows each to a reader of the loader's, by a path. argv: how many, then files to begin with. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1 << 17, SEEDS = 16, HEADERS = 1024 };

/* Of the harness: reads the file at `path`; true where it was taken. */
static bool look(const char *path);

static struct seed {
    unsigned char content[MOST];
    size_t size;
} seeds[SEEDS];
static unsigned state = 1;

static size_t any(size_t below)
{
    return (size_t)rand_r(&state) % below;
}

/* Half of the numbers are small: they lead somewhere in the file, or near its end. */
static uint64_t any_number(size_t size)
{
    uint64_t number = (uint64_t)rand_r(&state) << 33 ^ (uint64_t)rand_r(&state);
    return any(2) ? number % (size + 64) : number;
}

static void mutate(unsigned char *content, size_t size)
{
    for (size_t left = 1 + any(6); left--;) {
        size_t at = any(any(4) && size > HEADERS ? HEADERS : size);
        uint64_t number = any_number(size);
        switch (any(4)) {
        case 0: content[at] ^= (unsigned char)(1U << any(8)); break;
        case 1: content[at] = 0xff; break;
        case 2: content[at] = 0; break;
        default: memcpy(content + at, &number, size - at < sizeof number ? size - at : sizeof number);
        }
    }
}

static void put(int file, const unsigned char *content, size_t size)
{
    if (ftruncate(file, 0) || pwrite(file, content, size, 0) != (ssize_t)size)
        abort();
}

int main(int count, char **words)
{
    static unsigned char content[MOST];
    char path[64];
    long runs = atol(words[1]), taken = 0;
    int number = 0, kept = memfd_create("denizen-fuzz", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", kept);
    if (fchmod(kept, 0700))
        abort();
    for (; number < SEEDS && number + 2 < count; number++) {
        FILE *file = fopen(words[number + 2], "rb");
        seeds[number].size = fread(seeds[number].content, 1, MOST, file);
        fclose(file);
    }
    for (long run = 0; run < runs; run++) {
        const struct seed *seed = &seeds[any((size_t)number)];
        size_t size = any(8) ? seed->size : 1 + any(seed->size);
        memcpy(content, seed->content, size);
        mutate(content, size);
        put(kept, content, size);
        taken += look(path);
    }
    printf("%ld %ld\n", runs, taken);
    return 0;
}
