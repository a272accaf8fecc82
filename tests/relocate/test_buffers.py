"""A changed file is the same, and a wrong byte is found, wherever an edge of a piece falls in it."""

import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.relocate import file_edits, verify_patch
from denizen.relocate.errors import WrongPatch
from denizen.relocate.file_edits import FileEdit, FilePlan, apply


@given(
    content=st.binary(min_size=8, max_size=200),
    padding=st.integers(0, 200),
    block=st.integers(1, 70),
    data=st.data(),
)
def test_a_plan_puts_in_as_many_zeros_as_it_says_for_any_block(
    content: bytes, padding: int, block: int, data: st.DataObject
) -> None:
    plan = _drawn(content, padding, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_edits, "_BLOCK", block)
        assert apply(plan, content) == _changed(content, plan)


@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("times", [1, 2])
def test_about_as_many_zeros_as_a_block_are_put_in(more: int, times: int) -> None:
    padding = times * file_edits._BLOCK + more
    assert apply(FilePlan((), 1, 0, padding, b"new"), b"ab") == b"a" + bytes(padding) + b"newb"


@given(content=st.binary(min_size=8, max_size=200), piece=st.integers(1, 70), data=st.data())
def test_one_wrong_byte_is_found_wherever_pieces_meet(
    content: bytes, piece: int, data: st.DataObject
) -> None:
    """In a file that is mapped, which is compared in pieces; one that was read is compared as a whole."""
    plan = _drawn(content, data.draw(st.integers(0, 20)), data)
    changed = _changed(content, plan)
    own = {at for one in plan.edits for at in range(one.offset, one.offset + len(one.content))}
    put_in = range(plan.insert_at, plan.insert_at + plan.padding + len(plan.inserted))
    kept = [at for at in range(len(changed)) if at not in own and at not in put_in]
    with pytest.MonkeyPatch.context() as patch, mmap.mmap(-1, len(changed)) as mapped:
        patch.setattr(verify_patch, "_PIECE", piece)
        mapped[:] = changed
        verify_patch._same_bytes(content, mapped, plan)
        at = data.draw(st.sampled_from(kept))
        mapped[at] ^= 1
        with pytest.raises(WrongPatch):
            verify_patch._same_bytes(content, mapped, plan)
        with pytest.raises(WrongPatch):
            verify_patch._same_bytes(content, bytes(mapped), plan)


def _drawn(content: bytes, padding: int, data: st.DataObject) -> FilePlan:
    """Return a plan with a byte that is changed in its place, and bytes that are put in behind it."""
    insert_at = data.draw(st.integers(2, len(content)))
    at = data.draw(st.integers(0, insert_at - 2))
    cut = data.draw(st.integers(0, len(content) - insert_at))
    edit = FileEdit(at, bytes([content[at] ^ 255]), "a byte")
    return FilePlan((edit,), insert_at, cut, padding, data.draw(st.binary(min_size=1, max_size=9)))


def _changed(content: bytes, plan: FilePlan) -> bytes:
    (edit,) = plan.edits
    new = content[: edit.offset] + edit.content + content[edit.offset + 1 :]
    rest = new[plan.insert_at + plan.cut :]
    return new[: plan.insert_at] + bytes(plan.padding) + plan.inserted + rest
