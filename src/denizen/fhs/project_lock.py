"""`denizen.lock`: what the tables of a `denizen.toml` were resolved to, a section for each (pure).

    # for the table [fhs] of denizen.toml with the digest 1f2e…
    (a lock as docs/formats/lock.md has it)
    # for the table [profile] of denizen.toml with the digest 90ab…
    (plans of packages, profiles.package_plan)

A section that was made for another content of its table is none.
"""

from __future__ import annotations

import re

from denizen.value import Value

_HEAD = re.compile(
    rb"(?m)^# for the table \[([a-z]{1,20})\] of denizen\.toml with the digest ([0-9a-f]{64})\n"
)


class LockSection(Value):
    """The section of one table: the digest of what the table said, and what it was resolved to."""

    digest: bytes
    body: bytes


def lock_sections(content: bytes) -> dict[bytes, LockSection]:
    """Return the sections of a denizen.lock by the names of their tables; of two of a name the last."""
    heads = list(_HEAD.finditer(content))
    ends = [*(head.start() for head in heads[1:]), len(content)][: len(heads)]
    return {
        head.group(1): LockSection(head.group(2), content[head.end() : end])
        for head, end in zip(heads, ends, strict=True)
    }


def with_section(content: bytes, table: bytes, section: LockSection) -> bytes:
    """Return the content of a denizen.lock with the section of a table replaced or added."""
    sections = lock_sections(content) | {table: section}
    return b"".join(
        b"# for the table [%b] of denizen.toml with the digest %b\n%b" % (name, one.digest, one.body)
        for name, one in sorted(sections.items())
    )
