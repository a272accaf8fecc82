"""`denizen store`: low-level access to the store."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.commands import gc, store_closures, store_upkeep
from denizen.cli.options import Option, Positional, UsageError
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.store.nar_digest import Digest


# Bytes of a file that are hashed at a time.
_PIECE = 1024 * 1024


def _add(parsed: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import made_store
    from denizen.cli.views.store_view import document, shown
    from denizen.cli.views.work_progress import Meter
    from denizen.store.collection.gc_roots import add_indirect
    from denizen.store.upkeep.optimise import optimise

    name, link = parsed.text("name"), parsed.text("add-root")
    sources = [os.fsencode(source) for source in parsed.texts("PATH")]
    if len(sources) > 1 and (name or link):
        raise UsageError("store add", "--name and --add-root are for one PATH")
    with (
        made_store(context.session) as store,
        store.working() as work,
        Meter(context.output, "adding", "bytes") as meter,
    ):
        wanted = ((_absolute(source), name or _name_of(source)) for source in sources)
        added = work.add_all(wanted, meter.advance)
        if link:
            add_indirect(store.layout, os.fsencode(link), added[0].path)
        if parsed.flag("optimise"):
            for info in added:
                optimise(store, info.path)
        context.show(
            lambda: [document(store, info) for info in added],
            (shown(store.place_of(info.path)) for info in added),
        )
    return 0


def _absolute(path: bytes) -> bytes:
    """Return an absolute path without following a link at its end, as the link itself is added then."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path) or b".")


def _name_of(path: bytes) -> str:
    return os.fsdecode(os.path.basename(os.path.abspath(path)))


def _dump(parsed: Parsed, context: Context) -> int:
    from denizen.cli.views.work_progress import Meter
    from denizen.store.errors import doing
    from denizen.store.trees.dump import BUFFER, dump

    buffer = memoryview(bytearray(BUFFER))

    def write(piece: memoryview) -> memoryview:
        context.output.raw(piece)
        meter.advance(len(piece))
        return buffer

    path = os.fsencode(parsed.required("PATH"))
    with doing("dump", path), Meter(context.output, "writing", "bytes") as meter:
        dump(_absolute(path), write, buffer)
    return 0


def _restore(parsed: Parsed, context: Context) -> int:
    from denizen.cli.views.work_progress import Meter, MeteredStream
    from denizen.nar.reader import read
    from denizen.store.errors import doing
    from denizen.store.trees.restore import restore_new

    destination = os.fsencode(parsed.required("DEST"))
    with (
        doing("restore", destination),
        open(0, "rb", buffering=0, closefd=False) as stream,
        Meter(context.output, "restoring", "bytes", os.fstat(0).st_size or None) as meter,
    ):
        restore_new(read(MeteredStream(stream, meter)), os.path.abspath(destination))
    context.report(lambda: {"path": display(os.path.abspath(destination))}, ())
    return 0


def _hash(parsed: Parsed, context: Context) -> int:
    from denizen.formats.hashes import Hash

    digest = _digest(os.fsencode(parsed.required("PATH")), context)
    found = Hash("sha256", digest.nar_hash)
    if context.json:
        forms = {"sri": found.sri, "base32": found.base32, "hex": found.hex, "nar_size": digest.nar_size}
        context.output.document(forms)
    elif parsed.flag("sri"):
        context.output.line(found.sri)
    else:
        context.output.line(found.base32 if parsed.flag("base32") else found.hex)
    return 0


def _digest(path: bytes, context: Context) -> Digest:
    from denizen.cli.views.work_progress import Meter
    from denizen.store.errors import doing
    from denizen.store.trees.nar_hashing import Digester, digest_tree

    with doing("hash", path), Meter(context.output, "hashing", "bytes") as meter:
        return digest_tree(_absolute(path), Digester(), meter.advance)


def _path_for(parsed: Parsed, context: Context) -> int:
    from denizen.formats.hashes import Hash
    from denizen.formats.storepath import Method, for_fixed, for_source

    path = os.fsencode(parsed.required("PATH"))
    name = parsed.text("name") or _name_of(path)
    store_dir = _logical(parsed, context)
    algorithm = parsed.text("fixed")
    if algorithm and not parsed.flag("recursive"):
        found = for_fixed(name, Method.FLAT, Hash(algorithm, _flat(path, algorithm, context)), store_dir)
    elif algorithm and algorithm != "sha256":
        found = for_fixed(
            name, Method.RECURSIVE, Hash(algorithm, _recursive(path, algorithm, context)), store_dir
        )
    else:
        found = for_source(name, Hash("sha256", _digest(path, context).nar_hash), (), store_dir)
    place = os.fsdecode(found.inside(store_dir))
    context.show(lambda: {"path": place}, (place,))
    return 0


def _logical(parsed: Parsed, context: Context) -> bytes:
    """Return the store directory that is part of computed paths.

    It is the one in --store-dir, or the store's own, whether the store exists or not.
    """
    from denizen.app.supply.store_access import open_store, store_directory
    from denizen.store.object_errors import NoStore

    asked = parsed.text("store-dir")
    if asked is not None:
        return os.fsencode(asked)
    try:
        return open_store(context.session).layout.logical
    except NoStore:
        return store_directory(context.session)


def _flat(path: bytes, algorithm: str, context: Context) -> bytes:
    import hashlib

    from denizen.cli.views.work_progress import Meter
    from denizen.disk import open_regular
    from denizen.store.errors import doing

    running = hashlib.new(algorithm)
    with (
        doing("hash", path),
        open(path, "rb", buffering=0, opener=open_regular) as stream,
        Meter(context.output, "hashing", "bytes") as meter,
    ):
        while piece := stream.read(_PIECE):
            running.update(piece)
            meter.advance(len(piece))
    return running.digest()


def _recursive(path: bytes, algorithm: str, context: Context) -> bytes:
    import hashlib

    from denizen.cli.views.work_progress import Meter
    from denizen.store.errors import doing
    from denizen.store.trees.dump import BUFFER, dump

    running = hashlib.new(algorithm)
    buffer = memoryview(bytearray(BUFFER))

    def take(piece: memoryview) -> memoryview:
        running.update(piece)
        meter.advance(len(piece))
        return buffer

    with doing("hash", path), Meter(context.output, "hashing", "bytes") as meter:
        dump(_absolute(path), take, buffer)
    return running.digest()


def _info(parsed: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import object_named, open_store
    from denizen.cli.views.store_view import document

    with open_store(context.session) as store:
        found = [document(store, store.info(object_named(store, text))) for text in parsed.texts("PATH")]
    if context.json:
        context.output.document(found)
        return 0
    for one in found:
        for key, text in one.items():
            rows = text if isinstance(text, list) else [text]
            for row in rows:
                context.output.line(f"{key.replace('_', '-') + ':':17}{'' if row is None else row}")
    return 0


def _references(parsed: Parsed, context: Context) -> int:
    return _query(parsed, context, lambda store, path: store.info(path).references)


def _referrers(parsed: Parsed, context: Context) -> int:
    return _query(parsed, context, lambda store, path: store.referrers(path))


def _closure(parsed: Parsed, context: Context) -> int:
    return _query(parsed, context, lambda store, path: store.closure([path]))


def _query(parsed: Parsed, context: Context, ask: Question) -> int:
    from denizen.app.supply.store_access import object_named, open_store

    with open_store(context.session) as store:
        starts = [object_named(store, text) for text in parsed.texts("PATH")]
        _show(store, context, sorted({found for start in starts for found in ask(store, start)}))
    return 0


def _list(_: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import open_store
    from denizen.cli.views.store_view import document

    with open_store(context.session) as store:
        if context.json:
            context.output.document([document(store, info) for info in store.database.infos()])
        else:
            _show(store, context, store.database.paths())
    return 0


def _show(store: Store, context: Context, paths: Iterable[StorePath]) -> None:
    from denizen.cli.views.store_view import shown

    lines = [shown(store.place_of(path)) for path in paths]
    context.show(lambda: lines, lines)


if TYPE_CHECKING:
    from collections.abc import Callable

    Question = Callable[[Store, StorePath], Iterable[StorePath]]

_OBJECTS = (Positional("PATH", "objects, or anything in them or leading to them", many=True),)
_NAME = Option(("--name",), "the name in the store, if not the file's own", metavar="NAME")

COMMANDS = (
    Command(
        ("store", "add"),
        "copy trees in; prints their store paths",
        _add,
        (Positional("PATH", "files or directories", many=True),),
        (
            _NAME,
            Option(("--add-root",), "make LINK lead to it and keep it while LINK exists", metavar="LINK"),
            Option(("--optimise",), "hard-link files that are in the store already"),
        ),
    ),
    Command(
        ("store", "dump"),
        "write a tree's NAR to stdout",
        _dump,
        (Positional("PATH", "file or directory"),),
        is_text=True,
    ),
    Command(
        ("store", "restore"),
        "unpack the NAR on stdin",
        _restore,
        (Positional("DEST", "what to make; must not exist"),),
    ),
    Command(
        ("store", "hash"),
        "the SHA-256 of a tree's NAR",
        _hash,
        (Positional("PATH", "file or directory"),),
        (Option(("--base32",), "in Nix base 32"), Option(("--sri",), "as sha256-BASE64")),
    ),
    Command(
        ("store", "path-for"),
        "the store path 'add' would give; nothing is added",
        _path_for,
        (Positional("PATH", "file or directory"),),
        (
            _NAME,
            Option(("--store-dir",), "the store directory to compute it for (/nix/store)", metavar="DIR"),
            Option(
                ("--fixed",),
                "as a fixed output of that hash: of the file, or with --recursive of its NAR",
                metavar="ALGORITHM",
                choices=("md5", "sha1", "sha256", "sha512"),
            ),
            Option(("--recursive",), "with --fixed, hash the NAR"),
        ),
    ),
    Command(("store", "info"), "what is registered of objects", _info, _OBJECTS),
    Command(("store", "references"), "the objects they mention", _references, _OBJECTS),
    Command(("store", "referrers"), "the objects that mention them", _referrers, _OBJECTS),
    Command(("store", "closure"), "they and all they mention, directly or not", _closure, _OBJECTS),
    Command(("store", "list"), "all valid objects", _list),
    *gc.IN_STORE,
    *store_closures.COMMANDS,
    *store_upkeep.COMMANDS,
)
