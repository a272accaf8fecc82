"""A store in which builders that are programs are run."""

from pathlib import Path

import pytest

from tests.support.programs import Site
from tests.support.sandboxes import require_sandbox


@pytest.fixture
def site(tmp_path: Path) -> Site:
    require_sandbox()
    return Site(tmp_path)
