"""The modules that the fixup phase is given."""

import subprocess
import sys
from pathlib import Path

from denizen.app.recipes.fixup_library import fixup_library


def test_the_fixup_phase_imports_nothing_that_the_archive_lacks(tmp_path: Path) -> None:
    archive = tmp_path / "fixup.zip"
    archive.write_bytes(fixup_library())
    script = (
        f"import sys; sys.path.insert(0, {str(archive)!r})\n"
        "import denizen.recipes.fixup as m; print(m.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == f"{archive}/denizen/recipes/fixup.py", done.stderr


def test_the_archive_is_the_same_every_time() -> None:
    assert fixup_library() == fixup_library()
