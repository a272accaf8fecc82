"""Accounts that postinsts ask for, and the lines that a host lacks."""

import pytest

from denizen.fhs.system_accounts import accounts_in, lacking
from denizen.formats.sysusers import AccountRequest

PASSWD = b"root:x:0:0::/root:/bin/sh\nnews:x:999:999::/:/bin/sh\n"
GROUP = b"root:x:0:\nnews:x:999:\nnogroup:x:65534:\n"


def user(name: bytes, **fields: bytes | int) -> AccountRequest:
    return AccountRequest(name, **{"is_user": True, "home": b"/nonexistent", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("script", "request_"),
    [
        (b"if ! getent passwd a; then\n  adduser --system a || true\nfi\n", user(b"a", group=b"nogroup")),
        (b"adduser --quiet --system --group --home /var/a a >/dev/null", user(b"a", home=b"/var/a")),
        (
            b"ROOT=/var/spool/p\nadduser --system --home ${ROOT} --no-create-home --ingroup p p",
            user(b"p", home=b"/var/spool/p", group=b"p"),
        ),
        (
            b"adduser --system --gecos 'A b,c' --shell=/bin/sh --uid 77 --ingroup g a",
            user(b"a", group=b"g", description=b"A b,c", shell=b"/bin/sh", number=77),
        ),
        (
            b"useradd -r -d /x -s /bin/sh -c d -g g a",
            user(b"a", home=b"/x", shell=b"/bin/sh", description=b"d", group=b"g"),
        ),
        (b"addgroup --system --quiet --gid 42 g", AccountRequest(b"g", is_user=False, number=42)),
        (b"groupadd -f -r g", AccountRequest(b"g", is_user=False)),
        (b"adduser a g", AccountRequest(b"a", is_user=True, member_of=b"g")),
    ],
)  # fmt: skip
def test_a_script_asks_for_an_account(script: bytes, request_: AccountRequest) -> None:
    assert list(accounts_in(script)) == [request_]


@pytest.mark.parametrize(
    "script",
    [
        b"adduser --system $1",
        b'adduser --system --ingroup "$(group)" a',
        b"adduser a",
        b"adduser --system a:b",
        b"# adduser --system a",
        b"addgroup --system a b",
        b"adduser --system --home relative a",
        b"deluser --system a",
    ],
)
def test_what_is_not_known_is_not_asked_for(script: bytes) -> None:
    assert not list(accounts_in(script))


def test_accounts_get_lines_with_free_numbers() -> None:
    requests = [
        user(b"one", number=50),
        AccountRequest(b"two", is_user=False),
        user(b"three", number=0, group=b"nogroup", description=b"d"),
        AccountRequest(b"one", is_user=True, member_of=b"two"),
        AccountRequest(b"one", is_user=True, member_of=b"news"),
    ]
    lines = lacking(PASSWD, GROUP, requests)
    assert lines.passwd == (
        b"one:x:50:50::/nonexistent:/usr/sbin/nologin\nthree:x:997:65534:d:/nonexistent:/usr/sbin/nologin\n"
    )
    assert lines.group == b"one:x:50:\ntwo:x:998:one\n"


def test_who_is_there_gets_no_line() -> None:
    lines = lacking(PASSWD, GROUP, [user(b"news"), AccountRequest(b"news", is_user=False)])
    assert (lines.passwd, lines.group) == (b"", b"")


def test_a_host_without_a_free_system_number_gets_higher_ones() -> None:
    full = b"".join(b"u%d:x:%d:0::/:/\n" % (n, n) for n in range(100, 1000))
    assert lacking(full, b"", [user(b"one")]).passwd.startswith(b"one:x:65536:65536:")
