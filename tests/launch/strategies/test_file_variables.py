"""Variables that name files of packages where no namespace shows them."""

import xml.etree.ElementTree as ET

from denizen.launch.resources.fixed_paths import FixedPathResource
from denizen.launch.strategies.file_variables import FONTS_CONF, file_variables, fonts_conf

_SHOWN = (
    FixedPathResource(b"/usr/share/zoneinfo", b"/store/tzdata/usr/share/zoneinfo", directory=True),
    FixedPathResource(b"/etc/ssl/cert.pem", b"/tools/certificates", directory=False),
    FixedPathResource(b"/etc/fonts", b"/store/conf/etc/fonts", directory=True),
    FixedPathResource(
        b"/usr/share/fonts/truetype", b"/store/dejavu/usr/share/fonts/truetype", directory=True
    ),
)


def test_a_variable_names_the_file_of_the_package() -> None:
    wanted = [
        (b"TZDIR", b"/usr/share/zoneinfo"),
        (b"ZONE", b"/usr/share/zoneinfo/Asia/Tokyo"),
        (b"SSL_CERT_FILE", b"/etc/ssl/cert.pem"),
    ]
    assert file_variables(wanted, _SHOWN, bytes) == (
        b"TZDIR=/store/tzdata/usr/share/zoneinfo",
        b"ZONE=/store/tzdata/usr/share/zoneinfo/Asia/Tokyo",
        b"SSL_CERT_FILE=/tools/certificates",
    )


def test_nothing_is_said_of_what_no_package_has() -> None:
    wanted = [(b"A", b"/usr/share/terminfo"), (b"B", b"/etc/ssl/cert.pem.d"), (b"C", b"/etc/ssl/cert.pem/x")]
    assert file_variables(wanted, _SHOWN, bytes) == ()


def test_fonts_are_named_where_they_are() -> None:
    made: list[bytes] = []

    def placed(content: bytes) -> bytes:
        made.append(content)
        return b"/tools/fonts"

    assert file_variables([(b"FONTCONFIG_FILE", FONTS_CONF)], _SHOWN, placed) == (
        b"FONTCONFIG_FILE=/tools/fonts",
    )
    root = ET.fromstring(made[0])
    assert [(one.tag, one.text) for one in root] == [
        ("dir", "/store/dejavu/usr/share/fonts/truetype"),
        ("include", "/store/conf/etc/fonts/fonts.conf"),
    ]


def test_a_path_with_signs_of_xml_in_it_is_still_one() -> None:
    root = ET.fromstring(fonts_conf(b"/a&b/<c>", [b"/d&e"]))
    assert [one.text for one in root] == ["/d&e", "/a&b/<c>"]
