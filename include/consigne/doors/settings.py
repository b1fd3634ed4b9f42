"""Where an installation keeps its settings and secrets: one state folder.

`settings.json` holds what is not secret, `secrets/` one file of mode 0600 per secret, made when it is first
asked for. No secret is ever put into an environment or a command line.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import stat
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from consigne.rules.errors import BadInput, Misconfigured

CHECKOUT = Path(__file__).resolve().parents[3]
DATABASE_ROLES = (
    "owner",
    "ingest",
    "prove",
    "listen",
    "decide",
    "expire",
    "seal",
    "reconcile",
    "apply",
    "read",
)
AIRFLOW_DATABASE = "consigne_airflow"  # and its role: a given server may hold another Airflow
FOLDERS = ("secrets", "intake", "postgres", "minio", "keyring", "airflow", "logs", "run", "witness")
MODULE_VARIABLES = ("SOFTHSM2_CONF", "YUBIHSM_PKCS11_CONF", "ChrystokiConfigurationPath")
"""By which PKCS#11 modules are told their configuration; `up` starts its parts with a clean environment."""
MAIL_SECRET = "mail-password"
SWEEP_SECRET = "desk-sweep"
"""The secret with which the sealer calls the desk's `/internal/sweep` (header X-Consigne-Sweep)."""
DRAW_SECRET = "draw-hook"
"""The secret with which a telephone system asks `/consigne/draw` at call set-up."""
LISTENERS_SECRET = "store-listeners"
"""What the credentials of the store's `listen-<purpose>` are derived from."""
STORE_NAMES = "store-names.json"
"""In the share of who names others' accesses to the store: Settings.store_names()."""
AUDIT_SECRET = "audit-hook"
"""The secret with which the store sends its audit log to `/consigne/internal/store-audit`."""
METRICS_SECRET = "metrics"
"""The secret with which Prometheus asks `/consigne/metrics`."""
# Account -> its role (contract.md, Commands). Nobody is Admin.
ACCOUNTS = {
    "ops": "ops",
    "dpo": "dpo",
    "dpo2": "dpo",
    "analyst": "analyst",
    "trainer": "trainer",
    "adviser": "adviser",
    "auditor": "auditor",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """One state folder. Paths are absolute; ports are of 127.0.0.1, 0 until `up` has chosen one."""

    state_dir: Path
    policy_file: Path = CHECKOUT / "config" / "demo.yaml"
    test_clock: bool = False
    clock_offset_s: int = (
        0  # how far the test clock was last seen shifted: a restored database does not turn it back
    )
    expiry_by_minute: bool = False  # a purpose of the policy ends by less than a day
    airflow_port: int = 0
    store_port: int = 0
    store_region: str = "us-east-1"
    store_given: str = ""  # scheme://host:port of a given server; its credentials are secrets
    store_program: str = ""  # the MinIO that `up` found
    socket_dir: str = ""  # of the embedded PostgreSQL; `up` chooses it
    database_given: bool = False
    keyring_given: str = ""
    keyring_environment: dict[str, str] = field(default_factory=dict)  # of MODULE_VARIABLES
    transcriber_given: str = ""
    witness_given: str = ""
    mail_given: str = ""  # smtp[s]://user@host:port?from=…; its password is a secret
    names_model: str = ""  # folders of spaCy models, separated by `:`
    otlp_given: str = ""  # http[s]://host:port of an OpenTelemetry collector for Airflow's metrics and traces
    json_logs: bool = False
    public_url: str = ""  # what people type, where it is not airflow_url: scheme://host[:port]
    executor: str = "local"  # or `celery`: workers by queue (doors/arrangement.py)
    workers: dict[str, int] = field(default_factory=dict)  # queue -> how many, where not the table's
    users_base: int = 0  # as root, service i of SERVICES runs as this user and group + i; 0: all as one
    broker_given: bool = False  # a Redis of somebody else; its URL is a secret
    broker_program: str = ""  # the redis-server that `up` found
    broker_port: int = 0
    database_port: int = 0  # of the embedded PostgreSQL where workers reach it by TCP
    # In a service's share alone (doors/shares.py):
    holder: str = ""  # the service; it makes no secret
    database_address: str = ""  # host:port
    database_query: str = ""
    airflow_given: str = ""  # URL of the api-server
    intake_given: str = ""

    @classmethod
    def open(cls, state_dir: Path | str) -> Settings:
        """The settings of a state folder; nothing is written.

        Misconfigured('no_state_folder') where `up` made none there, 'settings_unreadable' where settings.json is
        not what `remember` wrote.
        """
        root = Path(state_dir).absolute()
        found = cls._read(root)
        if found is None:
            raise Misconfigured("no_state_folder", str(root), "not a state folder; `up` makes one")
        return found

    @classmethod
    def plan(cls, state_dir: Path | str) -> Settings:
        """What `up` goes on with, or would begin with in a folder that is empty or not there; nothing is written.

        BadInput('no_state_folder') where something else lies there; else like `open`.
        """
        root = Path(state_dir).absolute()
        # Listed before settings.json is looked for: another `up` may be making the folder now.
        others = _others_in(root)
        found = cls._read(root)
        if found is None and others:
            raise BadInput(
                "no_state_folder", str(root), "not a state folder; name one that is empty or not there"
            )
        return found or cls(root)

    @classmethod
    def make(cls, state_dir: Path | str) -> Settings:
        """The settings of `plan`, and its folders made with mode 0700: only `up` does this."""
        settings = cls.plan(state_dir)
        root = settings.state_dir
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if root.stat().st_uid == os.getuid() and root.stat().st_mode & 0o077:
            root.chmod(0o700)
        if not (root / "settings.json").exists():
            settings = settings.remember()  # first: it names the folder as ours
        for name in FOLDERS:
            (root / name).mkdir(mode=0o700, exist_ok=True)
        return settings

    @classmethod
    def _read(cls, root: Path) -> Settings | None:
        """None where there is no settings.json, or another program's."""
        file = root / "settings.json"
        if not file.exists():
            return None
        try:
            found = json.loads(file.read_text())
            if not isinstance(found, dict) or "policy_file" not in found:
                return None
            known = {one.name for one in fields(cls)} - {"state_dir"}
            kept = {key: value for key, value in found.items() if key in known}
            return cls(root, **(kept | {"policy_file": Path(kept["policy_file"])}))
        except (ValueError, TypeError):
            raise Misconfigured("settings_unreadable", str(file), "it is not what `up` wrote there") from None

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings of the state folder that CONSIGNE_STATE names, as Airflow's processes see it."""
        state = os.environ.get("CONSIGNE_STATE", "")
        if not state:
            raise Misconfigured("no_state", "CONSIGNE_STATE", "name the state folder")
        return cls.open(state)

    def remember(self, **changes: object) -> Settings:
        """These settings with changes, written to settings.json."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        changed.write()
        return changed

    def write(self, owner: tuple[int, int] | None = None) -> None:
        """settings.json, as write_private does."""
        kept = {key: value for key, value in asdict(self).items() if key != "state_dir"}
        text = json.dumps(kept | {"policy_file": str(self.policy_file)}, indent=1)
        write_private(self.state_dir / "settings.json", text + "\n", owner=owner)

    def remember_servers(self, is_keyring_here: bool = True) -> Settings:
        """Take CONSIGNE_STORE_URL, CONSIGNE_DATABASE_URL, CONSIGNE_KEYRING_URL, CONSIGNE_TRANSCRIBER_URL, CONSIGNE_MAIL_URL,
        CONSIGNE_WITNESS_URL, CONSIGNE_BROKER_URL and CONSIGNE_NAMES_MODEL over: what is secret in them goes to secrets/. Misconfigured('bad_url') names the variable,
        never its value; a model that is not there, now or since, is Misconfigured too. What the keyring needs is looked
        for where `is_keyring_here`: in a container it lies elsewhere."""
        from consigne.doors.given import read_servers  # adapters: slow to import

        return self.remember(**read_servers(self, self._put_secret, is_keyring_here))

    @property
    def intake_dir(self) -> Path:
        """Where the native source leaves its deliveries."""
        return Path(self.intake_given) if self.intake_given else self.state_dir / "intake"

    @property
    def airflow_url(self) -> str:
        """The api-server, without a trailing slash."""
        return self.airflow_given or f"http://127.0.0.1:{self.airflow_port}"

    @property
    def store_endpoint(self) -> str:
        """host:port, as minio-py wants it."""
        return urlsplit(self.store_given).netloc if self.store_given else f"127.0.0.1:{self.store_port}"

    @property
    def store_secure(self) -> bool:
        """Whether the store speaks TLS."""
        return self.store_given.startswith("https:")

    @property
    def keyring_url(self) -> str:
        """`file:<folder>` unless CONSIGNE_KEYRING_URL named another."""
        return self.keyring_given or f"file:{self.state_dir / 'keyring'}"

    @property
    def transcriber_url(self) -> str:
        """`none:` unless CONSIGNE_TRANSCRIBER_URL named one."""
        return self.transcriber_given or "none:"

    @property
    def witness_url(self) -> str:
        """A file in the state folder unless CONSIGNE_WITNESS_URL named a place outside of this machine."""
        return self.witness_given or f"file:{self.state_dir / 'witness' / 'checkpoints.txt'}"

    @property
    def mail_url(self) -> str:
        """`none:` unless CONSIGNE_MAIL_URL named a server; its password is the secret MAIL_SECRET."""
        return self.mail_given or "none:"

    def secret(self, name: str, bytes: int = 48) -> str:
        """The secret of that name, URL-safe text of so many random bytes, made at the first ask. In a share
        Misconfigured('not_held') where the service does not hold it."""
        file = self.state_dir / "secrets" / name
        if not file.exists():
            if self.holder:
                raise Misconfigured("not_held", name, f"no secret of {self.holder}")
            self._put_secret(name, secrets.token_urlsafe(bytes), keep=True)
        return file.read_text()

    def holds(self, name: str) -> bool:
        """Whether it has that secret, or, being the installation's own, would make it."""
        return not self.holder or (self.state_dir / "secrets" / name).exists()

    def store_credentials(self, identity: str) -> tuple[str, str]:
        """Access and secret key of `root`, or of one of adapters/store/access.py's identities. Those of a listener
        follow from one secret: a purpose that a later policy brings needs nobody to hand anything round."""
        if identity == "root" and self.store_given:
            return self.secret("store-root-access"), self.secret("store-root-secret")
        if identity.startswith("listen-") and not (self.state_dir / "secrets" / f"store-{identity}").exists():
            derived = {name: self._derived(f"{name}-{identity}") for name in ("access", "store")}
            if self.holder:
                return f"{identity}-{derived['access'][:12]}", derived["store"]
            for name, secret in derived.items():
                self._put_secret(f"{name}-{identity}", secret, keep=True)
        # An access key that cannot be guessed: some of MinIO's known faults ask for no more than that.
        return f"{identity}-{self.secret(f'access-{identity}')[:12]}", self.secret(f"store-{identity}")

    def _derived(self, name: str) -> str:
        digest = hmac.digest(self.secret(LISTENERS_SECRET).encode(), name.encode(), "sha256")
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def store_identities(self) -> tuple[str, ...]:
        """Identities other than root that have credentials by now."""
        names = sorted(file.name for file in (self.state_dir / "secrets").glob("store-*"))
        others = ("store-root", LISTENERS_SECRET)
        return tuple(name.removeprefix("store-") for name in names if not name.startswith(others))

    def store_names(self) -> dict[str, str]:
        """SHA-256 (hex) of each access key -> its identity: for who must name others and may not be them."""
        known = {name: self.store_credentials(name)[0] for name in ("root", *self.store_identities())}
        return {sha256(key.encode()).hexdigest(): name for name, key in known.items()}

    def store_naming(self) -> Callable[[str], str | None]:
        """What says whose an access key is; None for nobody's of ours."""
        file = self.state_dir / STORE_NAMES
        names = json.loads(file.read_text()) if file.exists() else self.store_names()

        def name(access_key: str) -> str | None:
            found: str | None = names.get(sha256(access_key.encode()).hexdigest())
            listener = access_key[:-13]  # without the dash and what was drawn
            if found or not self.holder or not re.fullmatch(r"listen-[\w-]+", listener):
                return found
            return listener if self.store_credentials(listener)[0] == access_key else None

        return name

    def database_user(self, role: str) -> str:
        """The PostgreSQL role behind one of DATABASE_ROLES."""
        return f"consigne_{role}"

    def database_password(self, role: str) -> str:
        """Of the same."""
        return self.secret(f"database-{role}")

    def database_url(self, role: str) -> str:
        """SQLAlchemy URL of database `consigne` as one of DATABASE_ROLES, by psycopg 3."""
        return self._url(
            "postgresql+psycopg", self.database_user(role), self.database_password(role), "consigne"
        )

    def database_admin_url(self, database: str = "consigne") -> str:
        """SQLAlchemy URL as the server's superuser: for `apply` alone."""
        return self._url("postgresql+psycopg", "", "", database)

    def airflow_database_url(self, driver: str = "psycopg2") -> str:
        """SQLAlchemy URL of Airflow's own database as its own role."""
        password = self.secret("database-airflow")
        return self._url(f"postgresql+{driver}", AIRFLOW_DATABASE, password, AIRFLOW_DATABASE)

    def account_password(self, user: str) -> str:
        """The password of one of ACCOUNTS."""
        return self.secret(f"account-{user}", 15)

    def _url(self, scheme: str, user: str, password: str, database: str) -> str:
        """With no user: as the superuser."""
        if self.database_address and (user or not self.database_given):
            login = f"{user}:{password}" if user else f"postgres:{self.secret('database-superuser')}"
            where = f"{login}@{self.database_address}"
            return urlunsplit((scheme, where, f"/{database}", self.database_query, ""))
        if self.database_given:
            parts = urlsplit(self.secret("database-server"))
            host = parts.netloc.rpartition("@")[2]
            login = f"{quote(user, safe='')}:{password}" if user else parts.netloc.rpartition("@")[0]
            return urlunsplit((scheme, f"{login}@{host}", f"/{database}", parts.query, ""))
        login = f"{user}:{password}" if user else f"postgres:{self.secret('database-superuser')}"
        port = f"&port={self.database_port}" if self.executor == "celery" else ""
        return f"{scheme}://{login}@/{database}?host={quote(self.socket_dir, safe='')}{port}"

    @property
    def database_place(self) -> tuple[str, str]:
        """host:port and the options of the server, for whoever reaches it by TCP."""
        if self.database_given:
            parts = urlsplit(self.secret("database-server"))
            return parts.netloc.rpartition("@")[2], parts.query
        return f"127.0.0.1:{self.database_port}", ""

    def with_secrets_of(self, other: Settings) -> Settings:
        """These settings with the secrets of another state folder."""
        return replace(self, state_dir=other.state_dir, holder=other.holder)

    def _put_secret(self, name: str, value: str, keep: bool = False) -> None:
        """Written whole or not at all; with `keep`, whoever comes first wins."""
        write_private(self.state_dir / "secrets" / name, value, keep)


def write_private(
    file: Path, text: str, keep: bool = False, owner: tuple[int, int] | None = None, mode: int = 0o600
) -> None:
    """Write a file whole or not at all, its `owner` (uid, gid; None: we) and mode with it: whoever reads it meanwhile
    is never kept out. One that is so already stays; with `keep`, any that is there."""
    if not keep and _is_so(file, text, owner, mode):
        return
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(text.encode())
            out.flush()
            if owner:
                os.fchown(descriptor, *owner)
            if mode != 0o600:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        if not keep:
            draft.replace(file)
            return
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)


def _is_so(file: Path, text: str, owner: tuple[int, int] | None, mode: int) -> bool:
    """Whether it has that text, owner and mode; a link never has."""
    try:
        held = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(held, "rb") as there:
        found = os.fstat(held)
        is_owned = (found.st_uid, found.st_gid) == owner if owner else found.st_uid == os.geteuid()
        is_regular = found.st_mode == stat.S_IFREG | mode
        return is_regular and is_owned and there.read() == text.encode()


def _others_in(root: Path) -> bool:
    """Whether something lies there that is no draft of settings.json."""
    if not root.exists():
        return False
    if not root.is_dir():
        return True
    return any(not one.name.startswith(".settings.json.") for one in root.iterdir())
