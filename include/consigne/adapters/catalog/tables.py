"""The catalog's tables (PostgreSQL). Instants are `timestamptz`; personal data only as keyed digests.

States move only through SQL that names the state it comes from. `consigne_now()` is the one clock.
`tables_decided.py`, `tables_people.py` and `tables_gone.py` hold the rest.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from consigne.adapters.catalog.columns import instant, metadata, one_of

# One row: the test clock's offset; `test` is set once, when the state folder is made.
clock = Table(
    "clock",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("test", Boolean, nullable=False, server_default=text("false")),
    Column("offset_s", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("one", name="single_row"),
    CheckConstraint("test OR offset_s = 0", name="shift_only_in_tests"),
)

# One row: the name under which this installation's register and certificates are signed.
installation = Table(
    "installation",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("origin", Text, nullable=False),
    CheckConstraint("one", name="single_row"),
)

policies = Table(
    "policies",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("version", Text, nullable=False),
    instant("in_force_from"),
    instant("applied_at"),
    Column("text", Text, nullable=False),
    instant("reclocked_at", null=True),  # when what is kept had been brought under it
    Column("reclocked_to", UUID(as_uuid=True)),  # until then: the last artifact that was
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("run", Text, nullable=False),
    Column("deliveries", ARRAY(UUID(as_uuid=True)), nullable=False),
    instant("made_at"),
    Index("ix_chunks_run", "run"),
    Index("ix_chunks_made_at", "made_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("source_id", Text, nullable=False),  # the JSON's id; until it is read, the stem's label
    Column("stem_digest", LargeBinary, nullable=False),  # keyed: a file name may be personal data
    Column("fingerprint", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text),
    Column("detail", Text),
    Column(
        "findings", ARRAY(Text), nullable=False, server_default=text("'{}'")
    ),  # ids of checks, remarks too
    instant("deadline", null=True),
    instant("received_at"),
    Column("identity_digest", LargeBinary),  # keyed: (source, id)
    Column("content_digest", LargeBinary),  # keyed: the audio's and the metadata's bytes
    Column("audio_digest", LargeBinary),  # keyed: the audio's bytes alone
    Column("recording", UUID(as_uuid=True)),
    Column("token", UUID(as_uuid=True)),  # who claimed the row last; only that one's result counts
    one_of("state", "claimed valid admitted protected cleared refused quarantined"),
    Index("ix_deliveries_open", "state", postgresql_where=text("state <> 'cleared'")),
    Index(
        "uq_deliveries_waiting",
        "source",
        "stem_digest",
        unique=True,
        postgresql_where=text("state <> 'cleared'"),
    ),
    Index("ix_deliveries_identity", "identity_digest"),
    Index("ix_deliveries_source_id", "source_id"),
    Index("ix_deliveries_recording", "recording", postgresql_where=text("recording IS NOT NULL")),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("delivery", UUID(as_uuid=True), ForeignKey("deliveries.id"), primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("code", Text),
    one_of("verdict", "admitted refused"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("identity_digest", LargeBinary, nullable=False, unique=True),
    Column("content_digest", LargeBinary, nullable=False),
    Column("audio_digest", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False, server_default=text("1")),  # of the three digests' key
    instant("started_at"),
    instant("received_at"),
    Column("duration_ms", BigInteger, nullable=False),
    Column("direction", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("caller_index", LargeBinary, nullable=False),  # keyed blind index of the caller's number
    Column("caller_index_version", Integer, nullable=False),
    Column("notice", Text),
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),
    Index("ix_recordings_caller_index", "caller_index"),
    Index("ix_recordings_started_at", "started_at"),
    Index("ix_recordings_source_id", "source_id"),
    Index("ix_recordings_queue", "queue", "started_at"),
    Index("ix_recordings_agent", "agent", "started_at"),
)

epochs = Table(
    "epochs",
    metadata,
    Column("name", Text, primary_key=True),  # purpose/due day/generation
    Column("purpose", Text, nullable=False),
    instant("due_at"),
    Column("generation", Integer, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False),
    instant("opened_at"),
    instant(
        "turning_at", null=True
    ),  # since then nothing new goes in: what lives moves to the next generation
    instant("destroyed_at", null=True),
    one_of("state", "open closing destroyed"),
    Index("ix_epochs_live", "due_at", postgresql_where=text("state <> 'destroyed'")),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("recording", UUID(as_uuid=True), ForeignKey("recordings.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("restricted", Boolean, nullable=False, server_default=text("false")),
    instant("clock_start"),
    instant("due_at"),
    instant("cap_at"),
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),
    Column("epoch", Text, ForeignKey("epochs.name"), nullable=False),
    Column(
        "earlier_epochs", ARRAY(Text), nullable=False, server_default=text("'{}'")
    ),  # that wrapped its key
    Column("attempt", UUID(as_uuid=True), nullable=False),
    Column("object", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of the sealed object, as docs/formats.md says
    Column("bytes", BigInteger, nullable=False),
    Column("masked", JSONB, nullable=False),  # [{start_ms, end_ms, kind}]
    Column("masked_signature", LargeBinary, nullable=False),
    Column("masked_key", Text, nullable=False),
    Column("extension", UUID(as_uuid=True)),  # the decision that moved due_at
    Column("hold", UUID(as_uuid=True)),  # the hold whose epoch wraps its key
    instant("unheld_due_at", null=True),  # while a hold keeps it: when it would fall due without
    Column("ended_for", Text),  # why its clock was ended, where its period is not the reason
    instant("stored_at"),
    instant("erased_at", null=True),
    Column("token", UUID(as_uuid=True)),  # who claimed the row last; only that one's result counts
    UniqueConstraint("recording", "purpose", "part"),
    one_of("state", "storing kept erasing erased"),
    Index("ix_artifacts_due", "due_at", postgresql_where=text("state <> 'erased'")),
    Index(
        "ix_artifacts_live_due",
        # as PostgreSQL writes it, to which the tables are compared
        text(
            "(\nCASE\n    WHEN state <> 'erased'::text THEN due_at\n    ELSE NULL::timestamp with time zone\nEND)"
        ),
    ),
    Index("ix_artifacts_erasing", "due_at", postgresql_where=text("state = 'erasing'")),
    Index("ix_artifacts_epoch", "epoch", postgresql_where=text("state <> 'erased'")),
    Index("ix_artifacts_purpose", "purpose", "recording"),
    Index("ix_artifacts_erased", "clock_start", postgresql_where=text("state = 'erased'")),
    Index("ix_artifacts_restricted", "recording", postgresql_where=text("restricted AND state <> 'erased'")),
    Index(
        "ix_artifacts_extended",
        "recording",
        postgresql_where=text("extension IS NOT NULL AND state <> 'erased'"),
    ),
    Index("ix_artifacts_held", "hold", postgresql_where=text("hold IS NOT NULL AND state <> 'erased'")),
)

live_due = literal_column(
    "CASE WHEN artifacts.state <> 'erased' THEN artifacts.due_at END", DateTime(timezone=True)
)
"""The end of what is not erased (null of all else), by an index whose figures tell the planner how little of it has
come. A condition beside it that says once more what lives would bring in the index over all that does."""

# Key last in, first out: the row is written when the object is stored, and deleted before it is erased.
data_keys = Table(
    "data_keys",
    metadata,
    Column("artifact", UUID(as_uuid=True), ForeignKey("artifacts.id"), primary_key=True),
    Column("attempt", UUID(as_uuid=True), nullable=False),
    Column("epoch", Text, ForeignKey("epochs.name"), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("ix_data_keys_epoch", "epoch"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("requester", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("why_not_less", Text, nullable=False, server_default=text("''")),
    instant("until"),
    instant("filed_at"),
    instant("lapses_at"),
    Column("digest", Text, nullable=False),  # SHA-256 (hex) of the request's canonical JSON
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),
    Column("state", Text, nullable=False),
    Column("run", Text),  # the run of decide_retention_exception
    Column("answered_at_airflow", DateTime(timezone=True)),  # when Airflow's human task took the answer
    one_of("state", "pending decided lapsed"),
    Index("ix_requests_pending", "lapses_at", postgresql_where=text("state = 'pending'")),
)

request_items = Table(
    "request_items",
    metadata,
    Column("request", UUID(as_uuid=True), ForeignKey("requests.id"), primary_key=True),
    Column("artifact", UUID(as_uuid=True), ForeignKey("artifacts.id"), primary_key=True),
    instant("due_at"),  # when the request was filed
    Index("ix_request_items_artifact", "artifact"),
)

# One answer a request. `applied_at` is set in the transaction that re-wraps.
decisions = Table(
    "decisions",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("request", UUID(as_uuid=True), ForeignKey("requests.id"), nullable=False, unique=True),
    Column("request_digest", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("purpose", Text),  # another purpose to keep it under
    instant("until", null=True),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    instant("decided_at"),
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),
    instant("applied_at", null=True),
    one_of("answer", "refuse extend extend_and_restrict keep_under_another_purpose"),
)

manifests = Table(
    "manifests",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("run", Text, nullable=False, unique=True),
    Column("dry_run", Boolean, nullable=False),
    Column("digest", Text, nullable=False),
    instant("frozen_at"),
    Index("ix_manifests_frozen_at", "frozen_at"),
)

manifest_chunks = Table(
    "manifest_chunks",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("manifest", UUID(as_uuid=True), ForeignKey("manifests.id"), nullable=False),
    Column("artifacts", ARRAY(UUID(as_uuid=True)), nullable=False),
    Index("ix_manifest_chunks_manifest", "manifest"),
)

authorisations = Table(
    "authorisations",
    metadata,
    Column("manifest", UUID(as_uuid=True), ForeignKey("manifests.id"), primary_key=True),
    Column("digest", Text, nullable=False),
    instant("authorised_at"),
    Index("ix_authorisations_authorised_at", "authorised_at"),
)

# What stays of an erased artifact: keyed digests and dates, no content. It outlives all other rows.
tombstones = Table(
    "tombstones",
    metadata,
    Column("artifact", UUID(as_uuid=True), primary_key=True),
    Column("recording", UUID(as_uuid=True), nullable=False),
    Column("identity_digest", LargeBinary, nullable=False),
    Column("audio_digest", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("attempt", UUID(as_uuid=True), nullable=False),
    Column("object", Text, nullable=False),
    Column("ground", Text, nullable=False),
    instant("erasing_at"),
    instant("published_at", null=True),
    instant("signed_at", null=True),  # what was published while the keyring was away is signed later
    # the four instants and counts that the certificate states, set as each step ends
    instant("key_deleted_at", null=True),
    Column("versions_deleted", Integer),
    Column("uploads_aborted", Integer),
    instant("absent_at", null=True),
    Column("drives_away", Integer),  # 0 again once what they held was deleted too
    Index("ix_tombstones_identity", "identity_digest"),
    Index("ix_tombstones_audio", "audio_digest"),
    Index("ix_tombstones_erasing_at", "erasing_at"),
    Index("ix_tombstones_unsigned", "artifact", postgresql_where=text("signed_at IS NULL")),
    Index("ix_tombstones_drives_away", "artifact", postgresql_where=text("drives_away > 0")),
)

certificates = Table(
    "certificates",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("scope", Text, nullable=False),
    Column("artifact", UUID(as_uuid=True), unique=True),
    Column("epoch", Text, nullable=False),
    Column("file", LargeBinary, nullable=False),  # as docs/formats.md says
    Column("chunk", UUID(as_uuid=True), nullable=False),  # those signed together
    instant("issued_at"),
    instant("irrecoverable_after"),
    instant("published_at", null=True),
    one_of("scope", "artifact epoch"),
    Index("ix_certificates_epoch", "epoch", "issued_at", "id"),
    Index("ix_certificates_unpublished", "id", postgresql_where=text("published_at IS NULL")),
    Index("ix_certificates_issued_at", "issued_at", "id"),
)

# Rows commit with the transition they describe; `leaf_index` is given later by the sealer.
register = Table(
    "register",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("salt", LargeBinary),
    Column("payload", LargeBinary),  # canonical JSON; both null once purged
    Column("leaf", LargeBinary, nullable=False),  # SHA-256(salt ‖ payload)
    Column("leaf_index", BigInteger, unique=True),
    Column(
        "subjects", ARRAY(Text), nullable=False, server_default=text("'{}'")
    ),  # its kind, and every id that it names
    CheckConstraint("(salt IS NULL) = (payload IS NULL)", name="purged_whole"),
    Index("ix_register_unsealed", "id", postgresql_where=text("leaf_index IS NULL")),
    # What is new waits in a list of its own (kB) until the sealer sorts it in: else a batch would wait for that.
    Index(
        "ix_register_subjects",
        "subjects",
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 16384},
    ),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # the compact range of `size` leaves
    Column("note", LargeBinary, nullable=False),  # C2SP signed note
    instant("sealed_at"),
    instant("published_at", null=True),
    Column("published_version", Text),
    instant("witnessed_at", null=True),  # when the outside witness had it
)
