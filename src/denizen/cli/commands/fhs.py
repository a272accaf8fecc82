"""`denizen fhs`: environments with a whole /usr, entered without root."""

from __future__ import annotations

import os

from denizen.cli.arguments import parse_generation
from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_policy
from denizen.cli.options import Option, Positional, UsageError
from denizen.errors import display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.fhs.generations import Generation, Settings
    from denizen.fhs.mounts import BindMount


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
    from denizen.cli.views.fhs_view import plan_document, plan_lines

    members = fhs_create.plan(context.session, settings, fetch_policy(parsed, "fhs create"))
    context.show(lambda: plan_document(members), plan_lines(members))
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
    from denizen.cli.views.fhs_view import list_document, list_lines
    from denizen.fhs.generations import OWN_PREFIXES, EnvironmentStore

    environments = EnvironmentStore(context.session.paths.state)
    names = [name for name in environments.names() if parsed.flag("all") or not name.startswith(OWN_PREFIXES)]
    rows = [(name, environments.current(name), environments.numbers(name)) for name in names]
    context.show(lambda: list_document(rows), list_lines(rows))
    return 0


def _show(parsed: Parsed, context: Context) -> int:
    from denizen.cli.views.fhs_view import generation_lines
    from denizen.fhs.generations import EnvironmentStore

    name = parsed.required("NAME")
    one = EnvironmentStore(context.session.paths.state).current(name)
    document = _document(context, name, one)
    context.show(lambda: document, generation_lines(document, one))
    return 0


def _document(context: Context, name: str, one: Generation) -> dict[str, object]:
    from denizen.app.supply.store_access import open_store
    from denizen.cli.views.fhs_view import generation_document

    with open_store(context.session) as store:
        return generation_document(name, one, store.place_of(one.tree))


def _rollback(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_rollback import rollback

    name, text = parsed.required("NAME"), parsed.text("to")
    wanted = None if text is None else parse_generation("fhs rollback", text, "denizen fhs list")
    number = rollback(context.session, name, wanted)
    context.show(lambda: {"name": name, "generation": number}, (f"{name}: generation {number}",))
    return 0


def _destroy(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_destroy import destroy

    name = parsed.required("NAME")
    destroy(context.session, name, force=parsed.flag("force"))
    context.show(
        lambda: {"destroyed": name}, (f"{name} is no more; denizen gc frees what nothing else uses",)
    )
    return 0


def _mount(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_mount import mount_environment

    name, place = parsed.required("NAME"), os.path.abspath(os.fsencode(parsed.required("DIR")))
    is_new = mount_environment(context.session, name, place)
    word = "is now" if is_new else "was already"
    context.show(
        lambda: {"name": name, "place": display(place), "mounted": is_new},
        (f"{display(place)} {word} {name}; chroot {shell_word(place)} enters it",),
    )
    return 0


def _umount(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_mount import unmount_environment

    place = os.path.abspath(os.fsencode(parsed.required("DIR")))
    found = unmount_environment(context.session, place)
    context.show(
        lambda: {"place": display(place), "unmounted": found},
        (f"{display(place)}: {'taken down' if found else 'nothing of ours is mounted there'}",),
    )
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
