"""What the desk says, in French and English: one table of keys × languages.

A page asks for a key; a key that is missing is a fault of ours and raises KeyError.
"""

from __future__ import annotations

LANGUAGES = ("fr", "en")

# key: (French, English)
TEXTS: dict[str, tuple[str, str]] = {
    "name": ("Consigne", "Consigne"),
    "skip": ("Aller au contenu", "Skip to content"),
    "language": ("Langue", "Language"),
    "language.fr": ("Français", "Français"),
    "language.en": ("English", "English"),
    "signed_in": ("Connecté : {user}", "Signed in as {user}"),
    "nav": ("Rubriques", "Pages"),
    "waiting": ("En attente de moi", "Waiting for me"),
    "decide": ("Décider", "Decide"),
    # waiting
    "waiting.lead": (
        "Demandes de prolongation, de la plus lourde de conséquences à la moins lourde.",
        "Requests to keep recordings longer, the weightiest consequence first.",
    ),
    "waiting.to_decide": ("À décider", "To decide"),
    "waiting.asked": ("Ce que j’ai demandé", "What I asked for"),
    "waiting.none": ("Rien n’attend votre décision.", "Nothing waits for your decision."),
    "waiting.none_asked": ("Vous n’avez rien demandé.", "You have asked for nothing."),
    "waiting.open": ("Examiner et décider", "Review and decide"),
    "waiting.more": ("Les {count} premières sont montrées.", "The first {count} are shown."),
    "request": ("Demande {short}", "Request {short}"),
    "left": ("{time} pour répondre", "{time} left to answer"),
    "left.none": ("Délai échu", "Time is up"),
    "asked_by": ("Demandé par {user}", "Asked by {user}"),
    "items.one": ("1 élément", "1 item"),
    "items.many": ("{count} éléments", "{count} items"),
    "silence.at_lapse": (
        "Sans réponse avant le {lapses} : refusé, et détruit aussitôt.",
        "No answer by {lapses}: refused, and destroyed at once.",
    ),
    "silence.at_due": (
        "Sans réponse avant le {lapses} : refusé ; détruit à l’échéance, le {due}.",
        "No answer by {lapses}: refused; destroyed when due, on {due}.",
    ),
    "state.pending": ("En attente", "Waiting"),
    "state.decided": ("Décidée", "Decided"),
    "state.lapsed": ("Échue sans réponse : refusée", "Lapsed without an answer: refused"),
    # decide
    "decide.title": ("Conserver plus longtemps ?", "Keep it longer?"),
    "decide.what": ("La demande", "The request"),
    "decide.requester": ("Demandeur", "Requester"),
    "decide.ground": ("Motif", "Ground"),
    "decide.until": ("Conserver jusqu’au", "Keep until"),
    "decide.filed": ("Déposée le", "Filed on"),
    "decide.lapses": ("Réponse avant le", "Answer by"),
    "decide.why": ("Nécessité, selon le demandeur", "Necessity, in the requester’s words"),
    "decide.silence": ("Si personne ne répond", "If nobody answers"),
    "decide.digest": ("Empreinte de la demande", "Digest of the request"),
    "decide.digest_note": (
        "La décision porte sur cette version de la demande et sur aucune autre.",
        "The decision is bound to this version of the request and to no other.",
    ),
    "decide.recording": ("Enregistrement", "Recording"),
    "decide.started": ("Début de l’appel", "Call started"),
    "decide.duration": ("Durée", "Duration"),
    "decide.queue": ("File", "Queue"),
    "decide.agent": ("Conseiller", "Adviser"),
    "decide.call_language": ("Langue de l’appel", "Language of the call"),
    "decide.notice": ("Annonce entendue", "Notice heard"),
    "decide.policy": ("Version de la politique", "Policy version"),
    "decide.parts": ("Éléments demandés", "Parts asked for"),
    "decide.part": ("Élément", "Part"),
    "decide.due": ("Échéance", "Due"),
    "decide.asked": ("Demandé", "Asked"),
    "decide.cap": ("Plafond", "Cap"),
    "decide.state": ("État", "State"),
    "decide.clock": ("Calendrier", "Clock"),
    "decide.received": ("Reçu", "Received"),
    "decide.now": ("Aujourd’hui", "Today"),
    "decide.masked": ("Passages masqués", "Masked passages"),
    "decide.masked_none": ("Aucun", "None"),
    "decide.listened": ("Écoutes et exports", "Listened to and exported"),
    "decide.listened_none": ("Personne ne l’a écouté.", "Nobody has listened to it."),
    "decide.attempts": ("Tentatives de tiers sur cette demande", "Attempts by others on this request"),
    "decide.earlier": ("Décisions antérieures", "Earlier decisions"),
    "decide.earlier_none": ("Aucune", "None"),
    "decide.by": ("par {user}", "by {user}"),
    "decide.refused_attempt": ("refusé", "denied"),
    "decide.unchanged": ("Échéance inchangée", "Due date unchanged"),
    "decide.your_answer": ("Votre décision", "Your decision"),
    "answer.refuse": ("Refuser", "Refuse"),
    "answer.refuse.hint": ("La destruction a lieu à l’échéance.", "Destroyed when due."),
    "answer.extend": ("Prolonger", "Extend"),
    "answer.extend.hint": (
        "Les mêmes personnes peuvent écouter, pour les mêmes raisons.",
        "The same people may listen, for the same reasons.",
    ),
    "answer.extend_and_restrict": ("Prolonger et limiter", "Extend and restrict"),
    "answer.extend_and_restrict.hint": (
        "Conservé, mais personne ne peut plus écouter.",
        "Kept, but nobody may listen any more.",
    ),
    "form.until": ("Jusqu’au", "Until"),
    "form.until_hint": (
        "Au plus tard le {date}, la date demandée. Utilisé si vous prolongez.",
        "At the latest {date}, as asked. Used where you extend.",
    ),
    "form.reason": ("Motivation (obligatoire)", "Reason (required)"),
    "form.reason_hint": (
        "Conservée au journal. Ni nom d’appelant, ni contenu de l’appel.",
        "Kept in the register. No caller’s name, nothing said in the call.",
    ),
    "form.submit": ("Enregistrer la décision", "Record the decision"),
    "form.changed": (
        "Rien n’a été enregistré : {why}",
        "Nothing was recorded: {why}",
    ),
    # outcome
    "outcome.title": ("Décision enregistrée", "Decision recorded"),
    "outcome.line": ("{answer}, par {user}, le {at}.", "{answer}, by {user}, on {at}."),
    "outcome.until": ("Conservé jusqu’au {until}.", "Kept until {until}."),
    "outcome.applied": ("Appliquée le {at}.", "Applied on {at}."),
    "outcome.applying": (
        "Elle est au journal. La tâche d’Airflow reçoit la réponse dans les secondes qui suivent, "
        "puis les échéances sont déplacées.",
        "It is in the register. Airflow’s task is answered within seconds, then the due dates move.",
    ),
    "outcome.refused": (
        "Elle est au journal. La tâche d’Airflow reçoit la réponse dans les secondes qui suivent ; "
        "l’échéance ne bouge pas.",
        "It is in the register. Airflow’s task is answered within seconds; the due date stays.",
    ),
    "outcome.reason": ("Motivation", "Reason"),
    "back": ("Retour à « En attente de moi »", "Back to “Waiting for me”"),
    # faults
    "fault.denied": ("Accès refusé", "Not allowed"),
    "fault.denied.text": (
        "Cette page ne vous est pas ouverte. La tentative est inscrite au journal.",
        "This page is not open to you. The attempt is in the register.",
    ),
    "fault.closed": ("Accès refusé", "Not allowed"),
    "fault.closed.text": (
        "Votre compte n’a pas accès à Consigne.",
        "Your account has no access to Consigne.",
    ),
    "fault.absent": ("Introuvable", "Not found"),
    "fault.absent.text": ("Il n’y a rien à cette adresse.", "There is nothing at this address."),
    "fault.unavailable": ("Indisponible", "Unavailable"),
    "fault.unavailable.text": (
        "Ces données ne peuvent pas être lues pour le moment. Réessayez dans un instant ; "
        "rien n’a été perdu.",
        "This cannot be read just now. Try again in a moment; nothing was lost.",
    ),
    "fault.broken": ("Erreur", "Error"),
    "fault.broken.text": (
        "Une erreur s’est produite ; elle est de notre fait. L’exploitation en trouve la trace au journal "
        "technique.",
        "Something went wrong, and it is our fault. Operations find the trace in the technical log.",
    ),
    "fault.forged": ("Formulaire périmé", "This form has expired"),
    "fault.forged.text": (
        "La page est trop ancienne ou n’a pas été envoyée d’ici. Rien n’a été enregistré : rouvrez-la.",
        "The page is too old or was not sent from here. Nothing was recorded: open it again.",
    ),
    "fault.bad_input": ("Saisie incomplète", "Incomplete input"),
    "fault.bad_input.text": (
        "Un champ manque ou n’a pas la forme attendue. Rien n’a été enregistré.",
        "A field is missing or malformed. Nothing was recorded.",
    ),
    # why an answer was not taken
    "why.reason": ("la motivation manque.", "the reason is missing."),
    "why.until": (
        "la date manque ou est illisible.",
        "the date is missing or cannot be read.",
    ),
    "why.answer": ("choisissez une réponse.", "choose an answer."),
    "why.digest_differs": (
        "la demande a changé depuis que la page a été ouverte. Relisez-la.",
        "the request has changed since the page was opened. Read it again.",
    ),
    "why.already_decided": ("une décision existe déjà.", "a decision exists already."),
    "why.lapsed": ("le délai est échu : refusé par défaut.", "the time is up: refused by default."),
    "why.beyond_request": (
        "la date dépasse ce qui a été demandé.",
        "the date is later than what was asked.",
    ),
    "why.not_later": (
        "la date ne dépasse pas l’échéance actuelle.",
        "the date is no later than the due date.",
    ),
    "why.step_too_long": (
        "la prolongation dépasse ce que la politique permet en une fois.",
        "the extension is longer than the policy allows in one step.",
    ),
    "why.past_cap": ("la date dépasse le plafond.", "the date is past the cap."),
    "why.not_kept": ("il n’y a plus rien à conserver.", "there is nothing left to keep."),
    "why.other": (
        "la demande ne peut plus recevoir cette réponse.",
        "the request can no longer take this answer.",
    ),
    # words of the catalog
    "part.audio": ("Audio", "Audio"),
    "part.transcript": ("Transcription", "Transcript"),
    "part.analysis_sheet": ("Fiche d’analyse", "Analysis sheet"),
    "artifact.storing": ("en dépôt", "being stored"),
    "artifact.kept": ("conservé", "kept"),
    "artifact.erasing": ("en cours d’effacement", "being erased"),
    "artifact.erased": ("détruit", "erased"),
    "restricted": ("limité : personne n’écoute", "restricted: nobody listens"),
    "kind.card": ("numéro de carte", "card number"),
    "kind.code": ("code de vérification", "verification code"),
    "kind.expiry": ("date d’expiration", "expiry date"),
    "kind.tone": ("touches du clavier", "keyed tones"),
    "verb.listen": ("écouté", "listened"),
    "verb.export": ("exporté", "exported"),
    "ground.dispute": ("litige", "dispute"),
    "ground.teaching_case": ("cas d’école", "teaching case"),
    "reason.coaching": ("accompagnement", "coaching"),
    "reason.appraisal": ("évaluation", "appraisal"),
}
