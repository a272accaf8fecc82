/* The settings written into this copy of the loader (docs/formats/loader-config.md). */
#ifndef DENIZEN_LOADER_SETTINGS_H
#define DENIZEN_LOADER_SETTINGS_H

#include <stddef.h>

/* The kinds of setting, as src/denizen/launch/loader/loader_settings.py writes them. */
enum setting {
    SETTING_DIRECTORY = 'd',
    SETTING_COMMAND = 'c',
    SETTING_HOST_LDSO = 'h',
    SETTING_PACKAGE_LDSO = 'w',
    SETTING_HOST_PREFIX = 'p',
    SETTING_INSIDE = 'i',
    SETTING_RESIDENT = 'r',
    SETTING_EXEC = 'j',
    SETTING_STARTER = 's',
    SETTING_OTHER_STARTER = 'z',
    SETTING_GENERATION = 'g',
    SETTING_NIX_LD = 'n',
    SETTING_COMMANDS = 'e',
    SETTING_BROUGHT = 'k',
    SETTING_LIBRARY_PATHS = 'l',
    SETTING_INSTALLED = 'o',
    SETTING_BUNDLE = 'u',
    SETTING_ARGUMENT = 'a',
    SETTING_APPIMAGE = 'm',
    SETTING_KIND = 't',
    SETTING_KEPT_OUT = 'x',
    SETTING_LAYERED = 'y',
};

/* A setting is one byte for its kind, its text and a NUL, so the block has no more of them than half its bytes. */
enum { SETTINGS_SIZE = 4064, MAX_SETTINGS = SETTINGS_SIZE / 2 };

/* Return the next setting of a kind after `previous` (null: the first), or null. */
const char *config_next(enum setting kind, const char *previous);

/* Write the settings of a kind to `words`, which has room for MAX_SETTINGS, and return their number. */
size_t config_all(enum setting kind, const char **words);

#endif
