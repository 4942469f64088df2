"""Writes two years of work orders for the demonstration plant, the same ones on every run.

    python demo/work_orders.py [--out FOLDER]

What can fail, why and what helped comes from the manuals' facts (facts.py); how the shop puts it comes
from shop_talk/*.yaml. Each asset has its own random stream, so a new asset changes no other's history.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import yaml
from facts import Machine, load_machine
from voice import Voice

DEMO = Path(__file__).resolve().parent
TALK = {"HP-250": "press", "TL-42": "lathe", "SC-75": "compressor", "BC-800": "conveyor", "ZS-160": "imm"}
COLUMNS = (
    "WONUM DESCRIPTION LONGDESCRIPTION ASSETNUM LOCATION STATUS WORKTYPE WOPRIORITY REPORTDATE ACTSTART "
    "ACTFINISH FAILURECODE PROBLEMCODE CAUSE REMEDY PARTS LABORHRS"
).split()
START = datetime(2024, 11, 1, tzinfo=UTC)
END = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
SEED = "millbrook"
FIRST_WONUM = 200_417
FAILURES_PER_ASSET = (12, 18)  # over the two years
WRONG_FIRST_SHARE = 0.2  # repairs that treat the wrong cause first
OPEN_SHARE = 0.05
OPEN_AGE = timedelta(days=75)  # open orders are younger than this
REACTION_HOURS = {1: (0.1, 0.8), 2: (0.3, 6), 3: (3, 60), 4: (24, 200)}  # by priority


@dataclass(frozen=True)
class Asset:
    tag: str
    location: str
    model: str


@dataclass(frozen=True)
class Job:
    """A work order before it has a number; `hours` is labour, times are the plant's clock."""

    asset: Asset
    kind: str  # CM corrective, EM emergency, PM preventive
    priority: int
    reported: datetime
    started: datetime | None
    finished: datetime | None
    description: str
    details: str
    failure: str = ""
    problem: str = ""
    cause: str = ""
    remedy: str = ""
    parts: str = ""
    hours: float | None = None
    status: str = ""


class History:
    """Two years of one asset."""

    def __init__(self, asset: Asset, machine: Machine, talk: dict[str, Any], phrases: dict[str, Any]) -> None:
        self._asset = asset
        self._machine = machine
        self._talk = talk
        self._random = Random(f"{SEED}-{asset.tag}")
        self._voice = Voice(phrases, self._random)

    def failures(self) -> Iterator[Job]:
        """Yields the repairs; an asset has its favourite troubles (`often` in shop_talk)."""
        events = self._talk["corrective"]
        weights = [event["weight"] * event.get("often", {}).get(self._asset.tag, 1) for event in events]
        for event in self._random.choices(events, weights, k=self._random.randint(*FAILURES_PER_ASSET)):
            found = self._random.choices(event["found"], range(len(event["found"]) + 1, 1, -1))[0]
            others = [other for other in event["found"] if other["cause"] != found["cause"]]
            reported = self._any_time()
            if others and self._random.random() < WRONG_FIRST_SHARE:
                yield self._repair(event, self._random.choice(others), reported, again=False)
                later = reported + timedelta(minutes=self._random.randint(1_200, 15_600))
                if later < END:
                    yield self._repair(event, found, later, again=True)
            else:
                yield self._repair(event, found, reported, again=False)

    def services(self) -> Iterator[Job]:
        """Yields the planned services, each in its own rhythm."""
        for service in self._talk["preventive"]:
            due = START + timedelta(days=self._random.uniform(0, service["days"]))
            while due < END:
                yield self._service(service, due.replace(hour=6, minute=0))
                due += timedelta(days=service["days"] * self._random.uniform(0.85, 1.15))

    def _repair(self, event: dict[str, Any], found: dict[str, Any], reported: datetime, again: bool) -> Job:
        code = event.get("code")
        trouble = self._machine.troubles[code or event["symptom"]]
        priority = self._random.choices((1, 2, 3, 4), (2, 5, 4, 1) if code else (0, 3, 5, 3))[0]
        hours = found["hours"] * self._random.uniform(0.8, 1.4)
        low, high = REACTION_HOURS[priority]
        started = reported + timedelta(minutes=round(60 * self._random.uniform(low, high)))
        wrote = found.get("again", found["wrote"]) if again else found["wrote"]
        return Job(
            asset=self._asset,
            kind="EM" if priority == 1 else "CM",
            priority=priority,
            reported=reported,
            started=started,
            finished=started + self._elapsed(hours),
            description=(self._voice.complaint if again else self._voice.headline)(event["said"]),
            details=self._voice.details(wrote, bool(found.get("parts"))),
            failure=self._talk["failure_class"],
            problem=code or event["problem"],
            cause=trouble.cause[found["cause"] - 1],
            remedy="; ".join(trouble.remedy[i - 1] for i in found["remedy"]),
            parts=self._used(found.get("parts", [])),
            hours=hours,
        )

    def _service(self, service: dict[str, Any], due: datetime) -> Job:
        hours = service["hours"] * self._random.uniform(0.8, 1.3)
        day = due + timedelta(days=self._random.randint(0, 9))
        started = day.replace(hour=self._random.randint(6, 14), minute=self._random.choice((0, 15, 30, 45)))
        return Job(
            asset=self._asset,
            kind="PM",
            priority=4,
            reported=due,
            started=started,
            finished=started + self._elapsed(hours),
            description=self._voice.routine(service["said"]),
            details=self._voice.details(service["wrote"], bool(service.get("parts"))),
            remedy=self._machine.tasks[service["id"]],
            parts=self._used(service.get("parts", [])),
            hours=hours,
        )

    def _used(self, numbers: list[str]) -> str:
        """Returns the parts booked: '44-1180 x1; 44-1702 x1', never more than the machine holds."""
        counts = [self._random.randint(1, min(self._machine.parts[n].quantity, 3)) for n in numbers]
        return "; ".join(f"{number} x{count}" for number, count in zip(numbers, counts, strict=True))

    def _any_time(self) -> datetime:
        """A failure comes on any day, but nights and weekends run with fewer machines."""
        minutes = int((END - START).total_seconds() // 60)
        while True:
            at = START + timedelta(minutes=self._random.randrange(minutes))
            busy = at.weekday() < 5 and 5 <= at.hour < 22
            if busy or self._random.random() < 0.3:
                return at

    def _elapsed(self, hours: float) -> timedelta:
        """Time from start to finish: short jobs wait for tools, long ones stop over night."""
        stretch = self._random.uniform(1.0, 1.6) * (1.5 if hours >= 8 else 1)
        return timedelta(minutes=round(60 * hours * stretch) + 5)


def load_assets() -> list[Asset]:
    """Returns the plant's assets."""
    plant = yaml.safe_load((DEMO / "plant.yaml").read_text(encoding="utf-8"))
    return [Asset(row["tag"], row["location"], row["model"]) for row in plant["assets"]]


def load_talk(name: str) -> dict[str, Any]:
    """Returns one file of shop_talk/."""
    return yaml.safe_load((DEMO / "shop_talk" / f"{name}.yaml").read_text(encoding="utf-8"))


def write_work_orders(folder: Path) -> int:
    """Writes `work_orders.csv` into `folder` and returns the number of rows."""
    common = load_talk("common")
    machines = {model: (load_machine(model), load_talk(name)) for model, name in TALK.items()}
    jobs: list[Job] = []
    for asset in load_assets():
        history = History(asset, *machines[asset.model], common[_language(asset)])
        jobs += [*history.failures(), *history.services()]
    jobs.sort(key=lambda job: (job.reported, job.asset.tag, job.description))
    folder.mkdir(parents=True, exist_ok=True)
    numbers = Random(SEED)
    wonum = FIRST_WONUM
    with (folder / "work_orders.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for job in _with_status(jobs, common):
            wonum += numbers.randint(1, 4)
            writer.writerow(_row(wonum, job))
    return len(jobs)


def _language(asset: Asset) -> str:
    return "zh" if asset.model == "ZS-160" else "en"


def _with_status(jobs: list[Job], common: dict[str, Any]) -> Iterator[Job]:
    """Leaves OPEN_SHARE of the orders open, all of them young, and closes the rest."""
    random = Random(f"{SEED}-open")
    unfinished = {i for i, job in enumerate(jobs) if job.finished is None or job.finished > END}
    young = [i for i, job in enumerate(jobs) if END - job.reported < OPEN_AGE and i not in unfinished]
    missing = max(0, round(OPEN_SHARE * len(jobs)) - len(unfinished))
    still_open = unfinished | set(random.sample(young, min(missing, len(young))))
    for i, job in enumerate(jobs):
        if i in still_open:
            yield _reopened(job, Voice(common[_language(job.asset)], random), random)
        else:
            yield replace(job, status="CLOSE" if END - job.reported > OPEN_AGE else "COMP")


def _reopened(job: Job, voice: Voice, random: Random) -> Job:
    """Returns the job as it stood before anybody had found the cause."""
    begun = job.started is not None and job.started < END and random.random() < 0.5
    if begun:
        status = "WMATL" if job.parts else "INPRG"
    else:
        status = random.choice(("WAPPR", "APPR"))
    return replace(
        job,
        status=status,
        started=job.started if begun else None,
        finished=None,
        details=voice.waiting(),
        cause="",
        remedy=job.remedy if job.kind == "PM" else "",
        parts=job.parts if begun else "",
        hours=None,
    )


def _row(wonum: int, job: Job) -> list[str]:
    times = [f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (job.reported, job.started, job.finished)]
    order = [str(wonum), job.description, job.details, job.asset.tag, job.asset.location, job.status]
    outcome = [job.failure, job.problem, job.cause, job.remedy, job.parts]
    hours = "" if job.hours is None else f"{max(1, round(job.hours * 4)) / 4:g}"
    return [*order, job.kind, str(job.priority), *times, *outcome, hours]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description="Write the demonstration plant's work orders.")
    parser.add_argument("--out", type=Path, default=DEMO / "built", help="the folder for work_orders.csv")
    print(f"{write_work_orders(parser.parse_args().out):4} work orders")


if __name__ == "__main__":
    main()
