"""What the dynamic linker would do with a program: glibc's rules and musl's, as tables (pure)."""

from __future__ import annotations

from denizen.linker.binding import Binding, MissingVersion, UnresolvedSymbol, bind
from denizen.linker.closure import Closure, Failure, Library, resolve
from denizen.linker.environment import Environment, Start
from denizen.linker.hwcaps import Cpu
from denizen.linker.interposition import Interposed, interposed
from denizen.linker.interpreter import Family, Interpreter, read_interpreter
from denizen.linker.objects import Attempt
from denizen.linker.rules import Reason, Rule
from denizen.linker.vouching import foreign

__all__ = [
    "Attempt",
    "Binding",
    "Closure",
    "Cpu",
    "Environment",
    "Failure",
    "Family",
    "Interposed",
    "Interpreter",
    "Library",
    "MissingVersion",
    "Reason",
    "Rule",
    "Start",
    "UnresolvedSymbol",
    "bind",
    "foreign",
    "interposed",
    "read_interpreter",
    "resolve",
]
