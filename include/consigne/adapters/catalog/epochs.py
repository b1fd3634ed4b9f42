"""Epochs: the fence between what is still written and what is destroyed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, exists, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, data_keys, epochs


class EpochsCatalog(Session):
    """open → closing → destroyed."""

    def add_epoch(
        self, tx: Connection, name: str, purpose: str, due_at: datetime, opened_at: datetime
    ) -> str:
        """Record an epoch whose key was made; returns its state, whoever made it."""
        row = {"name": name, "purpose": purpose, "due_at": due_at, "generation": int(name.rpartition("/")[2])}
        tx.execute(upsert(epochs).values(**row, state="open", opened_at=opened_at).on_conflict_do_nothing())
        return tx.execute(select(epochs.c.state).where(epochs.c.name == name)).scalar_one()  # type: ignore[no-any-return]

    def hold_epoch_open(self, tx: Connection, name: str) -> bool:
        """FOR SHARE on the open epoch: it cannot start closing before this transaction ends."""
        query = select(epochs.c.name).where(epochs.c.name == name, epochs.c.state == "open")
        return tx.execute(query.with_for_update(read=True)).one_or_none() is not None

    def epochs_to_close(self, tx: Connection, now: datetime) -> list[str]:
        """Due epochs that hold no key row and no artifact on its way, and those left `closing`."""
        held = exists().where(data_keys.c.epoch == epochs.c.name)
        waiting = exists().where(artifacts.c.epoch == epochs.c.name, artifacts.c.state != "erased")
        query = select(epochs.c.name).where(
            epochs.c.due_at <= now, epochs.c.state != "destroyed", ~held, ~waiting
        )
        return list(tx.execute(query.order_by(epochs.c.name)).scalars())

    def start_closing(self, tx: Connection, name: str) -> bool:
        """The fence: `closing` only where, with the row locked, no key row is left."""
        row = tx.execute(select(epochs.c.state).where(epochs.c.name == name).with_for_update()).scalar_one()
        if row == "destroyed" or tx.execute(select(exists().where(data_keys.c.epoch == name))).scalar_one():
            return False
        tx.execute(
            update(epochs).where(epochs.c.name == name, epochs.c.state == "open").values(state="closing")
        )
        return True

    def close_epoch(self, tx: Connection, name: str, destroyed_at: datetime) -> bool:
        """closing → destroyed; false where another run was first."""
        where = (epochs.c.name == name) & (epochs.c.state == "closing")
        values = {"state": "destroyed", "destroyed_at": destroyed_at}
        return tx.execute(update(epochs).where(where).values(values)).rowcount == 1

    def destroyed_epochs(self, tx: Connection) -> list[str]:
        """Names whose keys must not live."""
        return list(tx.execute(select(epochs.c.name).where(epochs.c.state == "destroyed")).scalars())
