"""Recipes say what is wrong with them before anything is loaded."""

from importlib.resources import files
from pathlib import Path

import pytest

from assistant.errors import InputError
from finetune.recipe import read_recipe

SHIPPED = sorted(
    entry.name.removesuffix(".yaml") for entry in files("finetune").joinpath("recipes").iterdir()
)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_is_whole(name: str) -> None:
    assert read_recipe(name).name == name


def test_lora_is_the_default_method_and_learns_answers_only() -> None:
    recipe = read_recipe("lora")
    assert (recipe.method, recipe.completion_only, recipe.packing) == ("lora", True, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nlearning_rat: 0.1\n", "learning_rat"),
        ("name: a\nrank: 0\n", "rank"),
        ("name: a\nmethod: full\n", "method"),
        ("name: a\nmethod: adalora\nrank: 24\nfirst_rank: 24\n", "first_rank above rank"),
        ("name: a\nbest_by: answers\n", "needs a number of answers"),
        ("rank: 8\n", "name"),
        ("- 1\n", "recipe"),
        ("a: [\n", "no YAML"),
    ],
)
def test_a_wrong_recipe_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        read_recipe(str(path))
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="lora"):
        read_recipe("lara")
