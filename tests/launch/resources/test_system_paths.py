"""What of a tree around an emulated program is shown: what the host lacks; neither commands nor accounts."""

from denizen.fileview import MemoryView
from denizen.launch.resources.system_paths import system_resources

_TREE = b"/store/1-tree"
_INSIDE = (
    *(b"/etc/passwd", b"/etc/perl/Net/libnet.cfg", b"/usr/bin/perl", b"/usr/share/perl/5.36/Text/Wrap.pm"),
    *(b"/usr/share/perl5/Own.pm", b"/usr/share/perl5/Theirs.pm", b"/usr/share/doc/perl/copyright"),
)


def _shown(*host: bytes) -> dict[bytes, bool]:
    view = MemoryView({**{_TREE + path: b"" for path in _INSIDE}, **dict.fromkeys(host, b"")})
    found = list(system_resources(view, _TREE))
    assert all(one.source == _TREE + one.target for one in found)
    return {one.target: one.directory for one in found}


def test_a_root_that_has_nothing_gets_whole_directories() -> None:
    assert _shown() == {b"/etc/perl": True, b"/usr/share/perl": True, b"/usr/share/perl5": True}


def test_a_file_of_the_hosts_is_never_covered() -> None:
    assert _shown(b"/etc/perl/Net/libnet.cfg", b"/usr/share/perl5/Theirs.pm") == {
        b"/usr/share/perl": True,
        b"/usr/share/perl5/Own.pm": False,
    }
