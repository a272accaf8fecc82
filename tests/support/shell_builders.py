"""Derivations whose builder is this machine's shell, built in a sandbox that shows /usr."""

import os
from collections.abc import Mapping
from pathlib import Path

from denizen.build.build_plan import add_derivation
from denizen.build.derivation import Sealed
from denizen.build.realise import RealiseOptions, realise
from denizen.build.runner.build_settings import BuildSettings
from denizen.formats import aterm
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.formats.storepath import StorePath
from denizen.store.local import Store
from tests.support.derivations import BuildStore
from tests.support.nix_builds import settings

SYSTEM = os.uname().machine.encode() + b"-linux"
# $out is not cut where the place of the tests has a blank in its name.
_WHOLE_WORDS = b"IFS='\n'\n"


def program(
    script: str,
    variables: Mapping[str, str] | None = None,
    *,
    inputs: Mapping[bytes, tuple[bytes, ...]] | None = None,
    sources: tuple[bytes, ...] = (),
    outputs: Mapping[bytes, DerivationOutput] | None = None,
) -> Derivation:
    """Return a derivation whose builder is /bin/sh with a script."""
    environment = {name.encode(): text.encode() for name, text in (variables or {}).items()}
    return Derivation(
        dict(outputs or {b"out": DerivationOutput(b"")}),
        dict(inputs or {}),
        sources,
        SYSTEM,
        b"/bin/sh",
        (b"-e", b"-c", _WHOLE_WORDS + script.encode()),
        {b"PATH": b"/bin", **environment},
    )


class Site:
    """A workshop whose derivations are built by programs."""

    def __init__(self, directory: Path) -> None:
        self.shop = BuildStore(directory)
        self.heard: list[tuple[str, bytes]] = []

    def derive(self, name: str, script: str, variables: Mapping[str, str] | None = None) -> Sealed:
        """Seal a derivation and put its file into the store."""
        return self.shop.derive(name, program(script, variables))

    def settings(self, **changes: object) -> BuildSettings:
        """Return the settings, with what builders say remembered."""
        return settings(**{"heard": lambda name, piece: self.heard.append((name, piece)), **changes})

    def realise(self, *wanted: Sealed, **changes: object) -> dict[StorePath, Sealed]:
        """Build derivations, two at once; from any thread."""
        options = RealiseOptions(self.shop.opener, 2, ordinary=self.settings(**changes))
        with Store.open(self.shop.store.layout.physical) as store:
            return realise(store, [one.path for one in wanted], options)

    def add(self, name: str, derivation: Derivation) -> StorePath:
        """Put the file of a derivation into the store whose output paths follow from content."""
        with self.shop.store.working() as work:
            return add_derivation(self.shop.store, work, name, aterm.render(derivation))

    def realise_paths(self, path: StorePath, **changes: object) -> Mapping[bytes, StorePath]:
        """Build a derivation; return its outputs."""
        options = RealiseOptions(self.shop.opener, 2, ordinary=self.settings(**changes))
        return realise(self.shop.store, [path], options)[path].outputs

    def output(
        self, name: str, script: str, variables: Mapping[str, str] | None = None, **changes: object
    ) -> Path:
        """Build a derivation; return where its output is."""
        sealed = self.derive(name, script, variables)
        self.realise(sealed, **changes)
        return self.shop.place(sealed)

    def built_with(
        self, name: str, script: str, variables: Mapping[str, str], source: Path, **changes: object
    ) -> Path:
        """Build a derivation that has the object at `source` among its inputs; return where its output is."""
        derivation = program(script, variables, sources=(os.fsencode(source),))
        sealed = self.shop.derive(name, derivation)
        self.realise(sealed, **changes)
        return self.shop.place(sealed)

    @property
    def said(self) -> bytes:
        """All that builders said."""
        return b"".join(piece for _, piece in self.heard)
