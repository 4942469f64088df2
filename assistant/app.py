"""Composition root: settings in, objects out. Nothing else builds collaborators."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

# Imported for its tables, which must be known before the database is opened.
import assistant.records.accounts  # noqa: F401
from assistant.answer import Answerer
from assistant.assets import AssetResolver
from assistant.clearing import Clearing
from assistant.conflicts import Conflicts
from assistant.earlier import EarlierRevisions
from assistant.embedding import Embedder, build_embedder
from assistant.errors import StorageError
from assistant.evidence import EvidenceFinder
from assistant.grounding import Grounder
from assistant.jobs import JobQueue
from assistant.llm import LanguageModel, ServedModel
from assistant.pages import PagePictures
from assistant.ranking import build_reranker
from assistant.records.catalogue import Catalogue
from assistant.records.database import open_database
from assistant.records.files import OriginalFiles
from assistant.records.plant import Plant
from assistant.records.quality import QualityReports
from assistant.refusal import RefusalModel
from assistant.retrieve import Retriever
from assistant.revisions import Revisions
from assistant.safety import SafetyCarrier
from assistant.settings import Settings, StoreSettings
from assistant.shorthand import PlantShorthand
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkStore
from assistant.triage.rank import Triage
from assistant.wording import Wording


@dataclass(frozen=True, slots=True)
class Lineside:
    """Everything that a command or the application works with."""

    settings: Settings
    home: Path
    engine: Engine
    catalogue: Catalogue
    plant: Plant
    files: OriginalFiles
    store: ChunkStore
    embedder: Embedder
    sparse: SparseEncoder
    retriever: Retriever
    llm: LanguageModel
    answerer: Answerer
    triage: Triage
    jobs: JobQueue
    pictures: PagePictures
    reports: QualityReports
    revisions: Revisions
    clearing: Clearing


@contextmanager
def open_lineside(settings: Settings, llm: LanguageModel | None = None) -> Iterator[Lineside]:
    """Builds the objects for one process and closes them at the end.

    Args:
        settings: of this process.
        llm: what writes the answers, by default the server that the settings name.

    Raises:
        StorageError: the home folder, database or vector engine cannot be opened.
        HomeInUseError: another process holds the home.
        ModelError: the embedder cannot be loaded.
    """
    home = open_home(settings)
    engine = open_database(settings.store.database_url, home)
    catalogue, plant = Catalogue(engine), Plant(engine)
    embedder = build_embedder(settings.retrieval.embedder, home / "models")
    store = open_store(settings.store, home, embedder)
    sparse = SparseEncoder()
    try:
        resolver = AssetResolver(plant, catalogue, store)
        llm = llm or ServedModel(settings.llm)
        retriever = build_retriever(catalogue, store, embedder, sparse, settings, PlantShorthand(home))
        answerer = build_answerer(resolver, retriever, catalogue, store, embedder, sparse, llm, settings)
        files, pictures = OriginalFiles(home / "originals"), PagePictures(home / "pictures")
        reports, jobs = QualityReports(engine), JobQueue(engine, home, settings.jobs)
        clearing = Clearing(catalogue, store, files, pictures, reports, jobs)
        clearing.finish()
        yield Lineside(
            settings=settings,
            home=home,
            engine=engine,
            catalogue=catalogue,
            plant=plant,
            files=files,
            store=store,
            embedder=embedder,
            sparse=sparse,
            retriever=retriever,
            llm=llm,
            answerer=answerer,
            triage=Triage(resolver, retriever, plant, store, sparse),
            jobs=jobs,
            pictures=pictures,
            reports=reports,
            revisions=Revisions(catalogue),
            clearing=clearing,
        )
    finally:
        store.close()
        engine.dispose()


def build_retriever(
    catalogue: Catalogue,
    store: ChunkStore,
    embedder: Embedder,
    sparse: SparseEncoder,
    settings: Settings,
    shorthand: PlantShorthand | None = None,
) -> Retriever:
    """What finds passages, with the reranker that the settings name."""
    reranker = build_reranker(settings.retrieval, Wording(sparse))
    return Retriever(store, embedder, sparse, catalogue, settings.retrieval, shorthand, reranker)


def build_answerer(
    resolver: AssetResolver,
    retriever: Retriever,
    catalogue: Catalogue,
    store: ChunkStore,
    embedder: Embedder,
    sparse: SparseEncoder,
    llm: LanguageModel,
    settings: Settings,
) -> Answerer:
    """The pipeline from a question to its answer."""
    # Under the name that its server gives it, the packaged model would pass for one that nobody measured.
    served = settings.llm.model == settings.vllm.served_name
    writer = settings.vllm.model if served else settings.llm.model
    return Answerer(
        resolver,
        retriever,
        EvidenceFinder(Wording(sparse), embedder),
        RefusalModel.default(writer, sparse),
        llm,
        Grounder(sparse),
        SafetyCarrier(store),
        Conflicts(EarlierRevisions(catalogue, store)),
        settings.retrieval,
        settings.llm,
    )


def open_home(settings: Settings) -> Path:
    """The home folder, made when missing.

    Raises:
        StorageError: it cannot be made or is not a folder.
    """
    home = settings.store.root
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageError(f"The home {home} cannot be made: {problem}", "Set LINESIDE_HOME.") from problem
    return home


def open_store(settings: StoreSettings, home: Path, embedder: Embedder) -> ChunkStore:
    """The Qdrant server that the settings name, or the engine in process."""
    if not settings.qdrant_url:
        from assistant.store.edge import EdgeStore

        return EdgeStore(home / "vectors", embedder.name, embedder.dimension)
    from qdrant_client import QdrantClient

    from assistant.store.server import ServerStore

    key = settings.qdrant_api_key.get_secret_value() or None
    client = QdrantClient(settings.qdrant_url, api_key=key, timeout=30)
    return ServerStore(client, settings.qdrant_collection, embedder.name, embedder.dimension)
