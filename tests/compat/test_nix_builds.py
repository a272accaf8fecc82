"""Real Nix as judge of builds: outputs of the same derivations, byte for byte."""

import json
import re
from pathlib import Path

import pytest

from denizen.errors import DenizenError
from denizen.formats import storepath
from denizen.formats.storepath import NIX_STORE, StorePath
from tests.support.build_sandboxes import require_sandbox
from tests.support.nix import private_nix
from tests.support.nix_builds import Outputs, TwoStores, sandbox_configuration
from tests.support.stores import make_store

pytestmark = [pytest.mark.peer, pytest.mark.slow]

CASES = Path(__file__).parent / "builds.nix"
NAMES = re.findall(
    r"^  ([a-z0-9-]+) = (?:make|structured|derivation|builtins)\b", CASES.read_text(), re.MULTILINE
)
# Name and path of a case's derivation, for all cases, and write the derivations.
PATHS = f"builtins.mapAttrs (name: case: case.drvPath) (import (/. + {json.dumps(str(CASES))}))"

REFUSED = Path(__file__).parent / "refused_builds.nix"
REFUSED_NAMES = re.findall(
    r"^  ([a-z-]+) = (?:make|structured|derivation)\b", REFUSED.read_text(), re.MULTILINE
)[1:]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> TwoStores:
    """A store of Nix's and one of denizen's."""
    require_sandbox()
    configuration = sandbox_configuration() + "experimental-features = nix-command ca-derivations\n"
    nix = private_nix(tmp_path_factory.mktemp("nix"), configuration)
    return TwoStores(nix, make_store(tmp_path_factory.mktemp("ours") / "store", NIX_STORE))


@pytest.fixture(scope="module")
def drvs(two: TwoStores) -> dict[str, str]:
    """The derivations by the names of the cases."""
    evaluate = ("nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode", "--expr", PATHS)
    found: dict[str, str] = json.loads(two.nix.run(*evaluate))
    return found


@pytest.fixture(scope="module")
def outputs(two: TwoStores, drvs: dict[str, str]) -> dict[str, Outputs]:
    """The outputs that denizen makes, by the names of the cases; Nix has built all of them too."""
    two.nix.run("nix-store", "--realise", *drvs.values())
    made = two.realise(two.bring(list(drvs.values())))
    return {name: made[storepath.parse(drv.encode(), NIX_STORE)] for name, drv in drvs.items()}


def test_there_are_cases_enough(drvs: dict[str, str]) -> None:
    assert sorted(drvs) == sorted(NAMES)
    assert len(drvs) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_nix(two: TwoStores, outputs: dict[str, Outputs], name: str) -> None:
    # Nix would say that it has no such path if denizen named an output otherwise.
    for path in outputs[name].values():
        assert two.archive_here(path) == two.archive_by_nix(path)


@pytest.mark.parametrize("name", ["linked", "two-outputs", "fixed-flat", "floating-self", "floating-outputs"])
def test_references_and_content_addresses_are_those_of_nix(
    two: TwoStores, outputs: dict[str, Outputs], name: str
) -> None:
    for path in outputs[name].values():
        info = two.store.info(path)
        (said,) = json.loads(two.nix.run("nix", "path-info", "--json", full(path)))
        assert [full(reference) for reference in info.references] == said["references"]
        assert info.content_address == said.get("ca")


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_what_nix_refuses_is_refused(two: TwoStores, name: str) -> None:
    (drv,) = two.nix.lines("nix-instantiate", REFUSED, "-A", name)
    with pytest.raises(AssertionError):
        two.nix.run("nix-store", "--realise", drv)
    (path,) = two.bring([drv])
    with pytest.raises(DenizenError) as caught:
        two.realise([path])
    assert caught.value.what
    assert caught.value.why


def full(path: StorePath) -> str:
    return path.inside(NIX_STORE).decode()
