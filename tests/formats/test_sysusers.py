"""Accounts that packages declare."""

import pytest

from denizen.formats.sysusers import MAX_ACCOUNTS, AccountRequest, read_sysusers, sysusers_text

_TEXT = b"""# made by a package
g  input  104
u! postfix 33:mail "Mail \\"server\\"" /var/spool/postfix /bin/sh
u  plain -
u  owned /usr/bin/owner - /home/x
m  plain input
r  - 500-900
u  %m -
u  wrong:name - "a" /
u  low - "a:b"
"""


def test_users_groups_and_members_are_read() -> None:
    assert read_sysusers(_TEXT) == [
        AccountRequest(b"input", is_user=False, number=104),
        AccountRequest(b"postfix", True, 33, b"mail", b'Mail "server"', b"/var/spool/postfix", b"/bin/sh"),
        AccountRequest(b"plain", is_user=True),
        AccountRequest(b"owned", is_user=True, home=b"/home/x"),
        AccountRequest(b"plain", is_user=True, member_of=b"input"),
    ]


def test_what_is_written_is_read_as_the_same() -> None:
    requests = read_sysusers(_TEXT)
    assert read_sysusers(sysusers_text(requests)) == requests


def test_there_is_an_end_to_a_files_accounts() -> None:
    assert len(read_sysusers(b"".join(b"g g%d -\n" % n for n in range(1000)))) == MAX_ACCOUNTS


@pytest.mark.parametrize(
    "line", [b"u", b"", b'u "a', b"x a b", b"g a\0b -", b"u root 99999999999999999999 - \\"]
)
def test_any_line_is_read_or_left_out(line: bytes) -> None:
    assert all(request.is_sound for request in read_sysusers(line))
