"""JSON as text, written without the `json` package (pure).

Specification: RFC 8259; the text is `json.dumps(content, indent=2, ensure_ascii=False)`, byte for byte.
Importing `json` brings `re` and its compiler, 10 ms where `python3 -c pass` is 13, and its writer for
indented text is in Python anyway. Of what it accepts, this takes what documents here are made of: dict
with str keys, list, tuple, str, int, finite float, bool, None.

Limits: none of its own; what is written is denizen's.
"""

from __future__ import annotations

# Section 7: what must be escaped, by its short form where there is one.
_ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)} | {
    ord('"'): '\\"', ord("\\"): "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r",
}  # fmt: skip
_WORDS = {True: "true", False: "false", None: "null"}


def json_text(content: object, margin: str = "\n") -> str:
    """`content` as a JSON document, without a line end; `margin` is what begins its further lines.

    Raises:
        TypeError: something in it has no place in such a document.
    """
    if isinstance(content, str):
        return _quoted(content)
    if content is None or isinstance(content, bool):
        return _WORDS[content]
    if isinstance(content, int):
        return int.__repr__(content)
    if isinstance(content, float) and content - content == 0:  # neither infinite nor NaN
        return float.__repr__(content)
    inner = margin + "  "
    if isinstance(content, dict):
        rows = [f"{_quoted(key)}: {json_text(item, inner)}" for key, item in content.items()]
        return f"{{{inner}{f',{inner}'.join(rows)}{margin}}}" if rows else "{}"
    if isinstance(content, list | tuple):
        rows = [json_text(item, inner) for item in content]
        return f"[{inner}{f',{inner}'.join(rows)}{margin}]" if rows else "[]"
    raise TypeError(f"{type(content).__name__} has no place in a JSON document")


def _quoted(text: str) -> str:
    # Names and paths, nearly all: a fifth of what translating takes.
    if str.isascii(text) and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{text.translate(_ESCAPES)}"'
