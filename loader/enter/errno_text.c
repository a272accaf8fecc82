#include "errno_text.h"

/* Arrays of characters and not pointers, which would need relocations. */
static const struct {
    long number;
    char words[72];
} FAILURES[] = {
    {1, "this host forbids it (EPERM)"},
    {2, "no such file or directory (ENOENT)"},
    {5, "input or output failed (EIO)"},
    {7, "words and environment are too long (E2BIG)"},
    {8, "not a program this machine runs (ENOEXEC)"},
    {12, "out of memory (ENOMEM)"},
    {13, "permission denied (EACCES)"},
    {16, "it is in use (EBUSY)"},
    {17, "it is there already (EEXIST)"},
    {19, "this kernel has no such file system (ENODEV)"},
    {20, "not a directory (ENOTDIR)"},
    {22, "the kernel refuses it (EINVAL)"},
    {23, "the system has no more open files (ENFILE)"},
    {24, "no more files may be open: see ulimit -n (EMFILE)"},
    {28, "this host allows no more namespaces, mounts or files (ENOSPC)"},
    {30, "the file system is read-only (EROFS)"},
    {36, "the name is too long (ENAMETOOLONG)"},
    {38, "this kernel has no such call (ENOSYS)"},
    {40, "too many links (ELOOP)"},
    {87, "this host allows no more namespaces (EUSERS)"},
};

void errno_text_add(struct text *text, long problem)
{
    for (size_t i = 0; i < sizeof FAILURES / sizeof *FAILURES; i++)
        if (FAILURES[i].number == -problem) {
            text_add(text, FAILURES[i].words);
            return;
        }
    text_add(text, "the kernel's error ");
    text_add_decimal(text, (uint32_t)-problem);
}
