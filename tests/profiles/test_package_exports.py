from denizen.fhs.alternatives import Alternative
from denizen.fhs.trigger_rules import Expose
from denizen.fileview import Executable, MemoryView, ViewLink
from denizen.profiles.package_exports import commands_in, data_in, texts_in

TREE = MemoryView(
    {
        b"/usr/bin/vim.basic": Executable(b"\x7fELF"),
        b"/usr/bin/notes": b"no program",
        b"/usr/bin/gcc": ViewLink(b"gcc-14"),
        b"/usr/bin/sh": ViewLink(b"vim.basic"),
        b"/usr/sbin/daemon": Executable(b""),
        b"/usr/games/sl": Executable(b""),
        b"/usr/bin/in/deeper": Executable(b""),
        b"/usr/share/doc/x": b"",
        b"/usr/share/applications/vim.desktop": b"",
        b"/usr/share/applications/mimeinfo.cache": b"",
        b"/usr/lib/systemd/user/x.service": b"",
        b"/usr/lib/vim/helper": Executable(b""),
    }
)


def test_commands_are_the_programs_in_the_directories_of_path() -> None:
    assert {one.name: one.inside for one in commands_in(TREE)} == {
        b"vim.basic": b"usr/bin/vim.basic",
        b"gcc": b"usr/bin/gcc",
        b"sh": b"usr/bin/sh",
        b"daemon": b"usr/sbin/daemon",
        b"sl": b"usr/games/sl",
    }


def test_an_alternative_is_a_command_where_no_file_has_its_name() -> None:
    slave = b"/usr/bin/view", b"view", b"/usr/bin/vim.basic"
    manual = b"/usr/share/man/man1/vi.1.gz", b"vi.1.gz", b"/usr/share/man/man1/vim.1.gz"
    vi = Alternative(b"/usr/bin/vi", b"vi", b"/usr/bin/vim.basic", 30, (slave, manual))
    other = Alternative(b"/usr/bin/sh", b"sh", b"/usr/bin/notes", 30)
    names = {one.name: one.inside for one in commands_in(TREE, [vi, other])}
    assert names[b"vi"] == names[b"view"] == b"usr/bin/vim.basic"
    assert names[b"sh"] == b"usr/bin/sh"


def test_the_programs_of_an_exposed_directory_are_commands_where_no_file_has_their_name() -> None:
    view = MemoryView(
        {
            b"/usr/bin/jar": Executable(b"its own"),
            b"/usr/lib/jvm/java-21/bin/java": Executable(b""),
            b"/usr/lib/jvm/java-21/bin/jar": Executable(b""),
            b"/usr/lib/jvm/java-21/bin/notes": b"",
            b"/usr/lib/jvm/java-21/lib/server": Executable(b""),
        }
    )
    rules = [Expose("usr/lib/jvm/*/bin/*", "usr/bin"), Expose("usr/lib/jvm/*/lib/*", "usr/lib")]
    assert {one.name: one.inside for one in commands_in(view, (), rules)} == {
        b"jar": b"usr/bin/jar",
        b"java": b"usr/lib/jvm/java-21/bin/java",
    }


def test_data_is_shown_where_desktops_look() -> None:
    assert data_in(TREE) == ((b"usr/share", b"share"), (b"usr/lib/systemd/user", b"share/systemd/user"))
    assert list(texts_in(TREE)) == [
        (b"usr/share/applications/vim.desktop", b"share/applications/vim.desktop"),
        (b"usr/lib/systemd/user/x.service", b"share/systemd/user/x.service"),
    ]


def test_a_package_with_nothing_exports_nothing() -> None:
    nothing = MemoryView({b"/usr/lib/x": b""})
    assert (commands_in(nothing), data_in(nothing), list(texts_in(nothing))) == ((), (), [])
