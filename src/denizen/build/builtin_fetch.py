"""`builtin:fetch`: a file from a URL, whose hash is known beforehand (pure).

Variables: `urls` (a line each, tried in order), `size` (bytes it has, where known), `executable`
(`1`: the file gets the execute bit; its hash is then over the NAR). The hash is in the output.
"""

from __future__ import annotations

from denizen.build import derivation as derivations
from denizen.build.builtin_derivations import OUT, recipe, table
from denizen.build.derivation import BadDerivation, FixedOutput
from denizen.errors import SourceFailed, display
from denizen.formats import storepath
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.formats.storepath import Method
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.build.builtin_variables import Variables
    from denizen.formats.hashes import Hash

BUILDER = b"builtin:fetch"
# Nix's own (libstore/builtins/fetchurl.cc): one `url`.
NIX_BUILDER = b"builtin:fetchurl"
# Bytes read at most from a URL whose size the derivation does not give.
MAX_SIZE = 64 * 1024**3
SCHEMES = (b"https://", b"http://", b"file://")


class NotFetched(SourceFailed):
    """No URL gave the expected file.

    Attributes:
        promised: the hash it must have.
        tried: each URL with what happened there.
        unreached: at least one URL gave no answer at all.
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
        return "another address or hash where this one is stated: the file was replaced or thrown out since"


class WrongSize(SourceFailed):
    """A URL gives another number of bytes than expected; reading was stopped.

    Attributes:
        promised: number of bytes expected.
        at_least: number of bytes received.
    """

    url: str
    promised: int
    at_least: int
    WHAT = "{url} gives another size"
    WHY = "{promised} bytes were expected, {at_least} came"


class NotOpened(SourceFailed):
    """A URL cannot be read.

    Attributes:
        answered: the server answered, but not with the file.
    """

    url: str
    reason: str
    answered: bool = False
    WHAT = "{url} cannot be read"
    WHY = "{reason:text}"


class Fetch(Value):
    """A file to be fetched.

    Attributes:
        urls: where to fetch it, tried in order.
        content: the hash the result must have.
        limit: number of bytes that may be read.
        exact: the file must have exactly `limit` bytes.
        executable: the file gets the execute bit.
    """

    urls: tuple[str, ...]
    content: FixedOutput
    limit: int = MAX_SIZE
    exact: bool = False
    executable: bool = False


def fetching(urls: Sequence[str], content: Hash, store_dir: bytes, *, size: int | None = None) -> Derivation:
    """Return the recipe for a plain file.

    `content` is the hash of its bytes, `size` their number if known.
    """
    variables = {b"urls": table([[url.encode()] for url in urls])}
    if size is not None:
        variables[b"size"] = b"%d" % size
    return recipe(BUILDER, variables, (), store_dir, _output(Method.FLAT, content))


def fetching_executable(urls: Sequence[str], nar: Hash, store_dir: bytes) -> Derivation:
    """Return the recipe for a file with the execute bit; `nar` is the hash of its NAR."""
    variables = {b"urls": table([[url.encode()] for url in urls]), b"executable": b"1"}
    return recipe(BUILDER, variables, (), store_dir, _output(Method.RECURSIVE, nar))


def _output(method: Method, content: Hash) -> DerivationOutput:
    algorithm = f"{storepath.method_prefix(method)}{content.algorithm}"
    return DerivationOutput(b"", algorithm.encode("ascii"), content.hex.encode("ascii"))


def _urls(derivation: Derivation, variables: Variables) -> list[bytes]:
    if derivation.builder != NIX_BUILDER:
        return [row[0] for row in variables.rows(b"urls", 1)]
    if variables.text(b"unpack", b"") == b"1":
        raise BadDerivation(variables.name, "it unpacks what it fetches, which denizen does not")
    return [variables.text(b"url")]


def read(derivation: Derivation, variables: Variables) -> Fetch:
    """Return the fetch that a derivation describes.

    Raises:
        BadDerivation: no hash, no URL, a scheme denizen does not fetch from, or a size that is no number.
    """
    output = derivation.outputs.get(OUT)
    if output is None or not output.digest:
        raise BadDerivation(variables.name, "what is fetched must have a hash")
    urls = _urls(derivation, variables)
    for url in urls:
        if not url.startswith(SCHEMES) or not url.isascii():
            raise BadDerivation(variables.name, f"'{display(url)}' is not an http, https or file URL")
    if not urls:
        raise BadDerivation(variables.name, "it names no URL")
    size = variables.text(b"size", b"")
    if size and not (size.isdigit() and len(size) <= 19 and int(size) <= MAX_SIZE):
        raise BadDerivation(variables.name, f"'{display(size)}' is not a size")
    return Fetch(
        urls=tuple(url.decode("ascii") for url in urls),
        content=derivations.fixed_output(output, variables.name),
        limit=int(size) if size else MAX_SIZE,
        exact=bool(size),
        executable=variables.text(b"executable", b"") == b"1",
    )
