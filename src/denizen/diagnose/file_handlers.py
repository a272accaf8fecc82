"""Programs that start files which the kernel cannot, by the file's format or name (pure)."""

from __future__ import annotations

import posixpath

from denizen.errors import shell_word

# Text without an interpreter line, by the end of its name.
LANGUAGES: dict[bytes, str] = {
    b".py": "python3", b".pyw": "python3", b".sh": "sh", b".bash": "bash", b".zsh": "zsh", b".pl": "perl",
    b".rb": "ruby", b".js": "node", b".mjs": "node", b".cjs": "node", b".lua": "lua", b".tcl": "tclsh",
    b".php": "php", b".r": "Rscript", b".awk": "awk -f",
}  # fmt: skip
# Archives that a program of their own starts.
STARTED: dict[bytes, str] = {b".jar": "java -jar", b".pyz": "python3", b".pyzw": "python3", b".love": "love"}
# Name in elf.file_formats, which recognises the format -> advice, with the file's name in place of {}.
FORMATS: dict[str, str] = {
    "Java archive": "java -jar {}",
    "Java class": "java starts classes: the name without .class, in its class path",
    "zip": "unzip {}",
    "gzip": "tar -xf {}, or gunzip {} where it is no archive",
    "xz": "tar -xf {}, or unxz {} where it is no archive",
    "zstd": "tar -xf {}, or unzstd {} where it is no archive",
    "bzip2": "tar -xf {}, or bunzip2 {} where it is no archive",
    "tar": "tar -xf {}",
    "7z": "7z x {}",
    "rar": "unrar x {}",
    "squashfs": "unsquashfs {}",
    "Debian package": "dpkg -x {} DIRECTORY unpacks it",
    "RPM package": "rpm2cpio {} | cpio -id unpacks it",
    "Windows program": "wine {}, or get the build for Linux",
    "macOS program": "get the build for Linux",
    "WebAssembly": "wasmtime {}",
    "Git LFS pointer": "git lfs pull brings the file that this one stands for",
    "web page": "the download brought a page instead: fetch it again, from where the page leads",
    "LLVM bitcode": "lli {}",
}


def language_of(path: bytes) -> str:
    """Return the command that runs a text file of this name; "" where the name does not tell."""
    return LANGUAGES.get(posixpath.splitext(path)[1].lower(), "")


def hint_for(path: bytes, kind: str | None) -> str:
    """Return the advice for a file of another format; "" where none is known."""
    command = STARTED.get(posixpath.splitext(path)[1].lower(), "") if kind == "zip" else ""
    return f"{command} {_word(path)}" if command else FORMATS.get(kind or "", "").replace("{}", _word(path))


def _word(path: bytes) -> str:
    return shell_word(path)
