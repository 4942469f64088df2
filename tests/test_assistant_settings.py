"""Settings: where they come from, and that nothing unknown passes."""

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import load_settings


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "lineside.toml").write_text('[llm]\nmodel = "file"\nmax_tokens = 99\n', encoding="utf-8")
    settings = load_settings({"LINESIDE_LLM_MODEL": "variable"}, tmp_path)
    assert (settings.llm.model, settings.llm.max_tokens, settings.web.port) == ("variable", 99, 7860)


@pytest.mark.parametrize("name", ["LINESIDE_LLM_MODLE", "LINESIDE_PORT"])
def test_an_unknown_variable_is_rejected_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({name: "x"}, tmp_path)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[llm]\nmodle = "x"\n', "MODLE"),
        ("[lmm]\n", "lmm"),
        ("[web]\nport = 99999\n", "PORT"),
        ("[web\n", "TOML"),
    ],
)
def test_a_faulty_file_is_one_clear_line(text: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "lineside.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=named) as caught:
        load_settings({}, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings({"LINESIDE_CONFIG": str(tmp_path / "none.toml")}, tmp_path)
