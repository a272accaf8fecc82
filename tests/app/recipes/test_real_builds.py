"""A program and its library, built by Debian's compiler in a sandbox."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.fhs.project_lock import LockSection, with_section
from denizen.profiles.shell_environment import direnv_function
from denizen.sha256 import digest_of
from tests.support.build_sandboxes import require_sandbox
from tests.support.peers import require
from tests.support.real_archive import one_at_a_time, real_archive, with_packages
from tests.support.terminals import at_terminal

pytestmark = [pytest.mark.network, pytest.mark.slow]

LIBRARY = """name = "libgreet"
version = "1"
suite = "trixie"
[[sources]]
path = "src"
[phases]
build = "gcc -g -shared -fPIC -Wl,-soname,libgreet.so.1 -o libgreet.so.1 greet.c"
install = '''
install -D -t $out/lib libgreet.so.1
ln -s libgreet.so.1 $out/lib/libgreet.so
install -D -m 644 -t $out/include greet.h
echo '# libtool' > $out/lib/libgreet.la
'''
"""
PROGRAM = """name = "greeter"
version = "1"
kind = "make"
suite = "trixie"
[[sources]]
path = "src"
[inputs]
recipes = ["../libgreet"]
[hooks]
post-install = '''
install -D -m 644 greet.1 $out/share/man/man1/greet.1
ln -s greet.1 $out/share/man/man1/hi.1
chmod 775 $out
'''
"""
SOURCES = {
    "libgreet/recipe.toml": LIBRARY,
    "libgreet/src/greet.h": "void greet(void);\n",
    "libgreet/src/greet.c": '#include <stdio.h>\nvoid greet(void) { puts("greetings"); }\n',
    "greeter/recipe.toml": PROGRAM,
    "greeter/src/main.c": "#include <greet.h>\nint main(void) { greet(); return 0; }\n",
    "greeter/src/greet.1": ".TH GREET 1\n",
    # It opens a library of which it says nothing.
    "greeter/src/late.c": (
        "#include <dlfcn.h>\n#include <stdio.h>\n"
        'int main(void) { char name[32]; snprintf(name, sizeof name, "lib%s.so.1", "greet");\n'
        "return dlopen(name, RTLD_NOW) == NULL; }\n"
    ),
    # It has the library's name as a constant, and is not started in the check phase.
    "greeter/src/named.c": (
        "#include <dlfcn.h>\n#include <stddef.h>\n"
        'static const char *tried[] = {"libgone.so.9", "libgreet.so.1"};\n'
        "int main(void) { return dlopen(tried[1], RTLD_NOW) == NULL; }\n"
    ),
    "greeter/src/Makefile": (
        "all: greet late named\n"
        "greet: main.c\n\t$(CC) -g -o $@ $< -lgreet\n"
        "late named: %: %.c\n\t$(CC) -o $@ $<\n"
        "check: greet late\n\t./greet && ./late\n"
        "install: all\n\tinstall -D -t $(prefix)/bin greet late named\n"
    ),
}


def denizen(root: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "denizen", "--root", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900, cwd=cwd)


def write_recipes(directory: Path) -> None:
    for name, text in SOURCES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def test_a_program_and_its_library_are_built_fixed_up_and_run(tmp_path: Path) -> None:
    require_sandbox()
    require("readelf")
    write_recipes(tmp_path)
    # As if an earlier build's `greet` had opened a library when it ran; zlib1g is there with the compiler,
    # and the package that is named here is one that every recipe has.
    finding = LockSection(digest_of(b"greeter").hex().encode(), b"greet\tlibz.so.1\tmake\n")
    (tmp_path / "greeter/denizen.lock").write_bytes(with_section(b"", b"opened", finding))
    context = real_archive()
    root = Path(os.fspath(context.session.root or ""))
    with one_at_a_time(context):
        done = with_packages(
            context, "amd64", lambda: denizen(root, "build", "--check", "greeter", cwd=tmp_path)
        )
    assert done.returncode == 0, done.stderr
    assert os.readlink(tmp_path / "result") in done.stdout
    out, debug = done.stdout.split()
    assert debug == f"{Path(debug).parent}/{Path(debug).name[:32]}-greeter-1-debug"
    program = os.path.join(out, "bin/greet")
    assert (
        subprocess.run([program], capture_output=True, text=True, check=True, env={}).stdout == "greetings\n"
    )
    # What it opened in the check phase is on its run path, and what it mentions.
    subprocess.run([os.path.join(out, "bin/late")], check=True, env={})
    subprocess.run([os.path.join(out, "bin/named")], check=True, env={})
    shown = subprocess.run(["readelf", "-dlSW", program], capture_output=True, text=True, check=True).stdout
    assert "-libgreet-1/lib:" in shown
    assert "-fhs" not in shown
    assert ".debug_info" not in shown
    assert list(Path(debug).glob("lib/debug/.build-id/*/*.debug"))
    assert os.readlink(os.path.join(out, "share/man/man1/hi.1.gz")) == "greet.1.gz"
    closure = denizen(root, "store", "closure", out).stdout.split()
    # A second build takes the packages of the lock.
    lock = (tmp_path / "greeter/denizen.lock").read_text()
    assert "[recipe]" in lock
    again = denizen(root, "build", "--offline", "--no-out-link", str(tmp_path / "greeter"))
    assert again.stdout == done.stdout
    assert (tmp_path / "greeter/denizen.lock").read_text() == lock
    names = sorted(os.path.basename(place)[33:].split("-")[0] for place in closure)
    assert names == ["greeter", "libc6", "libgreet", "zlib1g"]
    (library,) = [place for place in closure if place.endswith("-libgreet-1")]
    assert not os.path.exists(os.path.join(library, "lib/libgreet.la"))


def test_what_is_linked_in_the_shell_of_a_recipe_runs_outside(tmp_path: Path) -> None:
    require_sandbox()
    write_recipes(tmp_path)
    context = real_archive()
    root = Path(os.fspath(context.session.root or ""))
    script = 'cd "$1" && gcc -o linked main.c -lgreet && env | grep -c ^LD_'
    words = ("bash", "-c", script, "bash", str(tmp_path / "greeter/src"))
    with one_at_a_time(context):
        done = with_packages(
            context, "amd64", lambda: denizen(root, "develop", "--recipe", str(tmp_path / "greeter"), *words)
        )
    # No variable is set that would change what other programs load.
    assert done.stdout == "0\n", done.stderr
    program = tmp_path / "greeter/src/linked"
    ran = subprocess.run([program], capture_output=True, text=True, check=True, env={})
    assert ran.stdout == "greetings\n"


def test_direnv_gives_a_project_what_its_denizen_toml_declares(tmp_path: Path) -> None:
    require_sandbox()
    require("direnv")
    write_recipes(tmp_path)
    project = tmp_path / "greeter/src"
    (project / "denizen.toml").write_text(
        '[develop]\nsuite = "trixie"\nrecipes = ["../../libgreet"]\n[develop.env]\nWORD = "two words"\n'
    )
    (project / ".envrc").write_text("use denizen\n")
    context = real_archive()
    home = {**os.environ, "HOME": str(tmp_path), "DENIZEN_ROOT": context.session.root or ""}
    home.pop("XDG_CONFIG_HOME", None)
    home["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    direnvrc = tmp_path / ".config/direnv/direnvrc"
    direnvrc.parent.mkdir(parents=True)
    direnvrc.write_text("\n".join(direnv_function("denizen")) + "\n")
    # The compiler is the environment's, the rest of the commands the host's; what it makes runs anywhere.
    script = 'command -v gcc; command -v ls; gcc -o linked main.c -lgreet; echo "$WORD"; env | grep -c ^LD_'
    with one_at_a_time(context):
        subprocess.run(["direnv", "allow", project], env=home, check=True)
        done = subprocess.run(
            ["direnv", "exec", project, "sh", "-c", f"cd {project}; {script}"],
            env=home, capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
    gcc, ls, word, variables = done.stdout.splitlines()
    assert "/develop-" in gcc, done.stderr
    assert ls == shutil.which("ls")
    assert (word, variables) == ("two words", "0")
    ran = subprocess.run([project / "linked"], capture_output=True, text=True, check=True, env={})
    assert ran.stdout == "greetings\n"


def test_a_shell_begins_ahead_of_the_phase_that_is_named(tmp_path: Path) -> None:
    require_sandbox()
    write_recipes(tmp_path)
    context = real_archive()
    command = [sys.executable, "-m", "denizen", "--root", context.session.root or "", "build"]
    typed = "ls greet; run_phase check\nexit 7\n"
    with one_at_a_time(context):
        done = subprocess.run(
            [*command, "--shell", "check", str(tmp_path / "greeter")],
            input=typed, capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert "phase build" in done.stdout
    assert done.stdout.endswith("greetings\n")
    assert "phase install" not in done.stdout
    assert "has failed" not in done.stdout
    assert "Error" not in done.stderr
    with one_at_a_time(context):
        # What fixup makes of the installed files in the shell runs outside of it.
        fixed = at_terminal(
            [*command, "--shell", "fixup", "--offline", str(tmp_path / "greeter")],
            "(greeter-1) ",
            ["run_phase fixup; $out/bin/greet; echo in:$out", "exit 7"],
        )
    assert fixed.status == 7, fixed.shown
    assert [line for line in fixed.shown.splitlines() if line.startswith("fixup: ")] == ["fixup: 3 objects"]
    (out,) = [line.removeprefix("in:") for line in fixed.shown.splitlines() if line.startswith("in:")]
    ran = subprocess.run([f"{out}/bin/greet"], capture_output=True, text=True, check=True, env={})
    assert ran.stdout == "greetings\n"
    # What the check phase opened by name is on the run path.
    subprocess.run([f"{out}/bin/late"], check=True, env={})


def test_an_output_that_mentions_the_compilers_tree_is_refused(tmp_path: Path) -> None:
    require_sandbox()
    install = "mkdir -p $out; echo $__denizenRoot/usr/bin/gcc > $out/compiler"
    (tmp_path / "recipe.toml").write_text(
        f'name = "mentions"\nversion = "1"\nsuite = "trixie"\n[phases]\ninstall = "{install}"\n'
    )
    context = real_archive()
    root = Path(os.fspath(context.session.root or ""))
    with one_at_a_time(context):
        done = with_packages(context, "amd64", lambda: denizen(root, "build", "--no-out-link", str(tmp_path)))
    assert done.returncode == 125
    assert "-fhs" in done.stderr
    assert done.stdout == ""
