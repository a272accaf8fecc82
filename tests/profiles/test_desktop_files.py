import pytest

from denizen.profiles.desktop_files import names_programs, rewritten

COMMANDS = {b"/usr/bin/gimp": b"gimp", b"/usr/sbin/daemon": b"daemon"}
ENTRY = b"[Desktop Entry]\nName=GIMP\n"


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        (b"Exec=/usr/bin/gimp %U", b"Exec=gimp %U"),
        (b"TryExec = /usr/bin/gimp", b"TryExec = gimp"),
        (b'Exec="/usr/bin/gimp" --new "%f"', b'Exec="gimp" --new "%f"'),
        (b"Exec=/bin/gimp", b"Exec=gimp"),
        (b"Exec=/usr/bin/gimp-2.0 %U", b"Exec=/usr/bin/gimp-2.0 %U"),
        (b"Exec=gimp /usr/bin/gimp", b"Exec=gimp /usr/bin/gimp"),
        (b"Icon=/usr/bin/gimp", b"Icon=/usr/bin/gimp"),
        (b"Exec=/usr/libexec/gimp", b"Exec=/usr/libexec/gimp"),
    ],
)
def test_a_desktop_entry_names_commands_alone(line: bytes, becomes: bytes) -> None:
    assert rewritten(ENTRY + line + b"\n", COMMANDS) == ENTRY + becomes + b"\n"


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        (b"ExecStart=/usr/sbin/daemon -n", b"ExecStart=/usr/bin/env daemon -n"),
        (b"ExecReload=-/usr/bin/gimp", b"ExecReload=-/usr/bin/env gimp"),
        (b"Exec=/usr/bin/gimp", b"Exec=/usr/bin/env gimp"),
        (b"ExecStart=/usr/libexec/daemon", b"ExecStart=/usr/libexec/daemon"),
    ],
)
def test_a_service_finds_commands_by_env(line: bytes, becomes: bytes) -> None:
    head = b"[Service]\n"
    assert rewritten(head + line + b"\n", COMMANDS) == head + becomes + b"\n"
    assert names_programs(head + line, COMMANDS) == (line != becomes)
