"""What the dynamic linker would do with a program: glibc's rules and musl's, as tables (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.linker.binding import Binding, MissingVersion, UnresolvedSymbol, bind
    from denizen.linker.closure import Closure, Failure, Library, resolve
    from denizen.linker.environment import Environment, Start
    from denizen.linker.hwcaps import Cpu, cpu_of
    from denizen.linker.interposition import Interposed, interposed
    from denizen.linker.interpreter import Family, Interpreter, read_interpreter
    from denizen.linker.objects import Attempt
    from denizen.linker.rules import Reason, Rule
    from denizen.linker.vouching import foreign
else:
    # What is asked for is imported then: 0.25 ms a module.
    _MODULES = {
        "Attempt": "objects",
        "Binding": "binding",
        "Closure": "closure",
        "Cpu": "hwcaps",
        "Environment": "environment",
        "Failure": "closure",
        "Family": "interpreter",
        "Interposed": "interposition",
        "Interpreter": "interpreter",
        "Library": "closure",
        "MissingVersion": "binding",
        "Reason": "rules",
        "Rule": "rules",
        "Start": "environment",
        "UnresolvedSymbol": "binding",
        "bind": "binding",
        "cpu_of": "hwcaps",
        "foreign": "vouching",
        "interposed": "interposition",
        "read_interpreter": "interpreter",
        "resolve": "closure",
    }

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = __import__(f"{__name__}.{_MODULES[name]}", fromlist=[name])
        return globals().setdefault(name, getattr(module, name))


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
    "cpu_of",
    "foreign",
    "interposed",
    "read_interpreter",
    "resolve",
]
