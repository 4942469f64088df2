"""The documents that scripts, benchmarks and other programs get: stable in names and meaning."""

from dataclasses import asdict

from assistant.records.jobs import Job
from assistant.schema import Answer, Json


def answer_document(answer: Answer, *, explained: bool = False) -> Json:
    """The answer as the contract words it.

    Args:
        answer: a finished answer.
        explained: adds "trace", how the answer came about; null where that is not known.
    """
    document: Json = {
        "answer": answer.text,
        "refused": answer.refused,
        "mode": answer.mode,
        "language": answer.language,
        "citations": [asdict(citation) for citation in answer.citations],
        "safety": [asdict(notice) for notice in answer.safety],
        "timings_ms": dict(answer.timings_ms),
        "note": answer.note,
        "conflicts": [asdict(conflict) for conflict in answer.conflicts],
        "closest": [asdict(citation) for citation in answer.closest],
    }
    if explained:
        document["trace"] = asdict(answer.trace) if answer.trace else None
    return document


def job_document(job: Job) -> Json:
    """A job as the API and the command line tell it."""
    return {
        "id": job.id,
        "document": job.document,
        "state": job.state,
        "stage": job.stage,
        "done": job.done,
        "total": job.total,
        "reason": job.reason,
        "status": job.status,
        "revision": job.revision,
        "user": job.user,
    }
