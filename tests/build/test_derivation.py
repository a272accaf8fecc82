from collections.abc import Mapping

import pytest

from denizen.build.derivation import (
    BadDerivation,
    DerivationKind,
    Modulos,
    Sealed,
    blanked,
    examine,
    kind_of,
    name_of,
    seal,
)
from denizen.errors import BadInput
from denizen.formats import aterm, storepath
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.formats.storepath import NIX_STORE, StorePath
from denizen.value import replace

PLAIN = DerivationOutput(b"")
FIXED = DerivationOutput(b"", b"sha256", b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def recipe(
    *inputs: tuple[Sealed, bytes],
    outputs: Mapping[bytes, DerivationOutput] | None = None,
    **environment: bytes,
) -> Derivation:
    return Derivation(
        outputs={b"out": PLAIN} if outputs is None else outputs,
        inputs={one.path.inside(NIX_STORE): (name,) for one, name in inputs},
        sources=(),
        system=b"builtin",
        builder=b"builtin:test",
        arguments=(),
        environment={key.encode(): text for key, text in environment.items()},
    )


class DerivationSet:
    """Derivations by path, as a store would hold them."""

    def __init__(self) -> None:
        self.modulos: Modulos = {}
        self.files: dict[StorePath, Derivation] = {}

    def add(self, name: str, derivation: Derivation) -> Sealed:
        sealed = seal(derivation, name, self.modulos, NIX_STORE)
        self.files[sealed.path] = sealed.derivation
        return sealed

    def examine(self, *paths: StorePath) -> dict[StorePath, Sealed]:
        return examine(paths, lambda path: self.files[path], NIX_STORE)


@pytest.fixture
def derivations() -> DerivationSet:
    return DerivationSet()


def test_sealing_puts_each_output_into_the_variable_of_its_name(derivations: DerivationSet) -> None:
    sealed = derivations.add("x", recipe(outputs={b"out": PLAIN, b"dev": PLAIN}))
    out, dev = sealed.outputs[b"out"], sealed.outputs[b"dev"]
    assert (out.name, dev.name) == ("x", "x-dev")
    assert sealed.derivation.environment == {b"out": out.inside(NIX_STORE), b"dev": dev.inside(NIX_STORE)}
    assert sealed.path.name == "x.drv"


def test_the_same_recipe_gives_the_same_paths_and_another_gives_others(derivations: DerivationSet) -> None:
    one = derivations.add("x", recipe(a=b"1"))
    assert derivations.add("x", recipe(a=b"1")) == one
    assert derivations.add("x", recipe(a=b"2")).outputs != one.outputs
    assert derivations.add("y", recipe(a=b"1")).outputs != one.outputs


def test_where_known_content_comes_from_does_not_change_what_is_built_from_it(
    derivations: DerivationSet,
) -> None:
    here = derivations.add("src", recipe(outputs={b"out": FIXED}, url=b"https://here"))
    there = derivations.add("src", recipe(outputs={b"out": FIXED}, url=b"https://there"))
    assert here.path != there.path
    assert here.outputs == there.outputs
    users = [derivations.add("user", recipe((source, b"out"))) for source in (here, there)]
    assert users[0].path != users[1].path
    assert users[0].outputs == users[1].outputs


def test_examining_gives_inputs_before_what_needs_them(derivations: DerivationSet) -> None:
    bottom = derivations.add("bottom", recipe())
    left = derivations.add("left", recipe((bottom, b"out")))
    right = derivations.add("right", recipe((bottom, b"out"), (left, b"out")))
    top = derivations.add("top", recipe((left, b"out"), (right, b"out")))
    order = list(derivations.examine(top.path, bottom.path))
    assert order == [bottom.path, left.path, right.path, top.path]


def test_a_chain_of_thousands_is_examined_without_recursion(derivations: DerivationSet) -> None:
    last = derivations.add("n0", recipe())
    for number in range(1, 1500):
        last = derivations.add(f"n{number}", recipe((last, b"out")))
    assert len(derivations.examine(last.path)) == 1500


def test_a_derivation_that_depends_on_itself_is_refused(derivations: DerivationSet) -> None:
    one = derivations.add("one", recipe())
    two = derivations.add("two", recipe((one, b"out")))
    derivations.files[one.path] = replace(one.derivation, inputs={two.path.inside(NIX_STORE): (b"out",)})
    with pytest.raises(BadDerivation, match="depends on itself"):
        derivations.examine(two.path)


def test_a_derivation_that_promises_another_output_is_refused(derivations: DerivationSet) -> None:
    honest = derivations.add("x", recipe())
    victim = derivations.add("victim", recipe()).outputs[b"out"].inside(NIX_STORE)
    forged = replace(honest.derivation, outputs={b"out": DerivationOutput(victim)})
    path = storepath.for_text("x.drv", aterm.render(forged), (), NIX_STORE)
    derivations.files[path] = forged
    with pytest.raises(BadDerivation, match="its text gives"):
        derivations.examine(path)


def test_a_variable_that_names_another_output_is_refused(derivations: DerivationSet) -> None:
    honest = derivations.add("x", recipe())
    forged = replace(honest.derivation, environment={b"out": b"/etc"})
    derivations.files[honest.path] = forged
    with pytest.raises(BadDerivation, match="says /etc"):
        derivations.examine(honest.path)


def test_a_file_under_another_files_name_is_refused(derivations: DerivationSet) -> None:
    one, other = derivations.add("x", recipe()), derivations.add("x", recipe(a=b"1"))
    derivations.files[one.path] = other.derivation
    with pytest.raises(BadDerivation, match="its file is"):
        derivations.examine(one.path)


def test_an_output_that_the_input_does_not_have_is_refused(derivations: DerivationSet) -> None:
    one = derivations.add("one", recipe())
    with pytest.raises(BadDerivation, match="no output 'dev'"):
        derivations.add("two", recipe((one, b"dev")))


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({}, "no output"),
        ({b"out": FIXED, b"dev": PLAIN}, "several kinds"),
        ({b"lib": FIXED}, "single output 'out'"),
        ({b"out": FIXED, b"dev": FIXED}, "single output 'out'"),
        ({b"out": DerivationOutput(b"", b"r:sha256", b"")}, "not known yet"),
        ({b"out": DerivationOutput(b"", b"sha256", b"abc")}, "not a hash"),
        ({b"out": DerivationOutput(b"", b"sha999", b"00")}, "not a hash"),
        ({b"../x": PLAIN}, "name of an output"),
        ({b"\xff": PLAIN}, "name of an output"),
    ],
)
def test_outputs_that_make_no_sense_are_refused(
    derivations: DerivationSet, outputs: Mapping[bytes, DerivationOutput], reason: str
) -> None:
    with pytest.raises(BadDerivation, match=reason):
        derivations.add("x", recipe(outputs=outputs))


def test_an_input_outside_the_store_directory_is_refused(derivations: DerivationSet) -> None:
    derivation = replace(recipe(), inputs={b"/elsewhere/x.drv": (b"out",)})
    with pytest.raises(BadInput, match="not in /nix/store"):
        derivations.add("x", derivation)


def test_blanking_undoes_sealing(derivations: DerivationSet) -> None:
    for outputs in ({b"out": PLAIN, b"dev": PLAIN}, {b"out": FIXED}):
        sealed = derivations.add("x", recipe(outputs=outputs, a=b"1"))
        assert blanked(sealed.derivation).outputs == outputs
        assert derivations.add("x", blanked(sealed.derivation)) == sealed


def test_kinds_are_told_apart() -> None:
    assert kind_of(recipe(), "x") is DerivationKind.INPUT_ADDRESSED
    assert kind_of(recipe(outputs={b"out": FIXED}), "x") is DerivationKind.FIXED
    assert (
        kind_of(recipe(outputs={b"out": DerivationOutput(b"", b"r:sha256")}), "x") is DerivationKind.FLOATING
    )


def test_a_derivation_file_is_called_drv() -> None:
    assert name_of(StorePath("0" * 32, "hello.drv")) == "hello"
    with pytest.raises(BadDerivation, match=r"does not end in \.drv"):
        name_of(StorePath("0" * 32, "hello"))
