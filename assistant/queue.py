"""What decides which job runs when: Huey on SQLite in the home folder, or on a Redis that workers share."""

from importlib.util import find_spec
from pathlib import Path

from huey import Huey, SqliteHuey

from assistant.errors import MissingExtraError, SettingsError

NAME = "lineside"


def open_queue(url: str, home: Path) -> Huey:
    """Opens the queue.

    Args:
        url: redis://, rediss:// or unix://, or empty for SQLite.
        home: existing home folder.

    Raises:
        SettingsError: the URL is none of a Redis.
        MissingExtraError: the client for Redis is not installed.
    """
    if not url:
        return SqliteHuey(NAME, filename=str(home / "queue.sqlite"), results=False)
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError(
            f"LINESIDE_JOBS_URL is '{url[:60]}'", "Write redis://HOST:6379/0, or leave it empty."
        )
    if find_spec("redis") is None:
        raise MissingExtraError(
            "LINESIDE_JOBS_URL names a Redis, but its client is not installed", "Run `pip install redis`."
        )
    from huey import RedisHuey

    return RedisHuey(NAME, url=url, results=False)
