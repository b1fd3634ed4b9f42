"""`/consigne/metrics`: what the catalog and the parts say, in Prometheus' words.

FAMILIES is the one table of names; the figures come from adapters/catalog/views_metrics.py, and what only this process
can see from here. A figure that cannot be read is left out, and `consigne_unreadable` says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from consigne.acts.journey import Platform
from consigne.acts.remind import TOLD_FOR
from consigne.adapters.catalog.views_metrics import COUNTED, VIEWS, Asked, Figure, read
from consigne.doors.desk.probes import Probe

FRESH_S: Final = 5.0
"""So long a computation answers every scrape."""
LONGEST_S: Final = 6.0
"""Views that have not had their turn by then are left out: a scrape is waited for ten seconds."""
_MOST: Final = f"{COUNTED} means as many or more"

# name without `consigne_` (a counter's also without `_total`) -> kind, help, labels
FAMILIES: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "deliveries": ("gauge", "Deliveries that are not cleared", ("state",)),
    "delivery_oldest_age_seconds": ("gauge", "Since the oldest of them was received", ("state",)),
    "unclaimed": ("gauge", "In intake, left there by the newest run of the ingest", ("source",)),
    "unclaimed_oldest_age_seconds": ("gauge", "Since the first of it was last changed", ("source",)),
    "received": ("counter", "Deliveries ever received", ("source",)),
    "quarantined": ("gauge", "Deliveries that could not be judged and lie at their source", ("code",)),
    "quarantine_next_deadline_seconds": ("gauge", "Until the first of them is cleared unjudged", ()),
    "artifacts": ("gauge", "Artifacts", ("purpose", "state")),
    "stored": ("counter", "Artifacts ever stored", ("purpose",)),
    "stored_bytes": ("counter", "Bytes of their objects", ("purpose",)),
    "erased": ("counter", "Artifacts ever erased", ("purpose",)),
    "overdue_artifacts": ("gauge", f"Past their end and allowed no wait; {_MOST}", ("purpose",)),
    "overdue_oldest_age_seconds": ("gauge", "Since the end of the oldest of them", ()),
    "erasing_oldest_age_seconds": ("gauge", "Since the oldest erasure under way began", ()),
    "pending_decisions": ("gauge", "What waits for a person, by days until silence acts", ("kind", "days_left")),
    "register_unsealed_entries": ("gauge", f"Entries without a number; {_MOST}", ()),
    "register_unsealed_age_seconds": ("gauge", "Since the oldest of them was made", ()),
    "register_unpublished_age_seconds": ("gauge", "Since the oldest entry was made that nothing published holds", ()),
    "register_unwitnessed_age_seconds": ("gauge", "Since the oldest checkpoint was published that the witness lacks", ()),
    "register_ahead_seconds": ("gauge", "How far the newest entry lies ahead of the catalog's clock", ()),
    "epochs_not_closed": ("gauge", f"Epochs whose key should be destroyed by now; {_MOST}", ()),
    "epochs_not_closed_oldest_age_seconds": ("gauge", "Since the oldest of them should have been", ()),
    "certificates_unpublished": ("gauge", f"Signed, not yet in the evidence bucket; {_MOST}", ()),
    "findings_open": ("gauge", "What reconciliation found and leaves to a person", ("kind",)),
    "restored_unreplayed": ("gauge", "1 while a backup that came back keeps all shut", ()),
    "backups_overdue": ("gauge", "Backups past their end that still exist", ()),
    "messages_waiting": ("gauge", "Mail that waits for its next try", ()),
    "messages_given_up": ("gauge", "Mail that never went", ()),
    "last_run_age_seconds": ("gauge", "Since the newest successful run ended; without one, since this process began", ("act",)),
    "clock_seconds": ("gauge", "The catalog's clock; left out in a state folder with a test clock", ()),
    "clocks_apart_seconds": ("gauge", "Between the catalog's clock and the store's", ()),
    "catalog_up": ("gauge", "1 where it answered", ()),
    "store_up": ("gauge", "1 where it answered", ()),
    "keyring_up": ("gauge", "1 where it answered", ()),
    "unreadable": ("gauge", "1 where a view's figures could not be read: they are left out", ("view",)),
}  # fmt: skip
LATENCIES: Final = ("catalog", "store", "keyring")
"""`consigne_<part>_latency_seconds`, histograms without labels."""
_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
ACTS: Final = {
    "ingest": "ingest_recordings",
    "expire": "expire_recordings",
    "reconcile": "reconcile_storage",
}
"""`act` -> the Dag whose successful runs are its."""
VIEW_NAMES: Final = (*VIEWS, "clocks", "backups", "runs", "catalog", "store", "keyring")


@dataclass(slots=True)
class Figures:
    """What one computation found."""

    found: list[Figure] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def take(self, view: str, read: Callable[[], Iterable[Figure]]) -> None:
        """Add a view's figures, or its name to what could not be read."""
        try:
            self.found += read()
        except Exception:  # whatever it was: the other figures still count, and a message might hold a value
            self.unreadable.add(view)


class Meter:
    """What this installation shows. `platform` opens the parts as role `read`; `last_successes` tells when the newest
    successful run of each Dag ended; `overdue_backups` those that should be destroyed, None where this process cannot
    know. Threads may ask at once: one computes, the others wait for it."""

    def __init__(
        self,
        platform: Callable[[], Platform],
        last_successes: Callable[[Iterable[str]], Mapping[str, datetime]],
        overdue_backups: Callable[[], Sequence[str] | None],
    ) -> None:
        self._platform = platform
        self._last_successes = last_successes
        self._overdue_backups = overdue_backups
        self._lock = threading.Lock()
        self._known: tuple[float, Figures] | None = None
        self._began = self._swept_at = time.monotonic()
        self._probes = {
            "catalog": Probe(self._now),
            "store": Probe(lambda: platform().store.server_time()),
            "keyring": Probe(lambda: platform().keyring.public_keys()),
        }
        self._registry = CollectorRegistry()
        self._latency = {
            part: Histogram(
                f"consigne_{part}_latency_seconds",
                "How long its answer took",
                buckets=_BUCKETS,
                registry=self._registry,
            )
            for part in LATENCIES
        }
        self._registry.register(self)

    def note_sweep(self) -> None:
        """The sealer called."""
        self._swept_at = time.monotonic()

    def write(self, accept: str) -> tuple[bytes, str]:
        """The page in the format that suits (text, or OpenMetrics), and its media type."""
        encode, media = choose_encoder(accept)
        self._refresh()  # before the histograms are written
        return encode(self._registry), media

    def describe(self) -> Iterable[Metric]:
        """For the registry: nothing is read when the collector is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """For the registry: the newest figures."""
        families: dict[str, Any] = {}
        for name, labels, value in self._refresh().found:
            kind, help, keys = FAMILIES[name]
            made = GaugeMetricFamily if kind == "gauge" else CounterMetricFamily
            family = families.setdefault(name, made(f"consigne_{name}", help, labels=keys))
            family.add_metric(labels, value)
        yield from families.values()

    def _refresh(self) -> Figures:
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > FRESH_S:
                self._known = None  # a fault of ours shows as such, not as old figures
                self._known = (time.monotonic(), self._compute())
            return self._known[1]

    def _compute(self) -> Figures:
        figures = Figures()
        answers = {part: self._probed(part, figures) for part in LATENCIES}
        if answers["catalog"] is None:
            figures.unreadable |= {*VIEWS, "clocks"}
        else:
            self._read_catalog(figures, answers["catalog"], answers["store"])
        figures.take("backups", self._of_backups)
        figures.take("runs", self._of_runs)
        figures.found += [("unreadable", (view,), view in figures.unreadable) for view in VIEW_NAMES]
        return figures

    def _probed(self, part: str, figures: Figures) -> Any:
        answer = self._probes[part].answered()
        figures.found.append((f"{part}_up", (), answer is not None))
        if answer is None:
            figures.unreadable.add(part)
            return None
        self._latency[part].observe(answer[0])
        return answer[1]

    def _now(self) -> tuple[datetime, timedelta]:
        """The catalog's clock, and how far a test shifted it."""
        catalog = self._platform().catalog
        with catalog.begin() as tx:
            return catalog.now(tx), timedelta(seconds=catalog.clock_shift(tx)[1])

    def _read_catalog(
        self, figures: Figures, clock: tuple[datetime, timedelta], store_time: datetime | None
    ) -> None:
        platform, (now, shift) = self._platform(), clock
        purposes: tuple[str, ...] = ()
        try:
            with platform.catalog.begin() as tx:
                policy = platform.catalog.policy_at(tx, now)
            purposes = tuple(policy.purposes) if policy else ()
        except Exception:
            figures.unreadable |= {"artifacts", "overdue"}
        asked = Asked(now, purposes, platform.witness.listens, TOLD_FOR)

        began = time.monotonic()
        for view in VIEWS:
            if time.monotonic() - began > LONGEST_S:
                figures.unreadable.add(view)
            else:
                figures.take(view, lambda view=view: _of_view(platform, view, asked))  # type: ignore[misc]
        if store_time is None:
            figures.unreadable.add("clocks")
        else:
            apart = abs((now - shift - store_time).total_seconds())
            # The store tells whole seconds.
            figures.found.append(("clocks_apart_seconds", (), max(0.0, apart - 1)))

    def _of_backups(self) -> Iterator[Figure]:
        overdue = self._overdue_backups()
        if overdue is not None:
            yield "backups_overdue", (), len(overdue)

    def _of_runs(self) -> Iterator[Figure]:
        # Airflow keeps real time, whatever a test does with the catalog's.
        now, ended = datetime.now(UTC), self._last_successes(ACTS.values())
        yield "last_run_age_seconds", ("seal",), time.monotonic() - self._swept_at
        never_s = time.monotonic() - self._began
        for act, dag in ACTS.items():
            age_s = max(0.0, (now - ended[dag]).total_seconds()) if dag in ended else never_s
            yield "last_run_age_seconds", (act,), age_s


def _of_view(platform: Platform, view: str, asked: Asked) -> Iterable[Figure]:
    with platform.catalog.begin() as tx:
        return read(tx, view, asked)
