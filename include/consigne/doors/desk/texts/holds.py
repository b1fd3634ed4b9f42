"""What is said on *Holds*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "holds": ("Gels", "Holds"),
    "holds.lead": (
        "Ce qu’une autorité a ordonné de conserver. Un gel suspend la suppression jusqu’à sa date de réexamen ; "
        "sans confirmation, il prend fin ce jour-là.",
        "What an authority ordered to be kept. A hold suspends deletion until its review date; not confirmed, it "
        "ends that day.",
    ),
    "holds.none": ("Aucun gel.", "No hold."),
    "holds.place": ("Poser un gel", "Place a hold"),
    "holds.back": ("Tous les gels", "All holds"),
    "holds.mandate": ("Référence du mandat", "Reference of the mandate"),
    "holds.mandate_hint": (
        "Le numéro de la réquisition ou de la procédure, tel que l’autorité le donne.",
        "The number of the order or the case, as the authority gives it.",
    ),
    "holds.authority": ("Autorité", "Authority"),
    "holds.authority_hint": (
        "Qui l’a ordonné : un tribunal, un parquet, un régulateur.",
        "Who ordered it: a court, a prosecutor, a regulator.",
    ),
    "holds.reason": ("Motif", "Reason"),
    "holds.reason_hint": (
        "Ce que le mandat demande, et pourquoi cette étendue suffit. Aucun numéro, aucun nom d’appelant.",
        "What the mandate asks for, and why this scope is enough. No number, no caller’s name.",
    ),
    "holds.review": ("À réexaminer le", "To be reviewed on"),
    "holds.review_hint": (
        "Au plus dans un an. Sans confirmation avant ce jour, le gel prend fin.",
        "Within a year. Not confirmed before that day, the hold ends.",
    ),
    "holds.scope": ("Étendue", "Scope"),
    "holds.scope_hint": (
        "Un enregistrement, ou un appelant, ou un conseiller ; l’appelant et le conseiller peuvent être limités à une "
        "période, qui peut aussi suffire seule.",
        "A recording, or a caller, or an adviser; caller and adviser may be narrowed to a period, which may also stand "
        "alone.",
    ),
    "holds.recording": ("Enregistrement (identifiant)", "Recording (identifier)"),
    "holds.caller": ("Numéro de l’appelant", "Caller’s number"),
    "holds.caller_hint": (
        "Il n’est ni conservé ni affiché : seul son index à clé l’est.",
        "It is neither kept nor shown: only its keyed index is kept.",
    ),
    "holds.agent": ("Conseiller", "Adviser"),
    "holds.since": ("Appels à partir du", "Calls from"),
    "holds.until": ("Appels avant le", "Calls before"),
    "holds.restrict": (
        "Personne n’écoute tant que le gel dure",
        "Nobody listens while the hold lasts",
    ),
    "holds.submit": ("Poser le gel", "Place the hold"),
    "holds.not_done": ("Rien n’a été enregistré. {why}", "Nothing was recorded. {why}"),
    "holds.over.recording": ("un enregistrement", "one recording"),
    "holds.over.caller": ("un appelant (son numéro n’est pas conservé)", "a caller (the number is not kept)"),
    "holds.over.agent": ("le conseiller {agent}", "the adviser {agent}"),
    "holds.over.period": ("tous les appels", "all calls"),
    "holds.over.since": ("à partir du {at}", "from {at}"),
    "holds.over.until": ("avant le {at}", "before {at}"),
    "holds.over_title": ("Porte sur", "Over"),
    "holds.restricted": ("Personne n’écoute", "Nobody listens"),
    "holds.state": ("État", "State"),
    "holds.state.open": ("en cours", "open"),
    "holds.state.lifted": ("levé", "lifted"),
    "holds.state.lapsed": ("échu sans confirmation", "lapsed unconfirmed"),
    "holds.by": ("par {user}, le {at}", "by {user}, {at}"),
    "holds.placed": ("Posé", "Placed"),
    "holds.ended": ("Terminé", "Ended"),
    "holds.left": ("réexamen dans {time}", "review in {time}"),
    "holds.keeps": ("Conserve", "Keeps"),
    "holds.keeps_count": ("{count} enregistrement(s)", "{count} recording(s)"),
    "holds.gone_count": ("dont {count} auraient été supprimés", "{count} of which would be gone"),
    "holds.caught": ("Enregistrements retenus", "Recordings caught"),
    "holds.caught_lead": (
        "Les appels nouveaux qui entrent dans l’étendue s’ajoutent à mesure qu’ils sont conservés.",
        "New calls within the scope are added as they are kept.",
    ),
    "holds.caught_none": (
        "Aucun pour l’instant. Ce qui entre dans l’étendue est déjà à l’abri de la suppression.",
        "None yet. What is within the scope is already safe from deletion.",
    ),
    "holds.call": ("Appel", "Call"),
    "holds.purposes": ("Finalités", "Purposes"),
    "holds.fate": ("Sans ce gel", "Without this hold"),
    "holds.would_go": ("supprimé le {at}", "goes {at}"),
    "holds.would_go_between": (
        "serait supprimé entre le {at} et le {last}",
        "would go between {at} and {last}",
    ),
    "holds.would_be_gone": ("supprimé depuis le {at}", "gone since {at}"),
    "holds.released": ("rendu à son échéance, {at}", "back on its own clock, {at}"),
    "holds.erased": ("supprimé", "erased"),
    "holds.history": ("Historique", "History"),
    "holds.confirm": ("Confirmer", "Confirm"),
    "holds.confirm_lead": (
        "Le mandat court toujours : le gel tient jusqu’à une nouvelle date.",
        "The mandate still stands: the hold lasts until another date.",
    ),
    "holds.lift": ("Lever", "Lift"),
    "holds.lift_lead": (
        "Chaque enregistrement revient aussitôt à l’échéance qu’il aurait eue ; ce qui est échu part avec la "
        "prochaine suppression.",
        "Each recording is at once back on the clock that it would have had; what is past its end goes with the "
        "next deletion.",
    ),
    "holds.wrong.mandate": (
        "La référence manque, est trop longue, ou contient un numéro qui ne doit pas être conservé.",
        "The reference is missing, too long, or carries a number that must not be kept.",
    ),
    "holds.wrong.authority": (
        "L’autorité manque, est trop longue, ou contient un numéro qui ne doit pas être conservé.",
        "The authority is missing, too long, or carries a number that must not be kept.",
    ),
    "holds.wrong.reason": (
        "Le motif manque, est trop long, ou contient un numéro qui ne doit pas être conservé.",
        "The reason is missing, too long, or carries a number that must not be kept.",
    ),
    "holds.wrong.too_long": (
        "Trop long : 2 000 caractères au plus pour le motif, 200 pour la référence et l’autorité.",
        "Too long: 2,000 characters at most for the reason, 200 for the reference and the authority.",
    ),
    "holds.wrong.unprintable": (
        "Le texte contient des signes qui ne peuvent pas être conservés (de contrôle ou de direction).",
        "The text holds signs that cannot be kept (control or direction characters).",
    ),
    "holds.wrong.recording_erased": (
        "Trop tard : tout ce qui restait de cet enregistrement est détruit, ou en cours de destruction.",
        "Too late: all that was left of this recording is destroyed, or being destroyed.",
    ),
    "holds.wrong.review": ("La date de réexamen n’est pas une date.", "The review date is no date."),
    "holds.wrong.review_passed": (
        "La date de réexamen doit être à venir.",
        "The review date must lie ahead.",
    ),
    "holds.wrong.review_too_far": (
        "La date de réexamen est à plus d’un an.",
        "The review date is more than a year away.",
    ),
    "holds.wrong.scope": (
        "Donnez un enregistrement, ou un appelant, ou un conseiller, ou une période : un seul des trois premiers, et "
        "sans période pour un enregistrement.",
        "Give a recording, or a caller, or an adviser, or a period: only one of the first three, and no period with a "
        "recording.",
    ),
    "holds.wrong.recording": (
        "Aucun enregistrement ne porte cet identifiant.",
        "No recording has this identifier.",
    ),
    "holds.wrong.caller": ("Ce n’est pas un numéro de téléphone.", "This is no telephone number."),
    "holds.wrong.agent": ("Ce n’est pas un nom de conseiller.", "This is no adviser’s name."),
    "holds.wrong.since": (
        "Le début de la période manque ou n’est pas une date.",
        "The period’s beginning is missing, or no date.",
    ),
    "holds.wrong.until": (
        "La fin de la période manque, n’est pas une date, ou précède son début.",
        "The period’s end is missing, no date, or before its beginning.",
    ),
    "holds.wrong.hold_over": ("Ce gel est déjà terminé.", "This hold has already ended."),
    "act.hold:hold:placed": ("Gel posé", "Hold placed"),
    "act.hold:hold:confirmed": ("Gel confirmé", "Hold confirmed"),
    "act.hold:hold:lifted": ("Gel levé", "Hold lifted"),
    "act.hold:hold:lapsed": ("Gel échu sans confirmation", "Hold lapsed unconfirmed"),
    "act.hold:hold:denied": ("Acte refusé sur un gel", "Act on a hold denied"),
    "act.hold:artifact:caught": ("Retenu par un gel", "Caught by a hold"),
    "act.hold:artifact:released": ("Rendu à son échéance", "Back on its own clock"),
}
