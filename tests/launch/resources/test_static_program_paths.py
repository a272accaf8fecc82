"""What a static program looks for is known by its constants, and counts where the host has nothing of it."""

import pytest

from denizen import elf
from denizen.elf.constants import PT_LOAD
from denizen.fileview import MemoryView
from denizen.launch.resources.static_program_paths import (
    LookedForFiles,
    looked_for,
    provision,
    variables_read,
)
from denizen.resolve.rule_packs import Resource, load_rules
from tests.support.elf_builder import Elf, build

_RULES = load_rules().resources
# As Go's linker lays strings out: one after the other, without an end.
_GO = b"invalid/usr/share/zoneinfo//etc/ssl/certs/ca-certificates.crtZONEINFOSSL_CERT_FILE"


def image(constants: bytes) -> elf.Image:
    return elf.read(build(Elf(dynamic=False, segments=((PT_LOAD, constants),))))


def packs(view: MemoryView, constants: bytes) -> list[str]:
    return [rule.pack for rule in looked_for(view, image(constants), _RULES)]


def test_what_is_named_anywhere_in_the_file_is_looked_for() -> None:
    assert packs(MemoryView({}), _GO) == ["zoneinfo", "certificates"]
    assert packs(MemoryView({}), b"/usr/share/zones\0/etc/ssh") == []


def test_what_the_host_has_at_another_usual_place_is_not_looked_for() -> None:
    fedora = {b"/etc/pki/tls/certs/ca-bundle.crt": b"authority", b"/usr/share/zoneinfo/UTC": b"TZif"}
    assert packs(MemoryView(fedora), _GO) == []


def test_an_empty_file_is_nothing() -> None:
    assert "certificates" in packs(MemoryView({b"/etc/ssl/cert.pem": b""}), _GO)
    assert "certificates" not in packs(MemoryView({b"/etc/ssl/certs/0.pem": b""}), _GO)


def test_a_variable_is_given_to_a_program_that_knows_it() -> None:
    rules = looked_for(MemoryView({}), image(_GO), _RULES)
    assert variables_read(image(_GO), rules) == (
        (b"ZONEINFO", b"/usr/share/zoneinfo"),
        (b"SSL_CERT_FILE", b"/etc/ssl/certs/ca-certificates.crt"),
    )
    rust = image(_GO.replace(b"SSL_CERT_FILE", b"").replace(b"ZONEINFO", b""))
    assert variables_read(rust, rules) == ()


def test_what_is_done_about_it_is_told() -> None:
    (rule,) = looked_for(MemoryView({}), image(b"/etc/services\0"), _RULES)
    shown, kept = (provision(image(_GO), (rule,), is_mounted=is_mounted) for is_mounted in (True, False))
    assert shown == (LookedForFiles(b"/etc/services", (b"netbase",), rule.reason, True, ()),)
    assert (kept[0].is_mounted, kept[0].variables) == (False, ())


@pytest.mark.parametrize("rule", [one for one in _RULES if one.mentions], ids=lambda one: one.pack)
def test_every_rule_about_a_path_says_how_a_host_has_it(rule: Resource) -> None:
    assert rule.there
    assert all(path.startswith(b"/") for path in (*rule.there, *(path for _, path in rule.variables)))
