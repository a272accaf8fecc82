"""Scripts: the interpreter the kernel starts for a `#!` line, and the program that `env` runs (pure).

Specifications: Linux fs/binfmt_script.c and include/uapi/linux/binfmts.h (BINPRM_BUF_SIZE); GNU coreutils
"env invocation" and its -S.

The kernel reads the first 256 bytes. The interpreter ends at the first space, tab or NUL; the rest of
the line, trimmed, is one argument, spaces included. A carriage return is part of the interpreter's name,
which is why scripts saved on Windows do not start.
"""

from __future__ import annotations

from denizen.elf.errors import Malformed
from denizen.value import Value

BUFFER_SIZE = 256
# The kernel follows at most this many interpreter lines (fs/exec.c exec_binprm: depth > 5 is ELOOP).
MAX_STEPS = 5
# Where the kernel, and env, find what is named by a relative path.
WORKING_DIRECTORY = b"/proc/self/cwd"
_BLANKS = b" \t"
_SPACES = b" \t\n\v\f\r"
# The meaning of a character after a backslash in `env -S`, outside single quotes.
_ESCAPES = {
    b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"_": b" ",
    b"#": b"#", b"$": b"$", b'"': b'"', b"'": b"'", b"\\": b"\\",
}  # fmt: skip
# Options of env whose value is the next word.
_VALUED = (b"-u", b"--unset", b"-C", b"--chdir")


class EnvCall(Value):
    """A call of `env`: look `program` up on PATH and run it with `arguments` and these variables set."""

    program: bytes | None
    arguments: tuple[bytes, ...]
    assignments: tuple[bytes, ...]


class Script(Value):
    """The first line of a script.

    Attributes:
        interpreter: path of the interpreter.
        argument: the one argument on the line, or None.
        env: the call, where the interpreter is the env command.
        cut: the line continues beyond the bytes that the kernel reads.
    """

    interpreter: bytes
    argument: bytes | None
    env: EnvCall | None
    cut: bool = False


def parse_script(start: bytes) -> Script | None:
    """Return the script whose first bytes are `start`; None where the kernel would not accept it.

    Raises:
        Malformed: the argument of `env -S` is one that env refuses.
    """
    # The kernel pads its buffer with NULs.
    buffer = bytes(start[:BUFFER_SIZE]).ljust(BUFFER_SIZE, b"\0")
    line = _first_line(buffer) if buffer.startswith(b"#!") else None
    if not line:
        return None
    end = min(at for at in map(line.find, (b" ", b"\t", b"\0")) if at >= 0)
    interpreter, argument = line[:end], None
    if line[end : end + 1] != b"\0":
        argument = line[end:].lstrip(_BLANKS).partition(b"\0")[0] or None
    is_env = interpreter.rpartition(b"/")[2] == b"env"
    cut = b"\n" not in buffer and b"\0" not in buffer
    return Script(interpreter, argument, parse_env(argument or b"") if is_env else None, cut)


def is_too_long(start: bytes) -> bool:
    """Return whether a `#!` line is so long that the kernel cannot see where the interpreter's name ends."""
    return start.startswith(b"#!") and b"\n" not in start[:BUFFER_SIZE] and len(start) >= BUFFER_SIZE


def _first_line(buffer: bytes) -> bytes | None:
    """Return the line behind `#!`, trimmed and ended by NUL.

    None where the kernel finds no interpreter in it.
    """
    end, nul = buffer.find(b"\n"), buffer.find(b"\0")
    if end < 0 or 0 <= nul < end:
        # Without a line end in the buffer, a name that is not terminated may continue behind the buffer.
        name = buffer[2:].lstrip(_BLANKS)
        if not any(stop in name for stop in (b" ", b"\t", b"\0")):
            return None
        end = BUFFER_SIZE - 1
    line = buffer[2:end].strip(_BLANKS)
    return line + b"\0" if line and not line.startswith(b"\0") else None


def parse_env(argument: bytes) -> EnvCall:
    """Return the call that env makes of the one argument the kernel passes. Raises Malformed."""
    words = _without_options([argument] if argument else [])
    count = next((index for index, word in enumerate(words) if b"=" not in word), len(words))
    program = words[count] if count < len(words) else None
    return EnvCall(program, tuple(words[count + 1 :]), tuple(words[:count]))


def _without_options(words: list[bytes]) -> list[bytes]:
    """Return the words behind env's options, the string of each `-S` split in its place."""
    while words and words[0].startswith(b"-"):
        word, words = words[0], words[1:]
        if word == b"--":
            break
        string = _string_to_split(word)
        if string is not None:
            words = split_string(string) + words
        elif word in _VALUED:
            words = words[1:]
    return words


def _string_to_split(word: bytes) -> bytes | None:
    """Return the string in `-Sstring`, `-vS string` or `--split-string=string`; None for any other option."""
    if word.startswith(b"--"):
        name, _, string = word.partition(b"=")
        return string if name == b"--split-string" else None
    flags, option, string = word[1:].partition(b"S")
    return string if option and not flags.strip(b"iv0") else None


def split_string(string: bytes) -> list[bytes]:
    """Return the words of `env -S`. `${NAME}` stays as written, since the environment is not known here.

    Raises:
        Malformed: an escape env does not know, or a quote without its end.
    """
    words: list[bytes] = []
    word: bytes | None = None
    at = 0
    while at < len(string):
        here = string[at : at + 1]
        if here in _SPACES or string.startswith(b"\\_", at):
            words += [] if word is None else [word]
            word, at = None, at + (1 if here in _SPACES else 2)
        elif (here == b"#" and word is None) or string.startswith(b"\\c", at):
            break
        elif here in b"'\"":
            text, at = _quoted(string, at)
            word = (word or b"") + text
        else:
            text, at = _character(string, at)
            word = (word or b"") + text
    return words + ([] if word is None else [word])


def _quoted(string: bytes, at: int) -> tuple[bytes, int]:
    """Return the text in the quotes that open at `at`, and the position behind them."""
    quote, text, start = string[at : at + 1], b"", at
    at += 1
    while string[at : at + 1] != quote:
        if at >= len(string):
            raise Malformed("env -S", "a quote without its end", start)
        if quote == b"'" and string[at : at + 2] not in (b"\\'", b"\\\\"):
            text, at = text + string[at : at + 1], at + 1
        else:
            character, at = _character(string, at)
            text += character
    return text, at + 1


def _character(string: bytes, at: int) -> tuple[bytes, int]:
    """Return one character, which may be written as an escape, and the position behind it."""
    if string[at : at + 1] != b"\\":
        return string[at : at + 1], at + 1
    escape = string[at + 1 : at + 2]
    if escape not in _ESCAPES:
        raise Malformed("env -S", f"unknown escape {string[at : at + 2]!r}", at)
    return _ESCAPES[escape], at + 2
