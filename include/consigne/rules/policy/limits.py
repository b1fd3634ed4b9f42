"""The limits of the law and of the CNIL that a policy must keep, and what this version cannot do.

CNIL, on listening to and recording calls at work: nothing permanent or systematic without a legal text, six
months for training and quality, one year for analysis documents, access logs kept six to twelve months;
on proof of a contract: started by a person, only where there is no other proof. Five years is the longest
for evidence in banking (MiFID II, article 16(7)); two more on an authority's mandate are a hold, not a cap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time

from consigne.rules.clock import Duration, add, local_date, never_longer
from consigne.rules.policy.findings import Finding
from consigne.rules.policy.load import Loaded
from consigne.rules.policy.model import Policy, Purpose
from consigne.rules.redaction.profiles import PROFILES
from consigne.rules.values import Part

SIX_MONTHS, ONE_YEAR, FIVE_YEARS = Duration(months=6), Duration(years=1), Duration(years=5)
NINETY_DAYS = Duration(
    days=90
)  # our own: a backup is for accidents, and each day of it is one more to destruction
_NOTHING_ELSE_PROVES = {"trigger": "agent", "other_proof": "none"}

Breach = tuple[str, str, str]


def breaches(loaded: Loaded) -> list[Finding]:
    """Every limit that the policy breaks, by line; only warnings where it calls itself a demonstration, and for what
    a notice to employees should say and cannot.

    What this version cannot do stands here, and as an error always: `load` also reads policies that were in
    force under another version of Consigne.
    """
    found = [loaded.finding(*breach) for breach in _all(loaded.policy)]
    if loaded.policy.demo:
        found = [replace(each, severity="warning") for each in found]
    found += [replace(loaded.finding(*advice), severity="warning") for advice in _advised(loaded.policy)]
    found += [loaded.finding(*breach) for breach in _unbuilt(loaded.policy)]
    return sorted(found, key=lambda each: (each.line, each.column))


def unfit(loaded: Loaded, in_force: Policy, begins: datetime) -> list[Finding]:
    """What keeps a draft from following the policy in force, whether it calls itself a demonstration or not: it
    would leave nobody who decides when it begins, or lift the limits by becoming a demonstration."""
    found = []
    policy, day = loaded.policy, local_date(begins, loaded.policy.zone)
    if not any(one.since <= day and (one.until is None or day <= one.until) for one in policy.designated):
        found.append(loaded.finding("dpo.designated", "no_dpo", "nobody would decide any more"))
    if policy.demo and not in_force.demo:
        found.append(
            loaded.finding("demo", "becomes_a_demonstration", "the limits hold; a demonstration lifts them")
        )
    return found


def _advised(policy: Policy) -> Iterator[Breach]:
    if policy.agents is not None and policy.agents.consulted_on is None:
        message = "it does not say when staff representatives were consulted (`consulted_on`)"
        yield "agents", "staff_not_consulted", message


def _unbuilt(policy: Policy) -> Iterator[Breach]:
    for name, purpose in policy.purposes.items():
        if purpose.redaction.profile not in PROFILES:
            path = f"purposes.{name}.redaction.profile"
            yield path, "unknown_profile", "no redaction profile has that name"
        if "dpo" in purpose.approval[:-1]:
            message = "the owner states necessity, then the data protection officer decides"
            yield f"purposes.{name}.approval", "dpo_last", message


def _all(policy: Policy) -> Iterator[Breach]:
    yield from _people(policy)
    yield from _backups(policy)
    for name, purpose in policy.purposes.items():
        path = f"purposes.{name}"
        yield from _lengths(purpose, path)
        yield from _selection(purpose, path)
        yield from _persons_concerned(purpose, path)
        if not any(name in notice.covers for notice in policy.notices.values()):
            yield path, "no_notice", "no notice tells callers of this purpose"


def _people(policy: Policy) -> Iterator[Breach]:
    if not policy.designated:
        yield "dpo.designated", "no_dpo", "nobody is designated as data protection officer"
    if policy.agents is None:
        yield "agents", "agents_not_informed", "nothing says that employees were informed"
    kept = policy.names_kept
    if not (never_longer(SIX_MONTHS, kept) and never_longer(kept, ONE_YEAR)):
        yield "register.names_kept", "names_kept", "names in the register are kept from 6 to 12 months"


def _backups(policy: Policy) -> Iterator[Breach]:
    for name in ("database", "keyring"):
        if not never_longer(getattr(policy.backups, name), NINETY_DAYS):
            yield f"backups.{name}", "backups_too_long", "a backup exists for 90 days at most"


def _lengths(purpose: Purpose, path: str) -> Iterator[Breach]:
    for part, rule in purpose.parts.items():
        within = f"{path}.parts.{part}"
        if part is Part.ANALYSIS_SHEET:
            longest, message = ONE_YEAR, "an analysis sheet is kept for one year at most"
        elif purpose.legal_text or purpose.needs == _NOTHING_ELSE_PROVES:
            longest, message = FIVE_YEARS, "evidence is kept for 5 years at most"
        else:
            longest, message = SIX_MONTHS, "what is no evidence is kept for 6 months at most"
        if not never_longer(rule.retention, longest):
            yield f"{within}.retention", "retention_too_long", message
        if not never_longer(rule.cap, FIVE_YEARS):
            yield f"{within}.cap", "cap_too_long", "beyond 5 years only a hold leads"


def _selection(purpose: Purpose, path: str) -> Iterator[Breach]:
    started_by_a_person = purpose.needs.get("trigger") == "agent"
    if purpose.sampling_rate == 1 and not (purpose.legal_text or started_by_a_person):
        yield f"{path}.sampling_rate", "systematic", "recording every call needs a `legal_text`"
    for index, period in enumerate(purpose.periods):
        if period.until >= add(datetime.combine(period.since, time(), UTC), ONE_YEAR, "UTC").date():
            yield f"{path}.periods.{index}.until", "period_too_long", "a period lasts one year at most"
    if purpose.name == "contract_proof" and purpose.needs != _NOTHING_ELSE_PROVES:
        message = "it asks for `needs: {trigger: agent, other_proof: none}`"
        yield f"{path}.needs", "proof_unneeded", message


def _persons_concerned(purpose: Purpose, path: str) -> Iterator[Breach]:
    if not purpose.listeners:
        yield f"{path}.listeners", "no_listeners", "a recording that nobody may hear has no purpose"
    for role, reasons in purpose.listeners.items():
        if not reasons:
            yield f"{path}.listeners.{role}", "no_reasons", "whoever listens does so for a stated reason"
    if "dpo" not in purpose.approval:
        yield f"{path}.approval", "dpo_not_asked", "an exception is decided by the data protection officer"
