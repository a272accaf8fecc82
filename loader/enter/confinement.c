#include "confinement.h"

#include "../sys.h"

#include <stdint.h>

/* linux/landlock.h, linux/prctl.h, asm-generic/fcntl.h and errno.h. */
enum {
    CREATE_RULESET_VERSION = 1,
    RULE_PATH_BENEATH = 1,
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SYM = 1 << 12,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,
    FS_ALL_OF_3 = (1 << 15) - 1,
    FS_IOCTL_DEV = 1 << 15,
    NET_ALL = 1 << 0 | 1 << 1,
    SCOPE_ALL = 1 << 0 | 1 << 1,
    READS = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR,
    WRITES = FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SYM | FS_REFER |
             FS_TRUNCATE,
    /* Before version 3 a process can truncate what it can only read; 4 has TCP, 5 devices, 6 signals. */
    LEAST_VERSION = 3,
    WITH_NET = 4,
    WITH_DEVICES = 5,
    WITH_SCOPES = 6,
    PR_SET_NO_NEW_PRIVS = 38,
    O_PATH_ = 010000000,
    EOPNOTSUPP_ = 95,
};

static long create_ruleset(void)
{
    long version = arch_syscall(__NR_landlock_create_ruleset, 0, 0, CREATE_RULESET_VERSION, 0, 0, 0);
    if (sys_failed(version))
        return version;
    if (version < LEAST_VERSION)
        return -EOPNOTSUPP_;
    const uint64_t all[3] = {
        version >= WITH_DEVICES ? FS_ALL_OF_3 | FS_IOCTL_DEV : FS_ALL_OF_3,
        NET_ALL,
        SCOPE_ALL,
    };
    size_t known = version >= WITH_SCOPES ? 3 : version >= WITH_NET ? 2 : 1;
    return arch_syscall(__NR_landlock_create_ruleset, (long)all, (long)(known * sizeof *all), 0, 0, 0, 0);
}

static long allow_below(int ruleset, const char *path, uint64_t rights)
{
    struct {
        uint64_t rights;
        int32_t directory;
    } __attribute__((packed)) rule = {rights, sys_open(path, O_PATH_ | SYS_DIRECTORY)};
    if (rule.directory < 0)
        return rule.directory;
    long result = arch_syscall(__NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, (long)&rule, 0, 0, 0);
    sys_close(rule.directory);
    return result;
}

static long allow_all(int ruleset, const struct names *directories, uint64_t rights)
{
    long result = 0;
    for (long i = 0; i < directories->count && !sys_failed(result); i++)
        result = allow_below(ruleset, directories->first[i], rights);
    return result;
}

/* Of this process alone: its number stays, and it makes no other. Tools find what lies beside a library by the maps. */
static long allow_own_facts(int ruleset)
{
    long result = allow_below(ruleset, "/proc/self", FS_READ_FILE | FS_READ_DIR);
    return result == -SYS_ENOENT ? 0 : result;
}

long confinement_enter(const struct names *readable, const struct names *writable, const char **call)
{
    *call = "landlock_create_ruleset";
    long ruleset = create_ruleset();
    if (sys_failed(ruleset))
        return ruleset;
    *call = "landlock_add_rule";
    long result = allow_all((int)ruleset, readable, READS);
    if (!sys_failed(result))
        result = allow_all((int)ruleset, writable, READS | WRITES);
    if (!sys_failed(result))
        result = allow_own_facts((int)ruleset);
    if (!sys_failed(result)) {
        *call = "landlock_restrict_self";
        sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
        result = arch_syscall(__NR_landlock_restrict_self, ruleset, 0, 0, 0, 0, 0);
    }
    sys_close((int)ruleset);
    return result;
}
