r"""The lock: a resolution as a file (pure).

docs/formats/lock.md describes it. TOML of one fixed shape, so that the same resolution is the same bytes:
tables in this order, keys in the order below, arrays sorted, strings quoted one way. Reading is strict:
another version, a key or a rule that is not known, a value of another type, a hash that is none, a choice
of a package that is not there, or a digest that does not match are all refused. A lock is what somebody
relies on; a different result must never come of it silently.

    version, digest, architecture, base, floor, override, interpreter
    [[package]]     name version architecture source suite snapshot filename size sha256 installed-size
    [[library]]     soname package path rule needed-by wish
    [[host]]        soname needed-by reason
    [[open]]        lack subject needed-by detail near

`digest` is the SHA-256 of everything after its line. Bytes that are not UTF-8 are written as U+DC80 to
U+DCFF would be (PEP 383), which TOML cannot hold: such a name is refused when written.
Limits: MAX_SIZE bytes.
"""

from __future__ import annotations

import re

from denizen.errors import BadInput, display
from denizen.formats.toml_file import toml_document
from denizen.resolve.resolution import (
    ChoiceRule,
    FromHost,
    Pin,
    ProblemKind,
    ProviderChoice,
    Resolution,
    ResolutionProblem,
)
from denizen.sha256 import hex_digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    T = TypeVar("T")

VERSION = 1
# Bytes. 400 packages with 1,000 libraries take 400 KB; the standard library reads a megabyte in 0.3 s.
MAX_SIZE = 4 << 20
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_HEAD = ("architecture", "base", "floor", "override", "interpreter", "package", "library", "host", "open")
_PACKAGE = (
    "name", "version", "architecture", "source", "suite", "snapshot", "filename", "size", "sha256",
    "installed-size",
)  # fmt: skip
_LIBRARY = ("soname", "package", "path", "rule", "needed-by", "wish")
_HOST = ("soname", "needed-by", "reason")
_OPEN = ("lack", "subject", "needed-by", "detail", "near")
_INTERPRETER = ("path", "package", "file")
# TOML 1.0 requires escapes for control characters except the tab; the tab is escaped too, so that each
# string has one spelling.
_ESCAPED = {code: f"\\u{code:04X}" for code in (*range(32), 127)} | {ord(c): "\\" + c for c in '"\\'}


class BadLock(BadInput):
    """The error that a lock file is not one that denizen wrote.

    Attributes:
        problem: the rule that it breaks.
    """

    problem: str
    WHAT = "the lock file cannot be used"
    WHY = "{problem:text}"
    REMEDY = "denizen lock PROGRAM -o FILE makes a new one"


def write(resolution: Resolution) -> bytes:
    """Return the bytes of the lock file of a resolution. Raises BadLock: a name in it is not UTF-8."""
    body = "\n".join(_lines(resolution)) + "\n"
    try:
        text = body.encode()
    except UnicodeEncodeError as fault:
        raise BadLock("a name in it is not UTF-8, which TOML cannot hold") from fault
    head = f'version = {VERSION}\ndigest = "{hex_digest_of(text)}"\n'
    return head.encode() + text


def parse(text: bytes) -> Resolution:
    """Return the resolution in a lock file. Raises BadLock."""
    if len(text) > MAX_SIZE:
        raise BadLock(f"it has {len(text)} bytes; {MAX_SIZE} at most are believed")
    _verify(text)
    document = _document(text)
    resolution = _resolution(
        {key: item for key, item in document.items() if key not in ("version", "digest")}
    )
    if write(resolution) != text:
        raise BadLock("it is not written as denizen writes it")
    return resolution


def _verify(text: bytes) -> None:
    """Raise BadLock unless version and digest are right; the rest is not parsed before."""
    version, digest, body = (*text.split(b"\n", 2), b"", b"", b"")[:3]
    if version != b"version = %d" % VERSION:
        shown = display(version[:40])
        raise BadLock(f"it starts with {shown!r} where this denizen reads version = {VERSION}")
    if digest != b'digest = "%b"' % hex_digest_of(body).encode():
        raise BadLock("its digest does not match: it was edited, or cut short")


def _lines(r: Resolution) -> list[str]:
    lines = [f"architecture = {_string(r.architecture)}", f"base = {_string(r.base)}"]
    if r.floor is not None:
        lines.append(f'floor = "{".".join(map(str, r.floor))}"')
    lines.append(f"override = {_array(r.override)}")
    if r.interpreter is not None:
        lines += ["", "[interpreter]", *_pairs(_INTERPRETER, r.interpreter)]
    for pin in r.packages:
        lines += ["", "[[package]]", *_pairs(_PACKAGE, _pin_fields(pin))]
    for choice in r.choices:
        lines += ["", "[[library]]", *_pairs(_LIBRARY, _choice_fields(choice))]
    for one in r.from_host:
        lines += ["", "[[host]]", *_pairs(_HOST, (one.soname, one.needed_by, one.reason))]
    for problem in r.problems:
        fields = (problem.kind.value, problem.subject, problem.needed_by, problem.detail, problem.near)
        lines += ["", "[[open]]", *_pairs(_OPEN, fields)]
    return lines


def _pin_fields(pin: Pin) -> tuple[object, ...]:
    return (
        pin.name, pin.version, pin.architecture, pin.source, pin.suite, pin.snapshot, pin.filename, pin.size,
        pin.sha256, pin.installed_size,
    )  # fmt: skip


def _choice_fields(choice: ProviderChoice) -> tuple[object, ...]:
    return choice.soname, choice.package, choice.path, choice.rule.value, choice.needed_by, choice.wish


def _pairs(keys: Sequence[str], fields: Sequence[object]) -> list[str]:
    return [f"{key} = {_value(field)}" for key, field in zip(keys, fields, strict=True)]


def _value(field: object) -> str:
    if isinstance(field, int):
        return str(field)
    return _array(field) if isinstance(field, tuple) else _string(field)


def _array(items: Sequence[object]) -> str:
    return "[" + ", ".join(_string(item) for item in items) + "]"


def _string(item: object) -> str:
    text = item.decode("utf-8", "surrogateescape") if isinstance(item, bytes) else str(item)
    return '"' + text.translate(_ESCAPED) + '"'


def _document(text: bytes) -> dict[str, Any]:
    try:
        return toml_document(text)
    except ValueError as fault:
        raise BadLock(f"it is not TOML: {fault}") from fault


def _resolution(document: Mapping[str, Any]) -> Resolution:
    _keys("the file", document, _HEAD, optional=_HEAD[2:])
    packages = tuple(_pin(row) for row in _rows(document, "package"))
    known = {pin.sha256 for pin in packages} | {b""}
    choices = tuple(_choice(row, known) for row in _rows(document, "library"))
    _in_order("package", [(pin.name, pin.version, pin.architecture, pin.sha256) for pin in packages])
    _in_order("library", [choice.soname for choice in choices])
    return Resolution(
        architecture=_text("architecture", document["architecture"]),
        base=_text("base", document["base"]),
        floor=_floor(document.get("floor")),
        interpreter=_interpreter(document.get("interpreter"), known),
        packages=packages,
        choices=choices,
        override=_texts("override", document.get("override", [])),
        from_host=tuple(_host(row) for row in _rows(document, "host")),
        problems=tuple(_problem(row) for row in _rows(document, "open")),
    )


def _pin(row: Mapping[str, Any]) -> Pin:
    _keys("[[package]]", row, _PACKAGE)
    text = {key: _text(key, row[key]) for key in _PACKAGE if key not in ("size", "installed-size")}
    if not _HASH.match(text["sha256"]):
        raise BadLock(f"{display(text['sha256'])} is no SHA-256")
    name = text["filename"]
    if not _is_inside(name):
        raise BadLock(f"the file name {display(name)} leaves the archive")
    return Pin(
        text["name"].encode(),
        text["version"].encode(),
        text["architecture"].encode(),
        text["source"],
        text["suite"],
        text["snapshot"],
        name.encode(),
        _number("size", row["size"]),
        text["sha256"].encode(),
        _number("installed-size", row["installed-size"]),
    )


def _choice(row: Mapping[str, Any], known: set[bytes]) -> ProviderChoice:
    _keys("[[library]]", row, _LIBRARY)
    soname, package, path, rule, needed_by, wish = [_text(key, row[key]) for key in _LIBRARY]
    if not soname or "/" in soname or soname in (".", "..") or "\0" in soname:
        raise BadLock(f"{display(soname)} cannot be a soname")
    if package and not _is_inside(path):
        raise BadLock(f"the path {display(path)} leaves its package")
    if not package and (not path or path.startswith("/") or "\0" in path):
        raise BadLock(f"the path {display(path)} does not start from the program")
    if package.encode() not in known:
        raise BadLock(f"{soname} is of package {display(package)[:16]}, which is not among the packages")
    return ProviderChoice(
        soname.encode(),
        package.encode(),
        path.encode(),
        _member(ChoiceRule, rule),
        needed_by.encode(),
        (),
        wish,
    )


def _interpreter(row: object, known: set[bytes]) -> tuple[bytes, bytes, bytes] | None:
    if row is None:
        return None
    if not isinstance(row, dict):
        raise BadLock("interpreter is not a table")
    _keys("[interpreter]", row, _INTERPRETER)
    path, package, file = [_text(key, row[key]) for key in _INTERPRETER]
    if not package or package.encode() not in known or not _is_inside(file):
        raise BadLock("the interpreter is of no package in it")
    if not path.startswith("/") or "\0" in path or path.endswith("/"):
        raise BadLock(f"{display(path)} is no path of a dynamic linker")
    return path.encode(), package.encode(), file.encode()


def _is_inside(path: str) -> bool:
    """Tell whether a relative path stays in the package or directory that it starts from."""
    return bool(path) and not path.startswith("/") and ".." not in path.split("/") and "\0" not in path


def _host(row: Mapping[str, Any]) -> FromHost:
    _keys("[[host]]", row, _HOST)
    soname, needed_by, reason = [_text(key, row[key]) for key in _HOST]
    return FromHost(soname.encode(), needed_by.encode(), reason)


def _problem(row: Mapping[str, Any]) -> ResolutionProblem:
    _keys("[[open]]", row, _OPEN)
    lack, subject, needed_by, detail = [_text(key, row[key]) for key in _OPEN[:4]]
    near = _texts("near", row["near"])
    return ResolutionProblem(_member(ProblemKind, lack), subject.encode(), needed_by.encode(), detail, near)


def _keys(where: str, row: Mapping[str, Any], known: Sequence[str], *, optional: Sequence[str] = ()) -> None:
    for key in row:
        if key not in known:
            raise BadLock(f"{where} has a key {display(key)} that is not known")
    for key in known:
        if key not in row and key not in optional:
            raise BadLock(f"{where} has no {key}")


def _in_order(what: str, keys: Sequence[T]) -> None:
    """Raise BadLock unless keys are sorted and unique.

    Of two rows with one key the second would otherwise win silently.
    """
    if list(keys) != sorted(set(keys)):  # type: ignore[type-var]  # bytes, or tuples of them
        raise BadLock(f"its [[{what}]] tables are not in order, each once")


def _rows(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = document.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadLock(f"{key} is not an array of tables")
    return rows


def _text(key: str, item: object) -> str:
    if not isinstance(item, str):
        raise BadLock(f"{key} is not a string")
    return item


def _texts(key: str, items: object) -> tuple[bytes, ...]:
    if not isinstance(items, list):
        raise BadLock(f"{key} is not an array")
    return tuple(_text(key, item).encode() for item in items)


def _number(key: str, item: object) -> int:
    if not isinstance(item, int) or isinstance(item, bool) or item < 0:
        raise BadLock(f"{key} is not a number of bytes")
    return item


def _floor(item: object) -> tuple[int, ...] | None:
    if item is None:
        return None
    parts = _text("floor", item).split(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise BadLock("floor is no version of glibc")
    return tuple(map(int, parts))


def _member(kind: Callable[[str], T], word: str) -> T:
    try:
        return kind(word)
    except ValueError as fault:
        raise BadLock(f"{display(word)} is no word this denizen knows") from fault
