"""What people type carries no number into the catalog."""

from __future__ import annotations

import pytest

from consigne.rules.redaction.typed import carries_number

pytestmark = pytest.mark.promise("P2")


@pytest.mark.parametrize(
    "text",
    [
        "carte 4111 1111 1111 1111",
        "cvv 123",
        "rappeler au 06 12 34 56 78",
        "FR76 3000 6000 0112 3456 7890 189",
        "quatre un un un un un un un un un",
        "écrire à jean@example.org",
    ],
)
def test_a_number_is_seen(text: str) -> None:
    assert carries_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "A customer disputes this call",
        "Litige en cours, dossier 2026-118, encore deux mois",
        "Réclamation du 12 mars 2026 ; deux jours suffisent",
        "A clear example of a difficult call; two days are enough",
    ],
)
def test_plain_reasons_pass(text: str) -> None:
    assert not carries_number(text)
