"""Environments of the archive's own packages, put to what people want them for."""

import http.server
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpus.entries import load
from tests.corpus.fetching import fetch
from tests.support.http_server import serving
from tests.support.kept_files import kept_by_tests
from tests.support.peers import require
from tests.support.real_archive import keep_indexes, one_at_a_time, real_archive

pytestmark = [pytest.mark.network, pytest.mark.slow]
SUITE = "trixie"
DEVELOPMENT = ("python3", "gcc", "libc6-dev", "git", "curl", "--locale", "de_DE.UTF-8", "--arch", "i386")
WINDOWS = (
    "python3-gi",
    "gir1.2-gtk-3.0",
    "python3-pyqt5",
    "python3-pil",
    "xvfb",
    "xauth",
    "fonts-dejavu-core",
)

SCRIPT = """#!/usr/bin/env python3
import ctypes.util, datetime, locale, sqlite3, ssl, subprocess, sys, zoneinfo
print(sys.executable, sys.prefix)
print(sqlite3.connect(":memory:").execute("select 6 * 7").fetchone()[0])
print(ctypes.util.find_library("c"), ctypes.util.find_library("z"), ctypes.util.find_library("ssl"))
print(locale.setlocale(locale.LC_ALL, "de_DE.UTF-8"))
print(locale.format_string("%.2f", 1234567.891, grouping=True))
print(zoneinfo.ZoneInfo("Europe/Berlin").utcoffset(datetime.datetime(2026, 7, 1)))
iconv = ["iconv", "-f", "UTF-8", "-t", "SHIFT-JIS"]
print(subprocess.run(iconv, input="日本".encode(), capture_output=True).stdout)
print(len(ssl.create_default_context().get_ca_certs()) > 50)
"""

# Black text on white, and how much of what is black Pillow would draw black with the tree's own font file.
COMPARE = """
import sys
from PIL import Image, ImageDraw, ImageFont
shot = Image.open(sys.argv[1]).convert("L").crop((0, 0, 500, 200)).point(lambda v: 0 if v < 128 else 255)
def ink(image):
    box = image.point(lambda v: 255 - v).getbbox()
    return image.crop(box), box
drawn, box = ink(shot)
def reference(size):
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", size)
    page = Image.new("L", (1000, 300), 255)
    ImageDraw.Draw(page).text((50, 50), "Übung 42", font=font, fill=0)
    return ink(page.point(lambda v: 0 if v < 128 else 255))[0]
best = min((reference(size) for size in range(30, 80)), key=lambda image: abs(image.size[0] - drawn.size[0]))
width, height = best.size
other = drawn.resize((width, height))
same = sum(a == b for a, b in zip(best.tobytes(), other.tobytes()))
print(abs(drawn.size[1] - height) <= 3, same / (width * height) > 0.85)
"""

GTK = """
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk
window = Gtk.Window()
window.set_default_size(500, 200)
label = Gtk.Label()
label.set_markup('<span font="DejaVu Sans 40" foreground="black">Übung 42</span>')
style = Gtk.CssProvider()
style.load_from_data(b"window { background: white; }")
Gtk.StyleContext.add_provider_for_screen(window.get_screen(), style, 800)
window.add(label)
window.show_all()
window.move(0, 0)
def shot():
    from PIL import ImageGrab
    ImageGrab.grab().save("shot.png")
    Gtk.main_quit()
GLib.timeout_add(1500, shot)
Gtk.main()
"""

QT = """
import sys
from PyQt5.QtCore import QTimer
from PyQt5.QtGui import QFont
from PyQt5.QtWidgets import QApplication, QLabel
app = QApplication(sys.argv)
label = QLabel("Übung 42")
label.setFont(QFont("DejaVu Sans", 40))
label.setStyleSheet("background: white; color: black")
label.resize(500, 200)
label.move(0, 0)
label.show()
def shot():
    from PIL import ImageGrab
    ImageGrab.grab().save("shot.png")
    app.quit()
QTimer.singleShot(1500, shot)
app.exec_()
"""


def denizen(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    root = real_archive().session.root
    assert root is not None
    command = [sys.executable, "-m", "denizen", "--root", root, *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=900)


def made(name: str, *packages: str) -> str:
    create = ("-q", "fhs", "create", name, *packages, "--suite", SUITE)
    architectures = ("amd64", "i386") if "i386" in packages else ("amd64",)
    with one_at_a_time(real_archive()):
        keep_indexes(real_archive(), architectures)
        done = denizen(*create)
        if "denizen index update" in done.stderr:  # the archive has thrown out what the kept indexes name
            words = [word for name in architectures for word in ("--arch", name)]
            denizen("index", "update", "--suite", SUITE, *words)
            done = denizen(*create)
    assert done.returncode == 0, done.stderr
    return name


@pytest.fixture(scope="module")
def development() -> str:
    return made("test-development", *DEVELOPMENT)


@pytest.fixture(scope="module")
def windows() -> str:
    return made("test-windows", *WINDOWS)


def test_a_script_finds_python_and_all_that_python_looks_for(development: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    done = denizen("fhs", "run", development, str(script))
    assert done.stdout.splitlines() == [
        "/usr/bin/python3 /usr",
        "42",
        "libc.so.6 libz.so.1 libssl.so.3",
        "de_DE.UTF-8",
        "1.234.567,89",
        "2:00:00",
        repr("日本".encode("shift-jis")),
        "True",
    ], done.stderr


def test_a_compiler_compiles_and_what_it_made_runs(development: str, tmp_path: Path) -> None:
    (tmp_path / "hello.c").write_text('#include <stdio.h>\nint main(void) { puts("hello"); }\n')
    done = denizen("fhs", "run", development, "sh", "-c", "cc -o hello hello.c && ./hello", cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("hello\n", 0), done.stderr


def test_git_clones(development: str, tmp_path: Path) -> None:
    commands = (
        "git init -q one && cd one && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first"
        " && cd .. && git clone -q one two && git -C two log --format=%s"
    )
    done = denizen("fhs", "run", development, "sh", "-c", commands, cwd=tmp_path)
    assert done.stdout == "first\n", done.stderr


def test_a_32_bit_program_runs(development: str, tmp_path: Path) -> None:
    require("gcc")
    program = tmp_path / "hello32"
    source = b'#include <stdio.h>\nint main(void) { printf("%d\\n", (int)sizeof(void *)); }\n'
    subprocess.run(["gcc", "-m32", "-x", "c", "-", "-o", program], input=source, check=True)
    assert denizen("fhs", "run", development, str(program)).stdout == "4\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A TLS server of this machine, and its own authority's certificate."""
    require("openssl")
    authority, key, own = tmp_path / "ca.pem", tmp_path / "ca.key", tmp_path / "own.pem"
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run(
        [*new, "-subj", "/CN=ours", "-keyout", key, "-out", authority], check=True, capture_output=True
    )
    subject: list[str | Path] = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    signed: list[str | Path] = ["-CA", authority, "-CAkey", key, "-addext", "basicConstraints=CA:FALSE"]
    files: list[str | Path] = ["-keyout", tmp_path / "own.key", "-out", own]
    subprocess.run([*new, *subject, *signed, *files], check=True, capture_output=True)
    (tmp_path / "answer").write_text("it is ours\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, tmp_path / "own.key")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=os.fspath(tmp_path))  # type: ignore[arg-type]  # as the server calls it

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002  # the base's name for it
            del format

    with serving(Handler, "localhost", lambda plain: context.wrap_socket(plain, server_side=True)) as one:
        yield f"https://localhost:{one.server_port}/answer", authority


def test_curl_trusts_whom_it_is_told_to_and_nobody_else(development: str, server: tuple[str, Path]) -> None:
    url, authority = server
    curl = ("fhs", "run", development, "curl", "--silent", "--show-error", "--noproxy", "*", url)
    assert denizen(*curl).returncode == 60  # curl's code for a certificate nobody vouches for
    done = denizen(*curl, "--cacert", str(authority))
    assert done.stdout == "it is ours\n", done.stderr


@pytest.mark.parametrize("program", [GTK, QT], ids=["gtk3", "qt5"])
def test_a_window_shows_text_in_a_font_of_the_tree(windows: str, program: str, tmp_path: Path) -> None:
    (tmp_path / "window.py").write_text(program)
    (tmp_path / "compare.py").write_text(COMPARE)
    done = denizen("fhs", "run", windows, "xvfb-run", "-a", "python3", "window.py", cwd=tmp_path)
    assert (tmp_path / "shot.png").exists(), done.stderr
    assert (
        denizen("fhs", "run", windows, "python3", "compare.py", "shot.png", cwd=tmp_path).stdout
        == "True True\n"
    )


def test_a_headless_browser_of_the_corpus_draws_a_page_with_text(windows: str, tmp_path: Path) -> None:
    (entry,) = [one for one in load() if one.id == "headless-chromium-64"]
    browser = fetch(entry, kept_by_tests() / "corpus" / "programs") / entry.program
    name = made("test-browser", "libnss3", "libexpat1", "libfontconfig1", "fonts-dejavu-core")
    shutil.copy(browser, tmp_path / "browser")
    (tmp_path / "page.html").write_text(
        '<meta charset="utf-8"><body style="margin: 40px; background: white">'
        '<span style="font: 53px DejaVu Sans; color: black">Übung 42</span>'
    )
    (tmp_path / "compare.py").write_text(COMPARE)
    options = ["--no-sandbox", "--disable-gpu", "--window-size=500,200", f"--screenshot={tmp_path}/shot.png"]
    done = denizen("fhs", "run", name, str(tmp_path / "browser"), *options, f"file://{tmp_path}/page.html")
    assert (tmp_path / "shot.png").exists(), done.stderr
    assert (
        denizen("fhs", "run", windows, "python3", "compare.py", "shot.png", cwd=tmp_path).stdout
        == "True True\n"
    )
