"""Configuration files that postinst scripts install by ucf, read from scripts that are never run."""

import pytest

from denizen.fhs.configuration_files import configuration_files_in

# r-base-core's, of Debian 13.
R = b"""
    tmpRenviron=$(mktemp)
    cat /usr/lib/R/etc/Renviron.ucf > "$tmpRenviron"
    papersize=`paperconf`
    sed -E -i -e 's/^R_PAPERSIZE_USER/x/' "$tmpRenviron"
    ucf "$tmpRenviron" /etc/R/Renviron
    ucfr r-base-core /etc/R/Renviron
"""
# php8.4-cli's.
PHP = b"""
    phpini="/etc/php/8.4/cli/php.ini"
    if [ -e /usr/lib/php/8.4/php.ini-production.cli ]; then
\tucf /usr/lib/php/8.4/php.ini-production.cli $phpini
    else
\tucf /usr/lib/php/8.4/php.ini-production $phpini
    fi
"""

# php8.2-mbstring's.
EXTENSION = b"""
    inidir=/etc/php/8.2/mods-available
    for dsoname in mbstring other; do
	inifile=${dsoname}.ini
	ucf /usr/share/php8.2-mbstring/mbstring/${inifile} ${inidir}/${inifile}
	md5sum="$(md5sum ${inidir}/${inifile}.dpkg-new | sed -e 's/ .*//')"
    done
"""


def test_a_variable_that_is_assigned_from_a_loops_has_a_value_for_each_round() -> None:
    inside, outside = b"/etc/php/8.2/mods-available/", b"/usr/share/php8.2-mbstring/mbstring/"
    names = (b"mbstring.ini", b"other.ini")
    assert list(configuration_files_in(EXTENSION)) == [(inside + name, outside + name) for name in names]


@pytest.mark.parametrize(
    "script",
    [
        b"for x in a b; do y=$x.c; y=$x.d; ucf /usr/$y /etc/$y; done",
        b"for x in a b; do y=$x$1; ucf /usr/$y /etc/$y; done",
        b"for x in a b; do y=$y$x; ucf /usr/$y /etc/$y; done",
    ],
)
def test_a_variable_that_is_assigned_otherwise_is_not_known(script: bytes) -> None:
    assert list(configuration_files_in(script)) == []


def test_a_template_that_is_copied_before_is_known_by_its_name() -> None:
    assert list(configuration_files_in(R)) == [(b"/etc/R/Renviron", b"/usr/lib/R/etc/Renviron.ucf")]


def test_every_template_of_a_file_is_told_in_the_order_of_the_script() -> None:
    file = b"/etc/php/8.4/cli/php.ini"
    template = b"/usr/lib/php/8.4/php.ini-production"
    assert list(configuration_files_in(PHP)) == [(file, template + b".cli"), (file, template)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (b"ucf --three-way --debconf-ok /usr/share/a /etc/a", [(b"/etc/a", b"/usr/share/a")]),
        (b"ucf --src-dir /var/x /usr/share/a /etc/a", [(b"/etc/a", b"/usr/share/a")]),
        (b"ucf --purge /etc/a", []),
        (b"ucf -p /usr/share/a /etc/a", []),
        (b"ucf /usr/share/a", []),
        (b"ucf /usr/share/../a /etc/a", []),
        (b"ucf /usr/share/a etc/a", []),
        (b"ucf /etc/a /etc/a", []),
        (b'ucf "$1" /etc/a', []),
        (b'cp /usr/share/a.conf "$t"; cp /usr/share/a.new "$t"; ucf "$t" /etc/a', []),
        (b'cp /usr/share/b "$t"; ucf "$t" /etc/a', []),
        (b"ucfr package /etc/a", []),
    ],
)
def test_the_words_of_ucf(words: bytes, found: list[tuple[bytes, bytes]]) -> None:
    assert list(configuration_files_in(words + b"\n")) == found
