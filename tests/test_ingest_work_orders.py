"""Work orders of any export become passages; none is lost, and a second import changes nothing."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from assistant.assets import AssetResolver
from assistant.embedding import Embedder
from assistant.errors import InputError
from assistant.records.catalogue import Catalogue
from assistant.records.database import open_database
from assistant.records.plant import Plant
from assistant.retrieve import Retriever
from assistant.schema import Asset, Chunk, TriageForm
from assistant.settings import RetrievalSettings
from assistant.sparse import SparseEncoder
from assistant.store.base import Scope
from assistant.store.edge import EdgeStore
from assistant.triage.rank import Triage
from ingest.order_chunks import order_id
from ingest.order_file import Choices
from ingest.rejects import write_rejects
from ingest.work_orders import ImportOutcome, WorkOrders

REAL = Path(__file__).parents[2] / "shared" / "data" / "work_orders"
MAXIMO = """WONUM,DESCRIPTION,ASSETNUM,STATUS,REPORTDATE,PROBLEMCODE,CAUSE,REMEDY
1001,Press down E-07,PR-01,COMP,2025-03-01,OIL,Leak at port,"Hose 44-1650, c/o"
1002,FE-1 on panel,PR-01,WAPPR,2025-03-02,,,
,no number,PR-01,COMP,2025-03-03,,,
1004,,PR-01,COMP,2025-03-04,,,
"""


class Office:
    """The importer of one home."""

    def __init__(
        self, home: Path, store: EdgeStore, plant: Plant, catalogue: Catalogue, embedder: Embedder
    ) -> None:
        self.home, self.store, self.plant, self.embedder = home, store, plant, embedder
        self.catalogue = catalogue
        self.importer = WorkOrders(store, embedder, SparseEncoder(), plant, catalogue, home)

    def write(self, content: str | bytes, name: str = "orders.csv") -> Path:
        path = self.home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def take(self, content: str | bytes, name: str = "orders.csv", **choices: str) -> ImportOutcome:
        """Writes a file and imports it."""
        return self.importer.ingest(self.write(content, name), Choices(**choices))

    def order(self, number: str, site: str = "") -> Chunk:
        (chunk,) = self.store.fetch([order_id(number, site)])
        return chunk


@pytest.fixture
def office(tmp_path: Path, word_hashes: Embedder) -> Iterator[Office]:
    engine = open_database("", tmp_path)
    store = EdgeStore(tmp_path / "vectors", word_hashes.name, word_hashes.dimension)
    yield Office(tmp_path, store, Plant(engine), Catalogue(engine), word_hashes)
    store.close()
    engine.dispose()


def test_a_maximo_export_is_read_row_by_row(office: Office) -> None:
    office.plant.add_assets([Asset("PR-01", model="HP-250")])
    outcome = office.take(MAXIMO, mapping="maximo")
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
    office.take(MAXIMO)
    assert office.order("1002").text == "FE-1 on panel"


def test_importing_again_updates_by_order_number_whatever_the_file_is_called(office: Office) -> None:
    office.take(MAXIMO)
    again = office.take(MAXIMO, "same.csv")
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    changed = office.take(MAXIMO.replace("WAPPR", "CLOSE"), "2025-04.csv")
    assert (changed.added, changed.updated, changed.unchanged) == (0, 1, 1)
    assert office.order("1002").extra["status"] == "CLOSE"
    assert office.store.count() == 2


def test_two_sites_may_give_their_orders_the_same_numbers(office: Office) -> None:
    office.take("WONUM,SITEID,DESCRIPTION\n1,LEEDS,Belt slips\n1,YORK,Lamp broken\n")
    assert office.order("1", "leeds").text == "Belt slips"
    assert office.order("1", "YORK").text == "Lamp broken"
    # A file without a column of sites belongs to the site that is given.
    assert office.take("WONUM,DESCRIPTION\n1,Belt slips badly\n", site="Leeds").updated == 1
    assert office.store.count() == 2


def test_a_file_of_another_site_is_refused_instead_of_replacing_orders(office: Office) -> None:
    columns = "WONUM,ASSETNUM,REPORTDATE,DESCRIPTION\n"
    ours = columns + "".join(f"{n},PR-{n},2025-03-0{n},Press noise {n}\n" for n in range(1, 6))
    theirs = columns + "".join(f"{n},CV-{n},2024-09-0{n},Belt torn {n}\n" for n in range(1, 6))
    office.take(ours)
    with pytest.raises(InputError, match=r"5 of 5 order numbers in .* give --site NAME"):
        office.take(theirs, "york.csv")
    assert office.order("1").text == "Press noise 1"
    assert office.take(theirs, "york.csv", site="York").added == 5
    # The supervisor may also say that the numbers were used anew.
    assert office.take(theirs, "york.csv", site="").updated == 5


def test_an_export_with_fewer_columns_keeps_what_another_one_told(office: Office) -> None:
    office.take("WONUM,DESCRIPTION,REMEDY,STATUS\n1,Leak,New seal,WAPPR\n")
    assert office.take("WONUM,DESCRIPTION,STATUS\n1,Leak,COMP\n", "status.csv").updated == 1
    assert office.order("1").extra == {
        "order": "1",
        "problem": "Leak",
        "remedy": "New seal",
        "status": "COMP",
    }
    assert office.take("WONUM,DESCRIPTION,STATUS\n1,Leak,COMP\n", "status.csv").unchanged == 1
    # An empty cell, other than a missing column, says that there is none.
    office.take("WONUM,DESCRIPTION,REMEDY\n1,Leak,\n")
    assert "remedy" not in office.order("1").extra


def test_an_order_on_several_rows_keeps_what_each_of_them_says(office: Office) -> None:
    outcome = office.take(
        "AUFNR,QMNUM,EQUNR,QMTXT,URCOD\n40,9,P1,Pump loud,WEAR\n40,9,P2,Pump loud,SEAL\n,10,P1,Leak,\n"
    )
    assert (outcome.read, outcome.accepted, outcome.added, outcome.merged) == (3, 3, 2, 1)
    assert office.order("40").text == "Pump loud\nURCOD: WEAR / SEAL"
    assert office.order("40").applies_to == ("p1", "p2")
    # A notification without an order is known by its own number.
    assert office.order("10").text == "Leak"


def test_a_file_without_order_numbers_knows_its_orders_by_machine_date_and_text(office: Office) -> None:
    content = (
        "Asset,Date,Shorttext,Cost\nA,2004-07-01,BUCKET LEAKING,1\nA,2004-07-01,BUCKET LEAKING,2\nB,,NA,\n"
    )
    first = office.take(content)
    assert (first.read, first.added, len(first.rejected)) == (3, 2, 1)
    assert office.take(content).unchanged == 2
    # A remedy that comes later is an update, not another order.
    later = (
        "Asset,Date,Shorttext,Action\nA,2004-07-01,BUCKET LEAKING,Weld\nA,2004-07-01,BUCKET LEAKING,Weld\n"
    )
    assert office.take(later, "later.csv").updated == 2
    assert office.store.count() == 2


def test_rejected_rows_can_be_corrected_in_their_file_and_imported(office: Office) -> None:
    content = "WONUM,DESCRIPTION,ASSETNUM\n1,Belt torn,CV-1\n,=2+3 volts,CV-2\n3,belt, torn,CV-3\n"
    outcome = office.take(content)
    assert [row.reason for row in outcome.rejected] == [
        "no order number in column WONUM",
        "4 cells under 3 headings: is a text with a delimiter in it not quoted?",
    ]
    place = office.home / "rejected.csv"
    write_rejects(place, outcome.headings, outcome.rejected)
    text = place.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == "row in file,rejected because,WONUM,DESCRIPTION,ASSETNUM,column 4"
    # Excel must not compute what a technician typed.
    assert ",'=2+3 volts,CV-2" in text
    place.write_text(
        text.replace("WONUM,,'", "WONUM,2,'").replace("3,belt,torn,CV-3", "3,belt torn,CV-3,"), "utf-8"
    )
    assert office.importer.ingest(place).added == 2
    assert office.order("2").text == "=2+3 volts"
    assert office.order("3").extra["asset"] == "CV-3"


def test_missing_columns_are_told_with_those_found_and_nothing_changes(office: Office) -> None:
    with pytest.raises(InputError, match=r"lacks the mapped columns DESCRIPTION, WONUM\. It has: a, b\."):
        office.take("a,b\n1,2\n", mapping="maximo")
    with pytest.raises(InputError, match=r"no column that looks like description\. It has: part, on hand\."):
        office.take("part,on hand\n44-1180,2\n")
    assert office.store.count() == 0


def test_shorthand_is_found_by_plain_words_and_shown_as_written(office: Office) -> None:
    office.take("WONUM,DESCRIPTION\n1,c/o brg\n2,hyd hose blown\n3,电磁伐坏\n4,Lamp E-07 M10\n")
    asked = "change out bearing"
    vector = office.embedder.queries([asked])[0]
    (first, *_) = office.store.search(vector, SparseEncoder().query(asked), Scope(), 3, 20)
    assert first.chunk.text == "c/o brg"
    assert office.order("2").extra["plain_words"] == "hydraulic"
    assert office.order("3").extra["plain_words"] == "电磁阀坏"
    assert "plain_words" not in office.order("4").extra


def test_what_is_learned_later_reindexes_orders_and_then_rests(office: Office) -> None:
    old = "WONUM,DESCRIPTION\n1,swap grndr\n"
    office.take(old)
    rows = [f"{n},{verb} {word} {n}" for n, (verb, word) in enumerate(_grinders(), start=1000)]
    learned = office.take("WONUM,DESCRIPTION\n" + "\n".join(rows), "many.csv")
    assert learned.shorthand == 1
    again = office.take(old)
    assert (again.updated, again.unchanged, again.reindexed) == (0, 1, 1)
    assert office.order("1").extra["plain_words"] == "grinder"
    assert office.take(old).reindexed == 0


def _grinders() -> Iterator[tuple[str, str]]:
    for verb in ("swap", "weld", "paint", "inspect", "oil"):
        for _ in range(40):
            yield verb, "grinder"
        for _ in range(10):
            yield verb, "grndr"
            yield verb, "lamp"


@pytest.mark.parametrize(
    "name", ["excavators/excavators.csv", "chillers/all_wo_with_code_component_events.csv"]
)
def test_no_row_of_a_real_fleet_is_lost(office: Office, name: str) -> None:
    path = REAL / name
    if not path.is_file():
        pytest.skip("the work orders of real fleets are not here")
    rows = {"excavators": 5485, "chillers": 4249}[path.parent.name]
    outcome = office.importer.ingest(path)
    assert outcome.read == rows and outcome.accepted + len(outcome.rejected) == rows
    assert outcome.added + outcome.merged == outcome.accepted
    again = office.importer.ingest(path)
    assert (again.added, again.updated, again.reindexed) == (0, 0, 0)


def test_triage_tells_what_fixed_it_from_excel_and_json_exports(office: Office) -> None:
    office.plant.add_assets([Asset("PR-01", model="HP-250"), Asset("CV-06")])
    book = Workbook()
    book.active.append(["WONUM", "ASSETNUM", "REPORTDATE", "DESCRIPTION", "CAUSE", "REMEDY", "STATUS"])
    book.active.append(
        ["A1", "PR-01", date(2025, 3, 1), "PRESS OVERHEATS", "Strainer", "Cleaned strainer", "COMP"]
    )
    book.active.append(["A2", "CV-06", date(2025, 3, 2), "Belt overheats", "", "Tensioned", "COMP"])
    book.save(office.home / "orders.xlsx")
    assert office.importer.ingest(office.home / "orders.xlsx").added == 2
    record = {"id": "J7", "title": "press o/heating again", "assetId": "PR-01", "status": "DONE"}
    record |= {"createdAt": "2025-04-02T06:00:00Z", "completionNotes": "Replaced cooler fan"}
    assert (
        office.take(json.dumps({"workOrders": [record]}), "maintainx.json").origin == "looks like maintainx"
    )
    resolver = AssetResolver(office.plant, office.catalogue, office.store)
    sparse = SparseEncoder()
    retriever = Retriever(office.store, office.embedder, sparse, office.catalogue, RetrievalSettings())
    triage = Triage(resolver, retriever, office.plant, office.store, sparse)
    result = triage.rank(TriageForm("PR-01", "press is overheating"))
    told = {order.number: (order.date, order.text, order.remedy) for order in result.orders}
    assert told == {
        "A1": ("2025-03-01", "PRESS OVERHEATS", "Cleaned strainer"),
        "J7": ("2025-04-02 06:00", "press o/heating again", "Replaced cooler fan"),
    }
