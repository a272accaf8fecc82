"""Settings shared by every test."""

import signal

from hypothesis import HealthCheck, settings

# No deadlines: a noisy machine is not a failing property.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# A shell starts what runs in its background with SIGINT ignored, and that is inherited (POSIX sh, 2.11):
# tests that press Ctrl-C in a program would then wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
