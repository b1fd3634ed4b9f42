"""What is said on *Certificates*, and on the sheet that goes into a file."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "certificates": ("Attestations", "Certificates"),
    "certificates.lead": (
        "Ce qui a été détruit, la plus récente en tête. Chaque attestation est signée et se vérifie hors ligne, sans "
        "Consigne.",
        "What was destroyed, the newest first. Each certificate is signed and can be checked offline, without "
        "Consigne.",
    ),
    "certificates.search": ("Rechercher", "Search"),
    "certificates.text": ("Identifiant, lot ou appel", "Identifier, epoch or call"),
    "certificates.text_hint": (
        "D’un exemplaire, d’un enregistrement, d’une attestation ; le nom d’un lot d’échéance ; ou l’identifiant de "
        "l’appel à sa source.",
        "Of an artifact, a recording or a certificate; an epoch’s name; or the call’s identifier at its source.",
    ),
    "certificates.scope": ("De quoi", "Of what"),
    "certificates.any": ("Tout", "Anything"),
    "certificates.from": ("Établie du", "Issued from"),
    "certificates.until": ("au", "to"),
    "certificates.clear": ("Effacer les filtres", "Clear the filters"),
    "certificates.found": ("Attestations trouvées", "Certificates found"),
    "certificates.none": ("Aucune attestation.", "No certificate."),
    "certificates.wrong": (
        "Cette date ou cet identifiant ne convient pas.",
        "That date or identifier does not fit.",
    ),
    "certificates.issued": ("Établie le", "Issued"),
    "certificates.of": ("De", "Of"),
    "certificates.proof": ("Preuve", "Proof"),
    "certificates.after": ("Irrécupérable après", "Irrecoverable after"),
    "certificates.pages": ("Pages", "Pages"),
    "scope.artifact": ("un exemplaire", "an artifact"),
    "scope.epoch": ("un lot d’échéance", "an epoch"),
    # one certificate
    "certificate.title": ("Attestation de destruction", "Certificate of destruction"),
    "certificate.back": ("Retour aux attestations", "Back to the certificates"),
    "certificate.proof.logical": ("preuve logique", "logical proof"),
    "certificate.proof.cryptographic": ("preuve cryptographique", "cryptographic proof"),
    "certificate.about.artifact": (
        "Un exemplaire chiffré d’un enregistrement a été détruit.",
        "An encrypted artifact of a recording was destroyed.",
    ),
    "certificate.about.epoch": (
        "La clé d’un lot d’échéance a été détruite : elle enveloppait les clés des exemplaires nommés ici.",
        "The key of an epoch was destroyed: it wrapped the keys of the artifacts named here.",
    ),
    "certificate.what": ("Ce qui a été détruit", "What was destroyed"),
    "certificate.how": ("Comment", "How"),
    "certificate.shows": ("Ce que cela prouve", "What this proves"),
    "certificate.shows_not": ("Ce que cela ne prouve pas", "What this does not prove"),
    "certificate.checks": ("Pour vérifier", "To check it"),
    "certificate.checks_how": (
        "Cette feuille se lit ; c’est le fichier qui est signé. Avec le fichier, ceux de ses lots d’échéance et la clé "
        "publique : python3 consigne-verify.pyz --key public-key.txt <dossier>. Comparez l’empreinte de la clé avec "
        "celle que vous tenez d’ailleurs.",
        "This sheet is to be read; it is the file that is signed. With the file, those of its epochs and the public "
        "key: python3 consigne-verify.pyz --key public-key.txt <folder>. Compare the key’s fingerprint with one that "
        "you have from elsewhere.",
    ),
    "certificate.artifact": ("Exemplaire", "Artifact"),
    "certificate.recording": ("Enregistrement", "Recording"),
    "certificate.purpose": ("Finalité", "Purpose"),
    "certificate.part": ("Élément", "Part"),
    "certificate.due": ("Échéance", "Due"),
    "certificate.ground": ("Motif de la destruction", "Why it went"),
    "certificate.policy": ("Politique", "Policy"),
    "certificate.object": ("Objet dans le stockage", "Object in the store"),
    "certificate.epoch": ("Lot d’échéance", "Epoch"),
    "certificate.artifacts": ("Exemplaires", "Artifacts"),
    "certificate.ground.period_ended": ("sa durée de conservation est finie", "its retention ended"),
    "certificate.ground.objected": ("l’appelant s’est opposé", "the caller objected"),
    "certificate.ground.kept_under_another_purpose": (
        "conservé pour une autre finalité, sous une autre clé",
        "kept under another purpose, under another key",
    ),
    "certificate.key_row": (
        "Clé de l’exemplaire supprimée du catalogue",
        "Its key row deleted from the catalog",
    ),
    "certificate.absent": (
        "Absence constatée dans le stockage",
        "Seen to be absent from the store",
    ),
    "certificate.removed": (
        "versions supprimées : {versions}, dépôts inachevés annulés : {uploads}",
        "versions deleted: {versions}, incomplete uploads aborted: {uploads}",
    ),
    "certificate.drives_away": ("Disques absents alors", "Drives away at that time"),
    "certificate.drives": (
        "{number}, moins de la moitié de chaque groupe ; ce qu’ils en gardent, illisible, est supprimé à leur retour",
        "{number}, fewer than half of each set; what they hold of it, unreadable, is deleted when they are back",
    ),
    "certificate.epoch_destroyed": ("Clé du lot {epoch} détruite", "Key of epoch {epoch} destroyed"),
    "certificate.destroyed": ("Clé du lot détruite", "The epoch’s key destroyed"),
    "certificate.issued": ("Attestation établie", "Certificate issued"),
    "certificate.proves.artifact": (
        "La clé de l’exemplaire a été supprimée, puis toutes les versions de l’objet ; la liste du stockage était vide "
        "à l’instant indiqué.",
        "The artifact’s key was deleted, then every version of the object; the store’s list was empty at the instant "
        "given.",
    ),
    "certificate.proves.epoch": (
        "Le trousseau a déclaré avoir détruit la clé à l’instant indiqué ; son nom ne servira plus jamais.",
        "The keyring reported that it had destroyed the key at the instant given; its name is never used again.",
    ),
    "certificate.proves.cryptographic": (
        "Chaque clé de lot qui a jamais enveloppé la clé de l’exemplaire est déclarée détruite et attestée telle : une "
        "copie de l’objet ne peut plus être lue qu’avec une sauvegarde du trousseau et de la base.",
        "Every epoch’s key that ever wrapped the artifact’s key was reported destroyed, and is certified so: a copy of "
        "the object can only be read with a backup of the keyring and the database.",
    ),
    "certificate.horizon": (
        "Si les durées déclarées des sauvegardes sont tenues (base {database}, trousseau {keyring}), aucune copie n’est "
        "lisible après : {at}.",
        "If the declared lives of backups are kept (database {database}, keyring {keyring}), no copy can be read after "
        "{at}.",
    ),
    "certificate.no_backup": ("aucune déclarée", "none declared"),
    "certificate.missing": (
        "La preuve est logique : la clé du lot {epochs} n’est pas encore attestée détruite. Qui détient une copie de "
        "l’objet, de sa clé et du trousseau pourrait encore le lire.",
        "The proof is logical: the key of epoch {epochs} is not yet certified destroyed. Whoever holds a copy of the "
        "object, of its key row and of the keyring could still read it.",
    ),
    "certificate.assured.logical": (
        "Assurance « logique » : un logiciel seul tenait la clé du lot ; il a écrasé puis supprimé son fichier. Un disque "
        "SSD, un instantané ou un système de fichiers à copie sur écriture peut garder l’ancien bloc.",
        "Assurance “logical”: software alone held the epoch’s key; it overwrote and removed its file. A solid-state "
        "disk, a snapshot or a copy-on-write file system may hold the old block still.",
    ),
    "certificate.assured.provider-attested": (
        "Assurance « attestée par le fournisseur » : un service de clés déclare avoir supprimé une clé qu’il n’a jamais "
        "livrée ; ses propres sauvegardes relèvent de son exploitant.",
        "Assurance “provider-attested”: a key service reports that it deleted a key that it never gave out; its own "
        "backups are its operator’s to say.",
    ),
    "certificate.assured.hsm": (
        "Assurance « matériel » : un module a détruit une clé qui ne pouvait pas en être lue ; une sauvegarde du module "
        "lui-même relève de son exploitant.",
        "Assurance “hsm”: a token destroyed a key that could not be read out of it; a backup of the token itself is "
        "its operator’s to say.",
    ),
    "certificate.no_copy": (
        "Qu’aucune copie des octets ne reste sur un disque, dans un instantané ou une sauvegarde : aucune attestation ne "
        "peut le prouver.",
        "That no copy of the bytes is left on a disk, in a snapshot or in a backup: no certificate can prove it.",
    ),
    "certificate.signers_clock": (
        "Les instants sont ceux de l’horloge du signataire.",
        "The instants are of the signer’s clock.",
    ),
    "certificate.test": (
        "Établie sous une horloge d’essai, décalée de {seconds} s : ses instants ne sont pas réels.",
        "Made under a test clock, shifted by {seconds} s: its instants are not real.",
    ),
    "certificate.check.file": ("Fichier", "File"),
    "certificate.check.sha256": ("SHA-256 du fichier", "SHA-256 of the file"),
    "certificate.check.signed_by": ("Signée par", "Signed by"),
    "certificate.check.fingerprint": ("Empreinte de la clé publique", "Fingerprint of the public key"),
    "certificate.check.entry": ("Écriture au journal (feuille)", "Entry in the register (leaf)"),
    "certificate.check.origin": ("Journal", "Register"),
    "certificate.take_proof": (
        "Tout pour vérifier (ZIP : fichiers, preuves, clé, vérificateur)",
        "All that checks it (ZIP: files, proofs, key, verifier)",
    ),
    "certificate.take_file": ("Le fichier signé (JSON)", "The signed file (JSON)"),
    "certificate.take_french": ("Une page en français (PDF)", "One page in French (PDF)"),
    "certificate.take_english": ("Une page en anglais (PDF)", "One page in English (PDF)"),
    "certificate.take": ("À emporter", "To take away"),
    "certificate.broken": (
        "Cette attestation ne se vérifie pas : elle a été modifiée dans le catalogue. Alertez l’auditeur ; l’original est "
        "dans le stockage des preuves.",
        "This certificate does not verify: it was changed in the catalog. Call the auditor; the original is in the "
        "evidence bucket.",
    ),
    "certificate.sheet": (
        "{controller} · feuille établie le {at} · une page",
        "{controller} · sheet made on {at} · one page",
    ),
}
