/* Looks of an emulator below its sysroot, which the kernel reports to another process (seccomp_unotify(2)). */
#ifndef DENIZEN_ENTER_NOTIFICATIONS_H
#define DENIZEN_ENTER_NOTIFICATIONS_H

#include <stdbool.h>
#include <stdint.h>

/* struct seccomp_notif, with its struct seccomp_data. */
struct notification {
    uint64_t id;
    uint32_t process;
    uint32_t flags;
    int32_t number;
    uint32_t architecture;
    uint64_t at;
    uint64_t arguments[6];
};

/* From now on each access(PATH, F_OK), each faccessat2, and each execution by a path, of this process and its descendants
   is reported. Return the descriptor that
   reports, or an error: the kernel has no such reports (before Linux 5.19), or another process gets them. */
long notifications_begin(void);

/* Whether a program is to be executed, or it is asked what may be done with a file (faccessat2); else a path is looked
   for. */
bool notifications_is_execution(const struct notification *notification);
bool notifications_is_check(const struct notification *notification);

/* Look for a path by the call that is reported. */
bool notifications_look(const char *path);

/* Wait for the next report; false when nobody is left who could be reported. */
bool notifications_next(int listener, struct notification *notification);

/* Whether the process still waits for the answer. */
bool notifications_is_waiting(int listener, const struct notification *notification);

/* Write into `room` (PATH_ROOM bytes) the path that is looked for or executed; false where it cannot be read. */
bool notifications_path(const struct notification *notification, char *room);

/* Let the process go on: the kernel does what was reported. */
void notifications_go_on(int listener, const struct notification *notification);

/* Let the process go on as if what it looks for was there. */
void notifications_say_there(int listener, const struct notification *notification);

/* Let the process go on as if it had asked what may be done with the file at another path. */
void notifications_check_there(int listener, const struct notification *notification, const char *path);

#endif
