"""Work orders of any export become passages; none is lost, and a second import changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.embedding import Embedder
from assistant.errors import InputError
from assistant.records.database import open_database
from assistant.records.plant import Plant
from assistant.schema import Asset, Chunk
from assistant.sparse import SparseEncoder
from assistant.store.edge import EdgeStore
from ingest.mapping import choose_columns
from ingest.work_orders import WorkOrders, order_id, read_csv

EXCAVATORS = Path(__file__).parents[2] / "shared" / "data" / "work_orders" / "excavators" / "excavators.csv"
MAXIMO = """WONUM,DESCRIPTION,ASSETNUM,STATUS,REPORTDATE,PROBLEMCODE,CAUSE,REMEDY
1001,Press down E-07,PR-01,COMP,2025-03-01,OIL,Leak at port,"Hose 44-1650, c/o"
1002,FE-1 on panel,PR-01,WAPPR,2025-03-02,,,
,no number,PR-01,COMP,2025-03-03,,,
1004,,PR-01,COMP,2025-03-04,,,
"""


class Office:
    """The importer of one home."""

    def __init__(self, home: Path, store: EdgeStore, plant: Plant, embedder: Embedder) -> None:
        self.home, self.store, self.plant = home, store, plant
        self.importer = WorkOrders(store, embedder, SparseEncoder(), plant)

    def write(self, content: str | bytes, name: str = "orders.csv") -> Path:
        path = self.home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def order(self, number: str) -> Chunk:
        (chunk,) = self.store.fetch([order_id(number)])
        return chunk


@pytest.fixture
def office(tmp_path: Path, word_hashes: Embedder) -> Iterator[Office]:
    engine = open_database("", tmp_path)
    store = EdgeStore(tmp_path / "vectors", word_hashes.name, word_hashes.dimension)
    yield Office(tmp_path, store, Plant(engine), word_hashes)
    store.close()
    engine.dispose()


def test_a_maximo_export_is_read_row_by_row(office: Office) -> None:
    office.plant.add_assets([Asset("PR-01", model="HP-250")])
    outcome = office.importer.ingest(office.write(MAXIMO), "maximo")
    assert (outcome.read, outcome.accepted, outcome.added) == (4, 2, 2)
    assert [(r.row, r.reason) for r in outcome.rejected] == [
        (3, "no order number in column WONUM"),
        (4, "no text in column DESCRIPTION"),
    ]
    chunk = office.order("1001")
    assert chunk.text == ("Press down E-07\nPROBLEMCODE: OIL\nCAUSE: Leak at port\nREMEDY: Hose 44-1650, c/o")
    assert (chunk.source, chunk.revision, chunk.page) == ("work_order", "work-orders", 1)
    assert chunk.applies_to == ("pr-01", "hp-250")
    assert {"e07", "441650", "1001"} <= set(chunk.identifiers)
    wanted = {
        "order": "1001",
        "asset": "PR-01",
        "date": "2025-03-01",
        "status": "COMP",
        "cause": "Leak at port",
    }
    assert wanted.items() <= dict(chunk.extra).items()


def test_cells_stay_text(office: Office) -> None:
    office.importer.ingest(office.write(MAXIMO))
    assert office.order("1002").text == "FE-1 on panel"


def test_importing_again_updates_by_order_number(office: Office) -> None:
    office.importer.ingest(office.write(MAXIMO))
    again = office.importer.ingest(office.write(MAXIMO, "same.csv"))
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    changed = office.importer.ingest(office.write(MAXIMO.replace("WAPPR", "CLOSE")))
    assert (changed.added, changed.updated, changed.unchanged) == (0, 1, 1)
    assert office.order("1002").extra["status"] == "CLOSE"
    assert office.store.count() == 2


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("工单号;设备;日期;故障描述;处理方法\n77;IM-01;2025-05-01;料筒温度低;更换加热圈\n", "gb18030"),
        (
            "工单号\t设备\t日期\t故障描述\t处理方法\n77\tIM-01\t2025-05-01\t料筒温度低\t更换加热圈\n",
            "utf-8-sig",
        ),
        ("工单号,设备,日期,故障描述,处理方法\n77,IM-01,2025-05-01,料筒温度低,更换加热圈\n", "utf-16"),
    ],
)
def test_chinese_files_of_any_encoding_and_delimiter_are_guessed(
    office: Office, content: str, encoding: str
) -> None:
    outcome = office.importer.ingest(office.write(content.encode(encoding)))
    assert (outcome.accepted, outcome.rejected) == (1, ())
    assert office.order("77").text == "料筒温度低\n处理方法: 更换加热圈"


def test_a_file_without_order_numbers_knows_its_orders_by_content(office: Office) -> None:
    content = "Asset,Date,Shorttext\nA,2004-07-01,BUCKET LEAKING\nA,2004-07-01,BUCKET LEAKING\nB,,NA\n"
    first = office.importer.ingest(office.write(content))
    assert (first.read, first.added, len(first.rejected)) == (3, 2, 1)
    assert office.importer.ingest(office.write(content)).unchanged == 2


def test_a_mapping_file_names_the_columns(office: Office) -> None:
    (office.home / "map.yaml").write_text("order: Nr\ndescription: Was\n", encoding="utf-8")
    office.importer.ingest(office.write("Nr,Was\n5,Pumpe laut\n"), str(office.home / "map.yaml"))
    assert office.order("5").text == "Pumpe laut"


def test_missing_columns_are_told_with_those_found_and_nothing_changes(office: Office) -> None:
    with pytest.raises(InputError, match=r"lacks the mapped columns DESCRIPTION, WONUM\. It has: a, b\."):
        office.importer.ingest(office.write("a,b\n1,2\n"), "maximo")
    with pytest.raises(InputError, match=r"no column that looks like description\. It has: part, on hand\."):
        office.importer.ingest(office.write("part,on hand\n44-1180,2\n"))
    assert office.store.count() == 0


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("nonsense", r"neither a preset nor a file\. Presets: maximo, sap-pm"),
        ("ordre: WONUM\ndescription: X\n", r"maps unknown field ordre\. Known: order, asset"),
        ("order: WONUM\n", r"maps no text"),
        ("- a\n- b\n", r"holds no mapping"),
        ("a: [", r"is not valid YAML or JSON"),
    ],
)
def test_a_faulty_mapping_is_told(tmp_path: Path, mapping: str, message: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(mapping, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        choose_columns("nonsense" if mapping == "nonsense" else str(path), ["WONUM"], "orders.csv")


@pytest.mark.parametrize("content", [b"", b"  \n", b"PK\x03\x04\x00\x00"])
def test_what_is_no_table_is_refused(office: Office, content: bytes) -> None:
    with pytest.raises(InputError, match=r"orders\.csv is (empty|not a CSV file)"):
        read_csv(office.write(content))


@pytest.mark.skipif(not EXCAVATORS.is_file(), reason="the excavators' work orders are not here")
def test_no_row_of_a_real_fleet_is_lost(office: Office) -> None:
    outcome = office.importer.ingest(EXCAVATORS)
    assert outcome.read == 5485 and outcome.accepted + len(outcome.rejected) == 5485
    again = office.importer.ingest(EXCAVATORS)
    assert (again.added, again.updated) == (0, 0)
