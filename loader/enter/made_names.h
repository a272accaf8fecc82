/* Names that a plan makes. Results below zero are negative errnos; a name that is there already is left as it is. */
#ifndef DENIZEN_MADE_NAMES_H
#define DENIZEN_MADE_NAMES_H

/* Write CONTENT into a file that is there, as those of /proc are. */
long file_write(const char *path, const char *content);
/* An empty file. */
long file_make(const char *path);
long file_make_directory(const char *path);
long file_make_link(const char *words, const char *path);
long file_make_text(const char *content, const char *path);
/* What SOURCE holds, as whole lines, and then CONTENT. */
long file_make_joined(const char *source, const char *content, const char *path);

#endif
