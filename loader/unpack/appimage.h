/* A bundle that is an AppImage too: the options and variables that its runtime is expected to know. */
#ifndef DENIZEN_APPIMAGE_H
#define DENIZEN_APPIMAGE_H

#include "../arena.h"
#include "../auxv.h"
#include "packed_image.h"

enum appimage_wish { APPIMAGE_START, APPIMAGE_SHOW, APPIMAGE_EXTRACT, APPIMAGE_UPDATE, APPIMAGE_SIGNATURE };

/* The variable that names the AppImage where a tool has only its runtime executed, from a file of its own. */
#define TARGET_APPIMAGE "TARGET_APPIMAGE"

/* What the first argument asks for, which is removed then. Ends the process where it was only asked something. */
enum appimage_wish appimage_wish(struct process *process, const char *own, const char *offset);
/* Print what an updater, or who signs, wrote into the file before its image, and end. */
_Noreturn void appimage_print_section(const char *file, uint64_t image, enum appimage_wish wish);
/* Unpack into squashfs-root of the working directory what a pattern names (null: all), or what is below that, and end. */
_Noreturn void appimage_extract(const struct packed *packed, const char *pattern);
/* Tell where it was unpacked to, and wait to be ended, as who asks for a mount expects. */
_Noreturn void appimage_show(const char *directory);
/* Set the variables that programs in AppImages look for; `directory` is null where the files are in memory. */
void appimage_tell(struct arena *arena, struct process *process, const char *own, const char *directory);

#endif
