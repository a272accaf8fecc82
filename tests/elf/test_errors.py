from denizen.elf import Malformed, NotElf


def test_what_is_not_elf_shows_how_it_starts() -> None:
    assert str(NotElf(b"MZ\x90\0")) == r"not an ELF file: it starts with b'MZ\x90\x00'"
    assert str(NotElf(b"")) == "not an ELF file: it is empty"


def test_a_malformed_structure_says_where_it_is_and_what_is_wrong() -> None:
    assert str(Malformed("PT_INTERP", "a path of 0 bytes", 0x40)) == (
        "malformed PT_INTERP at 0x40: a path of 0 bytes"
    )
