"""What is said on *Operations*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "operations": ("Exploitation", "Operations"),
    "operations.lead": (
        "Ce qui est bloqué, et pourquoi ; le plus lourd de conséquences d’abord. État au {at}.",
        "What is stuck, and why; what weighs most comes first. As of {at}.",
    ),
    "operations.well_none": (
        "Rien n’est bloqué. Vérifié à l’instant :",
        "Nothing is stuck. Looked at just now:",
    ),
    "operations.well": ("Vérifié à l’instant, et en ordre :", "Looked at just now, and well:"),
    "operations.unavailable": (
        "Illisible en ce moment : cela ne veut pas dire qu’il n’y a rien.",
        "It cannot be read at this moment: that does not mean that there is nothing.",
    ),
    "operations.retried": (
        "Livraisons reprises : {count}. L’ingestion commence ; l’échéance de quarantaine ne bouge pas.",
        "Deliveries taken up again: {count}. The ingest begins; the quarantine’s deadline stays.",
    ),
    "operations.retried_none": (
        "Rien à reprendre : la livraison n’est plus en quarantaine.",
        "Nothing to take up: the delivery is not in quarantine any more.",
    ),
    "operations.started.ingest": ("L’ingestion est demandée à Airflow.", "Airflow is asked to run the ingest."),
    "operations.started.expire": ("La destruction est demandée à Airflow.", "Airflow is asked to run the expiry."),
    "operations.started.reconcile": (
        "La réconciliation est demandée à Airflow.",
        "Airflow is asked to run the reconciliation.",
    ),
    "operations.started.": (
        "Airflow n’a pas pris la demande : DAG absent, ou droits manquants.",
        "Airflow did not take it: the Dag is not there, or you lack the right.",
    ),
    "operations.run.ingest": ("Lancer l’ingestion", "Run the ingest now"),
    "operations.run.expire": ("Lancer la destruction", "Run the expiry now"),
    "operations.run.reconcile": ("Lancer la réconciliation", "Run the reconciliation now"),
    "operations.retry": ("Reprendre", "Retry"),
    "operations.retry_one": ("Reprendre la livraison {id}", "Retry the delivery {id}"),
    "operations.retry_code": ("Reprendre les {count} «\u00a0{code}\u00a0»", "Retry all {count} with {code}"),
    "operations.since": ("depuis le {at}", "since {at}"),
    "operations.oldest": ("la plus ancienne reçue le {at}", "the oldest came {at}"),
    # parts
    "operations.parts": ("Éléments absents", "Parts away"),
    "operations.parts.well": ("Tous les éléments répondent", "All parts answer"),
    "operations.parts.about": (
        "Tout ce qui en dépend attend, et reprend seul à leur retour.",
        "All that needs them waits, and goes on by itself when they are back.",
    ),
    "operations.part.catalog": ("La base de données ne répond pas.", "The database does not answer."),
    "operations.part.schema": (
        "Les tables sont plus anciennes que le programme : terminer la mise à niveau.",
        "The tables are older than the program: finish the upgrade.",
    ),
    "operations.part.replay": (
        "Une sauvegarde est revenue : down, puis up.",
        "A backup came back: down, then up.",
    ),
    "operations.part.sealer": (
        "Le journal n’est plus scellé : le scelleur ne vit plus, ou une transaction le retient.",
        "The register is not sealed any more: the sealer is gone, or a transaction holds it up.",
    ),
    "operations.part.store": ("Le stockage ne répond pas.", "The store does not answer."),
    "operations.part.keyring": ("Le trousseau de clés ne répond pas.", "The keyring does not answer."),
    # what lives too long, what is not proven
    "operations.overdue": ("Échu et toujours là", "Due, and still there"),
    "operations.overdue.well": ("Rien d’échu ne traîne", "Nothing that is due is left"),
    "operations.overdue.about": (
        "Inaudible depuis l’échéance, mais deux passages ne l’ont pas détruit. Rendre ce qui manque, puis relancer ; "
        "au-delà d’un jour, prévenir le DPO.",
        "Inaudible since it fell due, but two runs did not destroy it. Bring back what is away, then run it again; "
        "beyond a day, tell the DPO.",
    ),
    "operations.epochs": ("Lots dont la clé vit encore", "Epochs whose key still lives"),
    "operations.epochs.well": ("Aucune clé ne survit à son lot", "No key outlives its epoch"),
    "operations.epochs.about": (
        "Les attestations de ces lots restent « logiques » jusqu’à la destruction de leur clé.",
        "Certificates under them stay “logical” until their key is destroyed.",
    ),
    "operations.epoch_count": ("{count} exemplaires", "{count} artifacts"),
    "operations.register": ("Journal en retard", "Register behind"),
    "operations.register.well": ("Journal publié à l’heure", "Register published in time"),
    "operations.register.about": (
        "Ce qui n’est pas publié n’est pas encore protégé contre l’administrateur de la base. Scelleur, stockage, "
        "témoin : lequel est absent ?",
        "What is not published is not yet held against the database’s administrator. Sealer, store, witness: which "
        "one is away?",
    ),
    "operations.findings": ("Constats à expliquer", "Findings to be answered"),
    "operations.findings.well": ("Aucun constat en attente", "No finding waits"),
    "operations.findings.about": (
        "Le DPO répond ; à l’exploitation de lui dire ce qui s’est passé. Ne rien effacer d’ici là.",
        "The DPO answers; it is for operations to say what happened. Delete nothing until then.",
    ),
    "operations.findings_count": ("{count} constats attendent une réponse.", "{count} findings wait for an answer."),
    "operations.findings_count_one": ("Un constat attend une réponse.", "One finding waits for an answer."),
    "operations.backups": ("Sauvegardes à détruire", "Backups to be destroyed"),
    "operations.backups.well": ("Aucune sauvegarde de trop", "No backup beyond its time"),
    "operations.backups.about": (
        "Elles dépassent la durée déclarée, et rendent fausses des attestations : lancer « backup » sur ce disque, il "
        "détruit d’abord.",
        "They exist beyond the declared time, and make certificates untrue: run “backup” on that disk, it destroys "
        "first.",
    ),
    "operations.unapplied": ("Prolongations accordées, non appliquées", "Extensions granted, not applied"),
    "operations.unapplied.well": ("Prolongations appliquées", "Extensions applied"),
    "operations.unapplied.about": (
        "La décision est au journal et sera respectée ; le scelleur la rappelle chaque minute. S’il vit, voir le "
        "journal technique de l’api-server.",
        "The decision is in the register and is honoured; the sealer reminds of it each minute. If it lives, see the "
        "api-server’s log.",
    ),
    "operations.unapplied_count": ("{count} depuis plus de dix minutes.", "{count} for more than ten minutes."),
    # what will be lost, what waits
    "operations.quarantine": ("En quarantaine", "In quarantine"),
    "operations.quarantine.well": ("Rien en quarantaine", "Nothing in quarantine"),
    "operations.quarantine.about": (
        "Ces appels sont en clair chez leur source, et en seront retirés sans être jugés à l’échéance. Corriger la "
        "cause, puis reprendre.",
        "These calls lie in the clear at their source, and are cleared unjudged at the deadline. Mend the cause, then "
        "retry.",
    ),
    "operations.quarantine_shown": (
        "Seuls les plus proches de l’échéance sont montrés.",
        "Only those nearest to their deadline are shown.",
    ),
    "operations.delivery": ("Livraison", "Delivery"),
    "operations.why": ("Pourquoi", "Why"),
    "operations.deadline": ("Échéance", "Deadline"),
    "operations.left": ("reste {span}", "{span} left"),
    "operations.deliveries": ("Livraisons inachevées", "Deliveries unfinished"),
    "operations.deliveries.well": ("Aucune livraison ne traîne", "No delivery is stuck"),
    "operations.deliveries.about": (
        "Depuis plus d’une heure dans le même état. Le passage suivant les reprend ; s’il échoue, un élément manque.",
        "For over an hour. The next run goes on with them; where it fails, a part is away.",
    ),
    "operations.state.unclaimed": (
        "à la source ; les passages n’y suffisent pas",
        "at their source; the runs do not keep up",
    ),
    "operations.state.claimed": ("reçues, pas encore contrôlées", "claimed, not checked yet"),
    "operations.state.valid": ("contrôlées, pas encore admises", "checked, not judged yet"),
    "operations.state.admitted": ("admises, pas encore expurgées ni déposées", "admitted, not redacted and stored yet"),
    "operations.state.protected": (
        "déposées ; le stockage n’a pas confirmé, ou la source n’est pas vidée",
        "stored; the store has not confirmed, or the source is not cleared",
    ),
    "operations.state.refused": ("refusées ; la source n’est pas vidée", "refused; the source is not cleared"),
    "operations.runs": ("Derniers passages en échec", "Newest runs that failed"),
    "operations.runs.well": ("Derniers passages réussis", "Newest runs succeeded"),
    "operations.runs.about": (
        "La première tâche rouge dit pourquoi, à la dernière ligne de son journal. Un passage suivant réussi efface "
        "l’échec de cette liste.",
        "The first red task says why, in the last line of its log. A later run that succeeds takes it off this list.",
    ),
    "operations.run_failed": ("échec le {at}", "failed {at}"),
    "operations.mail": ("Courriers non partis", "Mail not sent"),
    "operations.mail.well": ("Courriers partis", "Mail sent"),
    "operations.mail.about": (
        "Rien ne se perd que l’avis : tout attend sur le pupitre. Réparer le serveur, ou l’adresse du compte.",
        "Nothing but the telling is lost: all waits on the desk. Mend the server, or the account’s address.",
    ),
    "operations.mail_waiting": ("{count} à réessayer ({trouble})", "{count} to be tried again ({trouble})"),
    "operations.mail_given_up": ("{count} abandonnés ({trouble})", "{count} given up ({trouble})"),
    "act.operate:run:asked": ("Passage demandé depuis le pupitre", "Run asked for on the desk"),
    "act.operate:run:denied": ("Passage refusé", "Run denied"),
    "act.ingest:delivery:retry_denied": ("Reprise refusée", "Retry denied"),
}  # fmt: skip
