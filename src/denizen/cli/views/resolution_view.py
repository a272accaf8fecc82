"""A resolution drawn for people: packages with their libraries, and the problems that are left."""

from __future__ import annotations

from denizen.app.formatting import human_size
from denizen.errors import display
from denizen.resolve.resolution_summary import (
    download_size,
    installed_size,
    libraries_of,
    omissions,
    recommenders_of,
    sentence,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.resolve.resolution import Resolution


def resolution_lines(resolution: Resolution) -> Iterator[str]:
    """Yield the lines for a resolution: packages with their libraries, then the problems that are left."""
    if not resolution.architecture:
        yield "needs nothing from outside"
        return
    for pin in resolution.packages:
        yield f"  {display(pin.name)} {display(pin.version)}  {pin.suite}  {human_size(pin.size)}"
        for by in recommenders_of(resolution, pin):
            yield f"      recommended by {display(by)}: its plugins"
        for choice in libraries_of(resolution, pin):
            wish = f" (opened at run time: {choice.wish})" if choice.wish else ""
            yield f"      {display(choice.soname)}  {choice.rule.title}{wish}"
    for choice in resolution.choices:
        if not choice.package:
            yield f"  {display(choice.soname)}  {choice.rule.title}: {display(choice.path)}"
    for one in resolution.from_host:
        yield f"  {display(one.soname)}  from the host: {one.reason}"
    for problem in resolution.problems:
        yield f"  ✗ {sentence(problem)}"
    for line in omissions(resolution):
        yield f"  ○ {line}"
    count = len(resolution.packages)
    sizes = (
        f"{human_size(download_size(resolution))} to fetch, {human_size(installed_size(resolution))} unpacked"
    )
    on = f"glibc of {resolution.base}" if resolution.base else "beside this host's own libraries"
    on = on if resolution.choices else "of files alone"
    yield f"{count} package{'s' if count != 1 else ''}, {on}: {sizes}"
