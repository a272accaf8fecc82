"""`denizen realise`."""

from __future__ import annotations

import contextlib
import os

from denizen.cli.command import Command
from denizen.cli.commands.derivation import NotRead, read_file
from denizen.cli.options import Option, Positional, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.build.derivation import Sealed
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.cli.output import Output
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store


def _realise(parsed: Parsed, context: Context) -> int:
    """Make the outputs valid, and print their paths."""
    from denizen.app.supply.decoder_setup import bring_decoder
    from denizen.app.supply.store_access import made_store
    from denizen.build.realise import RealiseOptions, realise
    from denizen.sources.opener import UrlOpener
    from denizen.sources.transport import HttpSettings, proxies_from

    jobs = _jobs(parsed.text("jobs"))
    bring_decoder(context.session)
    opener = UrlOpener(HttpSettings(proxies=proxies_from(context.environ)), jobs)
    with made_store(context.session) as store:
        wanted = [_in_store(store, file) for file in parsed.texts("FILE")]
        sealed = realise(store, wanted, RealiseOptions(opener, jobs, _Spoken(context.output)))
        _report(store, sealed, context)
    return 0


def _jobs(text: str | None) -> int:
    if text is None:
        # Not cpu_count: a container may give this process fewer processors than the machine has.
        return len(os.sched_getaffinity(0))
    if not text.isdecimal() or len(text) > 4 or not 0 < int(text) <= 1000:
        raise UsageError("realise", f"{text!r} is not a number of jobs", "--jobs 2")
    return int(text)


def _in_store(store: Store, file: str) -> StorePath:
    """Return the derivation that an argument names.

    It is one in the store, or a file elsewhere, which is added to the store.
    """
    from denizen.build.derivation import SUFFIX
    from denizen.build.realise import add_derivation
    from denizen.formats import storepath
    from denizen.formats.storepath import BadStorePath

    raw = os.fsencode(os.path.abspath(file))
    for directory in (store.layout.physical, store.layout.logical):
        if os.path.dirname(raw) == directory:
            return storepath.parse(raw, directory)
    base = os.path.basename(file)
    if not base.endswith(SUFFIX):
        raise NotRead(file, f"a derivation's file is called NAME{SUFFIX}")
    # A name without a hash is the user's own.
    with contextlib.suppress(BadStorePath):
        base = storepath.from_base(base).name
    with store.working() as work:
        return add_derivation(store, work, base.removesuffix(SUFFIX), read_file(file))


def _report(store: Store, sealed: dict[StorePath, Sealed], context: Context) -> None:
    if context.json:
        context.output.document(
            {
                path.base: {
                    name.decode("ascii"): os.fsdecode(store.place_of(output))
                    for name, output in one.outputs.items()
                }
                for path, one in sealed.items()
            }
        )
        return
    for one in sealed.values():
        for output in one.outputs.values():
            context.output.line(os.fsdecode(store.place_of(output)))


class _Spoken:
    """A listener that prints a line for each derivation that is built."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def started(self, name: str) -> None:
        self._output.say(f"building {name}")

    def finished(self, name: str) -> None:
        if self._output.verbosity > 0:
            self._output.say(f"built {name}")


COMMANDS = (
    Command(
        ("realise",),
        "make the outputs of derivations valid, and print where they are",
        _realise,
        positionals=(Positional("FILE", "a derivation's file, in the store or elsewhere", many=True),),
        options=(Option(("-j", "--jobs"), "derivations to build at once; else one a core", metavar="N"),),
        description="What an output needs is made first; what is there already is not made again.",
    ),
)
