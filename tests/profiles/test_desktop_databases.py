from denizen.profiles.desktop_databases import mime_databases, mimeinfo_cache, read_mime_package

PACKAGE = b"""<?xml version="1.0"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="application/x-view">
    <comment>a view</comment><glob pattern="*.view"/><glob pattern="*.VW" weight="80" case-sensitive="true"/>
    <alias type="application/view"/><sub-class-of type="text/plain"/><generic-icon name="x-office"/>
  </mime-type>
  <mime-type type="no type"><glob pattern="*.no"/></mime-type>
</mime-info>
"""


def test_types_lead_to_the_entries_that_open_them() -> None:
    entries = {
        "b.desktop": b"[Desktop Entry]\nMimeType=text/plain;image/png;\n",
        "a.desktop": b"[Desktop Entry]\nMimeType=text/plain\n[Desktop Action x]\nMimeType=no/no\n",
        "c.desktop": b"[Desktop Entry]\nMimeType=not a type;\nName=c\n",
    }
    assert mimeinfo_cache(entries) == (
        b"[MIME Cache]\nimage/png=b.desktop;\ntext/plain=a.desktop;b.desktop;\n"
    )
    assert mimeinfo_cache({"c.desktop": b"\xff"}) == b""


def test_a_package_of_types_becomes_the_files_that_readers_take() -> None:
    files = mime_databases([read_mime_package(PACKAGE)])
    assert files["globs2"] == b"80:application/x-view:*.VW:cs\n50:application/x-view:*.view\n"
    assert files["types"] == b"application/x-view\n"
    assert files["aliases"] == b"application/view application/x-view\n"
    assert files["subclasses"] == b"application/x-view text/plain\n"
    assert files["generic-icons"] == b"application/x-view:x-office\n"


def test_what_is_not_well_formed_ends_the_reading_and_nothing_else() -> None:
    assert read_mime_package(PACKAGE[:200]).types == ("application/x-view",)
    assert read_mime_package(b"\0").types == ()
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'
    assert read_mime_package(bomb).types == ()
    hostile = PACKAGE.replace(b"*.view", b"a&#10;b:c")
    assert b"a\nb" not in mime_databases([read_mime_package(hostile)])["globs2"]
