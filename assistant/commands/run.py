"""`lineside run`: everything at once, for the first look."""


def run() -> None:
    """Prepare the demonstration plant, start the model server and the application."""
