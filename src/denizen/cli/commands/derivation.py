"""`denizen derivation show`."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Positional
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.cli.output import Output
    from denizen.formats.aterm import Derivation


def _show(parsed: Parsed, context: Context) -> int:
    """Print the content of a `.drv` file; no store is needed."""
    from denizen.app.builds.derivation_files import read_derivation
    from denizen.formats import aterm_parser

    derivation = aterm_parser.parse(read_derivation(parsed.required("FILE")))
    if context.json:
        context.output.document(_document(derivation))
    else:
        _print(derivation, context.output)
    return 0


def _document(derivation: Derivation) -> dict[str, object]:
    """Return a derivation as JSON (docs/formats/derivation.md); bytes that are not UTF-8 are escaped."""
    return {
        "outputs": {
            _text(name): {
                "path": _text(output.path),
                "hashAlgo": _text(output.algorithm),
                "hash": _text(output.digest),
            }
            for name, output in derivation.outputs.items()
        },
        "inputDrvs": {
            _text(path): [_text(name) for name in names] for path, names in derivation.inputs.items()
        },
        "inputSrcs": [_text(path) for path in derivation.sources],
        "system": _text(derivation.system),
        "builder": _text(derivation.builder),
        "args": [_text(argument) for argument in derivation.arguments],
        "env": {_text(name): _text(text) for name, text in derivation.environment.items()},
    }


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _print(derivation: Derivation, output: Output) -> None:
    for name, made in derivation.outputs.items():
        promise = f"  {display(made.algorithm)}:{display(made.digest)}" if made.digest else ""
        output.line(f"output  {display(name)}  {display(made.path)}{promise}")
    for path, names in derivation.inputs.items():
        output.line(f"input   {display(path)}  {' '.join(map(display, names))}")
    for path in derivation.sources:
        output.line(f"source  {display(path)}")
    output.line(f"system  {display(derivation.system)}")
    output.line(f"builder {' '.join(map(display, (derivation.builder, *derivation.arguments)))}")
    for name, text in derivation.environment.items():
        output.line(f"  {display(name)} = {display(text)}")


COMMANDS = (
    Command(
        ("derivation", "show"),
        "what a .drv file holds",
        _show,
        positionals=(Positional("FILE", "a derivation's file"),),
    ),
)
