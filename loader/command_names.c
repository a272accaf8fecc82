#include "command_names.h"

#include "text.h"

enum { NAME_LIMIT = 100 };

static const char DIRECTORIES[] = "/usr/bin/\0/bin/\0/usr/sbin/\0/sbin/\0";

static bool is_letter(char one)
{
    return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') || one == '_' ||
           one == '+';
}

bool command_name_is_plain(const char *name)
{
    size_t length = 1;
    if (!is_letter(name[0]) && name[0] != '[')
        return false;
    for (; name[length]; length++)
        if (length == NAME_LIMIT || (!is_letter(name[length]) && name[length] != '.' && name[length] != '-'))
            return false;
    return true;
}

const char *command_name_in(const char *path)
{
    for (const char *one = DIRECTORIES; *one; one += text_length(one) + 1)
        if (text_starts(path, one))
            return command_name_is_plain(path + text_length(one)) ? path + text_length(one) : NULL;
    return NULL;
}

const char *command_directory(void)
{
    return DIRECTORIES;
}
