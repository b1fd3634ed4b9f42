"""The table of sample calls: what is said and how, and what must become of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of call. `says` are the caller's lines (`script.CALLER`) after greeting and notice."""

    name: str
    says: tuple[str, ...]
    purposes: tuple[str, ...]
    queue: str = "support"
    # asked for in the JSON; otherwise by the policy's routing
    asked: bool = True
    # "kept", "refused" or "quarantined", and the code of the last two
    outcome: str = "kept"
    code: str | None = None
    # of the caller's card: "fours", "dashed", "digits", "spelled" (as number words)
    grouping: str = "fours"
    keyed: bool = False
    # of the transcript: "words", "segments", "lost" (recognition dropped the line with the card), "none"
    form: str = "words"
    # of the start: "usual", "outside", "overdue", "ahead", "long_ago", or "ends" (with ends_in_s)
    when: str = "usual"
    ends_in_s: int = 0
    objects_to: tuple[str, ...] = ()
    trigger: str | None = None
    other_proof: str | None = None


def _refused(code: str, purpose: str = "training", queue: str = "support", when: str = "usual") -> Kind:
    says = ("delivery", "rare", "order", "bye")
    trigger = "agent" if purpose == "complaint" else None
    return Kind(code, says, (purpose,), queue, outcome="refused", code=code, when=when, trigger=trigger)


def _quarantined(code: str, form: str = "words", says: tuple[str, ...] = ("invoice", "rare", "bye")) -> Kind:
    return Kind(code, says, ("training",), outcome="quarantined", code=code, form=form)


def _trial(ends_in_s: int, says: tuple[str, ...], keyed: bool = False, grouping: str = "fours") -> Kind:
    return Kind("trial", says, ("trial",), when="ends", ends_in_s=ends_in_s, keyed=keyed, grouping=grouping)


_CONTRACT = ("contract", "rare", "bye")

# A call that comes again stands behind the call that it repeats.
KINDS = (
    Kind("plain", ("delivery", "rare", "order", "bye"), ("training",)),
    Kind("again", (), (), outcome="refused", code="delivered_before"),
    _trial(300, ("invoice", "rare", "amount", "bye")),
    Kind("card", ("invoice", "rare", "card", "expiry", "code", "bye"), ("training", "quality"), asked=False),
    Kind("keyed", ("delivery", "rare", "bye"), ("training", "quality"), asked=False, keyed=True),
    _refused("not_announced"),
    _trial(360, ("delivery", "rare", "bye"), keyed=True),
    Kind("card", ("delivery", "rare", "card", "code", "bye"), ("quality",), grouping="dashed"),
    _quarantined("bad_json"),
    Kind(
        "order",
        ("shares", "rare", "amount", "bye"),
        ("investment_orders",),
        "orders",
        asked=False,
        keyed=True,
    ),
    _refused("announced_late"),
    _trial(480, ("invoice", "rare", "card", "code", "bye"), grouping="digits"),
    Kind("card", ("invoice", "rare", "card", "expiry", "bye"), ("training",), grouping="spelled"),
    _quarantined("missing_audio"),
    _refused("objected"),
    Kind("plain", ("invoice", "rare", "bye"), ("quality",)),
    Kind("other", ("invoice", "rare", "bye"), ("quality",), outcome="quarantined", code="id_reused"),
    _refused("agent_not_informed"),
    _trial(660, ("delivery", "rare", "order", "bye")),
    Kind("complaint", ("complaint", "rare", "order", "bye"), ("complaint",), "claims", trigger="agent"),
    _refused("unknown_purpose", "marketing"),
    _quarantined("suspected_missed", "lost", ("invoice", "rare", "card", "bye")),
    Kind("card", ("invoice", "rare", "card", "code", "bye"), ("quality",), form="segments"),
    _refused("outside_period", "complaint", "claims", when="outside"),
    Kind("emergency", ("emergency", "rare", "bye"), ("emergency",), "assistance"),
    _quarantined("unreadable_audio"),
    _refused("past_due", "trial", when="overdue"),
    _trial(840, ("invoice", "rare", "order", "bye")),
    _refused("start_in_future", when="ahead"),
    Kind("contract", _CONTRACT, ("contract_proof",), "sales", trigger="agent", other_proof="none"),
    _quarantined("format_mismatch"),
    _refused("start_before_horizon", when="long_ago"),
    Kind(
        "objection",
        ("delivery", "rare", "bye"),
        ("training", "quality"),
        asked=False,
        objects_to=("training",),
    ),
    Kind(
        "needs_human_trigger",
        _CONTRACT,
        ("contract_proof",),
        "sales",
        outcome="refused",
        code="needs_human_trigger",
        trigger="system",
        other_proof="none",
    ),
    _quarantined("duration_mismatch"),
    _refused("notice_does_not_cover"),
    Kind(
        "other_proof_exists",
        _CONTRACT,
        ("contract_proof",),
        "sales",
        outcome="refused",
        code="other_proof_exists",
        trigger="agent",
        other_proof="written",
    ),
    _quarantined("needs_transcript", "none"),
    Kind(
        "no_purpose",
        ("delivery", "rare", "bye"),
        (),
        "switchboard",
        asked=False,
        outcome="refused",
        code="no_purpose",
    ),
    _quarantined("bad_field"),
)
