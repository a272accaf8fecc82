import pytest

from denizen.system.spec import Bootloader, FileOrigin, OnChange
from denizen.system.spec_reader import EXAMPLE, MAX_SIZE, BadSystemSpec, read_system_spec

WHOLE = b"""
name = "box"
packages = ["ripgrep", "zip=3.0-15"]
suite = "trixie"
[etc."app/app.conf"]
source = "files/app.conf"
mode = "0640"
group = "app"
[etc.motd]
text = "hello"
[users.app]
uid = 900
groups = ["video", "audio"]
[groups.video]
gid = 44
[directories."/var/lib/app"]
mode = "0750"
age = "10d"
[units."app.service"]
text = "[Service]"
enable = true
on-change = "reload"
[environment]
EDITOR = "vi"
[boot]
kernel = { package = "linux-image-cloud-amd64", path = "boot/vmlinuz-*" }
initrd = "closure"
options = ["quiet"]
"""


def test_a_whole_description_is_read() -> None:
    spec = read_system_spec(WHOLE, "x")
    conf, motd = spec.etc
    assert (conf.path, conf.mode, conf.user, conf.group) == ("app/app.conf", 0o640, "root", "app")
    assert conf.origin == FileOrigin(source="files/app.conf")
    assert motd.mode is None
    assert spec.users[0].groups == ("audio", "video")
    assert spec.units[0].on_change is OnChange.RELOAD
    assert spec.boot is not None
    assert spec.boot.closure
    assert spec.boot.loaders == (Bootloader.BLS, Bootloader.GRUB)


def test_the_example_is_usable() -> None:
    assert read_system_spec(EXAMPLE.encode(), "x").packages == ("ripgrep",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[", "Invalid"),
        (b"\xff", "utf-8"),
        (b"a" * (MAX_SIZE + 1), "larger"),
        (b"extra = 1", "there is no key 'extra'; there are name, "),
        (b"[etc.a]\ntext = ''\nmod = '644'", "etc.\"a\": there is no key 'mod'; is mode meant?"),
        (b"packages = 'zip'", "packages is a list of texts"),
        (b"packages = ['../zip']", "is a package's name"),
        (b"suite = 'a/../b'", "is a suite's name"),
        (b"[etc.'../passwd']\ntext = ''", "without empty, '.' and '..'"),
        (b"[etc.'/motd']\ntext = ''", "without empty, '.' and '..'"),
        (b"[etc.'a//b']\ntext = ''", "without empty, '.' and '..'"),
        (b"[etc.'a\\u000ab']\ntext = ''".replace(b"'", b'"'), "printable ASCII"),
        (b"[etc.shadow]\ntext = ''", "is not a file that a description can have"),
        (b"[etc.'static/x']\ntext = ''", "is not a file that a description can have"),
        (b"[etc.'.denizen/x']\ntext = ''", "is not a file that a description can have"),
        (b"[etc.a]\ntext = ''\n[etc.'a/b']\ntext = ''", "is below the file"),
        (b"[etc.a]", "it wants one of"),
        (b"[etc.a]\ntext = ''\nsource = 'b'", "it wants one of"),
        (b"[etc.a]\nsource = '../b'", "without empty, '.' and '..'"),
        (b"[etc.a]\nsource = '/etc/shadow'", "without empty, '.' and '..'"),
        (b"[etc.a]\npackage = 'b'", "package and path go together"),
        (b"[etc.a]\ntext = ''\nmode = '999'", "octal digits"),
        (b"[etc.a]\ntext = ''\nmode = 420", "octal digits"),
        (b"[users.'a:b']", "is a name of at most"),
        (b"[users.a]\nhome = '/a:b'", "without colons"),
        (b"[users.a]\ndescription = 'x:0:0'", "without colons"),
        (b"[users.a]\nuid = -1", "is a number below"),
        (b"[users.a]\nuid = 65535", "stands for no user"),
        (b"[users.a]\nuid = true", "is a number below"),
        (b"[users.a]\nuid = 7\n[users.b]\nuid = 7", "have one uid"),
        (b"[directories.'/etc/../x']", "without empty, '.' and '..'"),
        (b"[directories.'/']", "is not a directory that"),
        (b"[directories.'/proc/x']", "is not in /proc"),
        (b"[directories.'/etc/static']", "is denizen's own"),
        (b"[directories.'/x']\nage = 'soon'", "is an age"),
        (b"[units.'../x.service']\ntext = ''", "is not a unit's name"),
        (b"[units.'x.sh']\ntext = ''", "is not a unit's name"),
        (b"[units.'x.service']\ntext = ''\non-change = 'explode'", "is one of restart, reload, nothing"),
        (b"[units.'x.service']\ntext = ''\nenable = 1", "enable is true or false"),
        (b"[environment]\n'A B' = ''", "no shell could set"),
        (b'[environment]\nA = "b\\nc"', "one printable line"),
        (b"[boot]", "it wants one of"),
        (b"[boot]\nkernel = 'x'", "it is a table"),
        (b"[boot]\nkernel = { source = 'k' }\noptions = ['a b']", "has blanks"),
        (b"[boot]\nkernel = { source = 'k' }\noptions = ['$(x)']", "dollar"),
        (b"[boot]\nkernel = { source = 'k' }\nloaders = ['lilo']", "is not one of bls, grub"),
        (b"etc = 3\nusers = []", "users: it is a table"),
    ],
)
def test_all_that_is_wrong_is_told(text: bytes, said: str) -> None:
    with pytest.raises(BadSystemSpec) as failure:
        read_system_spec(text, "system.toml")
    assert said in failure.value.why


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadSystemSpec) as failure:
        read_system_spec(b"x = 1\nname = '/'\n[users.A]\n", "system.toml")
    assert len(failure.value.problems) == 3
