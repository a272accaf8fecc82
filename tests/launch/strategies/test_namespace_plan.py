"""Plans of mounts for interpreters."""

from denizen.launch.strategies.namespace_plan import InterpreterMount, LoaderMountPoint, operations


def _service(path: bytes, ancestor: bytes = b"") -> InterpreterMount:
    return InterpreterMount(
        LoaderMountPoint(path, ldso=not ancestor, ancestor=ancestor), b"loader", b"hidden-" + path
    )


def test_a_linker_of_the_hosts_is_set_aside_and_covered() -> None:
    assert operations([_service(b"/lib/ld.so")], b"stage") == (
        b"private", b"aside", b"/lib/ld.so", b"hidden-/lib/ld.so", b"bind", b"loader", b"/lib/ld.so",
    )  # fmt: skip


def test_directories_are_mirrored_and_made_once_the_outermost_first() -> None:
    services = [
        _service(b"/usr/lib/ld-b.so", b"/usr/lib"),
        _service(b"/nix/store/1/lib/ld.so", b"/"),
        _service(b"/nix/store/2/ld.so", b"/"),
    ]
    assert operations(services, b"stage") == (
        b"private",
        b"mirror", b"/", b"stage",
        b"dir", b"/nix", b"dir", b"/nix/store", b"dir", b"/nix/store/1", b"dir", b"/nix/store/1/lib",
        b"file", b"/nix/store/1/lib/ld.so", b"bind", b"loader", b"/nix/store/1/lib/ld.so",
        b"dir", b"/nix/store/2",
        b"file", b"/nix/store/2/ld.so", b"bind", b"loader", b"/nix/store/2/ld.so",
        b"mirror", b"/usr/lib", b"stage",
        b"file", b"/usr/lib/ld-b.so", b"bind", b"loader", b"/usr/lib/ld-b.so",
    )  # fmt: skip
