"""What is said on *Restorations*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "losses": ("Restaurations et pertes", "Restorations and losses"),
    "losses.lead": (
        "Ce qui est revenu d’une sauvegarde, et ce qui ne peut plus être ouvert. Ce qui avait été détruit l’a été de "
        "nouveau avant que le bureau ne rouvre.",
        "What came back from a backup, and what cannot be opened any more. What had been destroyed was destroyed again "
        "before the desk reopened.",
    ),
    "losses.none": ("Rien n’est jamais revenu d’une sauvegarde.", "Nothing ever came back from a backup."),
    "losses.no_loss": ("Aucune perte.", "No loss."),
    "losses.restorations": ("Restaurations", "Restorations"),
    "losses.lost": ("Pertes", "Losses"),
    "losses.part_of.database": ("base de données", "database"),
    "losses.part_of.recordings": ("enregistrements", "recordings"),
    "losses.part_of.keyring": ("trousseau de clés", "keyring"),
    "losses.declared": ("Déclarée par l’exploitant", "Declared by the operator"),
    "losses.noticed": ("Constatée seulement", "Only noticed"),
    "losses.undeclared": (
        "Personne n’a déclaré que la base était revenue d’une sauvegarde : quelqu’un a pu retirer la fin du journal, et "
        "verify --register échoue. Demandez à l’exploitant. S’il l’a restaurée lui-même, qu’il arrête Consigne, le "
        "déclare par « ./consigne restore --declare {id} » et redémarre. Sinon, cherchez qui a eu accès à la base.",
        "Nobody declared that the database came back from a backup: somebody may have dropped the end of the register, "
        "and verify --register fails. Ask the operator. Where it was restored by hand, Consigne is stopped, it is "
        "declared by “./consigne restore --declare {id}”, and Consigne started again. Otherwise find out who had access "
        "to the database.",
    ),
    "losses.began": ("Constatée le", "Noticed on"),
    "losses.ended": ("Rejouée le", "Replayed on"),
    "losses.done": ("Ce qui a été fait", "What was done"),
    "losses.count.erased_again": ("éléments détruits de nouveau : {count}", "parts destroyed again: {count}"),
    "losses.count.destroyed_again": (
        "lots d’échéance dont la clé a été détruite de nouveau : {count}",
        "epochs whose key was destroyed again: {count}",
    ),
    "losses.count.certificates": (
        "attestations reprises telles qu’elles étaient publiées : {count}",
        "certificates taken back as they were published: {count}",
    ),
    "losses.count.doubted": (
        "empreintes sans signature, non suivies (quelqu’un d’autre a pu les publier) : {count}",
        "tombstones without a signature, not followed (somebody else may have published them): {count}",
    ),
    "losses.count.decision_missing": (
        "décisions de conservation perdues : {count}",
        "decisions to keep that are lost: {count}",
    ),
    "losses.count.key_missing": ("clés absentes : {count}", "keys missing: {count}"),
    "losses.count.object_missing": ("objets absents : {count}", "objects missing: {count}"),
    "losses.count.row_missing": (
        "objets que la base ne connaît plus : {count}",
        "objects that the database no longer knows: {count}",
    ),
    "losses.nothing_done": ("rien n’était à refaire", "nothing had to be done again"),
    "losses.decide_again": (
        "Les décisions, gels, objections et visas du {since} au {until} sont partis avec la base de données : ils sont "
        "à prendre de nouveau. Rien de publié ne permet d’en dresser la liste.",
        "Decisions, holds, objections and visas from {since} to {until} went with the database: they must be made "
        "again. Nothing that was published allows to list them.",
    ),
    "losses.gap": (
        "{count} écritures publiées du journal sont perdues ; une note signée le dit et le journal continue sous "
        "le nom {origin}.",
        "{count} published entries of the register are lost; a signed note says so and the register goes on "
        "under the name {origin}.",
    ),
    "losses.doubted": ("Empreinte de destruction douteuse", "A doubtful tombstone"),
    "losses.doubted.about": (
        "Une empreinte de destruction les nomme, mais ni signature ni attestation ne l’appuie. Soit quelqu’un s’était "
        "opposé pendant que le trousseau était injoignable, soit elle est fausse. Rien n’est détruit ; personne ne les "
        "écoute, jusqu’à votre réponse sous « Contrôles » ou jusqu’à leur propre échéance.",
        "A tombstone names them, and neither a signature nor a certificate bears it out. Either somebody had objected "
        "while the keyring was away, or it is forged. Nothing is destroyed; nobody hears them until you answer under "
        "“Checks”, or until their own end.",
    ),
    "losses.decision_missing": (
        "Conservés par une décision qui est perdue",
        "Kept by a decision that is lost",
    ),
    "losses.decision_missing.about": (
        "Leur propre délai est passé, et pourtant ils n’avaient pas été détruits : quelqu’un avait décidé de les "
        "garder. Sans nouvelle décision ils partent à la prochaine expiration. Si une autorité en a ordonné la "
        "conservation, posez le gel de nouveau maintenant.",
        "Their own time is up, and yet they had not been destroyed: somebody had decided to keep them. Without a new "
        "decision they go with the next expiry. Where an authority ordered it, place the hold again now.",
    ),
    "losses.key_missing": ("Clé absente", "Key missing"),
    "losses.key_missing.about": (
        "Le trousseau ne connaît pas la clé, ou elle a été détruite depuis la sauvegarde. Un trousseau plus récent, "
        "s’il en existe un, peut les rouvrir ; sinon demandez à la source de livrer l’appel de nouveau.",
        "The keyring does not know the key, or it was destroyed since the backup. A newer keyring, where there is one, "
        "may open them; else ask the source to deliver the call again.",
    ),
    "losses.object_missing": ("Objet absent", "Object missing"),
    "losses.object_missing.about": (
        "Le magasin n’a plus l’objet enregistré. Une sauvegarde plus récente des enregistrements peut le ramener.",
        "The store no longer has the recorded object. A newer backup of the recordings may bring it back.",
    ),
    "losses.row_missing": ("Inconnus de la base de données", "Unknown to the database"),
    "losses.row_missing.about": (
        "Enregistrés après la sauvegarde : la base restaurée n’en a ni la ligne ni la clé, et sans clé l’objet n’est "
        "que du bruit. Le rapprochement les retirera ; demandez à la source de livrer l’appel de nouveau, ou restaurez "
        "d’abord une base plus récente.",
        "Stored after the backup: the restored database has neither their row nor their key, and without a key the "
        "object is noise. Reconciliation will remove them; ask the source to deliver the call again, or restore a "
        "newer database first.",
    ),
    "losses.recording": ("Enregistrement", "Recording"),
    "losses.purpose": ("Finalité", "Purpose"),
    "losses.part": ("Élément", "Part"),
    "losses.found": ("Constaté", "Found"),
    "losses.more": ("Les {count} plus récentes sont montrées.", "The newest {count} are shown."),
    "losses.look": ("Restaurations et pertes", "Restorations and losses"),
    "losses.part.object_missing": (
        "Perdu : son objet n’est pas revenu d’une sauvegarde.",
        "Lost: its object did not come back from a backup.",
    ),
    "losses.part.key_missing": (
        "Perdu : sa clé n’est pas revenue d’une sauvegarde.",
        "Lost: its key did not come back from a backup.",
    ),
    "losses.part.row_missing": (
        "Une version antérieure est perdue avec la base de données.",
        "An earlier version is lost with the database.",
    ),
    "losses.part.doubted": (
        "Inaudible : une empreinte de destruction douteuse le nomme, et le délégué n’a pas encore répondu.",
        "Not to be heard: a doubtful tombstone names it, and the DPO has not answered yet.",
    ),
    "losses.part.decision_missing": (
        "La décision qui le conservait est perdue avec la base de données.",
        "The decision that kept it is lost with the database.",
    ),
    "waiting.losses": (
        "La restauration du {at} a laissé {count} pertes.",
        "The restoration of {at} left {count} losses.",
    ),
    "act.restore:backup:noticed": ("Retour d’une sauvegarde constaté", "A backup’s return noticed"),
    "act.restore:backup:declared": ("Retour d’une sauvegarde déclaré", "A backup’s return declared"),
    "act.restore:keyring:declared": (
        "Trousseau plus ancien accepté par l’exploitant",
        "An older keyring accepted by the operator",
    ),
    "act.restore:backup:replayed": ("Retour d’une sauvegarde rejoué", "A backup’s return replayed"),
    "act.restore:certificates:taken-back": ("Attestations reprises", "Certificates taken back"),
    "act.restore:artifact:buried": (
        "Détruit de nouveau après le retour d’une sauvegarde",
        "Destroyed again after a backup’s return",
    ),
    "act.restore:artifact:lost": (
        "Perdu au retour d’une sauvegarde",
        "Lost with a backup’s return",
    ),
    "act.restore:object:removed": (
        "Objet revenu d’une sauvegarde : retiré",
        "An object that came back from a backup: removed",
    ),
    "act.restore:loss:withdrawn": ("N’est plus perdu : revenu", "No loss any more: there again"),
}
