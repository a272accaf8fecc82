from denizen.elf.versions import version_key


def test_numbers_compare_as_numbers() -> None:
    assert version_key(b"GLIBC_2.9") < version_key(b"GLIBC_2.10") < version_key(b"GLIBC_2.10.1")


def test_numbers_of_any_length_have_an_order() -> None:
    # A hostile object names its versions as it likes; Python's int() refuses over 4300 decimal digits.
    assert version_key(b"A_" + b"9" * 5000) < version_key(b"A_1" + b"0" * 5000)
