"""What packages have at fixed paths appears where the host has nothing, and nowhere else."""

from denizen.fileview import MemoryView, ViewLink
from denizen.launch.resources.fixed_paths import FixedPathResource, fixed_path_resources
from denizen.launch.strategies.namespace_plan import bind_resources

FONTS = b"/store/fonts"
LIBC = b"/store/libc"


def test_a_directory_of_one_package_is_shown_whole() -> None:
    view = MemoryView({FONTS + b"/etc/fonts/fonts.conf": b"", b"/bin/sh": b""})
    assert fixed_path_resources(view, [LIBC, FONTS]) == (
        FixedPathResource(b"/etc/fonts", FONTS + b"/etc/fonts", True),
    )


def test_what_the_host_has_of_its_own_is_never_covered() -> None:
    view = MemoryView({FONTS + b"/etc/fonts/fonts.conf": b"", b"/etc/fonts/conf.d/mine": b""})
    assert fixed_path_resources(view, [FONTS]) == ()


def test_names_of_architectures_and_locales_are_taken_as_they_are() -> None:
    view = MemoryView(
        {
            LIBC + b"/usr/lib/locale/C.utf8/LC_CTYPE": b"",
            LIBC + b"/usr/lib/i386-linux-gnu/gconv/UTF-16.so": b"",
            LIBC + b"/usr/lib/i386-linux-gnu/libc.so.6": b"",
            b"/usr/lib/locale/locale-archive": b"",
        }
    )
    assert [one.target for one in fixed_path_resources(view, [LIBC])] == [
        b"/usr/lib/locale/C.utf8",
        b"/usr/lib/i386-linux-gnu/gconv",
    ]


def test_a_librarys_own_directory_is_shown_and_none_of_the_systems() -> None:
    names = (b"swi-prolog/boot.prc", b"x86_64-linux-gnu/sasl2/liba.so", b"systemd/system/a", b"liba.so.1")
    view = MemoryView({LIBC + b"/usr/lib/" + name: b"" for name in names})
    assert [one.target for one in fixed_path_resources(view, [LIBC])] == [
        b"/usr/lib/swi-prolog",
        b"/usr/lib/x86_64-linux-gnu/sasl2",
    ]


def test_gdb_has_its_modules_and_not_what_libraries_have_for_a_gdb() -> None:
    names = (b"python/gdb/__init__.py", b"auto-load/usr/lib/liba.py")
    view = MemoryView({LIBC + b"/usr/share/gdb/" + name: b"" for name in names})
    assert [one.target for one in fixed_path_resources(view, [LIBC])] == [b"/usr/share/gdb/python"]


def test_a_directory_of_several_packages_is_put_together() -> None:
    minimal, rest = b"/store/minimal/usr/lib/python3.11", b"/store/rest/usr/lib/python3.11"
    view = MemoryView(
        {
            minimal + b"/os.py": b"",
            minimal + b"/encodings/utf_8.py": b"",
            rest + b"/encodings/zlib_codec.py": b"",
            rest + b"/json/__init__.py": b"",
        }
    )
    assert set(fixed_path_resources(view, [b"/store/minimal", b"/store/rest"])) == {
        FixedPathResource(b"/usr/lib/python3.11/os.py", minimal + b"/os.py", False),
        FixedPathResource(b"/usr/lib/python3.11/encodings/utf_8.py", minimal + b"/encodings/utf_8.py", False),
        FixedPathResource(
            b"/usr/lib/python3.11/encodings/zlib_codec.py", rest + b"/encodings/zlib_codec.py", False
        ),
        FixedPathResource(b"/usr/lib/python3.11/json", rest + b"/json", True),
    }


def test_modules_of_perl_are_shown_with_those_of_the_architecture() -> None:
    triplet = b"/usr/lib/x86_64-linux-gnu"
    names = (b"/usr/share/perl/5.40.1/strict.pm", triplet + b"/perl/5.40/auto/POSIX/POSIX.so")
    modules = b"/usr/share/perl5/URI.pm"  # a package of modules, which no library belongs to
    view = MemoryView({LIBC + name: b"" for name in (*names, modules)})
    shown = [one.target for one in fixed_path_resources(view, [LIBC])]
    assert shown == [b"/usr/share/perl/5.40.1", triplet + b"/perl"]


def test_missing_directories_are_made_in_a_mirror_of_the_nearest_that_exists() -> None:
    view = MemoryView({b"/usr/share/doc/x": b""})
    fonts = FixedPathResource(b"/usr/share/fonts/truetype", b"/s/truetype", True)
    xkb = FixedPathResource(b"/usr/share/X11/xkb", b"/s/xkb", True)
    assert bind_resources(view, [fonts, xkb], (), b"/stage") == (
        *(b"mirror", b"/usr/share", b"/stage", b"dir", b"/usr/share/fonts"),
        *(b"dir", b"/usr/share/fonts/truetype", b"bind", b"/s/truetype", b"/usr/share/fonts/truetype"),
        *(b"dir", b"/usr/share/X11"),
        *(b"dir", b"/usr/share/X11/xkb", b"bind", b"/s/xkb", b"/usr/share/X11/xkb"),
    )


def test_a_mirror_that_is_there_already_is_used() -> None:
    done = (b"private", b"mirror", b"/", b"/stage", b"dir", b"/lib64")
    file = FixedPathResource(b"/etc/one", b"/s/one", False)
    assert bind_resources(MemoryView({b"/dev/null": b""}), [file], done, b"/stage") == (
        *(b"dir", b"/etc", b"file", b"/etc/one", b"bind", b"/s/one", b"/etc/one"),
    )


def test_terminals_are_described_at_each_place_where_some_ncurses_looks() -> None:
    source = LIBC + b"/lib/terminfo"
    view = MemoryView({source + b"/x/xterm": b""})
    shown = {one.target: one.source for one in fixed_path_resources(view, [LIBC])}
    assert shown == dict.fromkeys((b"/lib/terminfo", b"/usr/lib/terminfo", b"/usr/share/terminfo"), source)
    hosts = MemoryView({source + b"/x/xterm": b"", b"/usr/share/terminfo/x/xterm": b""})
    assert [one.target for one in fixed_path_resources(hosts, [LIBC])] == [b"/lib/terminfo"]


def test_a_link_to_what_another_package_has_beside_it_leads_there() -> None:
    """default-java of default-jre-headless leads to a directory of openjdk-21-jre-headless, by two links."""
    default, java = b"/store/default/usr/lib/jvm", b"/store/java/usr/lib/jvm"
    view = MemoryView(
        {
            default + b"/default-java": ViewLink(b"java-1.21.0"),
            default + b"/broken": ViewLink(b"nowhere"),
            java + b"/java-1.21.0": ViewLink(b"java-21"),
            java + b"/java-21/bin/java": b"",
        }
    )
    found = fixed_path_resources(view, [b"/store/default", b"/store/java"])
    assert {one.target.rpartition(b"/")[2]: one.source for one in found} == {
        b"default-java": java + b"/java-1.21.0",
        b"java-1.21.0": java + b"/java-1.21.0",
        b"java-21": java + b"/java-21",
    }


def test_none_of_many_is_left_out() -> None:
    """There were only the first thousand of the icons' files."""
    trees = [b"/store/a", b"/store/b"]
    files = {
        b"%b/usr/share/icons/x/%d.png" % (tree, number): b"" for tree in trees for number in range(1_100)
    }
    others = {tree + b"/usr/share/icons/x/%b" % tree[-1:]: b"" for tree in trees}
    assert len(fixed_path_resources(MemoryView(files | others), trees)) == 1_102
