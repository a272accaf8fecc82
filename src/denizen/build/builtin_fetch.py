"""`builtin:fetch`: a file from a URL, known by its hash beforehand (pure).

Variables: `urls` (a line each, tried in order), `size` (bytes it has, where known), `executable`
(`1`: the file is made so; its hash is then over the NAR). The hash stands in the output.
"""

from __future__ import annotations

from denizen.build import derivation as derivations
from denizen.build.builtin_derivations import OUT, Variables, recipe, table
from denizen.build.derivation import BadDerivation, FixedOutput
from denizen.errors import SourceFailed, display
from denizen.formats import storepath
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.formats.storepath import Method
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.formats.hashes import Hash

BUILDER = b"builtin:fetch"
# What is read from a URL that is not said to hold more; beyond it the hash cannot come right anyway.
MAX_SIZE = 64 * 1024**3
SCHEMES = (b"https://", b"http://", b"file://")


class NotFetched(SourceFailed):
    """No URL gave the file that was promised.

    Attributes:
        promised: the hash it must have.
        tried: each URL with what happened there.
        unreached: one of them gave no answer at all.
    """

    name: str
    promised: str
    tried: tuple[tuple[str, str], ...]
    unreached: bool = False
    WHAT = "'{name}' could not be fetched; nothing of it is kept"

    @property
    def why(self) -> str:
        lines = [f"{display(url)}: {problem}" for url, problem in self.tried]
        return "\n".join([*lines, f"promised was {self.promised}"])

    @property
    def remedy(self) -> str:
        if self.unreached:
            return "check the network or the proxy settings"
        return "a newer derivation: the file was replaced or thrown out since this one was written"


class WrongSize(SourceFailed):
    """A URL gives another number of bytes than promised; it is not read further.

    Attributes:
        at_least: bytes that came.
    """

    url: str
    promised: int
    at_least: int
    WHAT = "{url} gives another size"
    WHY = "{promised} bytes were expected, {at_least} came"


class NotOpened(SourceFailed):
    """A URL gives nothing.

    Attributes:
        answered: somebody answered, but not with the file.
    """

    url: str
    reason: str
    answered: bool = False
    WHAT = "{url} cannot be read"
    WHY = "{reason:text}"


@value
class Fetch:
    """What is to be fetched.

    Attributes:
        content: what the result must hash to.
        limit: how many bytes may be read.
        exact: whether it must be exactly so many.
    """

    urls: tuple[str, ...]
    content: FixedOutput
    limit: int = MAX_SIZE
    exact: bool = False
    executable: bool = False


def fetching(urls: Sequence[str], content: Hash, store_dir: bytes, *, size: int | None = None) -> Derivation:
    """The recipe for a plain file."""
    variables = {b"urls": table([[url.encode()] for url in urls])}
    if size is not None:
        variables[b"size"] = b"%d" % size
    return recipe(BUILDER, variables, (), store_dir, _output(Method.FLAT, content))


def fetching_executable(urls: Sequence[str], nar: Hash, store_dir: bytes) -> Derivation:
    """The recipe for a file that is to be executed; `nar` is the hash of it as an archive."""
    variables = {b"urls": table([[url.encode()] for url in urls]), b"executable": b"1"}
    return recipe(BUILDER, variables, (), store_dir, _output(Method.RECURSIVE, nar))


def _output(method: Method, content: Hash) -> DerivationOutput:
    algorithm = f"{storepath.method_prefix(method)}{content.algorithm}"
    return DerivationOutput(b"", algorithm.encode("ascii"), content.hex.encode("ascii"))


def read(derivation: Derivation, variables: Variables) -> Fetch:
    """What a derivation wants fetched.

    Raises:
        BadDerivation: no hash, no URL, a scheme denizen does not fetch from, or no number for a size.
    """
    output = derivation.outputs.get(OUT)
    if output is None or not output.digest:
        raise BadDerivation(variables.name, "what is fetched must have a hash")
    urls = [row[0] for row in variables.rows(b"urls", 1)]
    for url in urls:
        if not url.startswith(SCHEMES) or not url.isascii():
            raise BadDerivation(variables.name, f"'{display(url)}' is not an http, https or file URL")
    if not urls:
        raise BadDerivation(variables.name, "it names no URL")
    size = variables.text(b"size", b"")
    if size and not (size.isdigit() and int(size) <= MAX_SIZE):
        raise BadDerivation(variables.name, f"'{display(size)}' is not a size")
    return Fetch(
        urls=tuple(url.decode("ascii") for url in urls),
        content=derivations.fixed_output(output, variables.name),
        limit=int(size) if size else MAX_SIZE,
        exact=bool(size),
        executable=variables.text(b"executable", b"") == b"1",
    )
