"""Dense vectors of questions and passages: what an embedder is, and the factory that picks one."""

from pathlib import Path

from assistant.embedding.base import Embedder, Progress
from assistant.errors import SettingsError

__all__ = ["Embedder", "Progress", "build_embedder"]


def build_embedder(name: str, models_folder: Path) -> Embedder:
    """Loads the embedding model with this name.

    Args:
        name: 'e5-small' (the default, English and Chinese; docs/decisions/0001-default-embedder.md), 'minilm'
            (English only), or a folder below models_folder that holds a sentence-transformers model.
        models_folder: where models of your own are kept, LINESIDE_HOME/models.

    Raises:
        SettingsError: no embedder has that name.
        MissingExtraError: a package that it needs is not installed.
        ModelError: its files are missing or damaged.
    """
    if name == "e5-small":
        from assistant.embedding.e5 import E5Small

        return E5Small()
    from assistant.embedding.transformer import SentenceTransformerEmbedder, minilm_folder

    if name == "minilm":
        return SentenceTransformerEmbedder(name, minilm_folder())
    folder = models_folder / name
    if not name or not (folder / "modules.json").is_file():
        raise SettingsError(
            f"Unknown embedder {name!r}",
            "Set LINESIDE_RETRIEVAL_EMBEDDER to e5-small or minilm, "
            f"or put a sentence-transformers model into {folder}.",
        )
    return SentenceTransformerEmbedder(name, folder)
