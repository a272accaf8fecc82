"""What a start without a second thought believes: a whole decision about this very file, by us or root."""

import os
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.launch.decisions.decision import Decision
from denizen.launch.decisions.decision_codec import encode
from denizen.launch.decisions.program_identity import identity_name, identity_of
from denizen.launch.fast_path import decided
from denizen.value import replace


class DecisionDirectory:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.program = directory / "program"
        self.program.write_bytes(b"program")

    def decision(self) -> Decision:
        identity = identity_of(DiskView().stat(os.fsencode(self.program)))
        return Decision(identity, bytes(16), 64 << 16 | 62, b"/ld.so", program=os.fsencode(self.program))

    def put(self, content: bytes) -> Path:
        path = self.directory / os.fsdecode(identity_name(self.decision().identity))
        path.write_bytes(content)
        path.chmod(0o644)
        return path

    def found(self) -> Decision | None:
        return decided(os.fsencode(self.directory), os.fsencode(self.program))


@pytest.fixture
def decisions(tmp_path: Path) -> DecisionDirectory:
    return DecisionDirectory(tmp_path)


def test_a_whole_decision_about_this_file_is_believed(decisions: DecisionDirectory) -> None:
    decisions.put(encode(decisions.decision()))
    assert decisions.found() == decisions.decision()


def test_a_decision_cut_short_anywhere_is_none(decisions: DecisionDirectory) -> None:
    content = encode(decisions.decision())
    for length in range(len(content)):
        decisions.put(content[:length])
        assert decisions.found() is None


def test_a_decision_about_another_program_in_its_place_is_none(decisions: DecisionDirectory) -> None:
    own = decisions.decision()
    other = replace(own, identity=replace(own.identity, inode=own.identity.inode + 1))
    decisions.put(encode(other))
    assert decisions.found() is None


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_decision_that_others_may_write_is_none(decisions: DecisionDirectory, mode: int) -> None:
    decisions.put(encode(decisions.decision())).chmod(mode)
    assert decisions.found() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_decision_of_another_user_is_none(decisions: DecisionDirectory) -> None:
    path = decisions.put(encode(decisions.decision()))
    os.chown(path, 12345, 12345)
    assert decisions.found() is None


def test_a_decision_whose_store_object_is_gone_is_none(decisions: DecisionDirectory) -> None:
    decisions.put(encode(replace(decisions.decision(), objects=(b"/nonexistent/store/object",))))
    assert decisions.found() is None
