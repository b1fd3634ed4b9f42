"""What is said on *Checks*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "findings": ("Contrôles", "Checks"),
    "findings.lead": (
        "Chaque nuit, le stockage, le catalogue, les clés et le journal sont comparés. Voici ce qui ne concorde pas.",
        "Every night the store, the catalog, the keys and the register are compared. Here is what does not agree.",
    ),
    "findings.last": ("Dernier contrôle : {at}", "Last check: {at}"),
    "findings.never": ("Aucun contrôle n’a encore eu lieu.", "No check has taken place yet."),
    "findings.see_closed": ("Voir ce qui est clos", "See what is closed"),
    "findings.see_open": ("Voir ce qui est ouvert", "See what is open"),
    "findings.open": ("À regarder", "To be looked at"),
    "findings.closed": ("Clos", "Closed"),
    "findings.none": (
        "Rien : tout concordait au dernier contrôle.",
        "Nothing: all agreed at the last check.",
    ),
    "findings.none_closed": ("Rien n’a encore été clos.", "Nothing has been closed yet."),
    "findings.back": ("Contrôles", "Checks"),
    "findings.found": ("Constaté le {at}", "Found on {at}"),
    "findings.swept": ("Supprimé le {at}", "Removed on {at}"),
    "findings.kind.orphan": ("Objet inconnu du catalogue", "An object unknown to the catalog"),
    "findings.kind.foreign_version": ("Version étrangère", "A foreign version"),
    "findings.kind.lingering_upload": ("Envoi inachevé", "An unfinished upload"),
    "findings.kind.missing": ("Exemplaire chiffré manquant", "A missing encrypted copy"),
    "findings.kind.not_encrypted": (
        "Chiffrement du stockage absent",
        "Not encrypted by the store",
    ),
    "findings.kind.unexplained_access": ("Accès sans explication", "An unexplained access"),
    "findings.kind.key_without_row": ("Clé qui devrait être détruite", "A key that should be gone"),
    "findings.kind.row_without_key": ("Clé manquante", "A missing key"),
    "findings.kind.moved_due_date": (
        "Échéance repoussée sans décision",
        "A due date moved without a decision",
    ),
    "findings.kind.drive_away": ("Disque absent du stockage", "A drive away from the store"),
    "findings.what.drive_away.alarm": (
        "Un disque du stockage ne répond pas. Ce qu’il garde d’enregistrements détruits depuis est illisible, et sera "
        "supprimé à son retour. S’il ne revient pas, détruisez-le.",
        "A drive of the store does not answer. What it holds of recordings destroyed since is unreadable, and is deleted "
        "when it is back. If it is not to come back, destroy it.",
    ),
    "findings.kind.doubted_tombstone": (
        "Empreinte de destruction douteuse",
        "A doubtful tombstone",
    ),
    "findings.what.doubted_tombstone.decide": (
        "Une empreinte sans signature ni attestation dit que cet enregistrement était à détruire. Il reste conservé "
        "jusqu’à son échéance, et personne ne l’écoute avant votre réponse. Si la personne s’était opposée, enregistrez "
        "de nouveau son opposition avant de clore : une fois clos, il s’écoute de nouveau.",
        "A tombstone without signature or certificate says that this recording was to be destroyed. It stays kept until "
        "its end, and nobody hears it before you answer. Where the person had objected, record the objection again "
        "before you close: once closed, it can be heard again.",
    ),
    "findings.what.orphan.sweep": (
        "Aucun enregistrement ne s’y rapporte et aucune clé ne l’ouvre. Il est supprimé et le journal le dit.",
        "It belongs to no recording and no key opens it. It is removed, and the register says so.",
    ),
    "findings.what.orphan.decide": (
        "La base restaurée n’a plus la ligne de cet enregistrement. Une sauvegarde plus récente peut la rendre : "
        "l’objet n’est supprimé qu’après votre réponse.",
        "The restored database lacks this recording’s row. A newer backup may bring it back: the object is removed "
        "only after your answer.",
    ),
    "findings.what.foreign_version.sweep": (
        "Sous le nom d’un enregistrement conservé se trouve autre chose que sa version. Elle est supprimée ; "
        "l’enregistrement n’est pas touché.",
        "Under a kept recording’s name lies something else than its version. It is removed; the recording is not touched.",
    ),
    "findings.what.foreign_version.alarm": (
        "Quelque chose a reparu sous le nom d’un enregistrement détruit. C’est illisible, et supprimé. Cherchez d’où "
        "cela venait.",
        "Something came back under the name of a destroyed recording. It is unreadable, and removed. Find out where it "
        "came from.",
    ),
    "findings.what.lingering_upload.sweep": (
        "Consigne n’envoie jamais par morceaux : cet envoi vient d’ailleurs. Il est interrompu.",
        "Consigne never uploads in parts: this upload came from elsewhere. It is aborted.",
    ),
    "findings.what.lingering_upload.alarm": (
        "Quelqu’un a commencé à écrire par morceaux sous le nom d’un enregistrement. L’envoi est interrompu. Cherchez "
        "qui c’était.",
        "Somebody began to write in parts under a recording’s name. The upload is aborted. Find out who it was.",
    ),
    "findings.what.missing.alarm": (
        "Cet enregistrement doit être conservé, mais le stockage ne l’a plus. Il figure parmi les pertes.",
        "This recording is to be kept, but the store does not hold it any more. It is listed among the losses.",
    ),
    "findings.what.not_encrypted.alarm": (
        "L’exemplaire reste chiffré par sa propre clé, mais pas une seconde fois par le stockage. Faites vérifier ses "
        "réglages.",
        "The copy is still encrypted by its own key, but not a second time by the store. Have its settings looked at.",
    ),
    "findings.what.unexplained_access.alarm": (
        "Le stockage dit que quelqu’un a lu, écrit ou supprimé sans passer par Consigne. Sans clé, ce qui est lu est "
        "illisible.",
        "The store says that somebody read, wrote or deleted without going through Consigne. Without a key, what is "
        "read is unreadable.",
    ),
    "findings.what.key_without_row.alarm": (
        "Une clé existe alors que rien de conservé n’en a besoin. Une sauvegarde restaurée peut l’expliquer.",
        "A key is there that nothing kept needs. A restored backup may explain it.",
    ),
    "findings.what.row_without_key.alarm": (
        "Ce qui doit être conservé ne peut plus être ouvert : la clé n’est pas là. Est-ce une restauration incomplète ?",
        "What is to be kept cannot be opened any more: its key is not there. Was a restore incomplete?",
    ),
    "findings.what.moved_due_date.decide": (
        "Cet enregistrement partirait plus tard que ne l’expliquent la politique, les décisions et les gels. "
        "Personne n’a le droit de faire cela en silence : à vous de décider.",
        "This recording would go later than policy, decisions and holds explain. Nobody may do that silently: "
        "it is for you to decide.",
    ),
    "findings.act.sweep": ("Supprimé d’office", "Removed by itself"),
    "findings.act.alarm": ("Alerte", "Alarm"),
    "findings.act.decide": ("À décider", "To decide"),
    "findings.answer": ("Répondre", "Answer"),
    "findings.answer.acknowledged": ("C’est connu et traité", "It is known and dealt with"),
    "findings.answer.put_back": ("Rétablir l’échéance expliquée", "Put the explained date back"),
    "findings.answered.acknowledged": ("connu et traité", "known and dealt with"),
    "findings.answered.put_back": ("échéance rétablie", "date put back"),
    "findings.reason": ("Ce que vous avez constaté", "What you found"),
    "findings.reason_hint": (
        "Conservé au journal : ni nom d’appelant, ni numéro.",
        "Kept in the register: no caller’s name, no number.",
    ),
    "findings.close": ("Clore", "Close"),
    "findings.closed_by": ("{at} · {user} : {answer}", "{at} · {user}: {answer}"),
    "findings.closed_swept": ("Supprimé le {at}", "Removed on {at}"),
    "findings.closed_gone": ("N’est plus là depuis le {at}", "No longer there since {at}"),
    "findings.not_done": ("Rien n’a été enregistré. {why}", "Nothing was recorded. {why}"),
    "findings.wrong.finding_closed": (
        "Quelqu’un a répondu entre-temps.",
        "Somebody has answered in the meantime.",
    ),
    "findings.wrong.answer": ("Choisissez une réponse.", "Choose an answer."),
    "findings.wrong.reason": (
        "Dites ce que vous avez constaté, sans aucun numéro.",
        "Say what you found, without any number.",
    ),
    "findings.wrong.too_long": ("Ce texte est trop long.", "This text is too long."),
    "findings.recording": ("Enregistrement", "Recording"),
    "findings.about": ("Sur", "About"),
    "findings.version": ("Version", "Version"),
    "findings.found_at": ("Constaté", "Found"),
    "findings.seen_at": ("Vu pour la dernière fois", "Last seen"),
    "findings.swept_at": ("Supprimé", "Removed"),
    "findings.end": ("Clos", "Closed"),
    "findings.accesses": ("Ce que dit le stockage", "What the store says"),
    "findings.accesses_lead": (
        "Son journal d’audit peut être incomplet : il montre, il ne prouve pas.",
        "Its audit log may be incomplete: it shows, it proves nothing.",
    ),
    "findings.moved_to": ("Échéance inscrite", "Date that stands there"),
    "findings.explained": ("Échéance expliquée", "Date that is explained"),
    "findings.did.read": ("Lecture par {who} ({api})", "Read by {who} ({api})"),
    "findings.did.wrote": ("Écriture par {who} ({api})", "Written by {who} ({api})"),
    "findings.did.deleted": ("Suppression par {who} ({api})", "Deleted by {who} ({api})"),
    "findings.did.too_large": (
        "Un envoi du journal d’audit était trop gros pour être lu ({who}, {api})",
        "A batch of the audit log was too large to be read ({who}, {api})",
    ),
    "findings.identity.root": ("l’administrateur du stockage", "the store’s administrator"),
    "findings.identity.unknown": ("un compte inconnu", "an unknown account"),
    "findings.more": ("Les {count} premiers sont montrés.", "The first {count} are shown."),
    "findings.history": ("Journal", "Register"),
    "waiting.findings": (
        "Constats qui attendent votre réponse : {count}",
        "Findings that wait for your answer: {count}",
    ),
    "act.reconcile:run:reported": ("terminé", "ended"),
    "act.reconcile:artifact:drives-back": (
        "tous les disques sont revenus : supprimé encore une fois",
        "all drives are back: deleted once more",
    ),
    "act.reconcile:finding:found": ("ouvert", "found"),
    "act.reconcile:finding:sweeping": ("suppression annoncée", "removal announced"),
    "act.reconcile:finding:swept": ("supprimé", "removed"),
    "act.reconcile:finding:closed": ("clos", "closed"),
    "act.reconcile:finding:answered": ("réponse donnée", "answer given"),
    "act.reconcile:finding:answer_denied": ("réponse refusée", "answer denied"),
}
