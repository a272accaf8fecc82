import os
from pathlib import Path

import denizen
from denizen.app.resolution import cached_resolution


def test_answers_depend_on_the_code_of_every_sub_package_that_makes_them() -> None:
    here = Path(denizen.__file__).parent
    packages = {
        os.fsencode(found.parent.relative_to(here))
        for part in ("elf", "index", "linker", "resolve")
        for found in (here / part).rglob("__init__.py")
    }
    assert packages | {b""} == set(cached_resolution._CODE)
