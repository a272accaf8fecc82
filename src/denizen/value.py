"""`Value`, `Row`, `Enum`: replacements of dataclass, NamedTuple and Enum that import faster (pure).

To a type checker a subclass of `Value` is a `@dataclass(frozen=True, slots=True)`. It exists because start-up
is part of denizen's contract: importing `dataclasses` imports `inspect`, `ast` and `dis` (19 ms where
`python3 -c pass` takes 13), and each frozen slotted class compiles its methods at import (0.9 ms). Here
a class costs about 8 us, and all methods are shared; an `__init__` of its own is compiled (0.3 ms) for
a class with many instances. `typing` (13 ms) is not imported either: modules on a start-up path set
`TYPE_CHECKING = False` and import their types under it, which tests/test_startup.py checks.

Supported are: positional and keyword fields, immutable defaults, inheritance
from another value class, `ClassVar`, and `__post_init__` for a check that needs all fields. There
is no `field()`: a mutable default would make the value mutable.

`Row` is `typing.NamedTuple` to a type checker, without defaults: a record that is a tuple, for the rows of
a table that `struct.iter_unpack` yields (`rows_of`), 0.1 us each. Fields cannot be added in a subclass.

`Enum` is `enum.Enum` to a type checker. Importing that module takes 5 ms, `functools` and `collections`
included. Supported are: members with values of any kind, methods and properties, lookup by value,
iteration, identity, pickling; not: aliases, `auto`, flags, members with a class of their own.
"""

from __future__ import annotations

# The descriptor of namedtuple's fields: 17 ns to read one, where a property takes 52. It is CPython's own and
# private, but unchanged since 3.8; `collections` imports 0.6 ms of Python more.
from _collections import _tuplegetter as field_at  # type: ignore[import-not-found]  # not in typeshed
from _operator import attrgetter
from itertools import repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from enum import Enum
    from typing import Any, Self, TypeVar, dataclass_transform
    from typing import NamedTuple as Row

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    class _CheckedValue:
        """A frozen, slotted record of its annotated names, as type checkers see it."""

    Value = _CheckedValue

else:

    class _ValueType(type):
        """Makes the classes of values, with a slot for each annotated name."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
            if not bases:
                return type.__new__(cls, name, bases, body)
            own = _instance_names(_annotations_in(body))
            # All attributes are in the body when the class is created; setting one afterwards costs 2 us.
            body["__defaults__"] = bases[0].__defaults__ | {key: body.pop(key) for key in own if key in body}
            body["__fields__"] = body["__match_args__"] = bases[0].__fields__ + own
            body["__slots__"], body["__made__"], body["__init__"] = own, [], _shared_init
            body["__getter__"] = None
            return type.__new__(cls, name, bases, body)

    class Value(metaclass=_ValueType):
        """A frozen, slotted record of its annotated names."""

        __slots__ = __fields__ = ()
        __defaults__: dict[str, object] = {}  # noqa: RUF012  # never changed
        __getter__ = None

        def __eq__(self, other: object) -> bool:
            cls = type(self)
            if cls is not type(other):
                return NotImplemented
            getter = cls.__getter__ or _getter_of(cls)
            return getter(self) == getter(other)

        def __hash__(self) -> int:
            cls = type(self)
            return hash((cls, (cls.__getter__ or _getter_of(cls))(self)))

        def __repr__(self) -> str:
            shown = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.__fields__])
            return f"{type(self).__qualname__}({shown})"

        def __setattr__(self, name: str, _: object) -> None:
            raise AttributeError(f"{type(self).__name__} is a value; {name} cannot be set")

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{type(self).__name__} is a value; {name} cannot be deleted")

        def __reduce__(self) -> tuple[object, ...]:
            return (type(self), fields_of(self))

    class Row(tuple):
        """A tuple with names for its items."""

        __slots__ = ()

        def __init_subclass__(cls) -> None:
            cls.__match_args__ = field_names(cls)
            for place, name in enumerate(cls.__match_args__):
                setattr(cls, name, field_at(place, None))

        def __new__(cls, *items: object, **named: object) -> Self:
            items += tuple([named.pop(name) for name in cls.__match_args__[len(items) :] if name in named])
            if named or len(items) != len(cls.__match_args__):
                raise TypeError(f"{cls.__name__} wants {', '.join(cls.__match_args__)}")
            return tuple.__new__(cls, items)

        _make = classmethod(tuple.__new__)

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            named = zip(self.__match_args__, self, strict=True)
            return f"{type(self).__qualname__}({', '.join(f'{name}={item!r}' for name, item in named)})"

    class _EnumType(type):
        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
            members: dict[str, object] = {}
            by_value: dict[object, object] = {}
            body |= {"__members__": members, "__by_value__": by_value}
            made = type.__new__(cls, name, bases, body)
            for key, item in body.items():
                if key.startswith("_") or hasattr(item, "__get__"):
                    continue
                members[key] = by_value[item] = member = object.__new__(made)
                member.name, member.value = key, item
                setattr(made, key, member)
            return made

        def __call__(cls, item: object) -> Enum:
            try:
                return cls.__by_value__[item]
            except KeyError:
                raise ValueError(f"{item!r} is not a valid {cls.__qualname__}") from None

        def __iter__(cls) -> Iterator[Enum]:
            return iter(cls.__members__.values())

        def __len__(cls) -> int:
            return len(cls.__members__)

    class Enum(metaclass=_EnumType):
        """A closed set of named values."""

        def __repr__(self) -> str:
            return f"<{type(self).__qualname__}.{self.name}: {self.value!r}>"

        def __str__(self) -> str:
            return f"{type(self).__qualname__}.{self.name}"

        def __reduce__(self) -> tuple[object, ...]:
            return (type(self), (self.value,))


def field_names(cls: type) -> tuple[str, ...]:
    """Return the annotated instance attributes of one class body, in order, without ClassVar."""
    return _instance_names(_annotations_in(cls.__dict__))


def _annotations_in(body: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the annotations of one class body.

    From 3.14 on a module that does not import `annotations` has a function for them, in their place.
    """
    known: Mapping[str, object] | None = body.get("__annotations__")
    annotate = body.get("__annotate_func__")
    if known is not None or annotate is None:
        return known or {}
    from importlib import import_module

    library = import_module("annotationlib")
    found: Mapping[str, object] = library.call_annotate_function(annotate, library.Format.STRING)
    return found


def _instance_names(annotations: Mapping[str, object]) -> tuple[str, ...]:
    return tuple([name for name, kind in annotations.items() if "ClassVar" not in str(kind)])


def compile_init(names: tuple[str, ...], defaults: dict[str, object], *, frozen_into: type | None) -> object:
    """Return an `__init__` for these fields: by slot descriptors of a frozen class, else by plain assignment.

    Args:
        names: the fields, in order.
        defaults: default values by field name.
        frozen_into: the frozen class, or None.
    """
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
    # The names are identifiers of denizen's own class bodies, never text from outside.
    exec(source, scope)  # noqa: S102  # as dataclasses and namedtuple do; a closure is 6 times slower
    return scope["__init__"]


# Instances after which a class gets an `__init__` of its own: compiling one takes 300 us, and each call of it
# 1 to 3 us less than the shared one.
_COMPILE_AT = 150


def _shared_init(self: Any, *arguments: object, **keywords: object) -> None:
    """Initialise an instance of any class until the class gets a compiled `__init__` of its own."""
    cls = type(self)
    made = cls.__made__
    if not made:
        made += [0, [getattr(cls, name).__set__ for name in cls.__fields__], hasattr(cls, "__post_init__")]
    made[0] += 1
    setters = made[1]
    plain = len(arguments) == len(setters) and not keywords
    values = arguments if plain else _in_order(cls, arguments, keywords)
    if values is None or made[0] == _COMPILE_AT:
        cls.__init__ = compile_init(cls.__fields__, cls.__defaults__, frozen_into=cls)
        # For a wrong call the compiled one raises a TypeError that says what is wrong.
        cls.__init__(self, *arguments, **keywords)
        return
    for set_field, item in zip(setters, values, strict=True):
        set_field(self, item)
    if made[2]:
        self.__post_init__()


def _in_order(
    cls: Any, arguments: tuple[object, ...], keywords: dict[str, object]
) -> Sequence[object] | None:
    """Return the value of every field, or None where the arguments do not match the fields."""
    names: tuple[str, ...] = cls.__fields__
    defaults: dict[str, object] = cls.__defaults__
    found, named = list(arguments), 0
    for name in names[len(arguments) :]:
        if name in keywords:
            found.append(keywords[name])
            named += 1
        elif name in defaults:
            found.append(defaults[name])
        else:
            return None
    # Too many positional ones; or a keyword that is no field, or that names a positional one.
    return None if len(found) > len(names) or named < len(keywords) else found


def _getter_of(cls: Any) -> Callable[[object], object]:
    """Return the function by which instances are hashed and compared, and let the class keep it.

    It returns all fields, without a tuple if there is one. It is C code: a quarter of `fields_of`'s time.
    """
    getter = attrgetter(*cls.__fields__) if cls.__fields__ else fields_of
    cls.__getter__ = getter
    return getter


def fields_of(record: object) -> tuple[object, ...]:
    """Return the values of a record's fields, in the order of declaration."""
    names: tuple[str, ...] = type(record).__fields__  # type: ignore[attr-defined]  # set by _ValueType
    return tuple([getattr(record, name) for name in names])


def replace(record: T, **changes: object) -> T:
    """Return a copy of a record with some fields changed."""
    names: tuple[str, ...] = type(record).__fields__  # type: ignore[attr-defined]  # set by _ValueType
    return type(record)(**{name: changes.pop(name, getattr(record, name)) for name in names}, **changes)


def from_columns(cls: type[T], *columns: Iterable[object]) -> list[T]:
    """Return many records, from one column of values for each field, in order.

    No Python code runs per record, so this takes a third of the time of calling the class. There is
    no `__post_init__`, and the shortest column decides the number of records.
    """
    names: tuple[str, ...] = cls.__fields__  # type: ignore[attr-defined]  # set by _ValueType
    rows = [list(column) for column in columns]
    made: list[T] = list(map(cls.__new__, [cls] * min(map(len, rows))))
    for name, row in zip(names, rows, strict=True):
        any(map(getattr(cls, name).__set__, made, row))  # the setter returns None, so any() runs to the end
    return made


def rows_of(cls: type[T], table: Iterable[Iterable[object]]) -> list[T]:
    """Return rows of class `cls` from tuples with as many items; the number is not checked."""
    return list(map(tuple.__new__, repeat(cls), table))  # type: ignore[arg-type]  # a Row is a tuple


__all__ = [
    "Enum", "Row", "Value", "compile_init", "field_names", "fields_of", "from_columns", "replace", "rows_of",
]  # fmt: skip
