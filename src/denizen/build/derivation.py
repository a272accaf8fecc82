"""Derivations: hashes, output paths, and checking them against their own `.drv` names (pure).

Specification: Nix, src/libstore/derivations.cc (hashDerivationModulo, pathDerivationModulo) and
doc/manual/source/protocols/derivation-aterm.md. A derivation's *hash modulo* names its outputs. It
is the SHA-256 of its `.drv` text with

- each input's path replaced by that input's own hash modulo, in hex, so that two ways to make
  the same thing are one; of an input whose content is known beforehand only that content counts;
- its own output paths left blank, because they are being computed.

Derivations reached through inputs may come from elsewhere: the walk is a loop, not a recursion, and a
cycle, or a `.drv` whose output paths do not follow from its own text, is refused.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats import aterm, storepath
from denizen.formats.storepath import Method, StorePath
from denizen.sha256 import digest_of
from denizen.value import Enum, Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from denizen.formats.aterm import Derivation, DerivationOutput
    from denizen.formats.hashes import Hash

# The hash modulo of a derivation by output name; outputs differ only where contents are known beforehand.
Modulo = dict[bytes, bytes]
Modulos = dict[StorePath, Modulo]

SUFFIX = ".drv"
# Nix's output names are attribute names; these are the ones it can put into a path.
_OUTPUT_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-._?="
_MAX_OUTPUT_NAME = 100


class DerivationKind(Enum):
    """The ways of computing a derivation's output paths."""

    INPUT_ADDRESSED = "by the hash of the derivation"
    FIXED = "by the hash of a content known beforehand"
    FLOATING = "by the hash of whatever content comes out"


class BadDerivation(BadInput):
    """A well-formed derivation is invalid, or its paths do not follow from its text."""

    name: str
    reason: str
    WHAT = "the derivation '{name}' is not valid"
    WHY = "{reason:text}"


_IMPURE = ("impure-derivations", "its output is made anew each time")
_DYNAMIC = ("dynamic-derivations", "its output is a derivation")


class FixedOutput(Value):
    """An output whose content is known beforehand: its hash, and the method by which the hash is taken."""

    method: Method
    content: Hash


class Sealed(Value):
    """A derivation with its outputs computed and its own path in the store.

    Attributes:
        path: the path of its `.drv` file.
        derivation: the derivation with its output paths filled in.
        outputs: the path of each output, by name.
            Empty where they follow from content that is not known yet: this derivation's, or its inputs'.
        references: the objects that the `.drv` file refers to.
        modulo: the hash modulo of the derivation without its output paths; b"" where `outputs` has them.
    """

    path: StorePath
    derivation: Derivation
    outputs: Mapping[bytes, StorePath]
    references: tuple[StorePath, ...]
    modulo: bytes = b""

    @property
    def content(self) -> bytes:
        """The content of the `.drv` file."""
        return aterm.render(self.derivation)


class _Inputs(Value):
    """The `.drv` files that a derivation depends on, and the hashes modulo by their full paths."""

    paths: tuple[StorePath, ...]
    modulo: Mapping[bytes, Modulo]


def name_of(path: StorePath) -> str:
    """Return the derivation's name, the name of its `.drv` file without the suffix.

    Raises:
        BadDerivation: the file's name does not end in `.drv`.
    """
    if not path.name.endswith(SUFFIX):
        raise BadDerivation(path.base, f"its file's name does not end in {SUFFIX}")
    return path.name.removesuffix(SUFFIX)


def kind_of(derivation: Derivation, name: str) -> DerivationKind:
    """Return how the output paths are computed.

    Raises:
        BadDerivation: no outputs, or outputs of several kinds.
        UnsupportedDerivation: impure or dynamic outputs.
    """
    for output in derivation.outputs.values():
        if output.digest == b"impure":
            from denizen.build.derivation_errors import UnsupportedDerivation

            raise UnsupportedDerivation(name, *_IMPURE)
        if output.algorithm.startswith(b"text:"):
            from denizen.build.derivation_errors import UnsupportedDerivation

            raise UnsupportedDerivation(name, *_DYNAMIC)
    kinds = {_output_kind(output) for output in derivation.outputs.values()}
    if len(kinds) != 1:
        raise BadDerivation(name, "it has outputs of several kinds" if kinds else "it has no output")
    (kind,) = kinds
    if kind is DerivationKind.FIXED and set(derivation.outputs) != {b"out"}:
        raise BadDerivation(name, "only a single output 'out' can have a content known beforehand")
    return kind


def _output_kind(output: DerivationOutput) -> DerivationKind:
    if output.digest:
        return DerivationKind.FIXED
    return DerivationKind.FLOATING if output.algorithm else DerivationKind.INPUT_ADDRESSED


def fixed_output(output: DerivationOutput, name: str) -> FixedOutput:
    """Return the hash that a fixed output must have.

    Raises:
        BadDerivation: its algorithm or digest is malformed.
    """
    from denizen.formats import hashes

    algorithm = output.algorithm.decode("ascii", "replace")
    method = Method.RECURSIVE if algorithm.startswith("r:") else Method.FLAT
    try:
        content = hashes.parse(output.digest.decode("ascii", "replace"), algorithm.removeprefix("r:"))
    except BadInput as error:
        raise BadDerivation(name, str(error)) from error
    return FixedOutput(method, content)


def input_paths(derivation: Derivation, store_dir: bytes) -> dict[StorePath, tuple[bytes, ...]]:
    """Return the `.drv` files the derivation depends on, each with the names of the outputs it uses.

    Raises:
        BadStorePath: one of them is not a path in this store directory.
    """
    return {storepath.parse(path, store_dir): names for path, names in derivation.inputs.items()}


def hash_modulo(derivation: Derivation, name: str, inputs: Mapping[bytes, Modulo]) -> Modulo:
    """Return the hash modulo of each output, given those of every input by its full `.drv` path.

    Raises:
        BadDerivation: an input lacks an output that is used, or the outputs are invalid.
    """
    if kind_of(derivation, name) is DerivationKind.FIXED:
        output = derivation.outputs[b"out"]
        fixed = fixed_output(output, name)
        prefix = f"fixed:out:{storepath.method_prefix(fixed.method)}{fixed.content}:".encode("ascii")
        return {b"out": digest_of(prefix + output.path)}
    return dict.fromkeys(derivation.outputs, _text_digest(derivation, name, inputs))


def _text_digest(derivation: Derivation, name: str, inputs: Mapping[bytes, Modulo]) -> bytes:
    wanted: dict[bytes, set[bytes]] = {}
    for path, outputs in derivation.inputs.items():
        modulo = inputs[path]
        for output in outputs:
            if output not in modulo:
                raise BadDerivation(name, f"{display(path)} has no output '{display(output)}'")
            wanted.setdefault(modulo[output].hex().encode("ascii"), set()).add(output)
    renamed = {digest: tuple(sorted(outputs)) for digest, outputs in wanted.items()}
    return digest_of(aterm.render(replace(derivation, inputs=renamed)))


def output_paths(
    derivation: Derivation, name: str, inputs: Mapping[bytes, Modulo], store_dir: bytes
) -> dict[bytes, StorePath]:
    """Return the path of each output, computed from the derivation without the paths it states.

    Raises:
        BadDerivation: the outputs are invalid, or their names are known only after building.
        BadObjectName: derivation and output name together cannot name a store object.
    """
    kind = kind_of(derivation, name)
    if kind is DerivationKind.FLOATING:
        raise BadDerivation(name, "its outputs are named by content that is not known yet")
    if kind is DerivationKind.FIXED:
        fixed = fixed_output(derivation.outputs[b"out"], name)
        return {b"out": storepath.for_fixed(name, fixed.method, fixed.content, store_dir)}
    digest = _text_digest(blanked(derivation), name, inputs)
    return {
        output: storepath.for_output(name, _output_text(output, name), digest, store_dir)
        for output in derivation.outputs
    }


def blanked(derivation: Derivation) -> Derivation:
    """Return the derivation without its output paths, in `outputs` and in the variables named after them.

    `seal` fills them in.
    """
    environment = {
        key: b"" if key in derivation.outputs else text for key, text in derivation.environment.items()
    }
    outputs = {key: replace(output, path=b"") for key, output in derivation.outputs.items()}
    return replace(derivation, outputs=outputs, environment=environment)


def _output_text(output: bytes, name: str) -> str:
    if not 0 < len(output) <= _MAX_OUTPUT_NAME or output.strip(_OUTPUT_LETTERS):
        raise BadDerivation(name, f"'{display(output)}' cannot be the name of an output")
    return output.decode("ascii")


def seal(derivation: Derivation, name: str, modulos: Modulos, store_dir: bytes) -> Sealed:
    """Return the derivation with its output paths and its own path computed.

    `modulos` must hold the hashes modulo of its inputs, and is extended by its own. Output paths come blank;
    a variable named after each output is set to its path, as Nix does.

    Raises:
        BadDerivation, BadObjectName: as `output_paths`.
    """
    # Each output's variable must exist, blank, before hashing: Nix hashes the text with them.
    names = dict.fromkeys(derivation.outputs, b"")
    derivation = replace(derivation, environment={**derivation.environment, **names})
    inputs = _inputs_of(derivation, modulos, store_dir)
    paths = output_paths(derivation, name, inputs.modulo, store_dir)
    full = {output: path.inside(store_dir) for output, path in paths.items()}
    outputs = {key: replace(output, path=full[key]) for key, output in derivation.outputs.items()}
    sealed = replace(derivation, outputs=outputs, environment={**derivation.environment, **full})
    return _placed(sealed, name, paths, inputs, modulos, store_dir=store_dir)


def examine(
    wanted: Iterable[StorePath], load: Callable[[StorePath], Derivation], store_dir: bytes
) -> dict[StorePath, Sealed]:
    """Return every derivation that `wanted` depend on, inputs first, each checked against its own path.

    `load` reads a `.drv` file.

    Raises:
        BadDerivation: one depends on itself, its path does not follow from its text, or its output paths
            do not.
        BadStorePath: an input lies outside this store directory.
    """
    done: dict[StorePath, Sealed] = {}
    opened: dict[StorePath, Derivation] = {}
    modulos: Modulos = {}
    stack = list(wanted)[::-1]
    while stack:
        path = stack[-1]
        if path not in opened and path not in done:
            opened[path] = load(path)
            missing = [other for other in input_paths(opened[path], store_dir) if other not in done]
            if any(other in opened for other in missing):
                raise BadDerivation(name_of(path), "it depends on itself")
            stack += reversed(missing)
            if missing:
                continue
        stack.pop()
        if path in opened:
            derivation = opened.pop(path)
            unknown = any(not done[other].outputs for other in input_paths(derivation, store_dir))
            done[path] = _checked(path, derivation, modulos, store_dir, unknown=unknown)
    return done


def _checked(
    path: StorePath, derivation: Derivation, modulos: Modulos, store_dir: bytes, *, unknown: bool
) -> Sealed:
    """Return a derivation with its outputs; without, where an input's path is `unknown` before building."""
    name = name_of(path)
    inputs = _inputs_of(derivation, modulos, store_dir)
    kind = kind_of(derivation, name)
    if kind is DerivationKind.FLOATING or (unknown and kind is DerivationKind.INPUT_ADDRESSED):
        return _checked_place(path, _unknown(derivation, name, inputs, modulos, store_dir))
    paths = output_paths(derivation, name, inputs.modulo, store_dir)
    for output, computed in paths.items():
        full = computed.inside(store_dir)
        for says in {derivation.outputs[output].path, derivation.environment.get(output, full)} - {full}:
            raise BadDerivation(name, f"it says {display(says)}, but its text gives {display(full)}")
    return _checked_place(path, _placed(derivation, name, paths, inputs, modulos, store_dir=store_dir))


def _unknown(
    derivation: Derivation, name: str, inputs: _Inputs, modulos: Modulos, store_dir: bytes
) -> Sealed:
    for output in derivation.outputs.values():
        if output.path:
            raise BadDerivation(
                name, f"it says {display(output.path)}, which cannot be known before building"
            )
    modulo = _text_digest(blanked(derivation), name, inputs.modulo)
    return replace(_placed(derivation, name, {}, inputs, modulos, store_dir=store_dir), modulo=modulo)


def _checked_place(path: StorePath, sealed: Sealed) -> Sealed:
    if sealed.path != path:
        raise BadDerivation(name_of(path), f"its file is {path.base}, but its text gives {sealed.path.base}")
    return sealed


def floating_output(output: DerivationOutput, name: str) -> tuple[Method, str]:
    """Return the method and algorithm by which an output is named once its content is known.

    Raises:
        BadDerivation: the algorithm is unknown.
    """
    from denizen.formats import hashes

    text = output.algorithm.decode("ascii", "replace")
    algorithm = text.removeprefix("r:")
    if algorithm not in hashes.SIZES:
        raise BadDerivation(name, f"it has an output named by '{text}', which is no hash")
    return (Method.RECURSIVE if text.startswith("r:") else Method.FLAT), algorithm


def resolved(
    sealed: Sealed, rewrites: Mapping[bytes, bytes], inputs: Iterable[StorePath], store_dir: bytes
) -> Sealed:
    """Return a derivation whose outputs were unknown, with its inputs' outputs among its sources.

    `rewrites` replaces placeholders by the paths of `inputs`. Input-addressed outputs are known then.
    """
    from denizen.build import placeholders

    name = name_of(sealed.path)
    sources = {*sealed.derivation.sources, *(path.inside(store_dir) for path in inputs)}
    plain = replace(
        placeholders.rewritten_derivation(sealed.derivation, rewrites),
        inputs={},
        sources=tuple(sorted(sources)),
    )
    digest = _text_digest(blanked(plain), name, {})
    if kind_of(plain, name) is DerivationKind.FLOATING:
        return replace(sealed, derivation=plain, modulo=digest)
    paths = output_paths(plain, name, {}, store_dir)
    full = {output: path.inside(store_dir) for output, path in paths.items()}
    outputs = {key: replace(output, path=full[key]) for key, output in plain.outputs.items()}
    plain = replace(plain, outputs=outputs, environment={**plain.environment, **full})
    return replace(sealed, derivation=plain, outputs=paths, modulo=digest)


def _inputs_of(derivation: Derivation, modulos: Modulos, store_dir: bytes) -> _Inputs:
    paths = input_paths(derivation, store_dir)
    return _Inputs(tuple(paths), {path.inside(store_dir): modulos[path] for path in paths})


def _placed(
    derivation: Derivation,
    name: str,
    paths: Mapping[bytes, StorePath],
    inputs: _Inputs,
    modulos: Modulos,
    *,
    store_dir: bytes,
) -> Sealed:
    sources = [storepath.parse(source, store_dir) for source in derivation.sources]
    references = tuple(sorted({*sources, *inputs.paths}))
    path = storepath.for_text(name + SUFFIX, aterm.render(derivation), references, store_dir)
    modulos[path] = hash_modulo(derivation, name, inputs.modulo)
    return Sealed(path, derivation, paths, references)
