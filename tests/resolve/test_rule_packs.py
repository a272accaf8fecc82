"""The shipped rules about what no package index says: each says why it is there, and what for."""

import pytest

from denizen.resolve.rule_packs import load_rules

_VENDORS = "/usr/share/glvnd/egl_vendor.d"


def test_every_rule_has_a_reason_and_something_that_it_is_about() -> None:
    rules = load_rules()
    assert rules.musl_reason
    assert rules.stack.reason
    assert all(alias.reason and alias.provider for alias in rules.aliases.values())
    assert all(rule.reason and rule.sonames for rule in (*rules.host, *rules.kept_out))
    for rule in rules.opens:
        assert rule.reason
        assert rule.when or rule.beside or rule.marks
        assert rule.sonames or rule.any or rule.files
    for resource in rules.resources:
        assert resource.reason
        assert resource.packages
        assert resource.when or resource.mentions or resource.looked


@pytest.mark.parametrize("soname", [b"libGLX_mesa.so.0", b"libEGL_mesa.so.0", b"libvulkan_lvp.so"])
def test_a_driver_is_brought_where_the_host_has_none(soname: bytes) -> None:
    rules = load_rules()
    assert rules.kept_out_reason(soname, lambda _: False) == ""
    assert "the host's own" in rules.kept_out_reason(soname, lambda path: path == _VENDORS.encode())


@pytest.mark.parametrize(
    "soname", [b"libcuda.so.1", b"libnvidia-ml.so.1", b"libGLX_nvidia.so.0", b"libnss_ldap.so.2"]
)
def test_what_belongs_to_the_host_is_never_brought_by_name(soname: bytes) -> None:
    assert load_rules().kept_out_reason(soname, lambda _: False)
