"""Settings shared by every test."""

from hypothesis import HealthCheck, settings

# No deadlines: a noisy machine is not a failing property.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
