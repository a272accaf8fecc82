"""A store in which builders that are programs are run."""

from pathlib import Path

import pytest

from tests.support.build_sandboxes import require_sandbox
from tests.support.shell_builders import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    require_sandbox()
    return Site(tmp_path)
