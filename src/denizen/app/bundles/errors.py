"""Errors of bundling."""

from __future__ import annotations

from denizen.errors import BadInput, HostLacks


class NotBundled(BadInput):
    """The error that a program cannot be bundled, or does not start from what was made."""

    program: bytes
    reason: str
    WHAT = "{program} cannot be bundled"
    WHY = "{reason:text}"


class NoClosure(BadInput):
    """The error that a file has no closure of packages: it is no program with a dynamic linker."""

    program: bytes
    reason: str
    WHAT = "what {program} needs cannot be determined"
    WHY = "{reason:text}"


class NoPlace(BadInput):
    """The error that a bundle's directory cannot be made at the path that it was to have."""

    target: bytes
    WHAT = "the bundle cannot be made at {target}"
    WHY = "there is something at that path already"
    REMEDY = "name another directory, or remove that one"


class NoCompressor(HostLacks):
    """The error that this Python lacks a compressor."""

    method: str
    remedy: str
    WHAT = "cannot compress a bundle here"
    WHY = "this Python has no {method:text}"
    REMEDY = "{remedy:text}; or --dir, which compresses nothing"
