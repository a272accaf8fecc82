"""How a command ends that did not end by itself."""

import pytest

from denizen.cli import dispatch as dispatching


def test_a_lack_of_memory_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(dispatching, "_dispatch", exhausted)
    assert dispatching.dispatch(["list"]) == 125
    told = capsys.readouterr().err
    assert "there is not enough memory" in told
    assert "defect" not in told
    with pytest.raises(MemoryError):
        dispatching.dispatch(["list", "--debug"])
