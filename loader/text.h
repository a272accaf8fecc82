/* Strings: bounded building, comparison, and the one way to speak to the user. */
#ifndef DENIZEN_TEXT_H
#define DENIZEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string under construction in memory that somebody else owns; always NUL-terminated. What does
   not fit is dropped and remembered in `cut`. */
struct text {
    char *data;
    size_t length;
    size_t room;
    bool cut;
};

struct text text_in(char *data, size_t room);
void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *more, size_t length);
void text_add_hex(struct text *text, uint64_t number);
void text_add_hex_bytes(struct text *text, const uint8_t *bytes, size_t length);
void text_add_decimal(struct text *text, uint32_t number);
/* Add a name as one word of a shell's command: people paste what they are told to run, and a file may be
   called `x; rm -rf ~`. */
void text_add_word(struct text *text, const char *name);

size_t text_length(const char *string);
bool text_equal(const char *one, const char *other);
bool text_starts(const char *string, const char *prefix);
/* Return the length of the token for the program's directory at the beginning ($ORIGIN, ${ORIGIN}); 0 for none. */
size_t text_origin(const char *string);
bool text_has_origin(const char *string);
/* Return the part behind the last slash. */
const char *text_file_name(const char *path);

/* Return why execve failed, with the colon before it, or nothing where the number alone tells no more. */
const char *text_of_problem(long problem);

/* "denizen: " and the strings up to a null pointer, to standard error in one write, control
   characters replaced: a program's name is hostile. */
void say(const char *first, ...) __attribute__((sentinel));
/* Print the same, then exit with 127, a shell's status for a program that cannot be found. */
_Noreturn void fail(const char *first, ...) __attribute__((sentinel));

#endif
