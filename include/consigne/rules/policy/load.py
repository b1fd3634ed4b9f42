"""The policy file's text as a `Policy`, or everything that is wrong with it, by line and column."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from consigne.rules.clock import never_longer
from consigne.rules.policy import schema
from consigne.rules.policy.findings import Finding, PolicyInvalid
from consigne.rules.policy.model import (
    Agents,
    Backups,
    Controller,
    Designation,
    Notice,
    PartRule,
    Period,
    Policy,
    Purpose,
    RedactionRule,
    Reminders,
)
from consigne.rules.policy.tree import Tree, read_tree

Fault = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy, and where each of its fields stands in the file."""

    policy: Policy
    lines: Tree

    def finding(self, path: str, code: str, message: str) -> Finding:
        """An error at the line of a field (dotted path), or of what holds it."""
        line, column = self.lines.place(path)
        return Finding(line, column, path, code, message)


def load(text: str) -> Loaded:
    """The policy of a YAML text. PolicyInvalid, with every finding, for anything else."""
    tree = read_tree(text)
    try:
        form = schema.PolicyForm.model_validate(tree.value)
    except ValidationError as error:
        wrong = [_of_form(tree, each) for each in error.errors(include_url=False, include_input=False)]
        raise PolicyInvalid([*tree.findings, *wrong]) from None
    loaded = Loaded(_policy(form, _digest(tree.value)), tree)
    findings = tree.findings + [loaded.finding(*fault) for fault in _contradictions(loaded.policy)]
    if findings:
        raise PolicyInvalid(findings)
    return loaded


def _of_form(tree: Tree, error: Any) -> Finding:
    path = ".".join(str(step) for step in error["loc"] if step != "[key]")
    line, column = tree.place(path)
    return Finding(line, column, path, error["type"], error["msg"])


def _digest(value: Any) -> str:
    """SHA-256 (hex) of the file's content as JSON: sorted keys, ASCII, no spaces, decimals as short text."""
    document = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=_short)
    return hashlib.sha256(document.encode()).hexdigest()


def _short(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _policy(form: schema.PolicyForm, digest: str) -> Policy:
    return Policy(
        version=form.version,
        in_force_from=form.in_force_from,
        zone=form.zone,
        controller=Controller(form.controller.name, form.controller.contact),
        designated=tuple(Designation(each.user, each.since, each.until) for each in form.dpo.designated),
        deputies=tuple(Designation(each.user, each.since, each.until) for each in form.dpo.deputies),
        response_time=form.response_time,
        quarantine_deadline=form.quarantine_deadline,
        clock_skew=form.clock_skew,
        recording_cap=form.recording_cap,
        size_cap_bytes=form.size_cap_bytes,
        names_kept=form.register_.names_kept,
        routing={queue: tuple(names) for queue, names in form.routing.items()},
        agents=_agents(form.agents),
        notices={version: _notice(version, each) for version, each in form.notices.items()},
        purposes={name: _purpose(name, each) for name, each in form.purposes.items()},
        digest=digest,
        demo=form.demo,
        reminders=Reminders(form.reminders.request, form.reminders.recording),
        backups=Backups(form.backups.database, form.backups.keyring),
    )


def _agents(form: schema.AgentsForm | None) -> Agents | None:
    return Agents(form.notice, form.acknowledgements, form.consulted_on) if form else None


def _notice(version: str, form: schema.NoticeForm) -> Notice:
    return Notice(version, form.announced_within, form.covers, form.wording)


def _purpose(name: str, form: schema.PurposeForm) -> Purpose:
    return Purpose(
        name=name,
        title=form.title,
        legal_basis=form.legal_basis,
        legal_text=form.legal_text,
        owner=form.owner,
        periods=tuple(_period(each) for each in form.periods),
        sampling_rate=form.sampling_rate,
        parts={part: PartRule(each.retention, each.cap) for part, each in form.parts.items()},
        epoch_length=form.epoch_length,
        listeners={role: tuple(reasons) for role, reasons in form.listeners.items()},
        redaction=RedactionRule(form.redaction.profile, form.redaction.requires_transcript),
        grounds=tuple(form.grounds),
        longest_step=form.longest_step,
        approval=tuple(form.approval),
        needs=form.needs.model_dump(exclude_none=True),
    )


def _period(form: schema.PeriodForm) -> Period:
    return Period(form.since, form.until, frozenset(schema.DAYS.index(day) for day in form.days), form.hours)


def _contradictions(policy: Policy) -> Iterator[Fault]:
    """What is well formed and still cannot be meant: path, code, message."""
    yield from _unknown_names(policy)
    for index, each in enumerate(policy.designated + policy.deputies):
        if each.until and each.until < each.since:
            deputy = index - len(policy.designated)
            path = f"dpo.deputies.{deputy}.until" if deputy >= 0 else f"dpo.designated.{index}.until"
            yield path, "ends_before_it_begins", "the last day lies before the first"
    for name, purpose in policy.purposes.items():
        for index, period in enumerate(purpose.periods):
            if period.until < period.since:
                path = f"purposes.{name}.periods.{index}.until"
                yield path, "ends_before_it_begins", "the last day lies before the first"
        for part, rule in purpose.parts.items():
            if not never_longer(rule.retention, rule.cap):
                path = f"purposes.{name}.parts.{part}.retention"
                yield path, "retention_beyond_cap", "the retention is longer than the cap"


def _unknown_names(policy: Policy) -> Iterator[Fault]:
    message = "no purpose of that name stands under `purposes`"
    for queue, names in policy.routing.items():
        for index, name in enumerate(names):
            if name not in policy.purposes:
                yield f"routing.{queue}.{index}", "unknown_purpose", message
    for version, notice in policy.notices.items():
        for name in notice.covers:
            if name not in policy.purposes:
                yield f"notices.{version}.covers.{name}", "unknown_purpose", message
    if policy.agents and policy.agents.notice not in policy.notices:
        yield "agents.notice", "unknown_notice", "no notice of that version stands under `notices`"
