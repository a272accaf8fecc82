"""Derivations that real Nix instantiates, built by real Nix and by denizen."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from denizen.build.build_plan import add_derivation
from denizen.build.realise import RealiseOptions, realise
from denizen.build.runner.build_settings import BuildSettings, SandboxPath
from denizen.formats import aterm_parser, storepath
from denizen.formats.storepath import NIX_STORE, StorePath
from denizen.host import machine_name
from denizen.launch.loader.binaries import enter_path
from denizen.store.local import Store
from tests.support.derivations import MemoryOpener
from tests.support.nix import PrivateNix

# The outputs of a derivation, by name.
Outputs = Mapping[bytes, StorePath]

# What both sandboxes show of this machine: a shell, and the programs that scripts call.
SHOWN = {"/bin": "/usr/bin", "/lib": "/usr/lib", "/lib64": "/usr/lib64", "/usr": "/usr"}


def settings(**changes: object) -> BuildSettings:
    """Return settings of builds in sandboxes that show `SHOWN`."""
    machine = machine_name()
    paths = tuple(SandboxPath(os.fsencode(target), os.fsencode(source)) for target, source in SHOWN.items())
    given: dict[str, object] = {
        "enter": os.fsencode(enter_path(machine)),
        "machine": machine,
        "paths": paths,
        "cores": 2,
    }
    return BuildSettings(**{**given, **changes})  # type: ignore[arg-type]  # names of its fields


def sandbox_configuration() -> str:
    """Return Nix's settings for the same sandboxes."""
    shown = " ".join(target if target == source else f"{target}={source}" for target, source in SHOWN.items())
    features = "benchmark big-parallel nixos-test"  # not kvm, which not every machine has
    return f"sandbox = true\nsandbox-paths = {shown}\ncores = 2\nsystem-features = {features}\n"


@dataclass(frozen=True)
class TwoStores:
    """A Nix with its own store, and a store of denizen's under the same name, /nix/store."""

    nix: PrivateNix
    store: Store

    def bring(self, drvs: Sequence[str]) -> list[StorePath]:
        """Copy derivations that Nix instantiated, and all they refer to, into denizen's store."""
        # Inputs first, as `nix-store --query --requisites` has them.
        for path in self.nix.lines("nix-store", "--query", "--requisites", *drvs):
            self._bring_one(storepath.parse(os.fsencode(path), NIX_STORE))
        return [storepath.parse(os.fsencode(drv), NIX_STORE) for drv in drvs]

    def _bring_one(self, path: StorePath) -> None:
        if self.store.is_valid(path):
            return
        place = self.nix.physical(path.inside(NIX_STORE))
        with self.store.working() as work:
            if path.name.endswith(".drv"):
                content = place.read_bytes()
                aterm_parser.parse(content)
                assert add_derivation(self.store, work, path.name.removesuffix(".drv"), content) == path
                return
            (said,) = json.loads(self.nix.run("nix", "path-info", "--json", path.inside(NIX_STORE).decode()))
            references = [storepath.parse(os.fsencode(one), NIX_STORE) for one in said["references"]]
            tree = work.new_tree()
            copied = os.fsdecode(tree)
            if place.is_dir() and not place.is_symlink():
                shutil.copytree(place, copied, symlinks=True)
            else:
                shutil.copyfile(place, copied, follow_symlinks=False)
            work.adopt(tree, path, references, content_address=said.get("ca"))

    def realise(self, drvs: Sequence[StorePath], **changes: object) -> dict[StorePath, Outputs]:
        """Build derivations by denizen; return their outputs."""
        options = RealiseOptions(MemoryOpener(), 2, ordinary=settings(**changes))
        made = realise(self.store, drvs, options)
        return {drv: made[drv].outputs for drv in drvs}

    def archive_by_nix(self, path: StorePath) -> bytes:
        """Return the NAR of an object in Nix's store."""
        return self.nix.run("nix-store", "--dump", self.nix.physical(path.inside(NIX_STORE)))

    def archive_here(self, path: StorePath) -> bytes:
        """Return the NAR of an object in denizen's store."""
        return self.nix.run("nix-store", "--dump", Path(os.fsdecode(self.store.place_of(path))))
