from denizen.system.spec import OnChange
from denizen.system.system_manifest import SystemUnit
from denizen.system.unit_files import UnitActions, installed_links, unit_actions

WANTS = "systemd/system/multi-user.target.wants/a.service"


def unit(name: str, digest: str = "0", *, on: bool = True, how: OnChange = OnChange.RESTART) -> SystemUnit:
    return SystemUnit(name, digest * 64, on, how)


def test_links_are_those_of_the_install_section() -> None:
    text = b"""[Unit]
WantedBy=no.target
[Install]
# WantedBy=no.target
WantedBy=multi-user.target \\
  graphical.target
RequiredBy = b.service
"""
    links, problems = installed_links("a.service", text)
    assert not problems
    assert sorted(links) == [
        "systemd/system/b.service.requires/a.service",
        "systemd/system/graphical.target.wants/a.service",
        WANTS,
    ]
    assert links[WANTS] == "../a.service"


def test_an_empty_assignment_resets_the_list() -> None:
    assert installed_links("a.service", b"[Install]\nWantedBy=a.target\nWantedBy=\n")[0] == {}


def test_a_name_that_leaves_the_directory_is_told() -> None:
    links, problems = installed_links("a.service", b"[Install]\nWantedBy=../../../x.target\n")
    assert not links
    assert "WantedBy ../../../x.target" in problems[0]


def test_each_change_has_its_action() -> None:
    before = [unit("gone.service"), unit("off.service"), unit("same.service"), unit("new-text.service")]
    before += [unit("reload.service"), unit("left.service"), unit("a.target"), unit("idle.service", on=False)]
    after = [
        unit("off.service", on=False),
        unit("same.service"),
        unit("new-text.service", "1"),
        unit("reload.service", "1", how=OnChange.RELOAD),
        unit("left.service", "1", how=OnChange.NOTHING),
        unit("a.target", "1"),
        unit("idle.service", "1", on=False),
        unit("begun.service"),
    ]
    assert unit_actions(before, after) == UnitActions(
        ("gone.service", "off.service"),
        True,  # the field's name is in the class
        ("reload.service",),
        ("new-text.service",),
        ("begun.service",),
    )
    assert unit_actions(after, after).is_nothing
