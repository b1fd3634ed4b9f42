"""From "ask" to "extended" as people go: in French on the desk alone, in English from Airflow's Required Actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from consigne.adapters.catalog import views
from system.browsing import WHY, Desk, open_from_required_actions, part_of, until
from system.screens import shot

LESS = "La fiche ne montre pas ce qui a été convenu."
MOST_CLICKS = 8


@dataclass
class Hand:
    """Counts the clicks that a person makes; going into a field is one."""

    clicks: int = 0

    def click(self, on: Locator) -> None:
        self.clicks += 1
        on.click()

    def type(self, into: Locator, text: str) -> None:
        self.click(into)
        into.fill(text)


def extended(desk: Desk, artifact: dict[str, Any]) -> dict[str, Any]:
    """The artifact, once its due date has moved."""
    catalog = desk.catalog

    def now() -> dict[str, Any]:
        with catalog.begin() as tx:
            recording = views.recording(tx, artifact["id"])
        assert recording is not None
        return part_of(recording, artifact)

    return dict(until(now, lambda told: told["due_at"] > artifact["due_at"]))


@pytest.mark.browser
@pytest.mark.promise("P5")
def test_in_french_from_asking_to_extended_without_leaving_the_desk(
    desk: Desk, sign_in: Callable[..., Page]
) -> None:
    artifact = desk.artifacts("training")[-2]
    recording = desk.up.json("show", artifact["id"])
    asker = sign_in("trainer", "/consigne/recordings")
    asker.locator(f"a[href$='/recordings/{recording['id']}']").first.click()
    asker.get_by_role("button", name="Demander une prolongation").click()
    assert asker.inner_text("h1") == "Demander une conservation plus longue"
    first = asker.get_attribute("#until", "min")
    assert first is not None
    asker.select_option("#ground", "dispute")
    asker.fill("#reason", WHY)
    asker.fill("#why_not_less", LESS)
    asker.fill("#until", (date.fromisoformat(first) + timedelta(days=20)).isoformat())
    shot(asker, "ask-fr")
    asker.get_by_role("button", name="Déposer la demande").click()
    asker.wait_for_url("**/consigne/decide/*")
    request = asker.url.rpartition("/")[2]
    assert WHY in asker.inner_text("main") and asker.locator("main form").count() == 0

    dpo, hand = sign_in("dpo", "/consigne/"), Hand()
    shot(dpo, "waiting-fr")
    hand.click(dpo.locator(f"a.button[href$='/decide/{request}']"))
    assert WHY in dpo.inner_text("main") and LESS in dpo.inner_text("main")
    shot(dpo, "decide-fr")
    hand.click(dpo.locator("input[name=answer][value=extend]"))
    hand.type(dpo.locator("#reason"), "Proportionné au litige.")
    hand.click(dpo.get_by_role("button", name="Enregistrer la décision"))
    assert "Prolonger, par dpo" in dpo.inner_text("#outcome + p")
    assert hand.clicks <= MOST_CLICKS
    assert extended(desk, artifact)["epoch"] != artifact["epoch"]
    asker.goto(f"{desk.settings.airflow_url}/consigne/exceptions")
    assert "Prolonger, par dpo" in asker.inner_text("main") and "Proportionné" in (
        asker.text_content("main") or ""
    )
    shot(asker, "exceptions-fr")


@pytest.mark.browser
@pytest.mark.promise("P5")
def test_in_english_from_required_actions_and_the_recording_still_opens(
    desk: Desk, sign_in: Callable[..., Page], tmp_path: Path
) -> None:
    artifact = desk.artifacts("training")[-1]
    filed = desk.ask(artifact, "--less", LESS)
    hand, airflow = Hand(), sign_in("dpo", "/required_actions", locale="en-GB")
    page = open_from_required_actions(airflow, desk, filed["id"], hand.click)
    shot(airflow, "required-actions-en")
    assert page.inner_text("h1") == "Keep it longer?"
    assert WHY in page.inner_text("main") and LESS in page.inner_text("main")
    hand.click(page.locator("input[name=answer][value=extend]"))
    hand.type(page.locator("#reason"), "In proportion to the dispute.")
    shot(page, "decide-en")
    hand.click(page.get_by_role("button", name="Record the decision"))
    assert "Extend, by dpo" in page.inner_text("#outcome + p")
    assert hand.clicks <= MOST_CLICKS
    assert extended(desk, artifact)["epoch"] != artifact["epoch"]
    done = desk.run("trainer", "export", artifact["id"], "--reason", "coaching", "--out", str(tmp_path / "a"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a").read_bytes()[:4] in (b"fLaC", b"OggS")
