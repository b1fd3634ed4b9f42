"""Every page in Chromium, as each of the seven accounts: what it shows, how it fits, and that it breaks no rule."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from consigne.doors.settings import ACCOUNTS
from system.browsing import Desk
from system.screens import shot

EVERYBODY = ["En attente de moi", "Politique", "Règles pour les conseillers", "Information"]
LISTENER = [*EVERYBODY[:1], "Enregistrements", "Dérogations", "Échéancier", *EVERYBODY[1:]]
ALL = [
    "En attente de moi", "Enregistrements", "Dérogations", "Gels", "Échéancier", "Destruction", "Attestations",
    "Politique", "Règles pour les conseillers", "Information", "Oppositions", "Tirages", "Livraisons", "Exploitation",
    "Contrôles", "Journal",
]  # fmt: skip
ENTRIES = {
    "dpo": ALL,
    "dpo2": ALL,
    "auditor": ALL,
    "analyst": LISTENER,
    "trainer": LISTENER,
    "adviser": EVERYBODY,
    "ops": [
        "En attente de moi",
        "Échéancier",
        "Destruction",
        *EVERYBODY[1:],
        "Livraisons",
        "Exploitation",
        "Contrôles",
    ],
}
PATHS = [
    "recordings",
    "exceptions",
    "holds",
    "calendar",
    "policy",
    "rules",
    "notices",
    "objections",
    "draws",
    "batches",
    "operations",
    "destruction",
    "certificates",
    "findings",
    "register",
]
WIDTHS = (1280, 360)


def fits(page: Page, where: str) -> None:
    """No line of the page is wider than the window, and every field has its label."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function("width => innerWidth === width", arg=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (where, width)
    unlabelled = page.locator("input:not([type=hidden]), textarea, select").evaluate_all(
        "fields => fields.filter(one => !one.labels?.length && !one.ariaLabel).map(one => one.name)"
    )
    assert unlabelled == [], where
    page.set_viewport_size({"width": WIDTHS[0], "height": 800})


@pytest.mark.browser
@pytest.mark.promise("P4")
@pytest.mark.parametrize("user", ACCOUNTS)
def test_every_entry_opens_and_no_other_page_does(
    desk: Desk, sign_in: Callable[..., Page], user: str
) -> None:
    page = sign_in(user, viewport={"width": 1280, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda fault: said.append(str(fault)))
    menu = page.locator("nav.wide")
    entries = menu.get_by_role("link").filter(has_not_text="Airflow").all_inner_texts()
    assert entries == ENTRIES[user]
    opened = set()
    for entry in entries:
        menu.get_by_role("link", name=entry, exact=True).click()
        assert menu.locator("[aria-current=page]").inner_text() == entry
        assert page.locator("h1").count() == 1 and page.inner_text("h1")
        assert page.inner_text("h1") not in ("Accès refusé", "Indisponible", "Erreur"), entry
        fits(page, entry)
        opened.add(page.url.rpartition("/consigne/")[2].split("/")[0])
    assert said == []
    for path in set(PATHS) - opened:
        answer = page.goto(f"{desk.settings.airflow_url}/consigne/{path}")
        assert answer is not None
        # An adviser's or operator's own requests would stand there: there are none, and no entry leads to it.
        assert answer.status == (200 if path == "exceptions" else 403), path


@pytest.mark.browser
@pytest.mark.promise("P4")
@pytest.mark.parametrize(("user", "own", "other"), [("trainer", "Formation", "Qualité"), ("analyst", "Qualité", "Formation")])  # fmt: skip
def test_a_listener_meets_no_other_purpose(
    desk: Desk, sign_in: Callable[..., Page], user: str, own: str, other: str
) -> None:
    page = sign_in(user, "/consigne/recordings")
    kept = page.locator("td .kept strong").all_inner_texts()
    assert own in kept and other not in kept
    page.locator("tbody a").first.click()
    assert other not in page.locator("article.part .chip").all_inner_texts()
    page.goto(f"{desk.settings.airflow_url}/consigne/calendar")
    heads = page.locator("thead th").all_inner_texts()
    assert own in heads and other not in heads


@pytest.mark.browser
@pytest.mark.parametrize(("language", "locale"), [("fr", "fr-FR"), ("en", "en-GB")])
def test_each_page_in_both_languages_light_and_dark(
    desk: Desk, sign_in: Callable[..., Page], language: str, locale: str
) -> None:
    kept = "/consigne/recordings?state=kept&purpose=training"
    page = sign_in("dpo", kept, locale=locale, viewport={"width": 1280, "height": 800})
    one = page.locator("tbody a").first.get_attribute("href")
    assert one is not None
    titles = set()
    for path in ["", *PATHS, one.removeprefix("/consigne/")]:
        page.goto(f"{desk.settings.airflow_url}/consigne/{path}")
        assert page.locator("html").get_attribute("lang") == language
        titles.add(page.inner_text("h1"))
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (sum(map(int, re.findall(r"\d+", ground)[:3])) > 380) == (scheme == "light")
        if path:
            shot(page, f"{'recording' if '/' in path else path}-{language}")
    assert len(titles) == len(PATHS) + 2
    page.emulate_media(color_scheme="dark")
    shot(page, f"recording-dark-{language}")


@pytest.mark.browser
@pytest.mark.promise("P5")
def test_what_waits_says_what_silence_will_do(desk: Desk, sign_in: Callable[..., Page]) -> None:
    filed = desk.ask(desk.artifacts("training")[0])
    page = sign_in("dpo", locale="en-GB", viewport={"width": 1280, "height": 800})
    ticket = page.locator(".ticket", has=page.locator(f"a[href$='{filed['id']}']"))
    assert "No answer by" in ticket.inner_text() and "left to answer" in ticket.inner_text()
    shot(page, "waiting-en")
    assert desk.send_form("dpo", filed["id"], answer="refuse", reason="End of the test.").status_code == 303


@pytest.mark.browser
def test_the_keyboard_reaches_the_content_and_the_menu_opens_on_a_phone(
    desk: Desk, sign_in: Callable[..., Page]
) -> None:
    page = sign_in("dpo", "/consigne/calendar", viewport={"width": 360, "height": 800})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    menu = page.locator("details.menu")
    assert not menu.get_by_role("link", name="Politique").is_visible()
    menu.locator("summary").press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    link = menu.get_by_role("link", name="Politique")
    link.focus()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    shot(page, "phone-fr")
    link.press("Enter")
    page.wait_for_url("**/consigne/policy")
    assert page.locator("details.menu summary").inner_text().endswith("Politique")


@pytest.mark.browser
def test_a_week_of_the_calendar_leads_to_its_recordings(desk: Desk, sign_in: Callable[..., Page]) -> None:
    page = sign_in("dpo", "/consigne/calendar", locale="en-GB")
    assert page.locator("figure svg rect.c-bar").count() > 0
    page.locator("tbody th a").last.click()
    assert page.inner_text("h1") == "Retention calendar"
    [number, *_] = [int(text) for text in page.locator("td.num a").all_inner_texts()]
    page.locator("td.num a").first.click()
    page.wait_for_url("**/recordings?due_from=*")
    assert 0 < page.locator("tbody tr").count() <= number


@pytest.mark.browser
@pytest.mark.promise("P2")
def test_a_callers_number_is_in_no_address(desk: Desk, sign_in: Callable[..., Page]) -> None:
    page = sign_in("dpo", "/consigne/recordings", locale="en-GB")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_text("Search by the caller’s number").click()
    page.get_by_label("Caller’s number").fill("+33 6 00 00 00 00")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("heading", name="Calls of this number").wait_for()
    assert asked and not any("33" in url.rpartition(":")[2].partition("/")[2] for url in asked)
    assert "00 00" not in page.content()
