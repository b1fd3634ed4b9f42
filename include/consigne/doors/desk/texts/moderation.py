"""What is said on *Draws*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "draws": ("Tirages", "Draws"),
    "draws.lead": (
        "Quels appels sont enregistrés est tiré au sort. Ici : ce qui a été conservé, face au taux de la politique.",
        "Which calls are recorded is drawn by lot. Here: what was kept, against the policy’s rate.",
    ),
    "draws.since": ("Du mois de", "From the month"),
    "draws.until": ("au mois de", "to the month"),
    "draws.purpose": ("Finalité", "Purpose"),
    "draws.all": ("Toutes", "All"),
    "draws.show": ("Afficher", "Show"),
    "draws.by_queue": ("Par finalité et file", "By purpose and queue"),
    "draws.by_agent": ("Par conseiller", "By adviser"),
    "draws.none": ("Aucun tirage pendant ces mois.", "No draw in these months."),
    "draws.queue": ("Finalité et file", "Purpose and queue"),
    "draws.agent": ("Conseiller", "Adviser"),
    "draws.nobody": ("(non précisé)", "(not said)"),
    "draws.calls": ("Appels enregistrables", "Calls that could be recorded"),
    "draws.drawn": ("Tirés", "Drawn"),
    "draws.kept": ("Conservés", "Kept"),
    "draws.share": ("Part conservée", "Share kept"),
    "draws.interval_head": ("Intervalle à 95 %", "95% interval"),
    "draws.interval": ("{low} à {high}", "{low} to {high}"),
    "draws.rate": ("Taux", "Rate"),
    "draws.place": ("Le taux", "The rate"),
    "draws.inside": ("dans l’intervalle", "inside the interval"),
    "draws.above": ("dépassé", "exceeded"),
    "draws.below": ("pas atteint", "not reached"),
    "draws.legend_range": ("intervalle de confiance à 95 %", "95% confidence interval"),
    "draws.legend_point": ("part conservée", "share kept"),
    "draws.legend_rate": ("taux de la politique", "the policy’s rate"),
    "draws.picture": (
        "Part conservée, avec son intervalle, face au taux ; les mêmes valeurs sont dans le tableau.",
        "Share kept, with its interval, against the rate; the table holds the same values.",
    ),
    "draws.note": (
        "Intervalle de Wilson. Un appel enregistrable est un appel que seul le tirage pouvait écarter. Avec peu "
        "d’appels l’intervalle est large ; et sur vingt intervalles, un exclut le taux par le seul hasard. Un appel "
        "tiré qui n’est pas encore livré, a été refusé ou mis en quarantaine abaisse la part.",
        "Wilson’s interval. A call that could be recorded is one that only the draw could set aside. With few calls "
        "the interval is wide; and of twenty intervals one leaves out the rate by chance alone. A call that was "
        "drawn and is not delivered yet, was refused or quarantined lowers the share.",
    ),
    "draws.more": ("Les {count} premiers sont montrés.", "The first {count} are shown."),
    "draws.sources": ("Sources", "Sources"),
    "draws.sources_lead": (
        "Une source qui livre un appel qu’aucun tirage n’a retenu l’a enregistré. Consigne n’en garde rien ; mieux vaut "
        "qu’elle demande à l’établissement de l’appel.",
        "A source that delivers a call which no draw chose has recorded it. Consigne keeps nothing of it; better that "
        "it asks at call set-up.",
    ),
    "draws.source": ("Source", "Source"),
    "draws.delivered": ("Appels livrés", "Calls delivered"),
    "draws.undrawn": ("Enregistrés sans être tirés", "Recorded though not drawn"),
    "draws.against": ("dont : après un tirage négatif", "of these: after being told no"),
    "draws.recorder_none": ("n’enregistre que les appels tirés", "records only what is drawn"),
    "draws.recorder_undrawn": ("enregistre des appels non tirés", "records undrawn calls"),
    "draws.recorder_against": ("enregistre contre le tirage", "records against the draw"),
    "draws.months": ("Mois", "Months"),
    "draws.months_lead": (
        "Le secret d’un mois est engagé (son empreinte inscrite au journal) avant que le mois commence, et révélé un jour "
        "après sa fin : chacun peut alors refaire chaque tirage, et personne ne pouvait le prévoir.",
        "A month’s secret is committed (its digest entered in the register) before the month begins, and revealed a day "
        "after its end: anybody can then do each draw again, and nobody could foresee it.",
    ),
    "draws.month": ("Mois", "Month"),
    "draws.commitment": ("Engagement (SHA-256)", "Commitment (SHA-256)"),
    "draws.committed": ("Engagé le", "Committed on"),
    "draws.late": ("après le début du mois", "after the month began"),
    "draws.secret": ("Secret", "Secret"),
    "draws.not_revealed": ("pas encore révélé", "not revealed yet"),
    "draws.revealed": ("révélé le {at}", "revealed on {at}"),
    "draws.register": ("Journal", "Register"),
    "draws.entry_committed": ("engagement", "commitment"),
    "draws.entry_revealed": ("révélation", "reveal"),
    "draws.unsealed": ("pas encore scellé", "not sealed yet"),
    "draws.verify": (
        "Un contrôleur refait les tirages avec ./consigne draws --verify, ou sans Consigne, d’après ./consigne draws --json.",
        "An auditor does the draws again by ./consigne draws --verify, or without Consigne, from ./consigne draws --json.",
    ),
}
