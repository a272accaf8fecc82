#include "starters.h"

static const char STARTERS[] = "sh\0bash\0dash\0ash\0ksh\0mksh\0zsh\0perl*\0python*\0ruby*\0lua*\0tclsh*\0node\0"
                               "env\0find\0flock\0git\0make\0gmake\0nice\0nohup\0setsid\0stdbuf\0time\0timeout\0"
                               "xargs\0";

bool names_have(const char *names, const char *path)
{
    const char *name = text_file_name(path);
    for (const char *one = names; *one; one += text_length(one) + 1) {
        size_t same = 0;
        while (one[same] && one[same] == name[same])
            same++;
        if ((!one[same] && !name[same]) || one[same] == '*')
            return true;
    }
    return false;
}

bool starters_have(const char *path)
{
    return names_have(STARTERS, path);
}
