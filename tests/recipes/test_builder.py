"""The generic builder: phases, hooks and patches in their order, by this machine's bash alone."""

import os
import shlex
import subprocess
from pathlib import Path

import denizen
from denizen.recipes.phases import PHASES
from tests.support.peers import require

BUILDER = Path(denizen.__file__).parent / "recipes/builder.bash"
PATCH = "--- a/file\n+++ b/file\n@@ -1 +1 @@\n-old\n+new\n"
# Phases that say their name and do nothing else.
SAYING = {f"{phase}Phase": f"echo {phase}" for phase in PHASES}


def build(directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    require("bash", "patch")
    top = directory / "top"
    top.mkdir(exist_ok=True)
    given = {
        "NIX_BUILD_TOP": str(top),
        "NIX_BUILD_CORES": "1",
        "out": str(directory / "out"),
        "kind": "plain",
        "phases": " ".join(PHASES),
    }
    return subprocess.run(
        ["bash", "-e", BUILDER],
        env={**given, **variables},
        cwd=top,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_phase_has_a_hook_before_and_one_after_it(tmp_path: Path) -> None:
    hooks = {
        f"{when}{phase.capitalize()}": f"echo {when}-{phase}" for phase in PHASES for when in ("pre", "post")
    }
    done = build(tmp_path, doCheck="1", **SAYING, **hooks)
    expected = [
        line for phase in PHASES for line in (f"phase {phase}", f"pre-{phase}", phase, f"post-{phase}")
    ]
    assert done.stdout.splitlines() == expected, done.stderr


def test_without_a_check_its_hooks_do_not_run_either(tmp_path: Path) -> None:
    done = build(tmp_path, **SAYING, preCheck="echo never")
    assert "check" not in done.stdout
    assert "never" not in done.stdout


def test_a_hook_that_fails_ends_the_build(tmp_path: Path) -> None:
    done = build(tmp_path, **SAYING, postBuild="false; echo went on")
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1] == "build"


def test_what_a_hook_sets_the_later_phases_see(tmp_path: Path) -> None:
    variables = SAYING | {"installPhase": 'echo "$word in $PWD"'}
    done = build(tmp_path, **variables, preBuild="word=said; mkdir -p in; cd in")
    assert f"said in {tmp_path}/top/in" in done.stdout.splitlines()


# In a place without a blank: lists of sources and patches are parted by blanks, as in nixpkgs.
def test_patches_are_applied_before_anything_is_configured(short_path: Path) -> None:
    source, patch = short_path / "0-source", short_path / "0-new.patch"
    source.mkdir()
    (source / "file").write_text("old\n")
    patch.write_text(PATCH)
    plain = {name: text for name, text in SAYING.items() if name not in ("unpackPhase", "patchPhase")}
    given = plain | {"sources": str(source), "patches": str(patch), "configurePhase": "cat file"}
    done = build(short_path, **given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[4:7] == ["patching file file", "phase configure", "new"]
    # The source itself, an object of the store, stays as it is.
    assert (source / "file").read_text() == "old\n"


def test_a_patch_that_does_not_apply_ends_the_build(short_path: Path) -> None:
    source, patch = short_path / "0-source", short_path / "0-new.patch"
    source.mkdir()
    (source / "file").write_text("other\n")
    patch.write_text(PATCH)
    plain = {name: text for name, text in SAYING.items() if name not in ("unpackPhase", "patchPhase")}
    done = build(short_path, **plain, sources=str(source), patches=str(patch))
    assert done.returncode != 0
    assert "FAILED" in done.stdout
    assert "phase configure" not in done.stdout


def compiled(program: Path, text: str) -> Path:
    require("gcc")
    program.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-x", "c", "-", "-o", program, "-ldl"], input=text.encode(), check=True)
    return program


def test_libraries_opened_in_the_check_phase_are_noted(tmp_path: Path) -> None:
    text = '#include <dlfcn.h>\nint main(void) { return !dlopen("libutil.so.1", RTLD_NOW); }\n'
    program = compiled(tmp_path / "top/opens", text)
    opened = build(tmp_path, doCheck="1", **SAYING | {"checkPhase": shlex.quote(os.fspath(program))})
    assert opened.returncode == 0, opened.stderr
    assert (
        f"file=libutil.so.1 [0];  dynamically loaded by {program} [0]"
        in (tmp_path / "top/opened").read_text().splitlines()
    )


def test_programs_that_open_no_library_are_checked_in_the_environment_that_they_would_have(
    tmp_path: Path,
) -> None:
    compiled(tmp_path / "top/plain", "int main(void) { return 0; }\n")
    (tmp_path / "top/configure").write_text("lt_cv_dlopen=dlopen\n")
    done = build(tmp_path, doCheck="1", **SAYING | {"checkPhase": 'echo "${LD_DEBUG-none}"'})
    assert done.returncode == 0, done.stderr
    assert "none" in done.stdout.splitlines()
