"""Which Release is believed: whose archive it is, when it was made, and how slowly it may come."""

from pathlib import Path

import pytest

from denizen.fileview import MemoryView
from denizen.formats.packages import package_of
from denizen.sources.base import Scope, SilentTransfer
from denizen.sources.errors import BadSignature, DownloadFailed, NoSuchSuite
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.keyring import Keyring
from denizen.sources.releases import MAX_FUTURE, FutureRelease, WrongOrigin
from denizen.sources.source_factory import SourceContext, open_source
from denizen.sources.source_settings import SHIPPED_KEYRING, default_debian
from denizen.sources.transport import HttpSettings
from denizen.value import replace
from tests.support.debian_archive import DATE, Archive, keyring, package_paragraph, sample
from tests.support.debian_sources import debian
from tests.support.faulty_server import Fault, Server


class Told(SilentTransfer):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.events: list[tuple[str, str]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def started(self, name: str, size: int | None) -> None:
        del size
        self.events.append(("started", name))

    def finished(self, name: str) -> None:
        self.events.append(("finished", name))

    def failed(self, name: str) -> None:
        self.events.append(("failed", name))


@pytest.fixture
def vendor(tmp_path: Path) -> Archive:
    """A repository with a suite called stable, and a libc6 of its own in it."""
    made = Archive(tmp_path / "vendor")
    sample(made, signer="vendor", origin="Vendor", packages=[package_paragraph("libc6", "99-1")])
    return made


@pytest.fixture
def real(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "real")
    sample(made)
    return made


def test_a_vendors_suite_called_stable_never_stands_for_debians(
    vendor: Archive, real: Archive, tmp_path: Path
) -> None:
    told = Told()
    with Server(vendor.root) as theirs, Server(real.root) as ours:
        source = debian([theirs.url], tmp_path / "lists", origin="Debian", fallback=[ours.url], progress=told)
        snapshot = source.snapshot("stable", None)
        source.prepare(snapshot, "amd64", Scope.LIBRARIES)
        versions = {package.name: package.version for package in source.packages(snapshot, "amd64")}
        # Once it is known whose it is, it is asked for nothing more.
        assert [path for path, _ in theirs.requests] == ["/dists/stable/InRelease"]
    assert versions[b"libc6"] != b"99-1"
    (note,) = told.notes
    assert "the signature of" in note
    assert theirs.url in note


def test_from_apts_entry_to_the_packages_no_byte_is_a_vendors(
    vendor: Archive, real: Archive, tmp_path: Path
) -> None:
    """With the machine's apt as a vendor's installer leaves it: its suite called stable, its key named."""
    with Server(vendor.root) as theirs, Server(real.root) as ours:
        lines = b"deb [signed-by=/vendor.gpg] %b stable main\ndeb %b bookworm main\n"
        apt = {b"/etc/apt/sources.list": lines % (theirs.url.encode(), ours.url.encode())}
        setting = default_debian(MemoryView({**apt, b"/vendor.gpg": keyring("vendor")}))
        assert [bytes(one.keys) for one in setting.keyrings] == [Path(SHIPPED_KEYRING.decode()).read_bytes()]
        # Of Debian's keys nobody here has the secret halves: another stands for them.
        setting = replace(setting, keyrings=(Keyring("Debian's", keyring()),), fallback=())
        context = SourceContext(
            bytes(tmp_path / "lists"),
            HttpSettings(),
            FetchPolicy(),
            SilentTransfer(),
            search_path="/nonexistent",
        )
        source = open_source(setting, context)
        snapshot = source.snapshot("stable", None)
        source.prepare(snapshot, "amd64", Scope.LIBRARIES)
        versions = {package.version for package in source.packages(snapshot, "amd64")}
    assert b"99-1" not in versions
    assert [path for path, _ in theirs.requests] == ["/dists/stable/InRelease"]


def test_a_well_signed_release_of_another_origin_is_refused_with_a_sentence(
    vendor: Archive, tmp_path: Path
) -> None:
    sample(vendor, origin="Vendor")
    address = f"file:{vendor.root}"
    with pytest.raises(WrongOrigin) as caught:
        debian([address], tmp_path / "lists", origin="Debian").snapshot("stable", None)
    assert caught.value.what == f"{address} is not the archive of Debian; nothing of it is used"
    assert caught.value.why == "its Release says Origin: Vendor"
    assert "denizen source add" in caught.value.remedy


def test_a_source_of_its_own_may_be_of_any_origin(vendor: Archive, tmp_path: Path) -> None:
    source = debian([f"file:{vendor.root}"], tmp_path / "lists", signers=["vendor"])
    assert source.snapshot("stable", None).suite == "trixie"


def test_with_no_other_address_a_vendors_repository_is_an_error(vendor: Archive, tmp_path: Path) -> None:
    source = debian([f"file:{vendor.root}"], tmp_path / "lists", origin="Debian")
    with pytest.raises(BadSignature, match="the signature of"):
        source.snapshot("stable", None)


def test_a_mirror_that_cannot_be_reached_is_not_replaced_by_another(real: Archive, tmp_path: Path) -> None:
    with Server(real.root) as ours, Server(real.root, always={"": Fault(status=503)}) as down:
        source = debian([down.url], tmp_path / "lists", origin="Debian", fallback=[ours.url])
        with pytest.raises(DownloadFailed):
            source.snapshot("stable", None)
        assert ours.requests == []


def test_packages_are_fetched_where_a_release_came_from(
    vendor: Archive, real: Archive, tmp_path: Path
) -> None:
    paragraph = package_paragraph("a")
    real.add_package_file(paragraph)
    package = package_of(paragraph.encode())
    with Server(vendor.root) as theirs, Server(real.root) as ours:
        mirrors = [theirs.url, ours.url]
        debian(mirrors, tmp_path / "lists", origin="Debian").snapshot("stable", None)
        theirs.requests.clear()
        # Another process, later.
        later = debian(mirrors, tmp_path / "lists", origin="Debian")
        later.fetch([package], bytes(tmp_path / "debs"))
        assert later.addresses(package) == (f"{ours.url}/{package.filename.decode()}",)
        assert theirs.requests == []


@pytest.mark.parametrize(("ahead", "refused"), [(MAX_FUTURE, "no"), (MAX_FUTURE + 1, "yes")])
def test_a_release_from_the_future_is_refused_with_apts_tolerance(
    real: Archive, tmp_path: Path, ahead: int, refused: str
) -> None:
    assert MAX_FUTURE == 10
    source = debian([f"file:{real.root}"], tmp_path / "lists", now=DATE - ahead)
    if refused == "no":
        assert source.snapshot("stable", None).date == DATE
        return
    with pytest.raises(FutureRelease) as caught:
        source.snapshot("stable", None)
    assert caught.value.why == (
        "it is of 2026-07-11 10:16:37 UTC, and this machine's clock says 2026-07-11 10:16:26 UTC"
    )
    assert "clock" in caught.value.remedy


def test_a_release_that_trickles_is_given_up_and_was_told_of(real: Archive, tmp_path: Path) -> None:
    told = Told()
    with Server(real.root, always={"InRelease": Fault(pause=0.02)}) as slow, Server(real.root) as good:
        source = debian(
            [slow.url, good.url], tmp_path / "lists", progress=told, min_rate=1_000_000, patience=0.1
        )
        assert source.snapshot("stable", None).date == DATE
        # Asking the same server again would take as long again.
        assert len(slow.asked("InRelease")) == 1
    name = "dists/stable/InRelease"
    assert told.events == [("started", name), ("failed", name), ("started", name), ("finished", name)]


def test_a_missing_suite_does_not_advise_to_check_the_network(real: Archive, tmp_path: Path) -> None:
    with Server(real.root) as server, pytest.raises(NoSuchSuite) as caught:
        debian([server.url], tmp_path / "lists").snapshot("nosuch", None)
    assert "HTTP 404" in caught.value.why
    assert "network" not in caught.value.remedy


def test_a_missing_package_does_not_advise_to_check_the_network(real: Archive, tmp_path: Path) -> None:
    package = package_of(package_paragraph("gone").encode())
    with Server(real.root) as server, pytest.raises(DownloadFailed) as caught:
        debian([server.url], tmp_path / "lists").fetch([package], bytes(tmp_path / "debs"))
    assert "denizen index update" in caught.value.remedy
    assert "network" not in caught.value.remedy


def test_a_release_of_another_suite_is_refused_however_well_it_is_signed(
    real: Archive, tmp_path: Path
) -> None:
    """Else a mirror could give the old suite's libraries, with their holes, for the new one's."""
    real.name_too("stable", "sid")
    source = debian([f"file:{real.root}"], tmp_path / "lists")
    with pytest.raises(NoSuchSuite) as caught:
        source.snapshot("sid", None)
    assert "gave the Release of trixie (stable)" in caught.value.why
    assert source.snapshot("stable", None).date == DATE


@pytest.mark.parametrize(("fault", "error"), [(Fault(status=503), DownloadFailed), (None, BadSignature)])
def test_a_signature_that_cannot_be_had_now_is_not_one_that_is_missing(
    real: Archive, tmp_path: Path, fault: Fault | None, error: type[Exception]
) -> None:
    sample(real, release_only=True)
    if fault is None:
        (real.root / "dists/stable/Release.gpg").unlink()
    with Server(real.root, always={"Release.gpg": fault} if fault else {}) as server, pytest.raises(error):
        debian([server.url], tmp_path / "lists").snapshot("stable", None)
