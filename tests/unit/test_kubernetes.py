"""deploy/kubernetes against doors/arrangement.py and docker-compose.yaml: the same parts, holding and reaching the same.

What Airflow's chart makes of the values is looked at where the chart is at hand: CONSIGNE_TEST_CHART names its archive
or folder, and `helm` is on PATH.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from consigne.adapters.keyring.rights import RIGHTS
from consigne.doors import compose, compose_folder
from consigne.doors.arrangement import SERVICES, Service
from consigne.doors.orchestration.queues import QUEUES
from consigne.doors.shares import arguments

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
PARTS = {one.name: one for one in SERVICES if one.name != "keyring"}  # there, Vault keeps the keys
GROUND = {"postgres": 5432, "broker": 6379, "store": 9000}
PORTS = GROUND | {"api-server": 8080, "vault": 8200}
OF_CHART = {"apiServer": "api-server", "scheduler": "scheduler", "dagProcessor": "dag-processor"}
Document = dict[str, Any]


def read(name: str) -> list[Document]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


COMPOSED: Document = compose.render()["services"]
VALUES: Document = read("values.yaml")[0]
MANIFESTS = [one for name in read("kustomization.yaml")[0]["resources"] for one in read(name)] + read(
    "prepare.yaml"
)


def pods() -> dict[str, Document]:
    """Part → its pod's spec, as our own manifests say it."""
    found = {}
    for one in MANIFESTS:
        if one["kind"] in ("Deployment", "StatefulSet", "Job"):
            assert one["spec"]["template"]["metadata"]["labels"]["consigne-part"] == one["metadata"]["name"]
            found[one["metadata"]["name"]] = one["spec"]["template"]["spec"]
    return found


def chart_parts() -> dict[str, Document]:
    """Part → what the values say of it; what all workers have in common is in each."""
    found = {part: VALUES[name] for name, part in OF_CHART.items()}
    workers = VALUES["workers"]["celery"]
    assert not workers["enableDefault"]
    common = {name: value for name, value in workers.items() if name != "sets"}
    return found | {f"worker-{one['name']}": common | one for one in workers["sets"]}


def as_pod(part: str, said: Document) -> Document:
    """What the chart makes of these values, as far as it is compared here; `rendered` shows that it does."""
    container = {
        "name": part,
        "image": "{repository}:{tag}".format(**VALUES["images"]["airflow"]),
        "args": said["args"],
        "env": VALUES["env"] + said["env"] + [{"name": "AIRFLOW_HOME", "value": VALUES["airflowHome"]}],
        "resources": said["resources"],
        "securityContext": VALUES["securityContexts"]["containers"],
        "volumeMounts": VALUES["volumeMounts"] + said.get("extraVolumeMounts", []),
    }
    return {
        "serviceAccountName": said["serviceAccount"]["name"],
        "securityContext": said["securityContexts"]["pod"],
        "initContainers": said["extraInitContainers"],
        "containers": [container],
        "volumes": VALUES["volumes"] + said["extraVolumes"],
    }


def every_pod() -> dict[str, Document]:
    return pods() | {part: as_pod(part, said) for part, said in chart_parts().items()}


def test_every_part_of_the_table_is_there_and_nothing_else() -> None:
    assert set(every_pod()) == set(PARTS) | set(GROUND)
    assert {one["queue"] for one in VALUES["workers"]["celery"]["sets"]} == set(QUEUES)
    for part, said in chart_parts().items():
        assert said["replicas"] == PARTS[part].replicas
        assert said["labels"] == {"consigne-part": part}
        assert not said["waitForMigrations"]["enabled"]  # it would ask the metadata database


@pytest.mark.parametrize("service", PARTS.values(), ids=list(PARTS))
def test_a_part_runs_what_compose_runs(service: Service) -> None:
    pod = every_pod()[service.name]
    (container,) = pod["containers"]
    composed = COMPOSED[service.name]
    assert container["args"] == [compose.PYTHON, "-m", *arguments(service, compose.PLACES)]
    assert container["args"] == composed["command"]
    assert f"${{CONSIGNE_IMAGE:-{container['image']}}}" == compose.OURS
    assert container["resources"]["limits"]["memory"] == f"{service.memory_mib}Mi"
    assert pod["securityContext"]["runAsUser"] == compose.user_of(service.name)
    assert pod["serviceAccountName"] == service.name
    assert {one["name"]: one["value"] for one in container["env"]} == _environment(service.name)
    assert mounted(container["volumeMounts"]) == in_compose(composed["volumes"])


def mounted(mounts: list[Document]) -> set[tuple[str, bool]]:
    """Path and whether it may be written, of what is not a part's own."""
    shared = [one for one in mounts if one["mountPath"].startswith(f"{compose.OPEN}/")]
    return {(one["mountPath"], not one.get("readOnly", False)) for one in shared}


def in_compose(volumes: list[str]) -> set[tuple[str, bool]]:
    """The same, but for the key server's socket; all queues' logs are a volume each."""
    found = set()
    for volume in volumes:
        _, path, *options = re.sub(r"\$\{[^}]*\}", "", volume).split(":")
        if not path.startswith(f"{compose.OPEN}/") or path == compose.PLACES.keyring.rpartition("/")[0]:
            continue
        paths = [f"{path}/{queue}" for queue in QUEUES] if path == str(compose.PLACES.logs) else [path]
        found |= {(one, "ro" not in options) for one in paths}
    return found


def _environment(part: str) -> dict[str, str]:
    """Compose's, but that HOME is not in the share: the chart puts a configuration there that nobody reads."""
    own = COMPOSED[part]["environment"]
    found = {name: value for name, value in (own.get("<<", {}) | own).items() if name != "<<"}
    return found | {"HOME": "/opt/airflow", "AIRFLOW_HOME": "/opt/airflow", "CONSIGNE_EXPIRY_BY_MINUTE": "0"}


@pytest.mark.parametrize("part", every_pod())
@pytest.mark.promise("P3")
def test_a_part_holds_its_own_share_and_nobody_elses(part: str) -> None:
    pod = every_pod()[part]
    held = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    assert held == [f"ground-{part}" if part in GROUND else f"share-{part}"]
    assert "secretKeyRef" not in json.dumps(pod) and "envFrom" not in json.dumps(pod)
    if part not in GROUND:
        (unpack,) = pod["initContainers"]
        assert {mount["name"] for mount in unpack["volumeMounts"]} == {"share", "held"}
        (main,) = pod["containers"]
        assert "held" not in {mount["name"] for mount in main["volumeMounts"]}


def test_the_chart_makes_and_hands_out_no_secret() -> None:
    switches = VALUES["enableBuiltInSecretEnvVars"]
    assert len(switches) == 10 and not any(switches.values())
    for name in ("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName"):
        assert VALUES[name]
    assert VALUES["data"]["metadataSecretName"] and VALUES["data"]["brokerUrlSecretName"]
    for name in ("createUserJob", "migrateDatabaseJob", "triggerer", "redis", "postgresql", "statsd"):
        assert not VALUES[name]["enabled"]


@pytest.mark.parametrize("part", every_pod())
def test_a_pod_is_restricted(part: str) -> None:
    pod = every_pod()[part]
    security = pod["securityContext"]
    assert security["runAsNonRoot"] and security["runAsUser"] and security["runAsGroup"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"] + pod.get("initContainers", []):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
    if part not in chart_parts():
        assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False


def test_no_account_has_a_token_or_a_right() -> None:
    accounts = [one for one in MANIFESTS if one["kind"] == "ServiceAccount"]
    assert {one["metadata"]["name"] for one in accounts} == set(PARTS) | set(GROUND)
    assert not any(one["automountServiceAccountToken"] for one in accounts)
    assert not any(said["serviceAccount"]["create"] for said in chart_parts().values())
    assert not VALUES["rbac"]["create"] and not VALUES["allowPodLaunching"]
    assert not [one for one in MANIFESTS if "Role" in one["kind"]]


def test_the_ground_is_what_compose_runs() -> None:
    for name, pod in pods().items():
        if name not in GROUND:
            continue
        (container,) = pod["containers"]
        composed = COMPOSED[name]
        args = [one for one in container["args"] if not one.startswith("http://")]
        assert (container["image"], args) == (
            composed["image"],
            [one for one in composed["command"] if one != "/data"],
        )
        assert {one["name"]: one["value"] for one in container.get("env", [])} == composed.get(
            "environment", {}
        )
        assert pod["securityContext"]["runAsUser"] == compose.GROUND_USERS[name]


def test_the_store_has_four_nodes_on_four_machines() -> None:
    (store,) = (
        one for one in MANIFESTS if one["kind"] == "StatefulSet" and one["metadata"]["name"] == "store"
    )
    nodes, service = store["spec"]["replicas"], store["spec"]["serviceName"]
    (container,) = store["spec"]["template"]["spec"]["containers"]
    assert container["args"][-1] == (
        f"http://store-{{0...{nodes - 1}}}.{service}.consigne.svc.cluster.local:9000/data"
    )
    assert nodes == 4 and "requiredDuringScheduling" in json.dumps(
        store["spec"]["template"]["spec"]["affinity"]
    )


NETWORKS = {
    "catalog": "postgres",
    "store": "store",
    "broker": "broker",
    "tasks": "api-server",
    "outside": "mail",
}


def reached(service: Service) -> set[str]:
    """What it reaches in Compose, and Vault in place of the key server."""
    vault = {"vault"} if service.keyring else set[str]()
    return ({NETWORKS[name] for name in compose.networks_of(service)} | vault) - {service.name}


def policies() -> dict[str, Document]:
    return {one["metadata"]["name"]: one["spec"] for one in MANIFESTS if one["kind"] == "NetworkPolicy"}


def named(peers: list[Document]) -> set[str]:
    """Whom a rule lets in or out; a rule without peers would let everybody."""
    found = set()
    for peer in peers:
        labels = peer.get("podSelector", {}).get("matchLabels", {})
        space = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
        found.add(labels.get("consigne-part") or space or ("mail" if "ipBlock" in peer else "anybody"))
    return found


@pytest.mark.promise("P3")
def test_a_part_reaches_what_it_holds_a_credential_for_and_no_more() -> None:
    found = policies()
    assert found.pop("nobody") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {port["port"] for rule in found.pop("names")["egress"] for port in rule["ports"]} == {53}
    out = {name: set[str]() for name in PARTS}
    for name in PARTS:
        spec = found.pop(name)
        assert spec["podSelector"] == {"matchLabels": {"consigne-part": name}}
        assert spec["policyTypes"] == ["Egress"]
        for rule in spec["egress"]:
            (target,) = named(rule["to"])
            ports = [port["port"] for port in rule["ports"]]
            assert ports == ([465, 587] if target == "mail" else [PORTS[target]])
            out[name].add(target)
    assert out == {name: reached(service) for name, service in PARTS.items()}
    assert found.pop("store")["policyTypes"] == ["Egress"]
    for name in (*GROUND, "api-server"):
        spec = found.pop(f"to-{name}")
        assert spec["podSelector"] == {"matchLabels": {"consigne-part": name}}
        assert spec["policyTypes"] == ["Ingress"]
        (rule,) = spec["ingress"]
        others = {"store": {"store"}, "api-server": {"store", "ingress-nginx", "monitoring"}}.get(name, set())
        assert named(rule["from"]) == {part for part, seen in out.items() if name in seen} | others
        assert [port["port"] for port in rule["ports"]] == [PORTS[name]]
    assert not found


def test_a_vault_policy_is_the_right_of_its_identity() -> None:
    """That Vault reads them so is tested against one in tests/contract/test_vault_rights.py."""
    assert {file.stem for file in (FOLDER / "vault").glob("*.hcl")} == set(RIGHTS)
    for identity, right in RIGHTS.items():
        given = dict(_paths((FOLDER / "vault" / f"{identity}.hcl").read_text(encoding="utf-8")))
        epochs = given.get("keys/consigne-epoch-*", set())
        verbs = {
            "open_epoch": "create" in epochs,
            "destroy_epoch": "delete" in epochs,
            "epochs": given.get("keys") == {"list"},
            "wrap": "encrypt/consigne-epoch-*" in given,
            "unwrap": "decrypt/consigne-epoch-*" in given,
            "sign": "sign/consigne-signing" in given,
            "rotate": "keys/consigne-signing/rotate" in given,
            "prepare": "config/keys" in given,
        }
        assert {verb for verb, is_given in verbs.items() if is_given} == right.verbs & verbs.keys()
        macs = {path.removeprefix("hmac/consigne-") for path in given if path.startswith("hmac/")}
        assert macs == right.macs
        assert not any(name in path for path in given for name in ("export", "backup", "restore", "import"))


def _paths(policy: str) -> list[tuple[str, set[str]]]:
    rules = re.findall(r'path "consigne/([^"]+)" \{\s*capabilities = \[([^\]]+)\]', policy)
    assert len(rules) == policy.count('path "')
    return [(path, set(re.findall(r'"([a-z]+)"', capabilities))) for path, capabilities in rules]


def test_the_script_puts_each_share_into_a_secret_of_its_own(tmp_path: Path) -> None:
    """`kubectl` stands for itself here: what it is given is kept as it came."""
    for service in SERVICES:
        file = tmp_path / "made" / "shares" / service.name / "secrets" / "own"
        file.parent.mkdir(parents=True)
        file.write_text(service.name)
        file.chmod(0o600)
    for name in GROUND:
        (tmp_path / "made" / "ground" / name).mkdir(parents=True)
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\ncase $7 in *stdin) cat > "$KEPT/$4";; *) echo "$7" > "$KEPT/$4";; esac\n')
    kubectl.chmod(0o700)
    kept = tmp_path / "kept"
    kept.mkdir()
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "KEPT": str(kept)}
    subprocess.run(
        [FOLDER / "secrets.sh", tmp_path / "made"], env=environment, check=True, capture_output=True
    )
    assert {file.name for file in kept.iterdir()} == {f"share-{name}" for name in PARTS} | {
        f"ground-{name}" for name in GROUND
    }
    for name in PARTS:
        with tarfile.open(fileobj=io.BytesIO((kept / f"share-{name}").read_bytes())) as share:
            own = share.extractfile("secrets/own")
            assert own is not None and own.read() == name.encode()
            assert share.getmember("secrets/own").mode == 0o600


def test_shares_for_vault_are_made_where_its_tokens_files_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "vault:https://vault.vault.svc:8200/consigne?token-file=/consigne/secrets/keyring-token"
    monkeypatch.setenv("CONSIGNE_KEYRING_URL", url)
    made = tmp_path / "made"
    compose_folder.make(made, compose_folder.Wishes(without_key_server=True), lambda _: None)
    for service in PARTS.values():
        share = made / "shares" / service.name
        assert json.loads((share / "settings.json").read_text())["keyring_given"] == url
        tokens = {file.name: file.read_text() for file in (share / "secrets").glob("keyring-token*")}
        own = made / "installation" / "secrets" / f"keyring-token-{service.keyring}"
        assert tokens == ({"keyring-token": own.read_text()} if service.keyring else {})


@pytest.fixture(scope="module")
def rendered() -> list[Document]:
    """What `helm template` makes of the values."""
    chart = os.environ.get("CONSIGNE_TEST_CHART")
    if not chart or not shutil.which("helm"):
        pytest.skip("CONSIGNE_TEST_CHART names no chart of Airflow, or there is no helm")
    command = [
        "helm",
        "template",
        "consigne",
        chart,
        "--namespace",
        "consigne",
        "--values",
        FOLDER / "values.yaml",
    ]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return [one for one in yaml.safe_load_all(made.stdout) if one]


@pytest.mark.promise("P3")
def test_what_the_chart_renders_holds_no_secret_but_its_share(rendered: list[Document]) -> None:
    assert {one["kind"] for one in rendered} <= {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service"}
    found = {one["metadata"]["name"]: one["spec"] for one in rendered if one["kind"] == "Deployment"}
    assert set(found) == {f"consigne-{part}" for part in chart_parts()}
    for part in chart_parts():
        spec = found[f"consigne-{part}"]
        assert spec["replicas"] == PARTS[part].replicas
        assert spec["template"]["metadata"]["labels"]["consigne-part"] == part
        said, pod = as_pod(part, chart_parts()[part]), spec["template"]["spec"]
        for name in ("serviceAccountName", "securityContext"):
            assert pod[name] == said[name]
        (container,), (wanted,) = pod["containers"], said["containers"]
        for name in ("args", "image", "resources", "securityContext"):
            assert container[name] == wanted[name]
        environment = {one["name"]: one["value"] for one in container["env"]}  # no value from elsewhere
        assert environment == _environment(part) | ({"DUMB_INIT_SETSID": "0"} if PARTS[part].queue else {})
        assert not container.get("envFrom") and "command" not in container
        secrets = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
        assert secrets == [f"share-{part}"]
        mounted = {(one["name"], one["mountPath"]) for one in container["volumeMounts"]}
        assert {(one["name"], one["mountPath"]) for one in wanted["volumeMounts"]} <= mounted
        (unpack,) = pod["initContainers"]
        assert unpack["image"] == container["image"]
