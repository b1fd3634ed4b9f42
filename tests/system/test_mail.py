"""Mail on the running platform: a request reaches the DPO's address; a server that hangs holds up nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from consigne.rules.request import Answer
from contract.post import post_office
from system.browsing import until
from system.conftest import Up
from system.office import WHY, Office, airflow_sql, open_office

DPO = "dpo@mail.example.org"


@pytest.fixture
def office(platform_up: Up) -> Iterator[Office]:
    """The DPO has an address of their own; there is no mail server, before and afterwards."""
    with open_office(platform_up) as opened:
        [(before,)] = airflow_sql(opened.settings, "SELECT email FROM ab_user WHERE username = 'dpo'")
        address = "UPDATE ab_user SET email = %s WHERE username = 'dpo'"
        airflow_sql(opened.settings, address, DPO)
        yield opened
        airflow_sql(opened.settings, address, before)
        opened.settings.remember(mail_given="")


def test_a_request_is_told_by_mail_and_a_server_that_hangs_holds_up_nothing(
    office: Office, platform_up: Up
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        office.settings.remember(mail_given=f"smtp://127.0.0.1:{port}?from=consigne@example.org")
        request = office.asked()
        office.sweep()  # comes back, though nobody there says a word
        until(lambda: platform_up.json("status")["mail"], lambda mail: mail["waiting"] > 0)
        decision = office.decide(request, Answer.REFUSE)
        assert decision.decided_by == "dpo"
    with post_office() as post:
        url = f"smtp://127.0.0.1:{post.port}?from=consigne@example.org&domain=example.net"
        office.settings.remember(mail_given=url)
        other = office.asked()

        def told() -> list[str]:
            office.sweep()
            return [message.get_content() for to, message in post.letters if to == DPO]

        letters = until(told, lambda found: any(str(other.id) in letter for letter in found))
    [letter] = [letter for letter in letters if str(other.id) in letter]
    assert f"{office.settings.airflow_url}/consigne/decide/{other.id}" in letter
    assert WHY not in letter and "trainer" not in letter
    # The DPO has an address; all others are accounts as `up` made them.
    assert {to for to, _ in post.letters if not to.endswith("@example.net")} == {DPO}
    office.decide(other, Answer.REFUSE)
