"""docker-compose.distributed.yaml: four nodes of the store that docker-compose.yaml has one of."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).parents[2]
NODES = ("store", "store-2", "store-3", "store-4")
OF_A_NODE = ("command", "healthcheck", "networks", "volumes")


def config(tmp_path: Path, *files: str) -> dict[str, Any]:
    """What docker-compose makes of these files."""
    variables = tmp_path / "compose.env"
    variables.write_text(f"CONSIGNE_COMPOSE={tmp_path}\nCONSIGNE_EXPIRY_BY_MINUTE=0\n")
    named = [word for file in files for word in ("-f", str(CHECKOUT / file))]
    command = ["docker-compose", "--env-file", str(variables), *named, "config"]
    made = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    found: dict[str, Any] = yaml.safe_load(made.stdout)["services"]
    return found


def in_order(service: dict[str, Any]) -> dict[str, Any]:
    """What docker-compose lists in any order."""
    return service | {name: sorted(service.get(name, ())) for name in ("networks", "volumes")}


@pytest.mark.compose
def test_each_node_is_the_store_with_a_drive_of_its_own(tmp_path: Path) -> None:
    alone = config(tmp_path, "docker-compose.yaml")
    found = config(tmp_path, "docker-compose.yaml", "docker-compose.distributed.yaml")
    assert set(found) - set(alone) == set(NODES) - {"store"}
    for number, name in enumerate(NODES, 1):
        node, one = found[name], alone["store"]
        assert {key: value for key, value in node.items() if key not in OF_A_NODE} == {
            key: value for key, value in one.items() if key not in OF_A_NODE
        }
        assert node["command"] == [*one["command"][:-1], "http://store-{1...4}:9000/data"]
        assert node["healthcheck"]["test"][-1].endswith("/minio/health/cluster")
        names = {name, *node["networks"]["store"]["aliases"]}
        assert {"store", f"store-{number}"} == names and set(node["networks"]) == {"store"}
        sources = {volume.split(":")[1]: volume.split(":")[0] for volume in node["volumes"]}
        assert sources["/data"].endswith(f"/data/store-{number}")
        assert sources["/audit"].endswith(f"/data/store-audit-{number}")
        assert sources["/run/ground"].endswith("/ground/store")
    for name in set(alone) - {"store"}:
        assert in_order(found[name]) == in_order(alone[name])
