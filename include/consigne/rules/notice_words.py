"""What notices say, in French and English; `rules/notices.py` puts it together."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from consigne.rules.clock import Duration
from consigne.rules.policy.model import Period, Purpose
from consigne.rules.reasons import LANGUAGES

WORDS: dict[str, tuple[str, str]] = {
    "years": ("an|ans", "year|years"),
    "months": ("mois|mois", "month|months"),
    "days": ("jour|jours", "day|days"),
    "hours": ("heure|heures", "hour|hours"),
    "minutes": ("minute|minutes", "minute|minutes"),
    "seconds": ("seconde|secondes", "second|seconds"),
    "and": (" et ", " and "),
    "weekdays": (
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    ),
    "every_day": ("tous les jours", "every day"),
    "weekdays.run": ("du {since} au {until}", "{since} to {until}"),
    "months_named": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "January February March April May June July August September October November December",
    ),
    "period": ("du {since} au {until}, {days}{hours}", "from {since} to {until}, {days}{hours}"),
    "clock": (", de {since} à {until}", ", from {since} to {until}"),
    "none": ("aucune", "none"),
    # how calls are chosen
    "by_law": ("tous les appels, parce que la loi l’impose", "every call, because the law demands it"),
    "by_person": (
        "seulement quand le conseiller lance l’enregistrement",
        "only when the adviser starts the recording",
    ),
    "every": ("tous les appels", "every call"),
    "drawn": ("{share} % des appels, tirés au sort", "{share} % of calls, drawn at random"),
    "no_other_proof": (
        "et seulement s’il n’existe aucune autre preuve",
        "and only where nothing else proves it",
    ),
    # legal bases (GDPR, article 6)
    "basis.consent": ("consentement", "consent"),
    "basis.contract": ("contrat", "contract"),
    "basis.legal_obligation": ("obligation légale", "legal obligation"),
    "basis.vital_interests": ("sauvegarde des intérêts vitaux", "vital interests"),
    "basis.public_task": ("mission d’intérêt public", "public task"),
    "basis.legitimate_interest": ("intérêt légitime", "legitimate interest"),
    "part.audio": ("le son", "the sound"),
    "part.transcript": ("la transcription", "the transcript"),
    "part.analysis_sheet": ("la fiche d’analyse", "the analysis sheet"),
    "aim": ("{title} ({basis}) : {chosen}.", "{title} ({basis}): {chosen}."),
    # to callers
    "callers": ("Information des appelants", "Notice to callers"),
    "spoken": ("À dire au début de l’appel", "Said at the start of the call"),
    "spoken.base": ("Cet appel peut être enregistré.", "This call may be recorded."),
    "spoken.why": ("Pourquoi, et pour combien de temps : {purposes}.", "Why, and for how long: {purposes}."),
    "spoken.one": ("{title}, {longest} au plus", "{title}, {longest} at most"),
    "spoken.object": (
        "Vous pouvez vous y opposer : dites-le à votre conseiller, qui vous proposera une autre voie.",
        "You may object: tell your adviser, who will offer you another way.",
    ),
    "spoken.object_briefly": (
        "Pour vous y opposer, dites-le à votre conseiller.",
        "To object, tell your adviser.",
    ),
    "spoken.object_to": (
        "Vous pouvez vous opposer à : {purposes}. Dites-le à votre conseiller, qui vous proposera une autre voie.",
        "You may object to: {purposes}. Tell your adviser, who will offer you another way.",
    ),
    "spoken.law": (
        "Cet enregistrement est imposé par la loi : on ne peut pas s’y opposer.",
        "The law demands this recording: one cannot object to it.",
    ),
    "spoken.law_for": (
        "L’enregistrement suivant est imposé par la loi, on ne peut pas s’y opposer : {purposes}.",
        "The law demands the following recording, one cannot object to it: {purposes}.",
    ),
    "spoken.law_whatever": (
        "Ce qui est dit de l’opposition ne concerne pas : {purposes}. La loi impose cet enregistrement, on ne peut pas "
        "s’y opposer.",
        "What is said of objecting does not concern: {purposes}. The law demands this recording, one cannot object to "
        "it.",
    ),
    "purposes": ("Finalités et durées", "Purposes and periods"),
    "purpose": (
        "{title} ({basis}) : {chosen} ; conservation : {longest} au plus.",
        "{title} ({basis}): {chosen}; kept for {longest} at most.",
    ),
    "law": ("Texte : {text}.", "Text: {text}."),
    "rights": ("Vos droits", "Your rights"),
    "rights.object": (
        "Vous pouvez vous opposer à tout moment, pendant l’appel ou après, à : {purposes}. Votre opposition vaut "
        "pour vos appels suivants, et vous pouvez la retirer.",
        "You may object at any time, during the call or after it, to: {purposes}. Your objection holds for your "
        "later calls, and you may withdraw it.",
    ),
    "rights.law": (
        "On ne peut pas s’opposer à ce que la loi impose : {purposes}.",
        "One cannot object to what the law demands: {purposes}.",
    ),
    "rights.others": (
        "Vous pouvez demander à accéder à l’enregistrement, à le faire effacer ou à en limiter l’usage, et saisir "
        "la CNIL (cnil.fr).",
        "You may ask for access to the recording, for its erasure or for its restriction, and complain to the "
        "supervisory authority (in France the CNIL, cnil.fr).",
    ),
    "contact": (
        "Responsable de traitement : {name}. À qui s’adresser : {contact}.",
        "Controller: {name}. Whom to ask: {contact}.",
    ),
    "version": ("Annonce {version}.", "Notice {version}."),
    # to employees
    "employees": ("Information des salariés", "Notice to employees"),
    "aims": ("Objectifs", "Aims"),
    "consequences": ("Conséquences pour vous", "Consequences for you"),
    "consequence": (
        "{title} : {role} peut écouter pour {reasons}.",
        "{title}: {role} may listen for {reasons}.",
    ),
    "consequence.sheet": (
        "L’écoute peut donner lieu à une fiche d’analyse, qui sert aux mêmes fins et à aucune autre.",
        "Listening may lead to an analysis sheet, which serves the same ends and no others.",
    ),
    "consequence.traced": (
        "Chaque écoute, avec son motif, est inscrite au journal.",
        "Each listening, with its reason, is in the register.",
    ),
    "concerned": ("Qui est concerné", "Who is concerned"),
    "concerned.agents": (
        "Les conseillers qui prennent les appels de la file « {queue} ».",
        "Advisers who take the calls of the queue “{queue}”.",
    ),
    "concerned.listeners": ("Ceux qui peuvent écouter : {roles}.", "Those who may listen: {roles}."),
    "when": (
        "Quand on enregistre, et combien de temps on garde",
        "When calls are recorded, and for how long kept",
    ),
    "when.one": ("{title} : {period}.", "{title}: {period}."),
    "kept.one": ("{title} : {parts}.", "{title}: {parts}."),
    "kept.part": ("{part} {length}", "{part} {length}"),
    "employees.rights": (
        "Vous pouvez accéder aux enregistrements et aux fiches qui vous concernent, les faire rectifier, et vous "
        "opposer pour des raisons tenant à votre situation : adressez-vous à {contact}. Vous pouvez saisir la CNIL "
        "(cnil.fr).",
        "You may have access to the recordings and sheets that concern you, have them corrected, and object on "
        "grounds relating to your situation: write to {contact}. You may complain to the supervisory authority (in "
        "France the CNIL, cnil.fr).",
    ),
    "consulted": ("Représentants du personnel", "Staff representatives"),
    "consulted.on": ("Ils ont été consultés le {day}.", "They were consulted on {day}."),
    "consulted.not": (
        "La politique ne dit pas quand ils ont été consultés.",
        "The policy does not say when they were consulted.",
    ),
    "employees.version": (
        "Note {version}, politique {policy}. L’enregistrement ne commence qu’une fois que vous en avez pris "
        "connaissance.",
        "Notice {version}, policy {policy}. You are not recorded before you have acknowledged it.",
    ),
}


def say(key: str, language: str, **names: object) -> str:
    """The text of a key with its names filled in."""
    return WORDS[key][LANGUAGES.index(language)].format(**names)


def length_in_words(length: Duration, language: str) -> str:
    """`6 mois`, `1 year and 3 months`, `10 minutes`."""
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    counts = {
        "years": length.years, "months": length.months, "days": length.days,
        "hours": hours, "minutes": minutes, "seconds": seconds,
    }  # fmt: skip
    said = []
    for unit, count in counts.items():
        one, many = say(unit, language).split("|")
        if count:
            said.append(f"{count} {one if count == 1 else many}")
    return say("and", language).join(said) or f"0 {say('seconds', language).split('|')[0]}"


def chosen_in_words(purpose: Purpose, language: str) -> str:
    """Which calls are recorded: all by law, those that a person starts, or a share drawn at random."""
    if purpose.legal_text is not None:
        return say("by_law", language)
    if purpose.needs.get("trigger") == "agent":
        proof = say("no_other_proof", language) if purpose.needs.get("other_proof") == "none" else ""
        return " ".join(filter(None, [say("by_person", language), proof]))
    return say("every", language) if purpose.sampling_rate == 1 else share_in_words(purpose, language)


def share_in_words(purpose: Purpose, language: str) -> str:
    """`5 % of calls, drawn at random`."""
    share = f"{(purpose.sampling_rate * Decimal(100)).normalize():f}"
    return say("drawn", language, share=share.replace(".", ",") if language == "fr" else share)


def period_in_words(period: Period, language: str) -> str:
    """`from 1 January 2026 to 31 December 2026, Monday to Friday, from 08:00 to 20:00`."""
    since, until = period.hours or (None, None)
    hours = say("clock", language, since=f"{since:%H:%M}", until=f"{until:%H:%M}") if since and until else ""
    return say(
        "period", language, since=day_in_words(period.since, language),
        until=day_in_words(period.until, language), days=_weekdays(period.days, language), hours=hours,
    )  # fmt: skip


def _weekdays(days: frozenset[int], language: str) -> str:
    names, chosen = say("weekdays", language).split(), sorted(days)
    if len(chosen) == len(names):
        return say("every_day", language)
    if len(chosen) > 2 and chosen[-1] - chosen[0] == len(chosen) - 1:
        return say("weekdays.run", language, since=names[chosen[0]], until=names[chosen[-1]])
    return ", ".join(names[day] for day in chosen)


def day_in_words(day: date, language: str) -> str:
    """`1er janvier 2026`, `1 January 2026`."""
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{number} {say('months_named', language).split()[day.month - 1]} {day.year}"
