"""The configuration block: written into a copy of the loader, read back, nothing else changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.launch.loader.loader_settings import (
    BLOCK_SIZE,
    HEADER,
    MAGIC,
    LoaderSettings,
    NotALoader,
    SettingsTooLong,
    configure_loader,
    settings_of,
)

_EMPTY = (HEADER.pack(MAGIC, 1, 0)).ljust(BLOCK_SIZE, b"\0")
BINARY = b"\x7fELF" + b"code" * 50 + _EMPTY + b"more code"
_TEXT = st.binary(max_size=40).map(lambda text: text.replace(b"\0", b"."))


@given(
    st.builds(
        LoaderSettings,
        directories=st.lists(_TEXT, max_size=3).map(tuple),
        command=st.lists(_TEXT, max_size=3).map(tuple),
        host_ldso=_TEXT,
        host_prefixes=st.lists(_TEXT, max_size=3).map(tuple),
        inside=_TEXT,
        resident=_TEXT,
        commands=_TEXT,
        brought=_TEXT,
        generation=st.integers(0, 999_999_999),
        bundle=_TEXT,
        appimage=_TEXT,
        arguments=st.lists(_TEXT, max_size=3).map(tuple),
        bound=st.booleans(),
        nix_ld=st.booleans(),
    )
)
def test_settings_are_read_back(settings: LoaderSettings) -> None:
    assert settings_of(configure_loader(BINARY, settings)) == settings


def test_only_the_block_changes() -> None:
    configured = configure_loader(BINARY, LoaderSettings(directories=(b"/var/lib/denizen",)))
    start = BINARY.find(MAGIC)
    assert len(configured) == len(BINARY)
    assert configured[:start] == BINARY[:start]
    assert configured[start + BLOCK_SIZE :] == BINARY[start + BLOCK_SIZE :]


def test_configuring_again_leaves_nothing_of_before() -> None:
    once = configure_loader(BINARY, LoaderSettings(directories=(b"/secret",)))
    assert b"/secret" not in configure_loader(once, LoaderSettings())


def test_a_file_without_a_block_is_not_a_loader() -> None:
    with pytest.raises(NotALoader, match="0 configuration blocks"):
        configure_loader(b"\x7fELF", LoaderSettings())


def test_a_file_with_two_blocks_is_not_a_loader() -> None:
    with pytest.raises(NotALoader, match="2 configuration blocks"):
        configure_loader(BINARY + _EMPTY, LoaderSettings())


def test_settings_longer_than_the_block_are_refused() -> None:
    with pytest.raises(SettingsTooLong):
        configure_loader(BINARY, LoaderSettings(directories=(b"/" + b"x" * BLOCK_SIZE,)))


def test_a_setting_with_a_nul_is_refused() -> None:
    with pytest.raises(SettingsTooLong):
        configure_loader(BINARY, LoaderSettings(host_ldso=b"/a\0b"))
