"""What can go wrong, as one tree.

Every error says in one line what happened and what to do next, and whether trying again may help.
Foreign errors are translated where they enter (`raise ... from exc`), never further up.

    LinesideError                 exit 1, retry as marked
    ├── InputError                exit 2: the caller gave something that cannot be used
    │   ├── DocumentError         a manual, table or image that cannot be read
    │   ├── QuestionError         an empty or oversized question, an unknown asset
    │   └── SettingsError         an unknown key or an impossible value
    ├── AccessError               exit 2: not signed in, or not allowed
    ├── HomeInUseError            exit 2: another process holds this LINESIDE_HOME
    ├── StorageError              disk full, database or vector engine failing
    ├── MissingExtraError         exit 2: a part is not installed; names the install command
    ├── ModelError                a model cannot be fetched, verified or loaded
    └── LLMUnavailableError       the model server is down, loading, slow or failing
"""


class LinesideError(Exception):
    """Base of all errors that Lineside raises on purpose.

    Attributes:
        retry: True when the same call may succeed later without anything being changed.
        exit_code: what a command ends with (1 failure, 2 wrong use or bad input).
    """

    retry: bool = False
    exit_code: int = 1

    def __init__(self, problem: str, todo: str = "") -> None:
        """Joins both halves into one line.

        Args:
            problem: what happened, naming the file, key or address concerned.
            todo: what the reader can do about it.
        """
        self.problem = problem
        self.todo = todo
        line = f"{problem.rstrip('.')}. {todo}" if todo else problem
        super().__init__(" ".join(line.split()))


class InputError(LinesideError):
    """Something the caller gave cannot be used; nothing was changed."""

    exit_code = 2


class DocumentError(InputError):
    """A manual, table or image is missing, empty, encrypted or damaged."""


class QuestionError(InputError):
    """The question is empty or too long, or its asset is not known here."""


class SettingsError(InputError):
    """A setting has an unknown name or an impossible value."""


class AccessError(LinesideError):
    """The user is not signed in or lacks the role for this."""

    exit_code = 2


class HomeInUseError(LinesideError):
    """Another process works on the same LINESIDE_HOME."""

    exit_code = 2
    retry = True


class StorageError(LinesideError):
    """The disk is full, or the database or vector engine fails."""

    retry = True


class MissingExtraError(LinesideError):
    """A needed package or program is not installed."""

    exit_code = 2


class ModelError(LinesideError):
    """A model cannot be fetched, verified, converted or loaded."""


class LLMUnavailableError(LinesideError):
    """The model server is absent, still loading, too slow, or answers with errors."""

    retry = True
