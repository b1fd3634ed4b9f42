"""The human task: it parks, and only the desk answers it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from consigne.rules.policy.draft import DraftAnswer
from consigne.rules.request import Answer
from consigne.rules.volume import VolumeAnswer

PAUSES_S = (2, 4, 8, 16, 30, 60)
DESK_ONLY = "desk:only"
"""The assignee of every human task: nobody answers but through the desk (auth.py)."""
REFUSE, DELETE = str(Answer.REFUSE), str(VolumeAnswer.DELETE)
"""What silence is."""
EXCEPTION = tuple(str(answer) for answer in Answer)
DRAFT = tuple(str(answer) for answer in DraftAnswer)
VOLUME = tuple(str(answer) for answer in VolumeAnswer)


class DeskApproval(HITLOperator):
    """Parks until the desk answers or the response time is over, which means `silence`.

    `seconds_left` is asked when the task runs: the response time counts from filing, not from parking.
    Never retried (a retry wipes the answer), and nothing goes to XCom (what follows reads the desk's row).
    """

    def __init__(
        self,
        *,
        seconds_left: Callable[[Context], int],
        answers: Sequence[str] = EXCEPTION,
        silence: str = REFUSE,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            options=list(answers),
            defaults=silence,
            assigned_users={"id": DESK_ONLY, "name": "desk"},
            retries=0,
            do_xcom_push=False,
            **kwargs,
        )
        self._seconds_left = seconds_left

    def execute(self, context: Context) -> Any:
        """Write the request for input, then park (raises Airflow's signal)."""
        self.response_timeout = timedelta(seconds=self._ask_patiently(context))
        return super().execute(context)

    def _ask_patiently(self, context: Context) -> int:
        # Without retries, a catalog that is away for two minutes must be waited for here.
        for pause_s in PAUSES_S:
            try:
                return self._seconds_left(context)
            except AirflowFailException:
                raise
            except AirflowException:
                time.sleep(pause_s)
        return self._seconds_left(context)
