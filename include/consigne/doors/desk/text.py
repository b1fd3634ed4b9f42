"""What the desk says, in French and English: one table of keys × languages, a file of `texts/` for each page.

A page asks for a key; a key that is missing is a fault of ours and raises KeyError.
"""

from __future__ import annotations

from consigne.doors.desk.texts import (
    certificates,
    common,
    decide,
    destruction,
    exceptions,
    findings,
    holds,
    informing,
    losses,
    mail,
    moderation,
    operations,
    policy,
    reconciling,
    recordings,
    register,
    volumes,
)

LANGUAGES = ("fr", "en")

# key: (French, English)
TEXTS: dict[str, tuple[str, str]] = {
    key: text
    for part in (
        common, decide, recordings, exceptions, holds, policy, findings, informing, moderation, mail,
        volumes, destruction, certificates, reconciling, losses, register, operations,
    )
    for key, text in part.TEXTS.items()
}  # fmt: skip
