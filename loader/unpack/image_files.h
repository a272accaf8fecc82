/* Files and directories that are made. Results below zero are negative errnos. */
#ifndef DENIZEN_IMAGE_FILES_H
#define DENIZEN_IMAGE_FILES_H

#include "packed_image.h"

enum { FILES_WRITE_ONLY = 1, FILES_CREATE = 0100, FILES_EXCLUSIVE = 0200, FILES_EEXIST = 17, FILES_ENOTEMPTY = 39 };

long files_make_directory(int at, const char *name, int mode);
long files_write(int fd, const uint8_t *content, uint64_t size);
/* An entry below the directory `taker` points to the descriptor of. */
long files_take(void *taker, const struct packed *packed, const struct packed_entry *entry, const uint8_t *content);
/* Whether all of the image's entries are there, with the sizes that they had. */
bool files_are_whole(int directory, const struct packed *packed);

#endif
