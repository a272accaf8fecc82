from denizen.fhs.project_lock import LockSection, lock_sections, with_section

ONE, TWO = LockSection(b"1" * 64, b"version = 1\n\n[a]\n"), LockSection(b"2" * 64, b'{"format": 1}\n')


def test_sections_are_kept_apart_and_found_again() -> None:
    both = with_section(with_section(b"", b"profile", TWO), b"fhs", ONE)
    assert both.startswith(b"# for the table [fhs] of denizen.toml with the digest 111")
    assert lock_sections(both) == {b"fhs": ONE, b"profile": TWO}


def test_a_section_is_replaced_and_the_others_stay() -> None:
    both = with_section(with_section(b"", b"profile", TWO), b"fhs", ONE)
    changed = with_section(both, b"fhs", LockSection(b"3" * 64, b""))
    assert lock_sections(changed) == {b"fhs": LockSection(b"3" * 64, b""), b"profile": TWO}


def test_what_is_no_lock_has_no_sections() -> None:
    for content in (b"", b"[fhs]\n", b"# for the table [fhs] of denizen.toml with the digest 12\n"):
        assert lock_sections(content) == {}
