"""Dense vectors of questions and passages, and the factory that picks the model."""

from pathlib import Path

from assistant.embedding.base import Embedder, Progress
from assistant.errors import SettingsError

__all__ = ["EMBEDDERS", "Embedder", "Progress", "build_embedder"]

EMBEDDERS = ("e5-small", "minilm")


def build_embedder(name: str, models_folder: Path) -> Embedder:
    """Loads the embedding model with this catalogue name.

    Args:
        name: one of EMBEDDERS.
        models_folder: where prepared weights are kept, LINESIDE_HOME/models.

    Raises:
        SettingsError: no embedder has that name.
        MissingExtraError: the package that carries the model is not installed.
        ModelError: the model's files are damaged or cannot be prepared.
    """
    if name == "e5-small":
        from assistant.embedding.e5 import E5Small

        return E5Small(models_folder / name)
    if name == "minilm":
        from assistant.embedding.minilm import MiniLM

        return MiniLM()
    raise SettingsError(
        f"Unknown embedder {name!r}", f"Set LINESIDE_RETRIEVAL_EMBEDDER to one of: {', '.join(EMBEDDERS)}."
    )
