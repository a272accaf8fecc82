/* Read before each of the loader's sources: its system calls are the harness's. */
#ifndef DENIZEN_FUZZ_SHIM_H
#define DENIZEN_FUZZ_SHIM_H

#if defined(__x86_64__)
#include "../../loader/arch/x86_64.h"
#elif defined(__aarch64__)
#include "../../loader/arch/aarch64.h"
#endif

long hosted_syscall(long number, long a, long b, long c, long d, long e, long f);
#define arch_syscall hosted_syscall

#endif
