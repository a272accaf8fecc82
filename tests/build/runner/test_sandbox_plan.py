"""The plan of a builder's sandbox."""

from denizen.build.runner.sandbox_plan import BuildRoom, SandboxRequest, sandboxed

ROOM = BuildRoom(b"/w/build", b"/w/outputs", b"/w/scratch", b"/w/stage")


def test_the_root_of_an_environment_has_links_into_usr() -> None:
    request = SandboxRequest(
        ROOM, b"/nix/store", b"/s", (), tree=b"/s/tree", entries=(b"usr",), merged=(b"bin", b"lib64")
    )
    words = sandboxed(request, 3)
    for name in (b"bin", b"lib64"):
        place = words.index(b"/w/stage/" + name)
        assert words[place - 2 : place] == (b"symlink", b"usr/" + name)
