"""One million pages a month on paper: what each part needs, where its knee is, and what it costs (docs/capacity.md).

Reckons with the service times in docs/service-times.json, which the other parts measure, and with the prices of
extraction/prices.toml. The formula is checked by simulating a working day.
"""

from __future__ import annotations

import math
import random
import statistics
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.benchmarks import Result
from tests.benchmarks.measure import ROOT
from tests.load import times
from tests.load.simulation import Station, arrivals, simulated
from tests.load.times import SLICE

REPORT = ROOT / "docs" / "capacity.md"
TEMPLATE = Path(__file__).with_name("capacity.md.txt")

PAGES = 1_000_000  # a month
DOCUMENT = 20  # pages, as in the planning document
SCANNED = 0.5
DAYS, HOURS = 22, 10
DAY = (0.5, 1.2, 1.5, 1.3, 0.7, 0.7, 1.2, 1.3, 1.0, 0.6)
"""Of each hour, 8:00 to 18:00, how much of the day's mean arrives in it: mornings and early afternoons are busiest."""
BUSIEST = max(DAY)
MODEL_SECONDS, MODEL_AT_ONCE = 2.0, 1
"""A page by the model: the planning document's 40 seconds for 20 pages by one server."""
WEB_PROCESSES, DATABASE_CORES = 2, 2
MOST_USE = 0.8
MONTH = DAYS * HOURS * 3600


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the installation: what it does for a piece of work, and how many pages that piece stands for."""

    name: str
    station: Station
    pages: float
    unit: str

    def rate(self, pages: float) -> float:
        """Pieces of work a second in the busiest hour of a month with so many pages."""
        return BUSIEST * pages / MONTH / self.pages

    @property
    def knee(self) -> float:
        """Pages a month, when the busiest hour reaches the knee."""
        return self.station.knee() * self.pages * MONTH / BUSIEST


def results() -> Iterator[Result]:
    missing = {"text_layer", "local", "upload", "dequeue", "take", "store", "end"} - set(times.known())
    if missing:
        print(f"  Left out: not measured yet by `documents` or `depth`: {', '.join(sorted(missing))}.")
        return
    parts = reckoned(times.known())
    REPORT.write_text(report(parts))
    for part in parts:
        by_formula, by_simulation = part.station.wait(part.rate(PAGES)), simulated_wait(part)
        yield Result(f"{part.name}: use in the busiest hour", 100 * part.station.use(part.rate(PAGES)), "%", bar=80)
        yield Result("… wait by the formula", 1000 * by_formula, "ms")
        yield Result("… wait by the simulation", 1000 * by_simulation, "ms")
        yield Result("… knee", part.knee / 1e6, "million pages/month", bar=1.0, higher_is_better=True)


def reckoned(measured: dict[str, dict[str, Any]]) -> list[Part]:
    """Every part with as many servers as one million pages need."""
    typed, scanned = measured["text_layer"], measured["local"]
    page = SCANNED * _worker_seconds(scanned) + (1 - SCANNED) * _worker_seconds(typed)
    square = SCANNED * _second_moment(scanned) + (1 - SCANNED) * _second_moment(typed)
    # A document is of one kind: its pages cost alike, so a slice varies between kinds as a page does.
    service, cv2 = SLICE * page, square / page**2 - 1
    slices = DOCUMENT / SLICE
    per_slice = {name: measured[name] for name in ("dequeue", "take", "end")}
    database = sum(each["database"] for each in per_slice.values()) + SLICE * measured["store"]["database"]
    redis = sum(each["queue"] for each in per_slice.values()) + measured["upload"]["queue"] / slices
    return [
        enough(Part("readers", Station(1, service, cv2, batch=math.ceil(slices)), SLICE, "slice")),
        enough(Part("model server", Station(MODEL_AT_ONCE, MODEL_SECONDS, 1.0, batch=DOCUMENT), 1, "page")),
        Part("web", Station(WEB_PROCESSES, measured["upload"]["application"] / 1000, 1.0), DOCUMENT, "upload"),
        Part("database", Station(DATABASE_CORES, database / 1000, 1.0, batch=math.ceil(slices)), SLICE, "slice"),
        Part("queue", Station(1, redis / 1000, 1.0, batch=math.ceil(slices)), SLICE, "slice"),
    ]


def _worker_seconds(of: dict[str, Any]) -> float:
    return float(of["read"] + of["find"])


def _second_moment(of: dict[str, Any]) -> float:
    return float(_worker_seconds(of) ** 2 + of["read_spread"] ** 2 + of["find_spread"] ** 2)


def enough(part: Part) -> Part:
    """With the fewest servers that are busy at most MOST_USE of the busiest hour, and not beyond their knee in it."""
    offered = part.rate(PAGES) * part.station.service
    part = replace(part, station=replace(part.station, servers=math.ceil(offered / MOST_USE)))
    while part.knee < PAGES:
        part = replace(part, station=replace(part.station, servers=part.station.servers + 1))
    return part


def simulated_wait(part: Part) -> float:
    """Of the busiest hour of a working day, over enough days for a mean that holds."""
    draw = random.Random(2026)  # noqa: S311  (not a secret)
    rates = [share / BUSIEST * part.rate(PAGES) / part.station.batch for share in DAY]
    busiest = DAY.index(BUSIEST)
    waits = []
    for _day in range(20):
        moments = list(arrivals(rates, 3600, draw))
        found = simulated(part.station, iter(moments), draw)
        per_batch = round(part.station.batch)
        waits += [
            wait
            for place, moment in enumerate(moments)
            if busiest * 3600 <= moment < (busiest + 1) * 3600
            for wait in found[place * per_batch : (place + 1) * per_batch]
        ]
    return statistics.fmean(waits)


def prices() -> dict[str, float]:
    """The newest of each name."""
    listed = tomllib.loads((ROOT / "extraction" / "prices.toml").read_text())["price"]
    return {each["name"]: float(each["amount"]) for each in sorted(listed, key=lambda each: each["from"])}


def costs(parts: list[Part], cores: int) -> list[tuple[str, float]]:
    """Dollars a month. The price list has no host without a graphics card, so readers come out dearer than they are."""
    of = {part.name: part.station.servers for part in parts}
    price = prices()
    hosts, hours = math.ceil(of["readers"] * cores / 4), DAYS * HOURS
    return [
        (f"readers: {hosts} × g4dn.xlarge (4 cores), {hours} hours", hosts * hours * price["instance.g4dn.xlarge"]),
        (f"model: {of['model server']} × g5.xlarge, {hours} hours",
         of["model server"] * hours * price["instance.g5.xlarge"]),
        ("web, database and queue: 2 × g4dn.xlarge, always", 2 * 730 * price["instance.g4dn.xlarge"]),
        ("or, instead of the readers of scans, Textract", SCANNED * PAGES * price["textract.page"]),
    ]  # fmt: skip


def report(parts: list[Part]) -> str:
    measured = times.known()
    cores = measured["local"]["cores"]
    rows = [
        f"| {part.name} | {part.station.servers} | {_time(part.station.service)} for each {part.unit} |"
        f" {100 * part.station.use(part.rate(PAGES)):.3g} % | {_time(part.station.wait(part.rate(PAGES)))} |"
        f" {_time(simulated_wait(part))} | {_millions(part.knee)} million |"
        for part in parts
    ]
    first = min(parts, key=lambda part: part.knee)
    loads = sorted({str(each["load"]) for each in measured.values()}, key=float)
    return TEMPLATE.read_text().format(
        rows="\n".join(rows), first=first.name, knee=_millions(first.knee), cores=cores,
        days=", ".join(sorted({each["day"] for each in measured.values()})), loads=f"{loads[0]} to {loads[-1]}",
        costs="\n".join(f"| {name} | {amount:,.0f} |" for name, amount in costs(parts, cores)),
        mean=f"{PAGES / MONTH:.2f}", most=f"{BUSIEST * PAGES / MONTH:.2f}", scanned=f"{100 * SCANNED:.0f}",
    )  # fmt: skip


def _millions(pages: float) -> str:
    return f"{pages / 1e6:,.0f}" if pages >= 1e8 else f"{pages / 1e6:.3g}"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
