#include "text.h"

#include <stdarg.h>

#include "sys.h"

/* The compiler may call these four for plain loops and assignments even without a library. */
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *one, const void *other, size_t length);

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    while (length--)
        *target++ = *source++;
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    if (target <= source)
        return memcpy(to, from, length);
    while (length--)
        target[length] = source[length];
    return to;
}

void *memset(void *to, int byte, size_t length)
{
    unsigned char *target = to;
    while (length--)
        *target++ = (unsigned char)byte;
    return to;
}

int memcmp(const void *one, const void *other, size_t length)
{
    const unsigned char *a = one;
    const unsigned char *b = other;
    for (; length--; a++, b++)
        if (*a != *b)
            return *a - *b;
    return 0;
}

struct text text_in(char *data, size_t room)
{
    data[0] = '\0';
    return (struct text){.data = data, .room = room};
}

void text_add_bytes(struct text *text, const char *more, size_t length)
{
    for (; length--; more++) {
        if (text->length + 1 >= text->room) {
            text->cut = true;
            return;
        }
        text->data[text->length++] = *more;
        text->data[text->length] = '\0';
    }
}

void text_add(struct text *text, const char *more)
{
    text_add_bytes(text, more, text_length(more));
}

void text_add_hex(struct text *text, uint64_t number)
{
    int shift = 60;
    while (shift && !(number >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        text_add_bytes(text, "0123456789abcdef" + (number >> shift & 15), 1);
}

void text_add_decimal(struct text *text, uint32_t number)
{
    char digits[10];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    text_add_bytes(text, digits + at, sizeof digits - at);
}

void text_add_hex_bytes(struct text *text, const uint8_t *bytes, size_t length)
{
    for (; length--; bytes++) {
        text_add_hex(text, *bytes >> 4);
        text_add_hex(text, *bytes & 15);
    }
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' ||
           c == '_' || c == '-' || c == '+' || c == ',' || c == ':' || c == '@' || c == '%' || c == '=';
}

void text_add_word(struct text *text, const char *name)
{
    const char *end = name;
    while (is_plain(*end))
        end++;
    if (end > name && !*end) {
        text_add(text, name);
        return;
    }
    text_add(text, "'");
    for (; *name; name++)
        if (*name == '\'')
            text_add(text, "'\\''");
        else
            text_add_bytes(text, name, 1);
    text_add(text, "'");
}

size_t text_length(const char *string)
{
    size_t length = 0;
    while (string[length])
        length++;
    return length;
}

bool text_equal(const char *one, const char *other)
{
    for (; *one && *one == *other; one++)
        other++;
    return *one == *other;
}

size_t text_origin(const char *string)
{
    return text_starts(string, "$ORIGIN") ? 7 : text_starts(string, "${ORIGIN}") ? 9 : 0;
}

bool text_has_origin(const char *string)
{
    while (*string && !text_origin(string))
        string++;
    return *string;
}

bool text_starts(const char *string, const char *prefix)
{
    for (; *prefix; prefix++, string++)
        if (*string != *prefix)
            return false;
    return true;
}

const char *text_file_name(const char *path)
{
    const char *name = path;
    for (; *path; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

const char *text_of_problem(long problem)
{
    if (problem == -SYS_E2BIG)
        return ": its arguments and environment are longer than the kernel takes";
    if (problem == -SYS_EACCES)
        return ": permission denied";
    if (problem == -SYS_ENOENT)
        return ": no such file, or its interpreter is missing";
    return "";
}

/* The controls of ASCII, and those of ISO 6429 as UTF-8 writes them (C2 80 to C2 9F), which terminals obey too. */
static void hide_controls(char *line)
{
    for (unsigned char *at = (unsigned char *)line; *at; at++)
        if (*at < ' ' || *at == 127)
            *at = '?';
        else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
            at[0] = at[1] = '?';
}

static void speak(const char *first, va_list more)
{
    char line[1024];
    struct text text = text_in(line, sizeof line - 1);
    text_add(&text, "denizen: ");
    for (const char *part = first; part; part = va_arg(more, const char *))
        text_add(&text, part);
    hide_controls(line);
    line[text.length] = '\n';
    sys_write(2, line, text.length + 1);
}

void say(const char *first, ...)
{
    va_list more;
    va_start(more, first);
    speak(first, more);
    va_end(more);
}

void fail(const char *first, ...)
{
    va_list more;
    va_start(more, first);
    speak(first, more);
    va_end(more);
    sys_exit(EXIT_NOT_FOUND);
}
