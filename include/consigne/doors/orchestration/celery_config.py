"""The Celery options of a worker: the provider's own. Named in airflow.cfg so that what a worker needs besides is done
here, once, in each worker."""

from __future__ import annotations

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG

from consigne.doors.alive import beat_with_celery
from consigne.doors.settings import Settings

CONFIG = DEFAULT_CELERY_CONFIG

_settings = Settings.from_environment()
beat_with_celery(_settings, _settings.holder)
