"""Take what a builder left: check it, name it, and prepare it for registration.

Nothing of the build runs any more when this begins. Outputs are moved out of the build's directory, get
canonical metadata, and are scanned for references. An output whose path follows from its content is named,
and then rewritten so that it mentions itself by that name. What was built with the network is copied: a
process elsewhere may hold one of the original files open for writing (CVE-2024-27297).
"""

from __future__ import annotations

import os
import stat

from denizen.build.runner.errors import BadOutput, NoOutput, OutputHashMismatch
from denizen.build.runner.hash_rewriting import PieceStream, digest_modulo, rewriting
from denizen.build.runner.output_plan import content_address, floating_path, refuse_cycle
from denizen.formats.hashes import Hash
from denizen.formats.storepath import Method
from denizen.formats.stream import BLOCK
from denizen.nar import writer
from denizen.store.errors import doing
from denizen.store.staged_tree import Adoption
from denizen.store.trees.tree_reader import entries
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from denizen.build.build_task import Build
    from denizen.build.runner.output_plan import PlannedOutput
    from denizen.bytesio import Buffer
    from denizen.formats.storepath import StorePath
    from denizen.store.nar_digest import Digest


class Left(Value):
    """The outputs as a builder left them.

    Attributes:
        directory: where outputs are, by their base names.
        planned: the outputs, sorted by name.
        closure: the objects that outputs may refer to.
        copied: outputs are copied before they are looked at.
    """

    directory: bytes
    planned: tuple[PlannedOutput, ...]
    closure: tuple[StorePath, ...]
    copied: bool


def take_outputs(task: Build, left: Left) -> dict[bytes, Adoption]:
    """Return the outputs ready for registration, by name.

    Raises:
        NoOutput, BadOutput, OutputHashMismatch, OutputCycle: the builder did not do what it had to.
        NotStorable, TooDeep: an output holds what no object can hold.
    """
    trees = {output.name: _moved(task, left, output) for output in left.planned}
    scratch = [output.scratch for output in left.planned]
    digests = {name: task.work.settle(tree, [*left.closure, *scratch]) for name, tree in trees.items()}
    by_digest = {output.scratch.digest.encode("ascii"): output.name for output in left.planned}
    mentions = {
        name: [by_digest[found] for found in digest.mentions if found in by_digest]
        for name, digest in digests.items()
    }
    planned = {output.name: output for output in left.planned}
    done: dict[bytes, Adoption] = {}
    for name in refuse_cycle(task.name, mentions):
        found = _LeftOutput(planned[name], trees[name], digests[name])
        done[name] = _finished(task, left, found, {other: done[other].path for other in done})
    return {name: done[name] for name in planned}


class _LeftOutput(Value):
    """An output as the builder left it: its plan, its tree with canonical metadata, its digest."""

    planned: PlannedOutput
    tree: bytes
    digest: Digest


def _moved(task: Build, left: Left, output: PlannedOutput) -> bytes:
    """Move an output to a temporary name of the store; return its path."""
    place = output.scratch.inside(left.directory)
    try:
        facts = os.lstat(place)
    except FileNotFoundError:
        raise NoOutput(task.name, output.name, output.scratch.inside(task.store.layout.logical)) from None
    if not stat.S_ISLNK(facts.st_mode) and facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        # As Nix: with such a mode others could have written to it while it was built.
        raise BadOutput(
            task.name, output.name, f"its mode is {stat.S_IMODE(facts.st_mode):04o}: others may write to it"
        )
    tree = task.work.new_tree()
    with doing("take the output at", place):
        if stat.S_ISDIR(facts.st_mode):
            # rename(2) writes to a directory that changes its parent.
            os.chmod(place, stat.S_IRWXU)
        os.rename(place, tree)
    if not left.copied:
        return tree
    with doing("copy the output at", tree):
        return task.work.tree_of(PieceStream(writer.write(entries(tree))))


def _finished(task: Build, left: Left, found: _LeftOutput, others: Mapping[bytes, StorePath]) -> Adoption:
    """Return an output with its own path; `others` are the paths of those it may mention."""
    renamed = _renamed(left.planned, others)
    if found.planned.floating is not None:
        return _named_by_content(task, left, _rewritten(task, left, found, renamed, others), others)
    final = found.planned.final
    assert final is not None  # of an output that is not floating it is known
    if found.planned.fixed is not None:
        return _verified(task, found, final)
    candidates = (*left.closure, *others.values())
    renamed |= _pair(found.planned.scratch, final)
    found = _rewritten(task, left, found, renamed, {**others, found.planned.name: final})
    return Adoption(found.tree, found.digest, final, candidates, task.sealed.path)


def _renamed(planned: Sequence[PlannedOutput], others: Mapping[bytes, StorePath]) -> dict[bytes, bytes]:
    pairs: dict[bytes, bytes] = {}
    for output in planned:
        if output.name in others:
            pairs |= _pair(output.scratch, others[output.name])
    return pairs


def _pair(scratch: StorePath, final: StorePath) -> dict[bytes, bytes]:
    return {} if scratch == final else {scratch.digest.encode("ascii"): final.digest.encode("ascii")}


def _rewritten(
    task: Build,
    left: Left,
    found: _LeftOutput,
    renamed: Mapping[bytes, bytes],
    others: Mapping[bytes, StorePath],
) -> _LeftOutput:
    """Return an output that mentions no scratch path in `renamed`; the same where it does not anyway."""
    wanted = {old: new for old, new in renamed.items() if old in found.digest.mentions}
    if not wanted:
        return found
    with doing("rewrite the output at", found.tree):
        pieces = rewriting(writer.write(entries(found.tree)), wanted)
        # Names that had a hash in them may sort elsewhere now.
        tree = task.work.tree_of(PieceStream(pieces), ordered=False)
    digest = task.work.settle(tree, [*left.closure, *others.values(), found.planned.scratch])
    return _LeftOutput(found.planned, tree, digest)


def _named_by_content(
    task: Build, left: Left, found: _LeftOutput, others: Mapping[bytes, StorePath]
) -> Adoption:
    assert found.planned.floating is not None
    method, algorithm = found.planned.floating
    own = found.planned.scratch.digest.encode("ascii")
    content = Hash(algorithm, digest_modulo(_hashed(task, found, method), algorithm, own))
    known = {path.digest.encode("ascii"): path for path in (*left.closure, *others.values())}
    references = sorted(known[mentioned] for mentioned in found.digest.mentions if mentioned in known)
    final = floating_path(
        found.planned.scratch.name, method, content, references, task.store.layout.logical,
        itself=own in found.digest.mentions,
    )  # fmt: skip
    if final is None:
        reason = "it mentions store objects, and only an output that is named by a recursive sha256 may"
        raise BadOutput(task.name, found.planned.name, reason)
    found = _rewritten(task, left, found, _pair(found.planned.scratch, final), {**others, b"": final})
    address = content_address(method, content)
    return Adoption(
        found.tree, found.digest, final, (*left.closure, *others.values()), task.sealed.path, address
    )


def _verified(task: Build, found: _LeftOutput, final: StorePath) -> Adoption:
    """Return a fixed output. Raises OutputHashMismatch, and BadOutput if it refers to objects."""
    fixed = found.planned.fixed
    assert fixed is not None
    import hashlib  # OpenSSL, 2.7 ms

    digest = hashlib.new(fixed.content.algorithm, usedforsecurity=False)
    for piece in _hashed(task, found, fixed.method):
        digest.update(piece)
    content = Hash(fixed.content.algorithm, digest.digest())
    if content != fixed.content:
        raise OutputHashMismatch(task.name, fixed.content.sri, content.sri)
    if found.digest.mentions:
        reason = "its content is known beforehand, so it must not mention store objects"
        raise BadOutput(task.name, found.planned.name, reason)
    address = content_address(fixed.method, content)
    return Adoption(found.tree, found.digest, final, (), task.sealed.path, address)


def _hashed(task: Build, found: _LeftOutput, method: Method) -> Iterator[Buffer]:
    """Yield what is hashed: the NAR, or the content of what must be a plain file."""
    if method is Method.RECURSIVE:
        yield from writer.write(entries(found.tree))
        return
    facts = os.lstat(found.tree)
    if not stat.S_ISREG(facts.st_mode) or facts.st_mode & stat.S_IXUSR:
        reason = (
            "it must be a file that is not executable, as its hash is that of a file (outputHashMode flat)"
        )
        raise BadOutput(task.name, found.planned.name, reason)
    with open(found.tree, "rb", buffering=0) as stream:
        while piece := stream.read(BLOCK):
            yield piece
