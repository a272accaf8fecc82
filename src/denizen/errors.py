"""DenizenError, the root of all errors, and its four subclasses by whose fault it is (pure).

An error is a value: its leaf class is defined beside the code that raises it, and its annotated
fields, which say what object is at fault and where, become the parameters of its `__init__`. The command
line shows three properties: `what` failed, `why`, and the `remedy`. A leaf class gives them as templates
over its fields; one that has to compute a sentence overrides the property instead:

    class BadMagic(BadInput):
        path: bytes
        found: int
        WHAT = "{path} is not an ELF file"
        WHY = "it begins with {found:#x}"

Fields of text and bytes pass through `display`, as they may come from outside, and in a remedy through
`shell_word`, as people paste remedies into a shell; `{reason:text}` is for sentences of our own, which may
have several lines.

The class says whose fault it is: the input's (`BadInput`), this machine's (`HostLacks`), our own
store's (`StoreDamaged`), or that of the place packages come from (`SourceFailed`).
"""

from __future__ import annotations

from denizen.value import compile_init, field_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar, dataclass_transform
else:

    def dataclass_transform() -> Callable[[type], type]:
        """Return a decorator that changes nothing, in place of typing's, whose import takes 13 ms."""
        return lambda cls: cls


# Exit statuses of the command line (docs/cli.md); the program's own status is passed through otherwise.
EXIT_USAGE = 2
EXIT_FAILED = 125
EXIT_CANNOT_START = 126
EXIT_NOT_FOUND = 127
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE

_ENOMEM = 12
_UNMAPPED = ("failed to map segment from shared object", "Cannot allocate memory")


class _ErrorFields:
    """The names of an error's fields, found when they are asked for.

    Most classes of errors are never raised in a process: what each costs when it is created counts, 10 us
    with a hook that sets them then, 7 without.
    """

    def __get__(self, _: object, cls: type) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for kind in reversed(cls.__mro__) for name in field_names(kind)))


# The `__init__` of each class of errors that was raised.
_compiled: dict[type, Callable[..., None]] = {}


@dataclass_transform()
class DenizenError(Exception):
    """Root of all errors.

    Besides the four classes below, only errors of a wrong request derive from it directly.
    """

    exit_status: ClassVar[int] = EXIT_FAILED
    WHAT: ClassVar[str] = ""
    WHY: ClassVar[str] = ""
    REMEDY: ClassVar[str] = ""

    if not TYPE_CHECKING:
        # For `case Truncated(what, at)`.
        __match_args__ = _ErrorFields()

        def __init__(self, *arguments: object, **keywords: object) -> None:
            """Set the annotated fields of its class, by a function compiled when it is first raised."""
            cls = type(self)
            if cls not in _compiled:
                names = cls.__match_args__
                defaults = {name: getattr(cls, name) for name in names if hasattr(cls, name)}
                _compiled[cls] = compile_init(names, defaults, frozen_into=None)
            _compiled[cls](self, *arguments, **keywords)

    @property
    def what(self) -> str:
        """The failure, with the object it is about: one clause, no full stop."""
        return _filled(self.WHAT, self) or type(self).__name__

    @property
    def why(self) -> str:
        """The cause, or "" where `what` is enough."""
        return _filled(self.WHY, self)

    @property
    def remedy(self) -> str:
        """An action of the user's that helps, preferably a command; "" where there is none."""
        return _filled(self.REMEDY, self, shell_word)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.what, self.why) if part)

    def __reduce__(self) -> tuple[object, ...]:
        # Exception's own pickling replays `args`, which a dataclass __init__ never sets; worker
        # processes hand errors back, so rebuild from the fields instead.
        return (_rebuild, (type(self), self.__dict__.copy()))


# Written without an import or an object more, for which there may be no memory.
NO_MEMORY = b"""denizen: there is not enough memory for this
  the limit of this process (ulimit -v, a control group), or the machine's memory, is reached
  try: ulimit -v unlimited
"""


def lacks_memory(error: BaseException | None) -> bool:
    """Return whether there was no memory for a step, or for telling about that.

    An error of our own has words for what led to it. The dynamic linker tells Python in words alone (glibc,
    elf/dl-load.c).
    """
    while error is not None and not isinstance(error, DenizenError):
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == _ENOMEM):
            return True
        if isinstance(error, ImportError) and str(error).endswith(_UNMAPPED):
            return True
        error = error.__context__
    return False


def display(name: bytes | str) -> str:
    """Return a path or name from outside, safe to show: undecodable bytes and control characters are escaped.

    A hostile file name may hold terminal escape sequences; every name from outside must pass through here
    before it reaches a terminal.
    """
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shell_word(name: bytes | str) -> str:
    """Return a path or name from outside as one word of a shell's command, safe to show and to paste.

    A file may be called `x; rm -rf ~`. What cannot be shown is written as $'...' (POSIX.1-2024, 2.2.4).
    """
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    if text and all(c.isalnum() or c in "-_./+,:@%=" for c in text):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "'\\''") + "'"
    raw = text.encode("utf-8", "surrogateescape")
    plain = (chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\{byte:03o}" for byte in raw)
    return f"$'{''.join(plain)}'"


def _filled(template: str, error: DenizenError, show: Callable[[bytes | str], str] = display) -> str:
    """Return a template with the error's fields filled in."""
    return template.format_map(_Fields(error, show)) if "{" in template else template


class _Fields:
    """The fields of an error, as a mapping for `str.format_map`."""

    def __init__(self, error: DenizenError, show: Callable[[bytes | str], str]) -> None:
        self._error = error
        self._show = show

    def __getitem__(self, name: str) -> object:
        field = getattr(self._error, name)
        return _Shown(field, self._show) if isinstance(field, (str, bytes)) else field


class _Shown:
    """A field of text or bytes, formatted through `display` or `shell_word` in a template."""

    def __init__(self, field: str | bytes, show: Callable[[bytes | str], str]) -> None:
        self._field = field
        self._show = show

    def __format__(self, form: str) -> str:
        return str(self._field) if form == "text" else self._show(self._field)


def _rebuild(kind: type[DenizenError], fields: dict[str, object]) -> DenizenError:
    error = kind.__new__(kind)
    error.__dict__.update(fields)
    return error


class BadInput(DenizenError):
    """An input from outside (a program, package, index, lock file) breaks its format's rules."""


class HostLacks(DenizenError):
    """This machine lacks or forbids what the operation needs."""


class StoreDamaged(DenizenError):
    """The store's own files or database are not as denizen left them."""


class SourceFailed(DenizenError):
    """A place packages come from did not answer, or answered with wrong data."""
