"""Where links of a tree lead."""

import pytest

from denizen.fhs.tree_model import Model, NodeKind


@pytest.fixture
def model() -> Model:
    made = Model()
    made.add(b"usr", NodeKind.DIRECTORY, 0)
    made.add(b"usr/bin", NodeKind.DIRECTORY, 0)
    made.add(b"usr/bin/mawk", NodeKind.FILE, 1)
    made.add(b"usr/bin/awk", NodeKind.LINK, 0, b"/etc/alternatives/awk")
    made.add(b"etc", NodeKind.DIRECTORY, 0)
    made.add(b"etc/alternatives", NodeKind.DIRECTORY, 0)
    made.add(b"etc/alternatives/awk", NodeKind.LINK, 0, b"/bin/mawk")
    made.add(b"usr/up", NodeKind.LINK, 0, b"../../../root")
    made.add(b"usr/round", NodeKind.LINK, 0, b"round")
    made.add(b"usr/data", NodeKind.LINK, 0, b"/etc")
    return made


def test_absolute_links_stay_in_the_tree_and_bin_is_below_usr(model: Model) -> None:
    assert model.followed(b"usr/bin/awk") == b"usr/bin/mawk"
    assert b"usr/bin/awk" in model


def test_a_link_on_the_way_is_followed(model: Model) -> None:
    assert model.followed(b"usr/data/alternatives/awk") == b"usr/bin/mawk"


def test_a_link_out_of_the_tree_leads_nowhere(model: Model) -> None:
    assert model.followed(b"usr/up/x") is None
    assert b"usr/up" not in model or model.kind(b"usr/up") is NodeKind.LINK


def test_a_circle_leads_nowhere(model: Model) -> None:
    assert model.followed(b"usr/round") is None


def test_a_star_stands_for_one_name(model: Model) -> None:
    assert model.matching(b"usr/*/mawk") == [b"usr/bin/mawk"]
    assert model.matching(b"usr/*") == [b"usr/bin", b"usr/data", b"usr/round", b"usr/up"]
    assert model.matching(b"usr/share") == []


def test_what_is_removed_is_gone(model: Model) -> None:
    model.remove(b"usr/bin/awk")
    assert model.kind(b"usr/bin/awk") is None
