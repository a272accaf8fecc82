"""Realisation of derivations: those in the store, and files elsewhere."""

from __future__ import annotations

import os

from denizen.app.builds.derivation_files import derivation_named
from denizen.app.builds.out_links import add_out_links, refuse_taken
from denizen.app.supply.store_access import made_store
from denizen.build.realise import RealiseOptions, realise
from denizen.build.runner.build_limits import BuildLimits
from denizen.build.runner.build_settings import FEATURES, BuildSettings, SandboxPath
from denizen.host import machine_name, processors
from denizen.launch.loader.binaries import enter_path
from denizen.sources.proxies import proxies_from
from denizen.sources.transport import HttpSettings
from denizen.sources.url_opener import UrlOpener
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from denizen.app.session import Session
    from denizen.build.realise import Listener

_KVM = "/dev/kvm"


class RealiseFilesRequest(Value):
    """A request to realise derivations.

    Attributes:
        files: derivations' files, in the store or elsewhere.
        jobs: derivations built at once; 0 for one a processor.
        cores: processors that one build may use; 0 for all.
        limits: when the builder of one build is stopped.
        sandbox: builders run in a sandbox.
        paths: paths of this machine that sandboxes show: `TARGET`, `TARGET=SOURCE`, with `?` if optional.
        keep_failed: the directory in which the directories of failed builds are kept; "" to keep none.
        check: build once more, and compare.
        keep_going: after a failure, build what does not depend on it all the same.
        listener: is told of builds that begin and end.
        heard: is given what builders say, with the derivation's name.
        link: the link that is made to what was built; "" to make none.
    """

    files: tuple[str, ...]
    listener: Listener
    heard: Callable[[str, bytes], None]
    jobs: int = 0
    cores: int = 0
    limits: BuildLimits = BuildLimits()
    sandbox: bool = True
    paths: tuple[str, ...] = ()
    keep_failed: str = ""
    check: bool = False
    keep_going: bool = False
    link: str = ""


def realise_files(session: Session, request: RealiseFilesRequest) -> dict[str, dict[str, bytes]]:
    """Make the outputs of derivations valid; return the path of each on disk, by base name and output.

    Raises what `denizen.build.realise.realise` raises, and OutLinkTaken.
    """
    if request.link:
        refuse_taken(request.link)
    jobs = request.jobs or processors()
    opener = UrlOpener(HttpSettings(proxies=proxies_from(session.environ)), jobs)
    with made_store(session) as store, store.working() as work:
        wanted = [derivation_named(store, file) for file in request.files]
        settings = build_settings(session, request)
        options = RealiseOptions(
            opener,
            jobs,
            request.listener,
            ordinary=settings,
            before_unpacking=lambda: _bring_decoder(session),
            keep_going=request.keep_going,
        )
        sealed = realise(store, wanted, options)
        made = {
            path.base: {name.decode("ascii"): store.place_of(output) for name, output in one.outputs.items()}
            for path, one in sealed.items()
        }
        if request.link:
            paths = [output for one in sealed.values() for output in one.outputs.values()]
            if work.need(paths) < set(paths):
                # A collection came between: what is there no more is made again.
                realise(store, wanted, options)
            add_out_links(store.layout, made, request.link)
        return made


def _bring_decoder(session: Session) -> None:
    from denizen.app.supply.liblzma_setup import bring_decoder

    bring_decoder(session)


def build_settings(session: Session, request: RealiseFilesRequest) -> BuildSettings:
    """Return the settings of builds that run programs."""
    machine = machine_name()
    kvm = {b"kvm"} if os.access(_KVM, os.R_OK | os.W_OK) else set()
    return BuildSettings(
        enter=os.fsencode(enter_path(machine)),
        machine=machine,
        sandbox=request.sandbox,
        paths=tuple([sandbox_path(text) for text in request.paths]),
        cores=request.cores or processors(),
        limits=request.limits,
        keep_failed=os.fsencode(os.path.abspath(request.keep_failed)) if request.keep_failed else None,
        check=request.check,
        features=FEATURES | kvm,
        environ=_bytes_of(session.environ),
        heard=request.heard,
    )


def sandbox_path(text: str) -> SandboxPath:
    """Return the path that a word of the command line or a setting names, as Nix's `sandbox-paths` does."""
    optional = text.endswith("?")
    target, found, source = text.removesuffix("?").partition("=")
    return SandboxPath(
        os.fsencode(os.path.normpath(target)), os.fsencode(source if found else target), optional
    )


def _bytes_of(environ: Mapping[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(text) for name, text in environ.items()}
