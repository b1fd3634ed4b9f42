"""Deaths before and after each call that changes something outside the process, and answers to it that are lost.

Between two such calls only the process's own memory changes, and that goes with it. A process whose answer is lost
lives on: it takes what was carried out for failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text

from acts.world import World
from consigne.acts.journey import Platform
from consigne.rules.errors import Unavailable


class Killed(BaseException):
    """Nothing of ours may catch it."""


@dataclass(slots=True)
class Fuse:
    """Lets `left` changing calls through, then kills; `places` names those that came."""

    left: int
    places: list[str] = field(default_factory=list)

    def burn(self, place: str) -> None:
        self.places.append(place)
        if self.left == 0:
            raise Killed
        self.left -= 1

    def before(self, place: str) -> None:
        self.burn(place)

    def after(self, place: str) -> None:
        """The call was carried out."""


class After(Fuse):
    """Kills when the call is carried out, before anybody knows it."""

    def before(self, place: str) -> None:
        pass

    def after(self, place: str) -> None:
        self.burn(place)


class Lost(After):
    """The call is carried out and its answer lost, once: the process lives on, and takes the part to be away."""

    def after(self, place: str) -> None:
        try:
            self.burn(place)
        except Killed:
            self.left = -1
            raise Unavailable("answer_lost", place) from None


class Crashing:
    """A port whose calls named `changing` die with the fuse; of calls `one_by_one` each single item may."""

    def __init__(
        self, port: Any, fuse: Fuse, changing: Sequence[str], one_by_one: Sequence[str] = ()
    ) -> None:
        self._port, self._fuse, self._changing, self._one_by_one = port, fuse, changing, one_by_one

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)

        def call(*args: Any) -> Any:
            self._fuse.before(name)
            answer = real(*args)
            self._fuse.after(name)
            return answer

        def each(items: Sequence[Any]) -> None:
            for item in items:
                call([item])

        return each if name in self._one_by_one else call if name in self._changing else real


@dataclass(slots=True)
class Cut(Fuse):
    """PostgreSQL drops the connection instead, and only at a commit."""

    def before(self, place: str) -> None:
        if place == "commit":
            self.burn(place)


class CrashingCatalog:
    """A catalog that dies, or whose connection does, at the commit of a transaction that wrote something."""

    def __init__(self, catalog: Any, fuse: Fuse) -> None:
        self._catalog, self._fuse = catalog, fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)

    @contextmanager
    def begin(self) -> Iterator[Any]:
        with self._catalog.begin() as tx:
            yield tx
            wrote = tx.execute(text("SELECT pg_current_xact_id_if_assigned()")).scalar() is not None
            if wrote:
                try:
                    self._fuse.before("commit")
                except Killed:
                    if not isinstance(self._fuse, Cut):
                        raise
                    tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        if wrote:
            self._fuse.after("commit")


def crashing(platform: Platform, fuse: Fuse) -> Platform:
    """The platform, each of whose parts may die."""
    return replace(
        platform,
        catalog=CrashingCatalog(platform.catalog, fuse),
        store=Crashing(platform.store, fuse, ["put", "publish"], ["delete_versions", "abort_uploads"]),
        keyring=Crashing(platform.keyring, fuse, ["open_epoch", "destroy_epoch"]),
        intake=Crashing(platform.intake, fuse, ["clear"]),
    )


def part_states(world: World) -> list[dict[str, Any]]:
    """What the memory parts hold now, to be given back by `set_parts`."""
    return [
        {name: value.copy() for name, value in vars(part).items() if isinstance(value, list | dict | set)}
        for part in (world.store, world.keyring, world.intake)
    ]


def set_parts(world: World, states: list[dict[str, Any]]) -> None:
    """Put the memory parts back as they were."""
    for part, state in zip((world.store, world.keyring, world.intake), states, strict=True):
        for name, value in state.items():
            setattr(part, name, value.copy())
