"""Why a delivery stands where it stands, in words that an operator acts on: one sentence for each code of
contract.md and each check, in French and English. A sentence names a field, never a value."""

from __future__ import annotations

from collections.abc import Sequence

from consigne.rules.checks import CHECKS

LANGUAGES = ("fr", "en")

_FIELD = " ({field})"
"""What the code's detail names: a field of the delivery, or a check of the proof. Left out where nobody said."""

# A code or a check's id: (French, English).
SENTENCES: dict[str, tuple[str, str]] = {
    # refused: a rule said no, and the source is cleared
    "unknown_purpose": (
        "Finalité absente de la politique en vigueur : la source doit corriger « purposes ».",
        "The policy in force has no such purpose: the source must correct “purposes”.",
    ),
    "no_purpose": (
        "Aucune finalité demandée, et aucune prévue pour cette file : compléter « purposes », ou le routage.",
        "No purpose asked for, and none routed for this queue: fill in “purposes”, or the policy's routing.",
    ),
    "no_policy_at_start": (
        "L’appel est antérieur à la politique ou à sa finalité : à signaler au DPO.",
        "The call is older than the policy or its purpose: tell the DPO.",
    ),
    "outside_period": (
        "Hors des jours et heures de la finalité : rien à faire, sauf si la politique se trompe.",
        "Outside the purpose's days and hours: nothing to do, unless the policy is wrong.",
    ),
    "not_drawn": ("Non tiré au sort : c’est la règle.", "Not in the sample: this is the rule."),
    "not_announced": (
        "L’appelant n’a entendu aucune annonce : faire vérifier la téléphonie aujourd’hui.",
        "The caller heard no announcement: have the telephone system checked today.",
    ),
    "announced_late": (
        "Annonce entendue trop tard : faire avancer l’annonce dans la téléphonie.",
        "The announcement came too late: have it played earlier.",
    ),
    "notice_does_not_cover": (
        "L’annonce entendue ne couvre pas cette finalité : à signaler au DPO.",
        "The announcement heard does not cover this purpose: tell the DPO.",
    ),
    "objected": ("L’appelant s’y est opposé : rien à faire.", "The caller objected: nothing to do."),
    "agent_not_informed": (
        "Le conseiller n’avait pas pris acte de l’information au début de l’appel : voir son responsable.",
        "The adviser had not acknowledged the notice when the call began: see their manager.",
    ),
    "past_due": (
        "Sa durée de conservation était déjà écoulée : la source livre trop tard.",
        "Its period had ended before it came: the source delivers too late.",
    ),
    "delivered_before": (
        "Le même appel a déjà été livré : la source doit cesser de le renvoyer.",
        "The same call was delivered before: the source must stop sending it again.",
    ),
    "erased_before": (
        "Le même appel a déjà été détruit : la source ne doit plus le livrer ; prévenir le DPO.",
        "The same call was destroyed before: the source must not deliver it again; tell the DPO.",
    ),
    "start_in_future": (
        "L’appel commence dans le futur : mettre à l’heure la téléphonie.",
        "The call starts in the future: set the telephone system's clock right.",
    ),
    "start_before_horizon": (
        "L’appel a commencé plus de 30 jours avant sa livraison : la source livre trop tard.",
        "The call began over 30 days before it came: the source delivers too late.",
    ),
    "needs_human_trigger": (
        "Cet enregistrement doit être déclenché par une personne : la source doit envoyer « trigger ».",
        "A person must start this recording: the source must send “trigger”.",
    ),
    "other_proof_exists": (
        "Le contrat a une autre preuve : l’enregistrement n’est pas nécessaire.",
        "The contract has another proof: the recording is not needed.",
    ),
    # quarantined: it stays at its source until the deadline
    "bad_json": (
        "Le fichier JSON est illisible ou manque : la source doit le renvoyer.",
        "The JSON cannot be read or never came: the source must send it again.",
    ),
    "bad_field": (
        "Un champ n’est pas conforme ({field}) : la source doit le corriger, puis remplacer le fichier.",
        "A field is not as it must be ({field}): the source must correct it, then replace the file.",
    ),
    "missing_audio": (
        "Le fichier audio manque ou ne peut pas être ouvert : vérifier les droits, ou le faire renvoyer.",
        "The audio file is missing or may not be opened: check permissions, or have it sent again.",
    ),
    "unreadable_audio": (
        "Le son est vide ou endommagé : la source doit renvoyer le fichier.",
        "The sound is empty or broken: the source must send the file again.",
    ),
    "format_mismatch": (
        "Le fichier audio n’est pas ce qui est annoncé ({field}) : la source doit corriger l’un ou l’autre.",
        "The audio file is not what is stated ({field}): the source must correct one or the other.",
    ),
    "duration_mismatch": (
        "La durée du son et celle des métadonnées diffèrent : vérifier que ce sont les fichiers du même appel.",
        "The sound and the metadata differ in length: check that both files are of the same call.",
    ),
    "too_large": (
        "Plus volumineux que la politique ne le permet : prévenir le DPO si de tels appels sont voulus.",
        "Larger than the policy allows: tell the DPO, if such calls are meant.",
    ),
    "too_long": (
        "Plus long que la politique ne le permet : prévenir le DPO si de tels appels sont voulus.",
        "Longer than the policy allows: tell the DPO, if such calls are meant.",
    ),
    "id_reused": (
        "Le même identifiant désigne deux contenus : la source doit en donner un à chaque appel.",
        "One id names two contents: the source must give each call an id of its own.",
    ),
    "needs_transcript": (
        "La finalité exige une transcription et il n’y en a pas ({field}) : la source doit l’ajouter, ou un moteur "
        "de transcription doit être configuré.",
        "The purpose needs a transcript and there is none ({field}): the source must add it, or a transcriber "
        "must be configured.",
    ),
    "not_proven": (
        "Le masquage n’a pas passé sa preuve ({field}) ; rien n’a été stocké. Réessayer une fois, puis prévenir les "
        "développeurs, sans le fichier.",
        "The masking failed its proof ({field}); nothing was stored. Try once, then tell the developers, without "
        "the file.",
    ),
    "suspected_missed": (
        "Un numéro pourrait s’y cacher ({field}) ; rien n’a été stocké. À laisser : l’échéance l’efface.",
        "A number may hide in it ({field}); nothing was stored. Leave it: the deadline clears it.",
    ),
    # checks on the metadata
    "json_is_small": (
        "Le fichier JSON dépasse la taille permise : la source doit l’alléger.",
        "The JSON is larger than allowed: the source must make it smaller.",
    ),
    "json_is_readable": (
        "Le fichier JSON est illisible, ou répète une clé : la source doit le corriger.",
        "The JSON cannot be read, or repeats a key: the source must correct it.",
    ),
    "fields_are_right": (
        "Un champ manque, est inconnu ou n’a pas la forme attendue ({field}) : voir native-delivery.schema.json.",
        "A field is missing, unknown or malformed ({field}): see native-delivery.schema.json.",
    ),
    "id_is_plain": (
        "L’identifiant doit avoir 1 à 128 caractères ASCII sans espace.",
        "The id must be 1 to 128 ASCII characters without spaces.",
    ),
    "agent_is_plain": (
        "Le conseiller doit être nommé en 1 à 64 lettres, chiffres ou signes simples.",
        "The adviser must be named in 1 to 64 letters, digits or plain signs.",
    ),
    "queue_is_plain": (
        "La file doit être nommée en 1 à 64 lettres, chiffres ou signes simples.",
        "The queue must be named in 1 to 64 letters, digits or plain signs.",
    ),
    "direction_is_known": (
        "« direction » doit être inbound, outbound ou internal.",
        "“direction” must be inbound, outbound or internal.",
    ),
    "caller_is_number": (
        "« caller » doit être un numéro sans espaces, ou anonymous.",
        "“caller” must be a number without spaces, or anonymous.",
    ),
    "callee_is_number": (
        "« callee » doit être un numéro sans espaces, ou anonymous.",
        "“callee” must be a number without spaces, or anonymous.",
    ),
    "language_is_tag": (
        "« language » doit être une étiquette telle que fr ou fr-FR.",
        "“language” must be a tag such as fr or fr-FR.",
    ),
    "purposes_are_names": (
        "« purposes » doit contenir les noms de finalités de la politique.",
        "“purposes” must hold names of the policy's purposes.",
    ),
    "call_has_length": (
        "L’appel finit avant d’avoir commencé : corriger « started_at » et « ended_at ».",
        "The call ends before it began: correct “started_at” and “ended_at”.",
    ),
    "call_is_within_cap": (
        "L’appel est plus long que la politique ne le permet : prévenir le DPO si de tels appels sont voulus.",
        "The call is longer than the policy allows: tell the DPO, if such calls are meant.",
    ),
    "channels_are_few": (
        "« channels » doit nommer 1 à 8 canaux.",
        "“channels” must name 1 to 8 channels.",
    ),
    "channels_are_distinct": (
        "« channels » nomme deux fois le même canal.",
        "“channels” names one channel twice.",
    ),
    "notice_is_within_call": (
        "L’annonce est située hors de l’appel : corriger « notice.played_at_s », en secondes depuis le début.",
        "The notice lies outside the call: correct “notice.played_at_s”, in seconds from the start.",
    ),
    "objection_is_within_call": (
        "L’opposition est située hors de l’appel : corriger « objection.at_s », en secondes depuis le début.",
        "The objection lies outside the call: correct “objection.at_s”, in seconds from the start.",
    ),
    "words_run_forward": (
        "Un mot de la transcription finit avant de commencer : corriger ses temps.",
        "A word of the transcript ends before it begins: correct its times.",
    ),
    "words_are_within_call": (
        "Un mot de la transcription est hors de l’appel : est-ce bien celle de cet appel, en secondes ?",
        "A word of the transcript lies outside the call: is it this call's, in seconds?",
    ),
    "clock_runs_right": (
        "L’appel finit après avoir été reçu : l’horloge de la source avance ; la mettre à l’heure.",
        "The call ends after it was received: the source's clock runs ahead; set it right.",
    ),
    "notice_precedes_caller": (
        "L’appelant parle avant l’annonce : faire jouer l’annonce dès le décroché.",
        "The caller speaks before the notice: have it played as soon as the call is answered.",
    ),
    "language_is_spoken": (
        "La transcription n’est pas dans la langue indiquée : corriger « language », ou le moteur de transcription.",
        "The transcript is not in the language stated: correct “language”, or the transcriber's setting.",
    ),
    # checks on the file and its sound
    "container_is_known": (
        "Le contenu du fichier audio n’est pas celui de son suffixe, ou ce format ou codec n’est pas lu ici.",
        "The audio file's content is not what its suffix says, or this container or codec is not read here.",
    ),
    "sound_is_readable": (
        "Le son est vide ou endommagé, ou son en-tête ment : la source doit renvoyer le fichier.",
        "The sound is empty or broken, or its header lies: the source must send the file again.",
    ),
    "sound_is_within_cap": (
        "Le son est plus long que la politique ne le permet : prévenir le DPO si de tels appels sont voulus.",
        "The sound is longer than the policy allows: tell the DPO, if such calls are meant.",
    ),
    "sound_is_small": (
        "Le son décodé est trop volumineux : moins de canaux, ou une fréquence plus basse.",
        "The decoded sound is too large: fewer channels, or a lower sampling rate.",
    ),
    "length_is_as_stated": (
        "Le son dure plus ou moins que l’appel annoncé (de plus de 2 s et 2 %) : fichiers du même appel ?",
        "The sound is longer or shorter than the call (by over 2 s and 2 %): are both files of the same call?",
    ),
    "channels_are_as_stated": (
        "Le son n’a pas autant de canaux que « channels » en nomme.",
        "The sound does not have as many channels as “channels” names.",
    ),
    "words_are_within_audio": (
        "Un mot de la transcription est au-delà de la fin du son : est-ce bien celle de cet appel, en secondes ?",
        "A word of the transcript lies beyond the end of the sound: is it this call's, in seconds?",
    ),
    "sound_is_heard": (
        "Presque tout l’enregistrement est silencieux : faire vérifier la prise de son.",
        "Nearly all of the recording is silent: have the recorder checked.",
    ),
    "channels_are_heard": (
        "Un canal est silencieux d’un bout à l’autre : faire vérifier son raccordement.",
        "A channel is silent all through: have its connection checked.",
    ),
    "channels_differ": (
        "Deux canaux portent le même son : la source ne sépare pas les voix.",
        "Two channels carry the same sound: the source does not keep the voices apart.",
    ),
    "sound_is_not_clipped": (
        "Le son est écrêté (trop fort) : baisser le niveau d’enregistrement.",
        "The sound is clipped (too loud): lower the recording level.",
    ),
    "words_have_sound": (
        "La plupart des mots de la transcription tombent dans du silence : est-ce bien celle de cet appel ?",
        "Most words of the transcript fall into silence: is it this call's?",
    ),
}
_BY_ID = {check.id: check for check in CHECKS}


def sentence(key: str, language: str, field: str = "") -> str:
    """The sentence of a code or a check; a key that is not in the table is shown as it is."""
    if key not in SENTENCES:
        return key
    text = SENTENCES[key][LANGUAGES.index(language)]
    return text.format(field=field) if field else text.replace(_FIELD, "")


def told(code: str | None, detail: str | None, findings: Sequence[str], language: str) -> list[str]:
    """Sentences on a delivery: why it was refused or quarantined, then all else that its checks found."""
    failed = [_BY_ID[id] for id in findings if id in _BY_ID]
    why = next((check for check in failed if code and check.code == code), None)
    first = [sentence(why.id if why else code, language, detail or "")] if code else []
    return first + [sentence(check.id, language, check.field) for check in failed if check is not why]
