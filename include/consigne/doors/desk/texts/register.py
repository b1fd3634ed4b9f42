"""What is said on *Register*; and kinds of entries that no other page tells."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "register": ("Journal", "Register"),
    "register.lead": (
        "Qui a fait quoi, quand et pourquoi. Chaque écriture est scellée dans la minute et publiée dans l’heure ; "
        "la consulter est aussi une écriture.",
        "Who did what, when and why. Each entry is sealed within the minute and published within the hour; "
        "reading it is an entry too.",
    ),
    "register.search": ("Rechercher dans le journal", "Search the register"),
    "register.f.who": ("Qui (compte)", "Who (account)"),
    "register.f.kind": ("Quoi", "What"),
    "register.f.why": ("Pourquoi (code)", "Why (code)"),
    "register.f.subject": ("Identifiant concerné", "Identifier concerned"),
    "register.f.since": ("Du", "From"),
    "register.f.until": ("Au", "Until"),
    "register.any": ("Tout", "Anything"),
    "register.clear": ("Effacer les critères", "Clear"),
    "register.wrong.who": (
        "Un nom de compte : des lettres, des chiffres, un point, un tiret.",
        "An account’s name: letters, digits, a dot, a dash.",
    ),
    "register.wrong.kind": ("Ce type d’écriture n’existe pas.", "There is no such kind of entry."),
    "register.wrong.subject": (
        "Un identifiant d’enregistrement, d’exemplaire, de demande ou de gel, tel que ses pages l’indiquent.",
        "An identifier of a recording, artifact, request or hold, as their pages show it.",
    ),
    "register.wrong.why": (
        "Un motif ou un code de la politique, en minuscules : « dispute ».",
        "A ground, a reason or a code, in lower case: “dispute”.",
    ),
    "register.wrong.since": ("Une date, jour, mois, année.", "A date: day, month, year."),
    "register.wrong.until": (
        "Une date, qui ne précède pas la première.",
        "A date, not before the first one.",
    ),
    "register.wrong.before": ("Un numéro d’écriture.", "An entry’s number."),
    "register.found": ("Écritures", "Entries"),
    "register.waiting": (
        "Pas encore scellées, et donc pas encore affichées : {count}.",
        "Not sealed yet, and so not shown yet: {count}.",
    ),
    "register.when": ("Quand", "When"),
    "register.who": ("Qui", "Who"),
    "register.what": ("Quoi et pourquoi", "What and why"),
    "register.number": ("Numéro", "Number"),
    "register.proof": ("Preuve", "Proof"),
    "register.take_proof": ("Télécharger la preuve", "Download the proof"),
    "register.purged": (
        "Contenu effacé au terme de sa durée ; l’empreinte demeure.",
        "What it said was purged when its time was up; the leaf stays.",
    ),
    "register.none": ("Aucune écriture scellée ne correspond.", "No sealed entry fits."),
    "register.pages": ("Pages du journal", "Pages of the register"),
    "register.first": ("Les plus récentes", "The newest"),
    "register.csv": ("Exporter en CSV", "Export as CSV"),
    "register.json": ("Exporter en JSON, vérifiable", "Export as JSON, verifiable"),
    "register.export_hint": (
        "Au plus 20 000 écritures par fichier. Le JSON contient de quoi recalculer chaque empreinte.",
        "At most 20,000 entries a file. The JSON holds what it takes to compute each leaf anew.",
    ),
    "register.gap": (
        "Des écritures du journal attendent leur publication, ou le témoin extérieur, depuis le {at} : "
        "au-delà de deux heures, prévenez l’exploitation.",
        "Entries of the register have waited to be published, or the outside witness to be told, since {at}: "
        "beyond two hours, tell the operators.",
    ),
    "register.about.configure:policy": ("Politique", "Policy"),
    "register.about.draw:month": ("Tirage", "Draw"),
    "act.backup:part:made": ("Élément sauvegardé", "A part backed up"),
    "act.backup:part:destroyed": ("Sauvegarde détruite à son terme", "A backup destroyed at its end"),
    "act.configure:clock:advanced": ("Horloge d’essai avancée", "Test clock advanced"),
    "act.draw:month:committed": ("engagement du mois déposé", "the month’s commitment registered"),
    "act.draw:month:revealed": ("secret du mois révélé", "the month’s secret revealed"),
    "act.expire:epoch:closing": ("Clôture d’un lot d’échéance", "An epoch’s closing begun"),
    "act.expire:epoch:destroyed": ("Clé d’un lot d’échéance détruite", "An epoch’s key destroyed"),
    "act.expire:manifest:frozen": ("Liste des échéances arrêtée", "List of what is due fixed"),
    "act.expire:manifest:authorised": ("Destruction autorisée", "Destruction authorised"),
    "act.expire:manifest:reported": ("Compte rendu de destruction", "Destruction reported"),
    "act.inform:acknowledgement:recorded": (
        "Information d’un agent attestée",
        "An agent’s acknowledgement recorded",
    ),
    "act.inform:acknowledgement:imported": ("Attestations importées", "Acknowledgements imported"),
    "act.inform:acknowledgement:denied": ("Attestation refusée", "An acknowledgement denied"),
    "act.ingest:artifact:confirm-intended": ("Contrôle du dépôt commencé", "Check of what was stored begun"),
    "act.ingest:batch:reported": ("Compte rendu d’un lot de réception", "A batch of deliveries reported"),
    "act.remind:message:failed": ("Courriel non remis", "A mail was not delivered"),
    "act.repair:epoch:destroyed-again": (
        "Clé d’un lot revenue d’une sauvegarde, détruite à nouveau",
        "An epoch’s key that came back from a backup, destroyed again",
    ),
    "act.repair:epoch:orphan-destroyed": (
        "Clé sans lot d’échéance détruite",
        "A key without an epoch destroyed",
    ),
    "act.expire:epoch:turned": ("Lot d’échéance renouvelé", "An epoch turned over"),
    "act.keyring:key:rotating": ("Renouvellement d’une clé annoncé", "A key’s rotation announced"),
    "act.keyring:key:rotated": ("Clé renouvelée", "A key rotated"),
    "act.register:entries:read": ("Journal consulté", "Register read"),
    "act.register:proof:taken": ("Preuve d’une écriture téléchargée", "Proof of an entry taken"),
    "act.register:names:purged": ("Noms et motifs effacés", "Names and reasons purged"),
    "act.register:payload:purging": (
        "Effacement du contenu d’écritures annoncé",
        "Purge of what entries said announced",
    ),
    "act.register:payload:purged": ("Contenu d’écritures effacé", "What entries said was purged"),
    "act.register:files:rewritten": (
        "Fichiers de la base réécrits après effacement",
        "The database’s files written anew after a purge",
    ),
    "act.seal:gap:noticed": ("Interruption du scellement constatée", "A gap in sealing noticed"),
    "act.seal:witness:failed": ("Témoin extérieur non joint", "The outside witness was not reached"),
}
