"""A certificate as one A4 page (PDF), for the file: what `told_certificate` says, and how to check it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    KeepInFrame,
    ListFlowable,
    ListItem,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from consigne.doors.desk.pages.told_certificate import Line, Told
from consigne.doors.desk.words import Wording

_MARGIN = 18 * mm
_TERM, _WORDS = 46 * mm, A4[0] - 2 * _MARGIN - 46 * mm - 12  # 6 pt of the frame on each side
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12)
_TERMS = ParagraphStyle("term", parent=_BODY, textColor=colors.HexColor("#444444"))
_HEAD = ParagraphStyle(
    "head", parent=_BODY, fontName="Helvetica-Bold", fontSize=10.5, spaceBefore=8, spaceAfter=3
)
_TITLE = ParagraphStyle("title", parent=_HEAD, fontSize=17, leading=21, spaceBefore=0)
_LEAD = ParagraphStyle("lead", parent=_BODY, fontSize=10.5, leading=14)
_CODE = ParagraphStyle("code", parent=_BODY, fontName="Courier", fontSize=8, leading=10, splitLongWords=1)
_WARNING = ParagraphStyle("warning", parent=_BODY, fontName="Helvetica-Bold")


def write_sheet(told: Told, words: Wording, foot: str) -> bytes:
    """The PDF: the same words give the same bytes. Text beyond Windows-1252, which these fonts lack, is `?`."""
    parts: list[Flowable] = [
        Paragraph(_plain(told.title), _TITLE),
        Paragraph(_plain(f"{told.proof} · {told.id}"), _LEAD),
        Paragraph(_plain(told.about), _LEAD),
    ]
    if told.test:
        parts += [Spacer(1, 4), Paragraph(_plain(told.test), _WARNING)]
    parts += _section(words.say("certificate.what"), told.facts)
    parts += _section(words.say("certificate.how"), told.steps)
    parts += _listed(words.say("certificate.shows"), told.proven)
    parts += _listed(words.say("certificate.shows_not"), told.limits)
    parts += _section(words.say("certificate.checks"), told.checked, _CODE)
    parts += [Spacer(1, 4), Paragraph(_plain(words.say("certificate.checks_how")), _BODY)]
    parts += [Spacer(1, 8), Paragraph(_plain(foot), _TERMS)]
    out = BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
        title=f"{told.title} {told.id}", author="Consigne", lang=words.language, invariant=1,
    )  # fmt: skip
    # Whatever a policy's names are, it stays one page.
    page.build([KeepInFrame(page.width, page.height - 12, parts, mode="shrink")])
    return out.getvalue()


def _section(head: str, lines: Sequence[Line], style: ParagraphStyle = _BODY) -> list[Flowable]:
    rows = [[Paragraph(_plain(term), _TERMS), Paragraph(_plain(value), style)] for term, value in lines]
    table = Table(rows, colWidths=[_TERM, _WORDS])
    table.setStyle(
        TableStyle([
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#cccccc")),
        ])
    )  # fmt: skip
    return [Paragraph(_plain(head), _HEAD), table]


def _listed(head: str, said: Sequence[str]) -> list[Flowable]:
    items: list[Any] = [ListItem(Paragraph(_plain(each), _BODY), leftIndent=10) for each in said]
    return [
        Paragraph(_plain(head), _HEAD),
        ListFlowable(items, bulletType="bullet", start="–", leftIndent=10),
    ]


def _plain(text: str) -> str:
    return escape(text.encode("cp1252", "replace").decode("cp1252"))
