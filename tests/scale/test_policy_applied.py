"""A later policy brings a purpose: the applier alone gives it a listener at the store, and who listens knows it."""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import timedelta

import pytest
from minio.error import S3Error

from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.store.minio import connect, open_pool
from consigne.doors.local.applier import APPLIED, await_in_line
from consigne.doors.local.services import run_as
from consigne.doors.settings import Settings
from consigne.rules.errors import Unavailable
from consigne.rules.policy.load import load
from system.conftest import Up
from system.inside import settings_of

pytestmark = pytest.mark.celery
KEY = (
    "from consigne.doors.settings import Settings; "
    "print(*Settings.from_environment().store_credentials('listen-coaching'))"
)


def announced(text: str, at: str) -> str:
    """The policy with one more purpose, like `quality`; in force later, so that nothing else changes."""
    block = text[text.index("\n  quality:") : text.index("\n  complaint:")]
    text = text.replace("\n  complaint:", block.replace("quality:", "coaching:", 1) + "\n  complaint:", 1)
    text = re.sub(r'(?m)^version: ".*"', 'version: "with-coaching"', text)
    return re.sub(r"(?m)^in_force_from: \S+", f"in_force_from: {at}", text)


def entries(catalog: Catalog) -> object:
    with catalog.begin() as tx:
        return catalog.newest_told(tx, APPLIED)


def is_known(settings: Settings) -> bool:
    """Whether the store knows the listener: it may not list, but it is somebody."""
    pair = settings.store_credentials("listen-coaching")
    client = connect(settings.store_endpoint, settings.store_region, settings.store_secure, pair, open_pool())
    with pytest.raises(S3Error) as refused:
        list(client.list_objects("recordings"))
    return refused.value.code == "AccessDenied"


@pytest.mark.promise("P3")
def test_a_new_purpose_gets_its_listener_by_the_applier(celery_up: Up) -> None:
    settings = settings_of(celery_up)
    catalog = Catalog(open_engine(settings.database_url("owner")), os.urandom)
    await_in_line(settings)
    assert not is_known(settings)
    with catalog.begin() as tx:
        now, before = catalog.now(tx), catalog.newest_told(tx, APPLIED)
        at = (now + timedelta(days=30)).isoformat(timespec="seconds")
        text = announced(settings.policy_file.read_text(encoding="utf-8"), at)
        assert catalog.add_policy(tx, load(text).policy, text, now)
    with pytest.raises(Unavailable, match="store_not_in_line"):
        await_in_line(settings)
    until_s = time.monotonic() + 150
    while entries(catalog) == before and time.monotonic() < until_s:
        time.sleep(1)
    await_in_line(settings)
    assert is_known(settings)
    own = " ".join(settings.store_credentials("listen-coaching"))
    for service, holds in (("api-server", True), ("worker-decide", True), ("worker-expire", False)):
        done = run_as(settings, service, [sys.executable, "-c", KEY])
        assert (done.stdout.strip() == own) is holds, service
        assert holds or "not_held" in done.stderr
