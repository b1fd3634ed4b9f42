"""What is said on *Volume*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "volume.short": ("Volume {short}", "Volume {short}"),
    "volume.title": ("Échus au-delà de la prévision : {count}", "Due beyond the forecast: {count}"),
    "volume.what": ("Ce qui est mis de côté", "What is set aside"),
    "volume.lead": (
        "Consigne prévoit chaque jour ce qui va échoir. Ce qui était prévu a été détruit aussitôt ; ce qui dépasse la "
        "prévision est mis de côté, inaudible, pour que quelqu’un regarde si c’est une erreur.",
        "Each day Consigne foretells what will fall due. What was foretold was destroyed at once; what exceeds the "
        "forecast is set aside, inaudible, so that somebody looks whether it is a mistake.",
    ),
    "volume.purpose": ("Finalité", "Purpose"),
    "volume.foretold": ("Prévus", "Foretold"),
    "volume.gone": ("Déjà détruits", "Gone already"),
    "volume.due": ("Échus", "Due"),
    "volume.set_aside": ("Mis de côté", "Set aside"),
    "volume.ends": (
        "{purpose} : échéances du {first} au {last} ; dernier plafond le {cap}.",
        "{purpose}: due from {first} to {last}; the last cap is on {cap}.",
    ),
    "volume.forecast": ("Prévision du {at}.", "Forecast of {at}."),
    "volume.parts": (
        "« Prévus » compte tout ce qui devait échoir jusqu’à ce jour. Un élément est un son, une transcription ou une "
        "fiche : un appel en a plusieurs.",
        "“Foretold” counts all that was to fall due up to that day. An item is a sound, a transcript or a sheet: a call "
        "has several.",
    ),
    "volume.silence": (
        "Sans réponse avant le {lapses} : détruit au passage suivant de l’expiration.",
        "No answer by {lapses}: destroyed by the next run of the expiry.",
    ),
    "volume.why": ("D’où cela peut venir", "Why that may be"),
    "volume.why.policy": (
        "La version {version} de la politique est en vigueur depuis le {at}, après la prévision : elle a pu avancer des "
        "échéances.",
        "Version {version} of the policy is in force since {at}, after the forecast: it may have moved ends forward.",
    ),
    "volume.why.new": (
        "Éléments déposés après la prévision, qui ne pouvait pas les compter : {count}.",
        "Items stored after the forecast, which could not count them: {count}.",
    ),
    "volume.why.unknown": (
        "Rien de ce que Consigne connaît ne l’explique : ni nouvelle version de la politique, ni dépôt récent.",
        "Nothing that Consigne knows explains it: no new version of the policy, and nothing stored of late.",
    ),
    "volume.look_at": (
        "À regarder aussi avec l’exploitation : une horloge mal réglée, des échéances modifiées hors de Consigne. Ce "
        "qu’une opposition, une décision ou le visa d’une politique a fait échoir aussitôt n’est jamais mis de côté.",
        "To look at with operations too: a clock set wrongly, ends changed from outside Consigne. What an objection, a "
        "decision or a policy’s visa ended at once is never set aside.",
    ),
    "volume.calls": ("Exemples d’appels", "Some of the calls"),
    "volume.call": ("Appel", "Call"),
    "volume.queue": ("File", "Queue"),
    "volume.began": ("Début", "Began"),
    "volume.ended": ("Échéance", "Due"),
    "volume.history": ("Au journal", "In the register"),
    "volume.your_answer": ("Votre réponse", "Your answer"),
    "volume.answer.delete": ("Détruire", "Delete"),
    "volume.answer.delete.hint": (
        "Les échéances sont justes : détruits au passage suivant, comme sans réponse.",
        "The ends are right: destroyed by the next run, as without an answer.",
    ),
    "volume.answer.hold": ("Suspendre la destruction", "Hold back the destruction"),
    "volume.answer.hold.hint": (
        "Il y a une erreur à chercher : rien n’est audible ; à la date dite, ou à son plafond, chaque élément est détruit "
        "sans autre question.",
        "There is a mistake to look for: nothing is audible; on the date given, or at its cap, each item is destroyed "
        "without another question.",
    ),
    "volume.until": ("Suspendre jusqu’au", "Hold until"),
    "volume.until_hint": (
        "Pour suspendre seulement. Au plus tard le {last}.",
        "To hold only. {last} at the latest.",
    ),
    "volume.ground": ("Motif de la suspension", "Ground for holding"),
    "volume.reason": ("Pourquoi", "Why"),
    "volume.submit": ("Enregistrer la réponse", "Record the answer"),
    "volume.digest": ("Empreinte des éléments", "Digest of the items"),
    "volume.bound": (
        "La réponse vaut pour ces éléments et aucun autre.",
        "The answer is for these items and no others.",
    ),
    "volume.outcome": ("{state}, par {user}, le {at}.", "{state}, by {user}, on {at}."),
    "volume.held": ("Suspendu jusqu’au {until}. Motif : {ground}.", "Held until {until}. Ground: {ground}."),
    "volume.left": (
        "Pas encore détruits : {count} sur {total}.",
        "Not destroyed yet: {count} of {total}.",
    ),
    "volume.state.pending": ("En attente", "Waiting"),
    "volume.state.delete": ("À détruire", "To be deleted"),
    "volume.state.hold": ("Suspendu", "Held back"),
    "volume.state.lapsed": ("Sans réponse : à détruire", "No answer: to be deleted"),
    "volume.not_taken": ("Rien n’a été enregistré : {why}", "Nothing was recorded: {why}"),
    "volume.why_not.bad_field.answer": ("choisissez une réponse.", "choose an answer."),
    "volume.why_not.bad_field.until": ("donnez une date.", "give a date."),
    "volume.why_not.bad_field.ground": ("choisissez un motif de la liste.", "choose a ground from the list."),
    "volume.why_not.bad_field.reason": (
        "dites pourquoi, sans numéro de carte, de compte ni de téléphone.",
        "say why, without card, account or telephone numbers.",
    ),
    "volume.why_not.too_long": ("le texte est trop long.", "the text is too long."),
    "volume.why_not.unprintable": (
        "le texte contient des signes qui ne peuvent pas être gardés.",
        "the text holds signs that cannot be kept.",
    ),
    "volume.why_not.until_passed": ("cette date est passée.", "that date has passed."),
    "volume.why_not.until_too_far": (
        "une suspension dure 30 jours au plus.",
        "a hold lasts 30 days at most.",
    ),
    "volume.why_not.past_cap": (
        "tous ces éléments ont atteint leur plafond : rien ne peut les garder plus longtemps, sauf un gel sur mandat.",
        "all these items have reached their cap: nothing may keep them longer, but a hold on a mandate.",
    ),
    "volume.why_not.digest_differs": (
        "les éléments ne sont plus ceux de la page. Rouvrez-la.",
        "the items are not those of the page any more. Open it again.",
    ),
    "volume.why_not.already_decided": ("une réponse a été donnée déjà.", "an answer was given already."),
    "volume.why_not.lapsed": ("les 24 heures sont passées.", "the 24 hours are over."),
    "volume.why_not.other": ("la réponse n’a pas été acceptée.", "the answer was not accepted."),
    "ground.wrong_policy": ("politique erronée", "wrong policy"),
    "ground.clock_fault": ("horloge en défaut", "faulty clock"),
    "ground.other": ("autre", "other"),
    "denied.unknown_volume": ("volume inconnu", "unknown volume"),
    "waiting.volumes": ("Plus d’échéances que prévu", "More fell due than foretold"),
    "waiting.volume_title": ("Éléments mis de côté : {count}", "Items set aside: {count}"),
    "waiting.volume_silence": (
        "Sans réponse avant le {at} : détruits.",
        "No answer by {at}: destroyed.",
    ),
    "attempt.expire:volume:answer_denied": (
        "a voulu répondre sur un volume d’échéances",
        "tried to answer on a volume of expiry",
    ),
    "attempt.expire:volume:run_refused": (
        "a lancé une exécution inventée pour un volume",
        "started a made-up run for a volume",
    ),
    "act.expire:forecast:made": ("prévision établie", "forecast made"),
    "act.expire:artifact:set_aside": (
        "Échu sans avoir été prévu : mis de côté",
        "Fell due unforetold: set aside",
    ),
    "act.expire:volume:set_aside": ("mis de côté", "set aside"),
    "act.expire:volume:announced": ("annoncé à qui décide", "announced to those who decide"),
    "act.expire:volume:decided": ("réponse donnée", "answer given"),
    "act.expire:volume:answer_denied": ("réponse non admise", "answer not taken"),
    "act.expire:volume:lapsed": ("24 heures sans réponse : à détruire", "24 hours without an answer: to go"),
    "act.expire:volume:run_refused": ("exécution inventée refusée", "made-up run refused"),
    "act.expire:volume:run_closed": ("exécution close", "run closed"),
    "done.delete": ("détruire", "delete"),
    "done.hold": ("suspendre", "hold back"),
}
