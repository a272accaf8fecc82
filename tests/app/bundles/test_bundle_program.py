"""What is refused before anything is fetched for a bundle."""

import os
from pathlib import Path

import pytest

from denizen.app.bundles.bundle_program import bundle_program
from denizen.app.bundles.bundle_request import BundleRequest
from denizen.app.bundles.errors import NotBundled
from denizen.app.bundles.program_closure import ClosureRequest
from denizen.launch.bundle_layout import MAX_ARGUMENTS
from tests.support.command_context import context_of
from tests.support.elf_builder import Elf, build


def test_more_arguments_than_a_launcher_gives_are_refused(tmp_path: Path) -> None:
    """Else the bundle would be made, and end at each start."""
    program = tmp_path / "program"
    program.write_bytes(build(Elf(interpreter=b"/lib64/ld-linux-x86-64.so.2", needed=(b"libc.so.6",))))
    program.chmod(0o755)
    request = BundleRequest(
        ClosureRequest(os.fsencode(program), offline=True),
        os.fsencode(tmp_path / "made"),
        arguments=(b"-v",) * (MAX_ARGUMENTS + 1),
    )
    session = context_of({"HOME": str(tmp_path)}, None).session
    with pytest.raises(NotBundled, match=r"32 arguments are to come .* gives 31 at most"):
        bundle_program(session, request)
    assert not (tmp_path / "made").exists()
