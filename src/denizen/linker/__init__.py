"""A model of the dynamic linkers of glibc and musl: search, load order, symbol binding (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.linker.binding import Binding, MissingVersion, UnresolvedSymbol, bind
    from denizen.linker.built_in_rules import Family, Interpreter, read_interpreter
    from denizen.linker.closure import Closure, Failure, LoadedLibrary, resolve
    from denizen.linker.hwcaps import Cpu, cpu_of
    from denizen.linker.interposition import Interposed, interposed
    from denizen.linker.process_environment import Environment, LinkerStart
    from denizen.linker.rule_tables import LinkerRule, Reason
    from denizen.linker.search_results import SearchAttempt
else:
    from denizen.lazy import importing

    __getattr__ = importing(
        __name__,
        {
            "SearchAttempt": "search_results",
            "Binding": "binding",
            "Closure": "closure",
            "Cpu": "hwcaps",
            "Environment": "process_environment",
            "Failure": "closure",
            "Family": "built_in_rules",
            "Interposed": "interposition",
            "Interpreter": "built_in_rules",
            "LoadedLibrary": "closure",
            "MissingVersion": "binding",
            "Reason": "rule_tables",
            "LinkerRule": "rule_tables",
            "LinkerStart": "process_environment",
            "UnresolvedSymbol": "binding",
            "bind": "binding",
            "cpu_of": "hwcaps",
            "interposed": "interposition",
            "read_interpreter": "built_in_rules",
            "resolve": "closure",
        },
    )


__all__ = [
    "Binding",
    "Closure",
    "Cpu",
    "Environment",
    "Failure",
    "Family",
    "Interposed",
    "Interpreter",
    "LinkerRule",
    "LinkerStart",
    "LoadedLibrary",
    "MissingVersion",
    "Reason",
    "SearchAttempt",
    "UnresolvedSymbol",
    "bind",
    "cpu_of",
    "interposed",
    "read_interpreter",
    "resolve",
]
