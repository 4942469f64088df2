"""`/healthz`: the process answers. `/readyz`: it can answer questions, at least with cited passages."""

import time

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy import text

from assistant.app import Lineside
from assistant.errors import LinesideError
from assistant.records.database import transaction
from assistant.schema import Json

# Probes come every few seconds from several sides; the model server is asked less often.
MODEL_ANSWER_HOLDS_S = 2.0


class Health:
    """Routes for supervisors of processes; open to all, and silent about contents."""

    def __init__(self, lineside: Lineside) -> None:
        """Probes the parts of one application."""
        self._lineside = lineside
        self._model: tuple[float, bool] = (float("-inf"), False)
        self.router = APIRouter()
        self.router.add_api_route("/healthz", self.alive, methods=["GET"])
        self.router.add_api_route("/readyz", self.ready, methods=["GET"])

    def alive(self) -> Json:
        """Always 200 while the process lives."""
        return {"status": "alive"}

    def ready(self) -> Response:
        """200 when passages can be searched, else 503; the model only decides between written and quoted."""
        store, database, model = self._store(), self._database(), self._model_ready()
        ready = store == database == "ready"
        return JSONResponse(
            {
                "ready": ready,
                "answers": "written" if ready and model else "quoted" if ready else "none",
                "store": store,
                "database": database,
                "model": "ready" if model else "absent or loading",
            },
            200 if ready else 503,
        )

    def _store(self) -> str:
        try:
            self._lineside.store.count()
        except LinesideError:
            return "failing"
        return "ready"

    def _database(self) -> str:
        try:
            with transaction(self._lineside.engine) as session:
                session.execute(text("SELECT 1"))
        except LinesideError:
            return "failing"
        return "ready"

    def _model_ready(self) -> bool:
        asked_at, ready = self._model
        if time.monotonic() - asked_at > MODEL_ANSWER_HOLDS_S:
            ready = self._lineside.llm.ready()
            self._model = (time.monotonic(), ready)
        return ready
