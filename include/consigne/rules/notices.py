"""What callers and employees are told, made from the policy, for each queue and language.

CNIL, on listening to and recording calls at work: callers hear at the start that they may be recorded, why, and
that they may object; employees know the aims, the consequences, who is concerned, the periods, their rights, and
that their representatives were consulted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from consigne.rules.notice_words import chosen_in_words, day_in_words, length_in_words, period_in_words, say
from consigne.rules.policy.model import Policy, Purpose

Label = Callable[[str, str], str]
"""The reader's word for a code: ('reason', 'coaching') → `accompagnement`; also of the family 'role'."""


@dataclass(frozen=True, slots=True)
class Section:
    """A title and the sentences under it."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """One text, whole: `version` is the notice's, `purposes` those that it speaks of."""

    title: str
    version: str
    queue: str
    language: str
    purposes: tuple[str, ...]
    sections: tuple[Section, ...]


def served(policy: Policy, queue: str) -> list[Purpose]:
    """The purposes that the queue's routing serves."""
    return [policy.purposes[name] for name in policy.routing.get(queue, ()) if name in policy.purposes]


def for_callers(policy: Policy, queue: str, language: str) -> list[Notice]:
    """Of each version that covers a purpose of the queue, in the policy's order."""
    made = []
    for version, notice in policy.notices.items():
        told = [purpose for purpose in served(policy, queue) if purpose.name in notice.covers]
        if told:
            sections = _to_callers(policy, version, told, language)
            names = tuple(purpose.name for purpose in told)
            made.append(Notice(say("callers", language), version, queue, language, names, sections))
    return made


def by_choice_and_by_law(told: Iterable[Purpose]) -> tuple[list[Purpose], list[Purpose]]:
    """Those that a caller may object to, and those that a law demands."""
    told = list(told)
    return (
        [purpose for purpose in told if purpose.legal_text is None],
        [purpose for purpose in told if purpose.legal_text is not None],
    )


def _to_callers(policy: Policy, version: str, told: list[Purpose], language: str) -> tuple[Section, ...]:
    notice = policy.notices[version]
    longest = {purpose.name: length_in_words(notice.covers[purpose.name], language) for purpose in told}
    what = [_purpose(purpose, longest[purpose.name], language) for purpose in told]
    free, demanded = by_choice_and_by_law(told)
    said = [say("rights.object", language, purposes=_titles(free, language))] if free else []
    if demanded:
        said.append(say("rights.law", language, purposes=_titles(demanded, language)))
    rights = (*said, say("rights.others", language), _contact(policy, language))
    return (
        Section(say("spoken", language), spoken(policy, version, told, language)),
        Section(say("purposes", language), tuple(what)),
        Section(say("rights", language), (*rights, say("version", language, version=version))),
    )


def spoken(policy: Policy, version: str, told: list[Purpose], language: str) -> tuple[str, ...]:
    """What is said at the start: the policy's own wording, then the reasons with the longest period of each, then to
    what one may object and to what not."""
    notice = policy.notices[version]
    reasons = "; ".join(
        say(
            "spoken.one", language, title=_title(purpose, language),
            longest=length_in_words(notice.covers[purpose.name], language),
        )
        for purpose in told
    )  # fmt: skip
    lines = [
        notice.wording.get(language) or say("spoken.base", language),
        say("spoken.why", language, purposes=reasons.replace("; ", " ; ") if language == "fr" else reasons),
    ]
    return (*lines, *_on_objecting(told, language in notice.wording, language), _contact(policy, language))


def _on_objecting(told: list[Purpose], worded: bool, language: str) -> Iterable[str]:
    free, demanded = by_choice_and_by_law(told)
    if free and demanded:
        yield say("spoken.object_to", language, purposes=_titles(free, language))
    elif free:  # the policy's wording says the rest, or should
        yield say("spoken.object_briefly" if worded else "spoken.object", language)
    if demanded:  # the wording is the policy's, and may invite to object whatever the queue
        key = "spoken.law_whatever" if worded else "spoken.law_for" if free else "spoken.law"
        yield say(key, language, purposes=_titles(demanded, language))


def for_employees(policy: Policy, queue: str, language: str, label: Label, today: date) -> Notice:
    """The note that agents acknowledge, as far as the queue concerns them. `today` is a local day: of each
    purpose's periods, those that have not ended are told."""
    told = served(policy, queue)
    agents = policy.agents
    contact, version = policy.controller.contact, agents.notice if agents else "-"
    sections = (
        Section(say("aims", language), tuple(_aim(purpose, language) for purpose in told)),
        Section(say("consequences", language), _consequences(told, language, label)),
        Section(say("concerned", language), _concerned(told, queue, language, label)),
        Section(say("when", language), tuple(_when(told, language, today))),
        Section(say("rights", language), (say("employees.rights", language, contact=contact),)),
        Section(say("consulted", language), (_consulted(policy, language),)),
        Section(
            say("employees", language),
            (
                say("employees.version", language, version=version, policy=policy.version),
                _contact(policy, language),
            ),
        ),
    )
    names = tuple(purpose.name for purpose in told)
    return Notice(say("employees", language), version, queue, language, names, sections)


def _title(purpose: Purpose, language: str) -> str:
    return purpose.title.get(language) or purpose.name


def _titles(purposes: Iterable[Purpose], language: str) -> str:
    return ", ".join(_title(purpose, language) for purpose in purposes)


def basis(purpose: Purpose, language: str) -> str:
    """The legal basis (GDPR, article 6) in words."""
    return say(f"basis.{purpose.legal_basis}", language)


def _purpose(purpose: Purpose, longest: str, language: str) -> str:
    line = say(
        "purpose", language, title=_title(purpose, language), basis=basis(purpose, language),
        chosen=chosen_in_words(purpose, language), longest=longest,
    )  # fmt: skip
    return f"{line} {say('law', language, text=purpose.legal_text)}" if purpose.legal_text else line


def _aim(purpose: Purpose, language: str) -> str:
    return say(
        "aim", language, title=_title(purpose, language), basis=basis(purpose, language),
        chosen=chosen_in_words(purpose, language),
    )  # fmt: skip


def _consequences(told: list[Purpose], language: str, label: Label) -> tuple[str, ...]:
    lines = [
        say(
            "consequence", language, title=_title(purpose, language), role=label("role", role),
            reasons=", ".join(label("reason", reason) for reason in reasons),
        )
        for purpose in told
        for role, reasons in purpose.listeners.items()
    ]  # fmt: skip
    sheets = any(str(part) == "analysis_sheet" for purpose in told for part in purpose.parts)
    return (
        *lines,
        *([say("consequence.sheet", language)] if sheets else []),
        say("consequence.traced", language),
    )


def _concerned(told: list[Purpose], queue: str, language: str, label: Label) -> tuple[str, ...]:
    roles = dict.fromkeys(role for purpose in told for role in purpose.listeners)
    named = ", ".join(label("role", role) for role in roles) or say("none", language)
    return (
        say("concerned.agents", language, queue=queue),
        say("concerned.listeners", language, roles=named),
    )


def _when(told: list[Purpose], language: str, today: date) -> Iterable[str]:
    for purpose in told:
        title = _title(purpose, language)
        current = [period for period in purpose.periods if period.until >= today][:1]
        for period in current:
            yield say("when.one", language, title=title, period=period_in_words(period, language))
        yield say("kept.one", language, title=title, parts=kept_in_words(purpose, language))


def kept_in_words(purpose: Purpose, language: str) -> str:
    """Each part and how long it is kept: `the sound 6 months, the transcript 6 months`."""
    return ", ".join(
        say(
            "kept.part", language, part=say(f"part.{part}", language),
            length=length_in_words(rule.retention, language),
        )
        for part, rule in purpose.parts.items()
    )  # fmt: skip


def _consulted(policy: Policy, language: str) -> str:
    day = policy.agents.consulted_on if policy.agents else None
    return (
        say("consulted.on", language, day=day_in_words(day, language))
        if day
        else say("consulted.not", language)
    )


def _contact(policy: Policy, language: str) -> str:
    return say("contact", language, name=policy.controller.name, contact=policy.controller.contact)
