"""What is said on *Destruction*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "destruction": ("Destruction", "Destruction"),
    "destruction.lead": (
        "Ce qui est échu, ce qui est en cours, ce qui est fait, et ce qui reste bloqué. Tout ce qui est échu est "
        "inaudible dès la seconde de l’échéance.",
        "What is due, under way, done, and stuck. All that is due is inaudible from the due second on.",
    ),
    "destruction.due": ("Part au prochain passage", "Goes with the next run"),
    "destruction.due_none": (
        "Rien n’est à détruire en ce moment ({at}).",
        "There is nothing to destroy at this moment ({at}).",
    ),
    "destruction.purpose": ("Finalité", "Purpose"),
    "destruction.day": ("Échu le", "Due on"),
    "destruction.count": ("Exemplaires", "Artifacts"),
    "destruction.preview": (
        "Aperçu exact au {at}, exemplaire par exemplaire :",
        "Exact preview as of {at}, artifact by artifact:",
    ),
    "destruction.aside": (
        "En plus : {count} échus au-delà de la prévision, qui seraient mis de côté pour votre réponse.",
        "Besides: {count} due beyond the forecast, which would be set aside for a person’s word.",
    ),
    "destruction.begun": (
        "Et ce qu’il reprend : {count} déjà en cours, comptés plus bas.",
        "And what it goes on with: {count} already under way, counted below.",
    ),
    "destruction.keyring_away": (
        "Le trousseau de clés ne répond pas : attestations et clés des lots l’attendent, puis tout se termine au "
        "passage suivant. D’ici là, ce qui est échu reste inaudible.",
        "The keyring does not answer: certificates and the epochs’ keys wait for it, and the next run after that "
        "finishes all. Until then what is due stays inaudible.",
    ),
    "destruction.waiting": ("Échu, et en attente", "Due, and waiting"),
    "destruction.waiting_none": ("Rien d’échu n’attend.", "Nothing that is due waits."),
    "destruction.why": ("Pourquoi", "Why"),
    "destruction.oldest": ("Le plus ancien, échu le", "The oldest, due"),
    "destruction.waits.request": (
        "Une demande de prolongation attend sa réponse.",
        "A request to keep it longer waits for its answer.",
    ),
    "destruction.waits.decision": (
        "Une prolongation accordée n’est pas encore appliquée.",
        "An extension that was granted is not yet applied.",
    ),
    "destruction.waits.hold": ("Un gel le conserve.", "A hold keeps it."),
    "destruction.waits.volume": (
        "Mis de côté au-delà de la prévision, ou suspendu par la réponse donnée.",
        "Set aside beyond the forecast, or held back by the answer given.",
    ),
    "destruction.volumes": ("Mis de côté", "Set aside"),
    "destruction.volume": (
        "Volume {short} : {count} exemplaires, au plus tard jusqu’au {until}",
        "Volume {short}: {count} artifacts, until {until} at the latest",
    ),
    "destruction.under_way": ("En cours", "Under way"),
    "destruction.under_way_none": ("Aucune destruction n’est en cours.", "No destruction is under way."),
    "destruction.step": ("Étape attendue", "Next step"),
    "destruction.since": ("Depuis", "Since"),
    "destruction.since_at": ("depuis le {at}", "since {at}"),
    "destruction.late": ("en retard", "late"),
    "destruction.step.tombstone": ("Publier l’empreinte résiduelle", "Publish the tombstone"),
    "destruction.step.key": ("Détruire la clé", "Delete the key"),
    "destruction.step.objects": ("Détruire l’objet, toutes versions", "Delete the object, every version"),
    "destruction.step.absence": ("Constater l’absence", "See that it is absent"),
    "destruction.step.certificate": ("Signer l’attestation", "Sign the certificate"),
    "destruction.stuck": ("Bloqué", "Stuck"),
    "destruction.stuck_lead": (
        "Ce que deux passages n’ont pas emporté ou pas terminé.",
        "What two runs did not take, or did not end.",
    ),
    "destruction.stuck_none": ("Rien n’est bloqué.", "Nothing is stuck."),
    "destruction.stuck.not_begun": (
        "Échu sans que la destruction ait commencé : le DAG expire_recordings ne passe pas, ou échoue avant "
        "l’autorisation (horloge, base).",
        "Due, and its destruction has not begun: the Dag expire_recordings does not run, or fails before the "
        "authorisation (clock, database).",
    ),
    "destruction.stuck.tombstone": (
        "L’empreinte résiduelle n’est pas publiée : le stockage des preuves ou le trousseau ne répond pas. La clé "
        "est encore là.",
        "The tombstone is not published: the evidence bucket or the keyring does not answer. The key is still there.",
    ),
    "destruction.stuck.key": (
        "La clé n’est pas encore détruite : la base ne répond pas.",
        "The key is not deleted yet: the database does not answer.",
    ),
    "destruction.stuck.objects": (
        "La clé est détruite ; l’objet reste : le stockage ne répond pas.",
        "The key is deleted; the object is left: the store does not answer.",
    ),
    "destruction.stuck.absence": (
        "L’absence n’est pas constatée : le stockage ne répond pas, ou quelqu’un écrit encore sous ce nom "
        "(still_listed).",
        "Its absence is not seen: the store does not answer, or somebody still writes under that name "
        "(still_listed).",
    ),
    "destruction.stuck.certificate": (
        "L’attestation n’est pas signée : le trousseau ne répond pas.",
        "The certificate is not signed: the keyring does not answer.",
    ),
    "destruction.unpublished": (
        "{count} attestations signées ne sont pas encore publiées dans le stockage des preuves.",
        "{count} signed certificates are not yet published in the evidence bucket.",
    ),
    "destruction.epochs": ("Lots échus qui restent ouverts", "Epochs past their day that stay open"),
    "destruction.epochs_none": ("Aucun lot échu ne reste ouvert.", "No epoch past its day stays open."),
    "destruction.epoch": ("Lot d’échéance", "Epoch"),
    "destruction.epoch.held": (
        "Des exemplaires sont encore sous ce lot : ils attendent, ou leur destruction est en cours.",
        "Artifacts are still under it: they wait, or are being destroyed.",
    ),
    "destruction.epoch.empty": (
        "Plus rien sous ce lot : sa clé est détruite au prochain passage.",
        "Nothing is left under it: its key is destroyed by the next run.",
    ),
    "destruction.epoch.closing": (
        "La destruction de sa clé a commencé : le trousseau ne répond pas.",
        "The destruction of its key has begun: the keyring does not answer.",
    ),
    "destruction.examples": ("Dont", "Such as"),
    "destruction.done": ("Fait", "Done"),
    "destruction.done_none": (
        "Aucun passage n’a encore rien trouvé d’échu.",
        "No run has found anything due yet.",
    ),
    "destruction.run": ("Passage", "Run"),
    "destruction.how": ("Autorisation", "Authorisation"),
    "destruction.run.dry": ("à blanc", "dry run"),
    "destruction.run.authorised": ("autorisé", "authorised"),
    "destruction.run.not_authorised": ("pas autorisé", "not authorised"),
    "destruction.certified": ("Attestés", "Certified"),
    "destruction.logical": ("dont logiques", "logical"),
    "destruction.cryptographic": ("dont cryptographiques", "cryptographic"),
    "destruction.proofs": (
        "Logique : la clé de l’exemplaire est effacée et l’absence constatée. Cryptographique : la clé du lot est "
        "détruite aussi.",
        "Logical: the artifact’s key is deleted and its absence was seen. Cryptographic: the epoch’s key is destroyed "
        "too.",
    ),
}
