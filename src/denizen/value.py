"""`@value`: frozen, slotted records that cost nothing until they are used (pure).

To a type checker `@value` is `@dataclass(frozen=True, slots=True)`. It exists because start-up is
part of denizen's contract: importing `dataclasses` pulls in `inspect`, `ast` and `dis` (19 ms where
`python3 -c pass` is 13), and each frozen slotted class compiles its methods at import (0.9 ms). Here
a class costs about 20 us, its `__init__` is compiled when it is first called, and the rest is
shared. `typing` (13 ms) is not imported either: modules on a start-up path say
`TYPE_CHECKING = False` and import their types under it. tests/test_startup.py holds them to it.

What is supported is what is needed: positional and keyword fields, immutable defaults, inheritance
from another value class, `ClassVar`, and `__post_init__` for a check that needs all fields. There
is no `field()`: a mutable default would make the value mutable. As with slotted dataclasses, a
method must not use zero-argument `super()`, for the class is made twice.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    def value(cls: type[T]) -> type[T]:
        """Make `cls` a frozen, slotted record of its annotated names."""

else:

    def value(cls: type) -> type:
        own = field_names(cls)
        inherited: tuple[str, ...] = getattr(cls.__base__, "__fields__", ())
        names = (*inherited, *own)
        defaults = dict(getattr(cls.__base__, "__defaults__", {}))
        defaults |= {name: cls.__dict__[name] for name in own if name in cls.__dict__}
        body = {
            key: item
            for key, item in cls.__dict__.items()
            if key not in own and key not in ("__dict__", "__weakref__")
        }
        body |= {"__slots__": own, "__fields__": names, "__match_args__": names, "__defaults__": defaults}
        for name, method in _METHODS.items():
            body.setdefault(name, method)
        body["__init__"] = _first_init
        made = type(cls)(cls.__name__, cls.__bases__, body)
        made.__qualname__ = cls.__qualname__
        return made


def field_names(cls: type) -> tuple[str, ...]:
    """The annotated instance names of one class body, in order, ClassVar left out."""
    annotations: dict[str, object] = cls.__dict__.get("__annotations__", {})  # noqa: RUF063  # inspect costs 12 ms
    return tuple(
        name
        for name, kind in annotations.items()
        if not str(kind).startswith(("ClassVar", "typing.ClassVar"))
    )


def compile_init(names: tuple[str, ...], defaults: dict[str, object], *, frozen_into: type | None) -> object:
    """An `__init__` for these fields: through slot descriptors of a frozen class, else plain assignment."""
    parameters = ", ".join(f"{name}=_d_{name}" if name in defaults else name for name in names)
    scope: dict[str, object] = {f"_d_{name}": default for name, default in defaults.items()}
    if frozen_into is None:
        lines = [f"    self.{name} = {name}" for name in names]
    else:
        lines = [f"    _s_{name}(self, {name})" for name in names]
        scope |= {f"_s_{name}": getattr(frozen_into, name).__set__ for name in names}
        if hasattr(frozen_into, "__post_init__"):
            lines.append("    self.__post_init__()")
    source = f"def __init__(self, {parameters}):\n" + ("\n".join(lines) or "    pass") + "\n"
    # The names are identifiers of our own class bodies, never text from outside.
    exec(source, scope)  # noqa: S102  # as dataclasses and namedtuple do; a closure is 6 times slower
    return scope["__init__"]


def _first_init(self: object, *arguments: object, **keywords: object) -> None:
    """Compile the real `__init__` of the class that was called, then call it."""
    cls = type(self)
    names: tuple[str, ...] = cls.__fields__  # type: ignore[attr-defined]  # set by value()
    defaults: dict[str, object] = cls.__defaults__  # type: ignore[attr-defined]  # set by value()
    init = compile_init(names, defaults, frozen_into=cls)
    cls.__init__ = init  # type: ignore[assignment]  # replacing the stub is its whole purpose
    cls.__init__(self, *arguments, **keywords)


def _eq(self: object, other: object) -> bool:
    if type(self) is not type(other):
        return NotImplemented  # type: ignore[no-any-return]  # what __eq__ answers for a stranger
    same: bool = fields_of(self) == fields_of(other)
    return same


def _hash(self: object) -> int:
    return hash((type(self), fields_of(self)))


def _repr(self: object) -> str:
    names: tuple[str, ...] = type(self).__fields__  # type: ignore[attr-defined]  # set by value()
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def _refuse_set(self: object, name: str, _: object) -> None:
    raise AttributeError(f"{type(self).__name__} is a value; {name} cannot be set")


def _refuse_delete(self: object, name: str) -> None:
    raise AttributeError(f"{type(self).__name__} is a value; {name} cannot be deleted")


def _reduce(self: object) -> tuple[object, ...]:
    return (type(self), fields_of(self))


def fields_of(record: object) -> tuple[object, ...]:
    """The values of a record's fields, in the order they are declared."""
    names: tuple[str, ...] = type(record).__fields__  # type: ignore[attr-defined]  # set by value()
    return tuple([getattr(record, name) for name in names])


def replace(record: T, **changes: object) -> T:
    """A copy of a record with some fields changed."""
    names: tuple[str, ...] = type(record).__fields__  # type: ignore[attr-defined]  # set by value()
    return type(record)(**{name: changes.pop(name, getattr(record, name)) for name in names}, **changes)


def from_columns(cls: type[T], *columns: Iterable[object]) -> list[T]:
    """Many records at once, from one column of values for each field, in order.

    No Python code runs for a record, so this takes a third of what calling the class takes. There is
    no `__post_init__`, and the shortest column decides how many there are.
    """
    names: tuple[str, ...] = cls.__fields__  # type: ignore[attr-defined]  # set by value()
    rows = [list(column) for column in columns]
    made: list[T] = list(map(cls.__new__, [cls] * min(map(len, rows))))
    for name, row in zip(names, rows, strict=True):
        any(map(getattr(cls, name).__set__, made, row))  # the setter answers None: any() runs through all
    return made


_METHODS = {
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _refuse_set,
    "__delattr__": _refuse_delete,
    "__reduce__": _reduce,
}
