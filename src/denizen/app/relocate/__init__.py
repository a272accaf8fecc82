"""Operations on programs and trees that go elsewhere: `denizen patch`, `denizen relocate`."""
