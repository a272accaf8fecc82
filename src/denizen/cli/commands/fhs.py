"""`denizen fhs`: environments with a whole /usr, entered without root."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_policy
from denizen.cli.options import Option, Positional, UsageError
from denizen.errors import DenizenError, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.fhs.generations import Generation, Settings
    from denizen.fhs.mounts import BindMount


class InUse(DenizenError):
    """The error that an environment is not removed while processes are in it."""

    name: str
    processes: tuple[int, ...]
    places: tuple[str, ...]
    WHAT = "the environment {name} is in use"
    REMEDY = "end them, and denizen fhs umount, first; or --force: they keep what they have open"

    @property
    def why(self) -> str:
        by = f"by the processes {', '.join(map(str, self.processes[:20]))}" if self.processes else ""
        at = f"mounted at {', '.join(self.places)}" if self.places else ""
        return "; ".join(part for part in (by, at) if part)


def _create(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments import fhs_create
    from denizen.app.environments.fhs_enter import write_launcher

    settings = settings_of(parsed)
    policy = fetch_policy(parsed, "fhs create")
    name = parsed.required("NAME")
    if parsed.flag("plan"):
        return _show_plan(parsed, context, settings)
    made = fhs_create.create(context.session, name, settings, policy)
    write_launcher(context.session, name, made)
    if context.json:
        context.output.document(_document(context, name, made))
    else:
        context.output.line(
            f"{name}: generation {made.number}, {len(made.parts)} packages; denizen fhs enter {name}"
        )
    return 0


def _show_plan(parsed: Parsed, context: Context, settings: Settings) -> int:
    from denizen.app.environments import fhs_create
    from denizen.app.formatting import human_size

    members = fhs_create.plan(context.session, settings, fetch_policy(parsed, "fhs create"))
    if context.json:
        context.output.document(
            [
                {
                    "name": display(one.package.package),
                    "version": display(one.package.version),
                    "arch": display(one.package.package_architecture),
                    "suite": one.package.suite,
                    "size": one.package.size,
                    "wanted_by": display(one.asker) if one.asker else None,
                }
                for one in members
            ]
        )
        return 0
    for one in members:
        by = f"for {display(one.asker)}" if one.asker else "wanted"
        context.output.line(f"  {display(one.package.package)} {display(one.package.version)}  {by}")
    size = sum(one.package.size for one in members)
    unpacked = sum(one.package.installed_size for one in members) * 1024
    context.output.line(
        f"{len(members)} packages: {human_size(size)} to fetch, {human_size(unpacked)} unpacked"
    )
    return 0


def settings_of(parsed: Parsed) -> Settings:
    """Return the settings for the options of `create`. Raises UsageError."""
    from denizen.app.supply.own_architecture import own_architecture
    from denizen.fhs.generations import Settings

    return Settings(
        packages=tuple(sorted(dict.fromkeys(parsed.texts("PACKAGE")))),
        suites=parsed.texts("suite"),
        architectures=tuple(dict.fromkeys((own_architecture(), *parsed.texts("arch")))),
        locales=tuple(sorted(dict.fromkeys(parsed.texts("locale")))),
        bindings=tuple(_binding(text) for text in parsed.texts("bind")),
        environment=tuple(_variable(text) for text in parsed.texts("env")),
    )


def _binding(text: str) -> BindMount:
    from denizen.fhs.mounts import BindMount

    source, colon, target = text.partition(":")
    if not source.startswith("/") or (colon and not target.startswith("/")):
        raise UsageError("fhs create", f"{text!r} is not a binding", "--bind /srv/data:/data, both absolute")
    return BindMount(os.fsencode(source), os.fsencode(target or source))


def _variable(text: str) -> tuple[str, str]:
    name, equals, content = text.partition("=")
    if not equals or not name:
        raise UsageError("fhs create", f"{text!r} is not a variable", "--env NAME=VALUE")
    return name, content


def _enter(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_enter import start

    name = parsed.required("NAME")
    words = parsed.texts("ARG")
    return start(context.session, name, [os.fsencode(word) for word in words] if words else None)


def _run(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_enter import start

    words = (parsed.required("CMD"), *parsed.texts("ARG"))
    return start(context.session, parsed.required("NAME"), [os.fsencode(word) for word in words])


def _list(parsed: Parsed, context: Context) -> int:
    from denizen.fhs.generations import OWN_PREFIXES, EnvironmentStore

    environments = EnvironmentStore(context.session.paths.state)
    names = [name for name in environments.names() if parsed.flag("all") or not name.startswith(OWN_PREFIXES)]
    rows = [(name, environments.current(name), environments.numbers(name)) for name in names]
    lines = [
        f"{name}  generation {one.number} of {len(numbers)}, {len(one.parts)} packages: "
        f"{' '.join(one.settings.packages) or 'the base set'}"
        for name, one, numbers in rows
    ]
    context.show(
        lambda: [
            {
                "name": name,
                "generation": one.number,
                "generations": numbers,
                "packages": list(one.settings.packages),
            }
            for name, one, numbers in rows
        ],
        lines or ("there are no environments; denizen fhs create NAME PACKAGE… makes one",),
    )
    return 0


def _show(parsed: Parsed, context: Context) -> int:
    from denizen.fhs.generations import EnvironmentStore

    name = parsed.required("NAME")
    environments = EnvironmentStore(context.session.paths.state)
    one = environments.current(name)
    if context.json:
        context.output.document(_document(context, name, one))
        return 0
    for key, text in _document(context, name, one).items():
        if key not in ("parts", "name"):
            context.output.line(
                f"{key + ':':15}{' '.join(map(str, text)) if isinstance(text, list) else text}"
            )
    for part in one.parts:
        context.output.line(
            f"  {display(part.name)} {display(part.version)} {part.architecture}  {part.suite}"
        )
    return 0


def _document(context: Context, name: str, one: Generation) -> dict[str, object]:
    from denizen.app.formatting import local_time
    from denizen.app.supply.store_access import open_store
    from denizen.cli.views.store_view import shown

    with open_store(context.session) as store:
        tree = shown(store.place_of(one.tree))
    settings = one.settings
    return {
        "name": name,
        "generation": one.number,
        "made": local_time(one.made),
        "tree": tree,
        "packages": list(settings.packages),
        "suites": list(settings.suites),
        "architectures": list(settings.architectures),
        "locales": list(settings.locales),
        "bindings": [f"{os.fsdecode(b.source)}:{os.fsdecode(b.target)}" for b in settings.bindings],
        "environment": [f"{key}={text}" for key, text in settings.environment],
        "parts": [
            {
                "name": p.name,
                "version": p.version,
                "arch": p.architecture,
                "suite": p.suite,
                "sha256": p.sha256,
            }
            for p in one.parts
        ],
    }


def _rollback(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_enter import write_launcher
    from denizen.fhs.generations import EnvironmentStore, NoGeneration

    name = parsed.required("NAME")
    environments = EnvironmentStore(context.session.paths.state)
    current, numbers = environments.current(name).number, environments.numbers(name)
    wanted = parsed.text("to")
    if wanted is not None and not (wanted.isdecimal() and len(wanted) < 10):
        raise UsageError("fhs rollback", f"{wanted!r} is not a generation", "denizen fhs list shows them")
    earlier = [number for number in numbers if number < current]
    if wanted is None and not earlier:
        raise NoGeneration(name, current - 1, tuple(numbers))
    number = int(wanted) if wanted is not None else earlier[-1]
    environments.switch(name, number)
    write_launcher(context.session, name, environments.current(name))
    context.output.line(f"{name}: generation {number}")
    return 0


def _destroy(parsed: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import open_store
    from denizen.fhs.generations import EnvironmentStore, users
    from denizen.fhs.plain_chroot import places as standing_places

    name = parsed.required("NAME")
    environments = EnvironmentStore(context.session.paths.state)
    current = environments.current(name)
    with open_store(context.session) as store:
        trees = {environments.generation(name, number).tree for number in environments.numbers(name)} | {
            current.tree
        }
        inside = sorted(pid for tree in trees for pid in users(store.place_of(tree)))
        mounted = [display(place) for tree in trees for place in standing_places(store.place_of(tree))]
        if (inside or mounted) and not parsed.flag("force"):
            raise InUse(name, tuple(inside), tuple(mounted))
        environments.remove(name, store.layout)
    context.output.line(f"{name} is no more; denizen gc frees what nothing else uses")
    return 0


def _mount(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_enter import inside_of
    from denizen.fhs.generations import EnvironmentStore
    from denizen.fhs.plain_chroot import mount
    from denizen.store.errors import doing
    from denizen.value import replace

    name, place = parsed.required("NAME"), os.path.abspath(os.fsencode(parsed.required("DIR")))
    generation = EnvironmentStore(context.session.paths.state).current(name)
    with doing("mount at", place):
        os.makedirs(place, exist_ok=True)
        made = mount(replace(inside_of(context.session, name, generation), stage=place))
    word = "is now" if made else "was already"
    context.output.line(f"{display(place)} {word} {name}; chroot {display(place)} enters it")
    return 0


def _umount(parsed: Parsed, context: Context) -> int:
    from denizen.app.session import tools_of
    from denizen.fhs.plain_chroot import umount
    from denizen.store.errors import doing

    place = os.path.abspath(os.fsencode(parsed.required("DIR")))
    tools = tools_of(context.session)
    with doing("unmount", place):
        found = umount(place, tools.enter())
    context.output.line(f"{display(place)}: {'taken down' if found else 'nothing of ours is mounted there'}")
    return 0


_NAME = Positional("NAME", "the environment")
_ARGUMENTS = Positional("ARG", "its arguments", optional=True, rest=True)

COMMANDS = (
    Command(
        ("fhs", "create"),
        "make an environment, or its next generation",
        _create,
        (
            _NAME,
            Positional(
                "PACKAGE",
                "packages it has, besides the base set; NAME:i386 for another architecture",
                many=True,
                optional=True,
            ),
        ),
        (
            Option(("--suite",), "take packages from this suite", metavar="NAME", repeat=True),
            Option(("--arch",), "this architecture too (i386)", metavar="ARCH", repeat=True),
            Option(("--locale",), "have this locale (de_DE.UTF-8)", metavar="NAME", repeat=True),
            Option(("--bind",), "show SOURCE of the host at TARGET", metavar="SOURCE[:TARGET]", repeat=True),
            Option(("--env",), "set a variable for what runs in it", metavar="NAME=VALUE", repeat=True),
            Option(("--plan",), "print the packages and which packages need them; do nothing"),
            *FETCH_OPTIONS,
        ),
        description=(
            "Compose a whole /usr and /etc from packages and all they depend on, and a base set (shell,\n"
            "coreutils, C library, certificates, time zones). Maintainer scripts are not run; what they\n"
            "would have made and programs need is made by the tree's own tools in a sandbox. Nothing of\n"
            "the system is changed."
        ),
    ),
    Command(("fhs", "enter"), "a shell in an environment", _enter, (_NAME, _ARGUMENTS)),
    Command(
        ("fhs", "run"),
        "a command in an environment",
        _run,
        (_NAME, Positional("CMD", "the command, looked for in its PATH"), _ARGUMENTS),
    ),
    Command(
        ("fhs", "list"),
        "which environments there are",
        _list,
        options=(
            Option(("--all",), "those too that denizen made for programs (auto-…) and for builds (build-…)"),
        ),
    ),
    Command(("fhs", "show"), "what one is made of", _show, (_NAME,)),
    Command(
        ("fhs", "rollback"),
        "go back to the generation before",
        _rollback,
        (_NAME,),
        (Option(("--to",), "to this one", metavar="NUMBER"),),
    ),
    Command(
        ("fhs", "mount"),
        "make a directory a plain chroot of one; for root",
        _mount,
        (_NAME, Positional("DIR", "an empty directory; made if there is none")),
    ),
    Command(
        ("fhs", "umount"),
        "take such a chroot down",
        _umount,
        (_NAME, Positional("DIR", "the directory")),
    ),
    Command(
        ("fhs", "destroy"),
        "remove one with all its generations",
        _destroy,
        (_NAME,),
        (Option(("--force",), "also while processes are in it"),),
    ),
)
