"""The modules of a command in one file: never wrong, whatever the file or the sources are."""

import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import denizen
from denizen.cli import module_cache
from denizen.cli.dispatch import GLOBAL_OPTIONS

SOURCES = Path(denizen.__file__).parent
REPORT = (
    "import sys; print(type(sys.modules['denizen.linker.rule_tables'].__loader__).__name__, file=sys.stderr)"
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with no file yet, but with bytecode: to compile it would be most of each test."""
    copy = tmp_path / "denizen"
    shutil.copytree(SOURCES, copy, ignore=_unwanted)
    return copy


def _unwanted(directory: str, names: list[str]) -> list[str]:
    """Return what is not copied: the compiled C, and what is being written beside finished bytecode."""
    if os.path.basename(directory) == "__pycache__":
        return [name for name in names if not name.endswith(".pyc")]
    return [name for name in names if name.startswith("denizen-")]


# Coverage that starts with the interpreter imports modules of the standard library before denizen does.
UNTRACED = {name: text for name, text in os.environ.items() if not name.startswith("COV")}
WHY = ("why", "--host", "--json", "/bin/sh")


def start(
    package: Path, *, words: tuple[str, ...] = WHY, write: bool = True, before: str = ""
) -> tuple[str, str]:
    """(what `why` printed, by what kind of loader a module was imported)."""
    code = f"import sys; sys.path.insert(0, {str(package.parent)!r})\n{before}\n"
    code += f"sys.argv = {['denizen', *words]!r}\n"
    code += f"sys.dont_write_bytecode = {not write}\n"
    code += f"from denizen.cli.main import main; main()\n{REPORT}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, env=UNTRACED
    )
    return done.stdout, done.stderr.strip()


def file_of(package: Path, command: str = "why") -> Path:
    return package / "__pycache__" / f"{command}.{sys.implementation.cache_tag}.together"


def kept(package: Path, command: str) -> set[str]:
    return set(table(file_of(package, command).read_bytes())[1])


def table(content: bytes) -> tuple[tuple[str, ...], dict[str, tuple[str, int, int, bool, int, int]]]:
    """The directories, and the rows of the modules."""
    directories, _, rows = marshal.loads(content[8:])
    return directories, rows


def run(package: Path, root: Path, before: str = "") -> str:
    """What the shell prints that `denizen run` starts; `before` is executed before the command."""
    words = ["--root", os.fspath(root), "run", "/bin/sh", "-c", "echo started"]
    code = f"import sys; sys.path.insert(0, {str(package.parent)!r}); sys.argv = {['denizen', *words]!r}\n"
    code += f"{before}\nfrom denizen.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_second_start_imports_from_the_file_and_says_the_same(package: Path) -> None:
    first, second = start(package), start(package)
    assert (first[1], second[1]) == ("SourceFileLoader", "_Loader")
    assert first[0] == second[0] != ""


def test_an_answer_to_a_running_program_has_a_file_of_its_own() -> None:
    answer = module_cache.ANSWER
    assert module_cache.cache_name(["decide", "--opened", "x", "--missed", "libx.so", "--", "y"]) == answer
    assert module_cache.cache_name(["decide", "--opened", "x", "--needed", "libx.so", "--", "y"]) == answer
    assert module_cache.cache_name(["decide", "--", "y"]) == "decide"
    assert module_cache.cache_name(["run", "x", "--missed", "y"]) == "run"


def test_an_installation_by_path_has_a_file_of_its_own() -> None:
    place = module_cache.INSTALL_PLACE
    assert module_cache.cache_name(["--root", "/r", "install", "./tool"]) == place
    assert module_cache.cache_name(["install", "--profile", "p", "/store/x-tool"]) == place
    assert module_cache.cache_name(["install", "hello", "--profile=/p"]) == "install"
    assert module_cache.cache_name(["remove", "./tool"]) == "remove"


def at_once(package: Path, before: str, name: str) -> str:
    """By what kind of loader a module comes, with the file of a command whose modules are read at once."""
    code = f"import sys; sys.path.insert(0, {str(package.parent)!r})\n"
    code += "from denizen.cli import module_cache\n"
    code += f"cache = module_cache.ModuleCache(module_cache.INSTALL_PLACE); cache.use()\n{before}\n"
    code += f"import {name}\nprint(type(sys.modules[{name!r}].__loader__).__name__); cache.keep()"
    words = [sys.executable, "-I", "-c", code]
    return subprocess.run(words, capture_output=True, text=True, check=True, env=UNTRACED).stdout.strip()


def test_modules_that_one_start_added_are_read_at_once(package: Path) -> None:
    assert at_once(package, "import denizen.errors", "denizen.linker.rule_tables") == "SourceFileLoader"
    assert at_once(package, "import denizen.errors", "denizen.host") == "SourceFileLoader"
    _, modules = table(file_of(package, module_cache.INSTALL_PLACE).read_bytes())
    first, second = modules["denizen.errors"], modules["denizen.host"]
    assert modules["denizen.linker.rule_tables"][4:] == first[4:]
    assert second[4] == first[4] + first[5]
    for name in ("denizen.errors", "denizen.linker.rule_tables", "denizen.host"):
        assert at_once(package, "", name) == "_Loader"


def test_modules_that_are_read_at_once_are_loaded_before_they_are_asked_for(package: Path) -> None:
    at_once(package, "import denizen.linker.rule_tables, denizen.store.errors", "denizen.errors")
    _, modules = table(file_of(package, module_cache.INSTALL_PLACE).read_bytes())
    order = list(modules)
    assert order.index("denizen.value") < order.index("denizen.errors") < order.index("denizen.store.errors")
    assert order.index("denizen.store") < order.index("denizen.store.errors")
    # Whatever the start imported that wrote the file, only what all starts import is loaded; and with the
    # attribute of importlib's that each later import of the module asks for.
    before = (
        "assert sys.modules['denizen.store.errors'].__spec__._initializing is False\n"
        "loaded = sys.modules['denizen.store.errors']; assert sys.modules['denizen.store'].errors is loaded\n"
        "assert 'denizen.linker.rule_tables' not in sys.modules"
    )
    assert at_once(package, before, "denizen.store.errors") == "_Loader"


def test_of_modules_that_are_read_at_once_a_changed_one_is_imported_itself(package: Path) -> None:
    at_once(package, "import denizen.errors", "denizen.linker.rule_tables")
    rules = package / "linker" / "rule_tables.py"
    rules.write_text(rules.read_text() + "\n")
    for loader in ("SourceFileLoader", "_Loader"):
        assert at_once(package, "", "denizen.linker.rule_tables") == loader
        assert at_once(package, "", "denizen.errors") == "_Loader"


@pytest.mark.parametrize("codes", [marshal.dumps({}), marshal.dumps({"denizen.errors": 1}), b"no marshal"])
def test_where_what_is_read_at_once_is_damaged_its_modules_are_imported(package: Path, codes: bytes) -> None:
    at_once(package, "", "denizen.linker.rule_tables")
    content = file_of(package, module_cache.INSTALL_PLACE).read_bytes()
    directories, modules = table(content)
    names = ("denizen.linker.rule_tables", "denizen.linker")
    changed = marshal.dumps((directories, 0, {name: (*modules[name][:4], 0, len(codes)) for name in names}))
    file_of(package, module_cache.INSTALL_PLACE).write_bytes(b"%08d%b%b" % (len(changed), changed, codes))
    assert at_once(package, "", "denizen.linker.rule_tables") == "SourceFileLoader"
    assert at_once(package, "", "denizen.linker.rule_tables") == "_Loader"


def test_a_changed_source_is_imported_itself_and_the_file_written_anew(package: Path) -> None:
    start(package)
    rules = package / "linker" / "rule_tables.py"
    rules.write_text(rules.read_text().replace('"ld.so.cache", "ldconfig', '"the cache", "ldconfig'))
    report = package / "diagnose" / "report.py"
    report.write_text(report.read_text().replace('"rule": row.rule or None', '"rule": "changed"'))
    changed = start(package)
    assert changed[1] == "SourceFileLoader"
    assert '"changed"' in changed[0]
    assert start(package) == (changed[0], "_Loader")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"no marshal", b"00000003", b"00000005\xe9\x01\0\0\0", b"00000100" + b"\xfb" * 100],
)
def test_a_damaged_file_is_no_file(package: Path, content: bytes) -> None:
    start(package)
    file_of(package).write_bytes(content)
    assert held_by(package, 256) == (0, "SourceFileLoader")
    assert start(package)[1] == "SourceFileLoader"
    assert start(package)[1] == "_Loader"


def test_a_start_without_standard_descriptors_leaves_them_alone(package: Path) -> None:
    start(package)
    words = [sys.executable, "-I", "-c"]
    code = f"import os, sys; sys.path.insert(0, {str(package.parent)!r})\n"
    code += "from denizen.cli.module_cache import ModuleCache; os.close(0); ModuleCache('why').use()\n"
    code += "print(os.path.exists('/proc/self/fd/0'))"
    done = subprocess.run([*words, code], capture_output=True, text=True, check=True, env=UNTRACED)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(("limit", "held"), [(32, 0), (256, 1)])
def test_where_few_descriptors_may_be_open_the_file_is_not(package: Path, limit: int, held: int) -> None:
    start(package)
    assert held_by(package, limit) == (held, "_Loader")


def held_by(package: Path, limit: int) -> tuple[int, str]:
    """(how many descriptors the file takes under this limit, by what kind of loader a module comes)."""
    code = f"import os, resource, sys; sys.path.insert(0, {str(package.parent)!r})\n"
    code += f"resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))\n"
    code += "from denizen.cli.module_cache import ModuleCache; before = len(os.listdir('/proc/self/fd'))\n"
    code += f"ModuleCache('why', {str(package)!r}).use()\n"
    code += "print(len(os.listdir('/proc/self/fd')) - before)\n"
    code += "from denizen.linker import rule_tables; print(type(rule_tables.__loader__).__name__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, env=UNTRACED
    )
    held, loader = done.stdout.split()
    return int(held), loader


def test_a_moved_package_does_not_import_from_where_it_was(package: Path, tmp_path: Path) -> None:
    start(package)
    moved = tmp_path / "elsewhere" / "denizen"
    shutil.copytree(package, moved)
    assert start(moved)[1] == "SourceFileLoader"


def test_where_python_writes_no_bytecode_nothing_is_written(package: Path) -> None:
    shutil.rmtree(package / "__pycache__", ignore_errors=True)
    start(package, write=False)
    assert not (package / "__pycache__").exists()
    os.makedirs(package / "__pycache__")
    file_of(package).mkdir()
    assert start(package)[1] == "SourceFileLoader"
    assert [name for name in os.listdir(package / "__pycache__") if name.endswith(".together")] == [
        file_of(package).name
    ]


@pytest.mark.parametrize("error", ["MemoryError", "ValueError('unmarshallable object')"])
def test_where_there_is_no_memory_to_keep_modules_the_command_has_done_its_work(
    package: Path, error: str
) -> None:
    """Python's marshal says it in two ways."""
    failing = f"from denizen.cli import module_cache_writer\ndef content(*_):\n    raise {error}\n"
    failing += "module_cache_writer.content = content"
    assert start(package, before=failing)[0] == start(package, write=False)[0]
    assert not file_of(package).exists()


def test_a_start_that_imported_more_than_is_waited_for_is_not_kept(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module_cache.MAX_MODULES, "why", 0)
    (package / "__pycache__").mkdir(exist_ok=True)
    module_cache.ModuleCache("why", os.fspath(package)).keep()
    assert not file_of(package).exists()


def test_run_keeps_its_modules_before_it_becomes_the_program(package: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    assert run(package, root) == "started\n"  # it decides: too many modules for the file of `run`
    assert not file_of(package, "run").exists()
    assert run(package, root) == "started\n"
    assert "denizen.launch.fast_path" in kept(package, "run")
    assert module_cache.DECIDES not in kept(package, "run")
    assert run(package, root) == "started\n"


# Prints by what kind of loader a module was imported, when the process becomes the program.
_TELL = f"""
import os
become = os.execve
def tell(*words):
    print(type(sys.modules[{module_cache.DECIDES!r}].__loader__).__name__, flush=True)
    become(*words)
os.execve = tell
"""


def test_decisions_share_a_file_that_is_read_for_decisions_alone(package: Path, tmp_path: Path) -> None:
    assert run(package, tmp_path / "one", _TELL) == "SourceFileLoader\nstarted\n"
    assert module_cache.DECIDES in kept(package, "deciding")
    assert run(package, tmp_path / "one") == "started\n"
    decided = kept(package, "run")
    assert run(package, tmp_path / "two", _TELL) == "_Loader\nstarted\n"
    assert kept(package, "run") == decided
    file_of(package, "deciding").write_bytes(b"no marshal")
    assert run(package, tmp_path / "two") == "started\n"
    assert run(package, tmp_path / "three", _TELL) == "SourceFileLoader\nstarted\n"
    assert module_cache.DECIDES in kept(package, "deciding")


def test_a_later_start_adds_what_the_file_lacks(package: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        start(package, words=("why", "--host"))  # REPORT fails: nothing was examined
    few = kept(package, "why")
    assert "denizen.linker.rule_tables" not in few
    start(package)
    assert kept(package, "why") > few | {"denizen.linker.rule_tables"}


def test_the_command_is_the_first_word_after_global_options_and_their_values() -> None:
    valued = {name for option in GLOBAL_OPTIONS if option.metavar for name in option.names}
    assert valued == module_cache.VALUED
    assert module_cache.command_in(["-q", "--root", "why", "--color=never", "run", "find"]) == "run"
    assert module_cache.command_in(["--root"]) == ""


def test_no_module_is_kept_that_was_imported_before(package: Path) -> None:
    start(package)
    assert not {"denizen", "denizen.cli", "denizen.cli.module_cache"} & kept(package, "why")
    assert "struct" in kept(package, "why")


def test_modules_of_python_are_kept_and_those_of_others_are_not(package: Path) -> None:
    other = package.parent / "somebody.py"
    other.write_text("")
    rules = package / "linker" / "rule_tables.py"
    rules.write_text(
        rules.read_text().replace("import annotations\n", "import annotations\nimport somebody\n", 1)
    )
    start(package)
    assert {"struct", "denizen.linker.rule_tables"} <= kept(package, "why")
    assert "somebody" not in kept(package, "why")


def test_a_module_whose_code_is_damaged_is_imported_itself_and_the_others_are_not(package: Path) -> None:
    start(package)
    name = "denizen.linker.rule_tables"
    content = file_of(package).read_bytes()
    directory, modules = table(content)
    codes = content[8 + int(content[:8]) :]
    modules[name] = (*modules[name][:4], len(codes), 100)
    modules["denizen.never_imported"] = (*modules[name][:4], len(codes) + 100, 10)
    changed = marshal.dumps((directory, 0, modules))
    file_of(package).write_bytes(b"%08d%b%b" % (len(changed), changed, codes + b"\0" * 100 + b"no marshal"))
    assert start(package)[1] == "SourceFileLoader"
    # The rest came from the file, or the row of what was not imported would be gone from it.
    assert "denizen.never_imported" in kept(package, "why")
    assert start(package)[1] == "_Loader"


def test_what_is_shown_to_a_person_is_kept_too(package: Path) -> None:
    words = ("why", "--host", "/bin/sh")
    first = start(package, words=words)
    assert {"rich.console", "denizen.linker.rule_tables"} <= kept(package, "why")
    assert start(package, words=words) == (first[0], "_Loader")


def test_the_modules_of_another_python_are_not_taken(package: Path) -> None:
    start(package)
    directories, modules = table(file_of(package).read_bytes())
    assert directories[0] == os.fspath(package)
    # An environment has a Python of its own; where packages are is not known before `site` runs.
    assert os.path.dirname(sys.executable) in directories
    content = file_of(package).read_bytes()
    codes = content[8 + int(content[:8]) :]
    changed = marshal.dumps(((*directories[:-1], "/other/environment/bin"), 0, modules))
    file_of(package).write_bytes(b"%08d%b%b" % (len(changed), changed, codes))
    assert start(package)[1] == "SourceFileLoader"
    assert start(package)[1] == "_Loader"


def test_why_keeps_what_it_imported_before_it_decides_in_its_own_file(package: Path) -> None:
    words = [sys.executable, "-I", "-c"]
    begin = f"import sys; sys.path.insert(0, {str(package.parent)!r})\n"
    begin += "from denizen.cli.module_cache import ModuleCache; cache = ModuleCache('why'); cache.use()\n"
    begin += (
        f"import denizen.diagnose.examine, denizen.app.session\nimport {module_cache.DECIDES}\ncache.keep()"
    )
    subprocess.run([*words, begin], check=True, env=UNTRACED)
    assert "denizen.diagnose.examine" in kept(package, "why")
    assert module_cache.DECIDES not in kept(package, "why")
    assert module_cache.DECIDES in kept(package, "deciding")
    assert "denizen.diagnose.examine" not in kept(package, "deciding")
