import pytest

from denizen.formats.project_tables import DEVELOP, FHS, PROFILE, project_table
from denizen.formats.toml_file import BadTomlFile


def test_a_table_is_had_beside_the_others() -> None:
    text = b'[fhs]\npackages = ["gcc"]\n[profile]\nname = "work"\n'
    assert project_table(FHS, text, "denizen.toml", BadTomlFile) == {"packages": ["gcc"]}
    assert project_table(PROFILE, text, "denizen.toml", BadTomlFile) == {"name": "work"}
    assert project_table(DEVELOP, text, "denizen.toml", BadTomlFile) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[fhs]\n[profil]\n", "there is no key 'profil' outside the tables; is profile meant?"),
        (b"[profile]\n[run]\n", "there is no key 'run' outside the tables; there are fhs, profile, develop"),
        (b"packages = ['gcc']\n[fhs]\n", "there is no key 'packages' outside the tables"),
        (b"fhs = 3\n", "fhs is no table"),
    ],
)
def test_a_table_that_nothing_reads_is_told(text: bytes, said: str) -> None:
    with pytest.raises(BadTomlFile) as failure:
        project_table(FHS, text, "denizen.toml", BadTomlFile)
    assert said in failure.value.why
