"""Structured attributes: a derivation's attributes as JSON, and as declarations for bash (pure).

Specification: Nix, src/libstore/parsed-derivations.cc (prepareStructuredAttrs, writeStructuredAttrsShell).
The variable `__json` of a derivation holds its attributes. The builder gets them, with the output paths, in
the files `.attrs.json` and `.attrs.sh` of its build directory. The JSON is written as Nix's library for it
does: keys sorted, no white space. For bash, attributes whose names are no variable's are left out, and so
is what has no form in bash (nested lists, fractions).
"""

from __future__ import annotations

from denizen.build.derivation import BadDerivation
from denizen.build.runner.variables import STRUCTURED, attribute, strings
from denizen.errors import BadInput, display
from denizen.formats.indented_json import json_text
from denizen.lazy_pattern import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from denizen.formats.aterm import Derivation

JSON_FILE, SHELL_FILE = b".attrs.json", b".attrs.sh"
_VARIABLE = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
# Nesting beyond this is refused: json's parser and writer recurse.
_MAX_DEPTH = 200
# Integers in bash declarations pass through C++'s int in Nix, and come out wrapped.
_INT_RANGE = 1 << 32
# The exponents at which nlohmann::json, which Nix uses, begins to write 1e+15, and Python 1e+16.
_EXPONENT_FROM = 1e15


class BadAttributes(BadInput):
    """A derivation's structured attributes cannot be used."""

    name: str
    reason: str
    WHAT = "the structured attributes of '{name}' cannot be used"
    WHY = "{reason:text}"


def attributes_of(derivation: Derivation, name: str) -> dict[str, Any] | None:
    """Return the structured attributes, None if the derivation has none. Raises BadAttributes."""
    text = attribute(derivation, STRUCTURED)
    if text is None:
        return None
    if text.count(b"[") + text.count(b"{") > _MAX_DEPTH and _depth(text) > _MAX_DEPTH:
        raise BadAttributes(name, f"they are nested more than {_MAX_DEPTH} deep")
    # Not above: json costs 5 ms, and few derivations have such attributes.
    import json

    try:
        parsed = json.loads(
            text.decode("utf-8"), parse_float=_finite, parse_int=_whole, parse_constant=_finite
        )
        if b"\\ud" in text.lower():
            # Half of a pair of surrogates can be written in JSON, and stands for no character.
            compact(parsed).encode()
    except ValueError as error:
        raise BadAttributes(name, str(error)) from error
    if not isinstance(parsed, dict):
        raise BadAttributes(name, "they are no JSON object")
    return parsed


def words_of(
    derivation: Derivation, name: str, attributes: Mapping[str, Any] | None, key: bytes
) -> tuple[bytes, ...]:
    """Return a list of words among the attributes, structured (`attributes`) or not. Raises BadDerivation."""
    if attributes is None:
        return strings(derivation, key) or ()
    listed = attributes.get(key.decode(), ())
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise BadDerivation(name, f"its {display(key)} is no list of strings")
    return tuple([one.encode() for one in listed])


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(f"{text[:20]} is no number that JSON has")
    return number


def _whole(text: str) -> float:
    """Return an integer, or the nearest fraction where it has more than 64 bits, as Nix's library does."""
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 64 else _finite(text)


def _depth(text: bytes) -> int:
    """Return an upper bound of the nesting; brackets in strings count too."""
    deepest = depth = 0
    for byte in text:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def attribute_files(attributes: Mapping[str, Any], outputs: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return the two files for a builder whose outputs have these paths."""
    complete = {**attributes, "outputs": dict(outputs)}
    return {JSON_FILE: compact(complete).encode(), SHELL_FILE: shell_declarations(complete).encode()}


def compact(content: Any) -> str:
    """Return the JSON that Nix writes for `content`."""
    if isinstance(content, dict):
        # Sorted by bytes; for UTF-8 that is the order of code points.
        return f"{{{','.join(f'{compact(key)}:{compact(content[key])}' for key in sorted(content))}}}"
    if isinstance(content, list):
        return f"[{','.join(map(compact, content))}]"
    if isinstance(content, float):
        return _number(content)
    return json_text(content)


def _number(number: float) -> str:
    text = repr(number)
    if abs(number) >= _EXPONENT_FROM and "e" not in text:
        digits = text.removesuffix(".0").lstrip("-")
        mantissa = digits.rstrip("0")
        point = f"{mantissa[0]}.{mantissa[1:]}" if mantissa[1:] else mantissa
        text = f"{'-' if number < 0 else ''}{point}e+{len(digits) - 1:02d}"
    return text


def shell_declarations(attributes: Mapping[str, Any]) -> str:
    """Return the declarations for bash, one a line, sorted by name."""
    names = [key for key in sorted(attributes) if _VARIABLE.fullmatch(key)]
    return "".join([_declaration(key, attributes[key]) for key in names])


def _declaration(key: str, item: Any) -> str:
    if isinstance(item, dict):
        pairs = [(_quoted(name), _word(item[name])) for name in sorted(item)]
        if any(word is None for _, word in pairs):
            return ""
        return f"declare -A {key}=({''.join(f'[{name}]={word} ' for name, word in pairs)})\n"
    if isinstance(item, list):
        words = [_word(one) for one in item]
        if any(word is None for word in words):
            return ""
        return f"declare -a {key}=({''.join(f'{word} ' for word in words)})\n"
    word = _word(item)
    return "" if word is None else f"declare {key}={word}\n"


def _word(item: Any) -> str | None:
    """Return a simple value as a word of bash, None for what has no such form."""
    if isinstance(item, str):
        return _quoted(item)
    if item is None:
        return "''"
    if isinstance(item, bool):
        return "1" if item else ""
    if isinstance(item, int) or (isinstance(item, float) and item.is_integer()):
        return str((int(item) + _INT_RANGE // 2) % _INT_RANGE - _INT_RANGE // 2)
    return None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
