#include "loader_settings.h"

#include <stdint.h>

#include "text.h"

struct block {
    char magic[24];
    uint32_t version;
    uint32_t zero;
    char settings[SETTINGS_SIZE];
};

/* Read through a volatile pointer, because the block is changed in the file after compilation. */
__attribute__((section(".settings"), used)) static const struct block BLOCK = {
    .magic = "DENIZEN-LOADER-SETTINGS",
    .version = 1,
};

static const char *settings(void)
{
    const struct block *block = &BLOCK;
    __asm__("" : "+r"(block));
    /* The last byte must be NUL; if it is not, there are no settings. */
    return block->settings[sizeof block->settings - 1] ? "" : block->settings;
}

const char *config_next(enum setting kind, const char *previous)
{
    const char *at = previous ? previous + text_length(previous) + 1 : settings();
    for (; *at; at += text_length(at) + 1)
        if (*at == (char)kind)
            return at + 1;
    return (const char *)0;
}

size_t config_all(enum setting kind, const char **words)
{
    size_t count = 0;
    for (const char *word = config_next(kind, NULL); word; word = config_next(kind, word))
        words[count++] = word;
    return count;
}
