"""The desk in Airflow: mounted at /consigne, and in the navigation."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from consigne.doors.desk.plugin import FASTAPI_APPS, NAVIGATION, ROOT_MIDDLEWARES


class ConsigneDesk(AirflowPlugin):
    """Wiring only: loaded plugins are not reloaded."""

    name = "consigne_desk"
    fastapi_apps = FASTAPI_APPS
    fastapi_root_middlewares = ROOT_MIDDLEWARES
    external_views = NAVIGATION
