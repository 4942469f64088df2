"""Which passage comes first, with the weights that come with Lineside."""

from itertools import permutations
from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.ranking import Ranker, build_reranker
from assistant.schema import BlockKind, Chunk, Hit, Question
from assistant.settings import RetrievalSettings
from assistant.sparse import SparseEncoder
from assistant.understand import Understander
from assistant.wording import Wording, spelled

WORDING = Wording(SparseEncoder())


def hit(name: str, text: str, kind: BlockKind = "text", heading: str = "7 Flanges", **signals: float) -> Hit:
    chunk = Chunk(name, "pump.pdf", "r1", "Pump", (heading,), 1, 1, kind, text)
    return Hit(chunk, 0.1, signals={"dense": 0.85, "bm25": 5.0, **signals})


def ranked(question: str, *hits: Hit) -> list[str]:
    understood = Understander().read(Question(question))
    return [found.chunk.id for found in Ranker(WORDING).rank(understood, hits)]


def test_the_row_that_gives_the_value_comes_before_captions_and_talk() -> None:
    row = hit("row", "Joint: Flange of the pump | Thread: M16 | Torque: 210 Nm", "table")
    caption = hit("caption", "Figure 3: Flange of the pump", "figure")
    talk = hit("talk", "The flange of the pump is tightened by a fitter. Wear gloves.")
    assert ranked("pump flange, how many Nm?", caption, talk, row)[0] == "row"


def test_where_nothing_is_found_there_is_nothing_to_rank() -> None:
    understood = Understander().read(Question("How tight are the flange bolts?"))
    assert Ranker(WORDING).rank(understood, []) == ()


def test_a_value_is_recognised_in_the_other_language() -> None:
    row = hit("row", "连接部位: 喷嘴 | 螺纹: M30 | 拧紧力矩: 420 N·m", "table", "11.4 拧紧力矩表")
    parts = hit("parts", "件号: ZS16-2100 | 名称: 螺杆 45 mm | 数量: 1", "table", "13.1 零件清单")
    assert ranked("nozzle torque", parts, row)[0] == "row"


def test_the_order_in_which_candidates_come_changes_nothing() -> None:
    same = [hit(name, "Change the oil every 500 hours.") for name in ("a", "b")]
    hits = [*same, hit("c", "The oil is HLP 46."), hit("d", "Figure 1: Oil tank", "figure")]
    assert len({tuple(ranked("how often is the oil changed", *order)) for order in permutations(hits)}) == 1


def test_what_was_counted_can_be_read() -> None:
    understood = Understander().read(Question("torque of the flange"))
    found = Ranker(WORDING).rank(understood, [hit("row", "Flange: 210 Nm", "table")])
    assert found[0].signals["gives_asked"] == 1 and found[0].signals["dense"] == 0.85


def test_words_of_the_shop_are_looked_for_in_the_words_of_manuals() -> None:
    assert {"氮气", "nitrogen"} <= set(WORDING.instead("N2 in the accu").split())
    assert "torque" in WORDING.instead("喷嘴力矩")
    (wanted,) = WORDING.wanted("what about the gaskets?")
    assert wanted.held_in(spelled("Replace both gaskets.")) == 1 > wanted.held_in(spelled("更换密封垫")) > 0
    assert wanted.held_in(spelled("Replace the belt.")) == 0


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real CrossEncoder, two layers deep, that has learned nothing."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("cross-encoder")
    signs = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz0123456789"]
    pieces = [*signs, *(f"##{sign}" for sign in signs[5:])]
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=1,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    transformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_cross_encoder_reads_the_first_and_leaves_the_rest(cross_encoder: Path) -> None:
    hits = [
        hit(name, f"Change oil {name} every 500 h.", dense=0.8 + n / 100) for n, name in enumerate("abcd")
    ]
    understood = Understander().read(Question("oil change interval"))
    learned = [found.chunk.id for found in Ranker(WORDING).rank(understood, hits)]
    settings = RetrievalSettings(reranker=str(cross_encoder), rerank_depth=2)
    reranker = build_reranker(settings, WORDING)
    assert reranker is not None
    found = reranker.rank(understood, hits)
    assert {one.chunk.id for one in found[:2]} == set(learned[:2])
    assert [one.chunk.id for one in found[2:]] == learned[2:]
    assert found[0].signals["cross_encoder"] >= found[1].signals["cross_encoder"]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_reranker_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be loaded"):
        build_reranker(RetrievalSettings(reranker=str(tmp_path / "none")), WORDING)
    assert build_reranker(RetrievalSettings(reranker="none"), WORDING) is None
