"""The dialplan that we ship says what the route asks for, and records only after a yes."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from consigne.rules.set_up import SetUp, read

DIALPLAN = (Path(__file__).parents[2] / "deploy" / "asterisk" / "extensions.conf").read_text()
LINES = [line for line in DIALPLAN.splitlines() if not line.startswith(";")]


def test_its_form_is_one_that_the_route_reads() -> None:
    [url] = re.findall(r"^CONSIGNE_URL=(.*)$", DIALPLAN, re.MULTILINE)
    assert (urlsplit(url).path, urlsplit(url).query) == ("/consigne/draw", "format=text")
    [form] = re.findall(r"Set\(ASKED=(.*)\)$", DIALPLAN, re.MULTILINE)
    sent = dict(parse_qsl(re.sub(r"\$\{URIENCODE\(.*?\}\)\}", "x", form), strict_parsing=True))
    assert read(sent) == SetUp(source="folder", id="x", queue="support", agent="x")


def test_it_records_only_where_the_answer_is_one() -> None:
    recording = [line for line in LINES if "MixMonitor(" in line]
    assert len(recording) == 1 and 'ExecIf($["${ANSWER}" = "1"]?MixMonitor(' in recording[0]
    order = [DIALPLAN.index(f"{name}(") for name in ("CURLOPT", "URIENCODE", "CURL", "MixMonitor")]
    assert order[0] < order[1] < order[3]


def test_it_holds_no_secret() -> None:
    assert not [line for line in LINES if line.startswith("CONSIGNE_SECRET")]
