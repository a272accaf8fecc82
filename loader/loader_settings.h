/* The settings written into this copy of the loader (docs/formats/loader-config.md). */
#ifndef DENIZEN_LOADER_SETTINGS_H
#define DENIZEN_LOADER_SETTINGS_H

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
};

/* Return the next setting of a kind after `previous` (null: the first), or null. */
const char *config_next(enum setting kind, const char *previous);

#endif
