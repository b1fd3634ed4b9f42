"""Killed at ten moments of an ingest, and with its parts away: the end is the undisturbed one
(issue 3, Shown by 6; how it must behave)."""

from __future__ import annotations

import io
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
import soundfile
from sqlalchemy import func, select

from consigne.acts import safe
from consigne.adapters.catalog.tables import artifacts, data_keys, recordings
from consigne.adapters.store.minio import RECORDINGS
from consigne.doors.cli.runs import Runs
from consigne.doors.local.status import component_states
from consigne.doors.samples.generate import generate
from consigne.doors.samples.manifest import Foretold
from consigne.doors.apply import read_policy
from consigne.doors.wiring import open_platform
from consigne.rules.clock import iso
from consigne.rules.errors import ConsigneError
from consigne.rules.values import ArtifactName, Part
from system.conftest import Up
from system.inside import component, deliveries, entries_about, reading, settings_of, store_as, wait_until
