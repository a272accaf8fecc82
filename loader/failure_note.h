/* What policy kept out, told when the program ends in failure. */
#ifndef DENIZEN_FAILURE_NOTE_H
#define DENIZEN_FAILURE_NOTE_H

#include <stdbool.h>
#include <stddef.h>

/* on_exit(3) of the program's C library, which is glibc's. */
typedef int on_exit_function(void (*)(int, void *), void *);

/* A line is told whatever the failure, or only where the status says that a command was not found (POSIX, 2.8.2). */
enum { FAILURE_ANY = 0, FAILURE_NOT_FOUND = 127 };

/* Have this process tell the lines if it ends by exit(3) with another status than 0. Lines that its children add
   before they execute count. Once for a process; false if it cannot be had. */
bool failure_note_begin(on_exit_function *register_at_exit);
/* Add a line, with its newline, unless it is there. Without failure_note_begin nothing is done. */
void failure_note_add(const char *line, size_t length, int when);
/* Add the line in the file at `path`; words of a shell for the program and for the name missed take their places in
   it. */
void failure_note_add_file(const char *path, const char *program, const char *name, int when);
/* Tell the lines, once: the process ends with this status, by another way than exit(3). */
void failure_note_tell(int status);

#endif
