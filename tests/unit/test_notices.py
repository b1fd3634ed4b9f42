"""Notices say what the policy says, whole, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from consigne.rules.clock import Duration
from consigne.rules.notice_words import (
    WORDS,
    chosen_in_words,
    day_in_words,
    length_in_words,
    period_in_words,
)
from consigne.rules.notices import Notice, for_callers, for_employees
from consigne.rules.policy.model import Policy
from consigne.rules.reasons import LANGUAGES

pytestmark = pytest.mark.promise("P1")
TODAY = date(2026, 11, 22)


def text(notice: Notice) -> str:
    return "\n".join(line for section in notice.sections for line in (section.title, *section.lines))


def label(family: str, code: str) -> str:
    return f"<{family} {code}>"


INVITING = ("spoken.object", "spoken.object_briefly")


def said(key: str, language: str, **names: str) -> str:
    """The table's text."""
    found = WORDS[key][LANGUAGES.index(language)]
    return found.format(**names) if names else found


@pytest.mark.parametrize("language", LANGUAGES)
def test_callers_hear_why_for_how_long_and_that_they_may_object(shipped: Policy, language: str) -> None:
    first = for_callers(shipped, "support", language)[0]
    assert (first.version, first.purposes) == ("2026-01", ("training", "quality"))
    heard = first.sections[0].lines
    assert heard[0] == shipped.notices["2026-01"].wording[language]
    six = {"fr": "6 mois", "en": "6 months"}[language]
    assert heard[1].count(six) == 2
    for told in (shipped.purposes["training"].title[language], shipped.purposes["quality"].title[language]):
        assert told in heard[1]
    assert {"fr": "vous y opposer", "en": "To object"}[language] in heard[2]
    assert shipped.controller.name in heard[-1] and shipped.controller.contact in heard[-1]
    assert "CNIL" in text(first)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_law_demands_is_said_to_be_so(shipped: Policy, language: str) -> None:
    orders = for_callers(shipped, "orders", language)[0]
    purpose = shipped.purposes["investment_orders"]
    assert purpose.legal_text in text(orders)
    heard = orders.sections[0].lines
    # the wording is the policy's, and invites to object: what it cannot concern stands beneath
    assert heard[0] == shipped.notices["2026-01"].wording[language]
    assert heard[2] == said("spoken.law_whatever", language, purposes=purpose.title[language])
    assert len(heard) == 4
    assert not any(said(key, language) in text(orders) for key in INVITING)
    silent = replace(shipped.notices["2026-01"], wording={})
    plain = for_callers(replace(shipped, notices={"2026-01": silent}), "orders", language)[0]
    assert plain.sections[0].lines[2] == said("spoken.law", language)
    assert said("spoken.object_to", language).partition("{")[0] not in text(plain)
    assert not any(said(key, language) in text(plain) for key in INVITING)
    for one in (orders, plain):
        rights = one.sections[2].lines
        assert rights[0] == said("rights.law", language, purposes=purpose.title[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("worded", [True, False])
def test_of_both_kinds_each_is_named(shipped: Policy, language: str, worded: bool) -> None:
    both = replace(shipped, routing={"orders": ("investment_orders", "training")})
    if not worded:
        both = replace(both, notices={"2026-01": replace(both.notices["2026-01"], wording={})})
    told = for_callers(both, "orders", language)[0]
    law, free = (both.purposes[name].title[language] for name in ("investment_orders", "training"))
    heard, rights = told.sections[0].lines, told.sections[2].lines
    assert heard[2] == said("spoken.object_to", language, purposes=free)
    assert heard[3] == said("spoken.law_whatever" if worded else "spoken.law_for", language, purposes=law)
    assert rights[:2] == (
        said("rights.object", language, purposes=free),
        said("rights.law", language, purposes=law),
    )


def test_a_version_that_covers_nothing_of_the_queue_is_not_shown(shipped: Policy) -> None:
    assert [one.version for one in for_callers(shipped, "support", "fr")] == ["2026-01", "2026-01-quality"]
    assert [one.version for one in for_callers(shipped, "orders", "fr")] == ["2026-01"]
    assert for_callers(shipped, "nowhere", "fr") == []


def test_without_a_wording_the_text_is_whole(shipped: Policy) -> None:
    notice = replace(shipped.notices["2026-01"], wording={})
    policy = replace(shipped, notices={"2026-01": notice})
    heard = for_callers(policy, "support", "en")[0].sections[0].lines
    assert heard[0] == "This call may be recorded."
    assert heard[2] == WORDS["spoken.object"][1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_employees_read_all_that_the_cnil_asks_for(shipped: Policy, language: str) -> None:
    told = text(for_employees(shipped, "support", language, label, TODAY))
    for purpose in (shipped.purposes["training"], shipped.purposes["quality"]):
        assert purpose.title[language] in told
        for role, reasons in purpose.listeners.items():
            assert f"<role {role}>" in told
            assert all(f"<reason {reason}>" in told for reason in reasons)
    for wanted in ("support", shipped.controller.contact, shipped.version, "CNIL", "5 %", "08:00"):
        assert wanted in told
    assert {"fr": "ne dit pas quand", "en": "does not say when"}[language] in told
    assert shipped.agents
    consulted = replace(shipped, agents=replace(shipped.agents, consulted_on=date(2025, 12, 1)))
    said = text(for_employees(consulted, "support", language, label, TODAY))
    assert {"fr": "1er décembre 2025", "en": "1 December 2025"}[language] in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_queue_and_legal_basis_has_its_words(shipped: Policy, demo: Policy, language: str) -> None:
    for policy in (shipped, demo):
        whole = replace(policy, routing={"all": tuple(policy.purposes)})
        for notice in (
            *for_callers(whole, "all", language),
            for_employees(whole, "all", language, label, TODAY),
        ):
            told = text(notice)
            assert "{" not in told and "None" not in told and told.strip()


@pytest.mark.parametrize(
    ("length", "french", "english"),
    [
        ("P6M", "6 mois", "6 months"),
        ("P1Y", "1 an", "1 year"),
        ("P1Y3M", "1 an et 3 mois", "1 year and 3 months"),
        ("PT10M", "10 minutes", "10 minutes"),
        ("PT1H30S", "1 heure et 30 secondes", "1 hour and 30 seconds"),
        ("P2W", "14 jours", "14 days"),
        ("P1D", "1 jour", "1 day"),
        ("PT0S", "0 seconde", "0 second"),
    ],
)
def test_lengths_in_words(length: str, french: str, english: str) -> None:
    parsed = Duration.parse(length)
    assert (length_in_words(parsed, "fr"), length_in_words(parsed, "en")) == (french, english)


def test_which_calls_in_words(shipped: Policy, changed: Callable[..., Policy]) -> None:
    def said(name: str, policy: Policy = shipped) -> str:
        return chosen_in_words(policy.purposes[name], "en")

    assert said("training") == "5 % of calls, drawn at random"
    assert said("investment_orders") == "every call, because the law demands it"
    assert said("complaint") == "only when the adviser starts the recording"
    assert said("contract_proof").endswith("only where nothing else proves it")
    assert said("training", changed(shipped, "training", sampling_rate=Decimal(1))) == "every call"
    half = changed(shipped, "training", sampling_rate=Decimal("0.005")).purposes["training"]
    assert chosen_in_words(half, "fr") == "0,5 % des appels, tirés au sort"


def test_periods_in_words(shipped: Policy) -> None:
    period = shipped.purposes["training"].periods[0]
    assert period_in_words(period, "en") == (
        "from 1 January 2026 to 31 December 2026, Monday to Friday, from 08:00 to 20:00"
    )
    apart = replace(period, days=frozenset({0, 2, 5}), hours=None)
    assert period_in_words(apart, "fr") == "du 1er janvier 2026 au 31 décembre 2026, lundi, mercredi, samedi"
    assert "tous les jours" in period_in_words(replace(period, days=frozenset(range(7))), "fr")
    assert day_in_words(date(2026, 8, 2), "fr") == "2 août 2026"
