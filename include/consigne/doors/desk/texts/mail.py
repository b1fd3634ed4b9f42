"""What the mails say: `mail.<kind>` is title and first line. No name, no date of a call, nothing typed."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "mail.where": (
        "Référence : {reference}\nÀ lire dans Consigne : {link}",
        "Reference: {reference}\nTo be read in Consigne: {link}",
    ),
    "mail.request_waiting": ("une demande vous attend", "a request waits for you"),
    "mail.request_lapsing": ("une demande sera bientôt refusée par défaut", "a request will soon lapse"),
    "mail.recording_going": (
        "un enregistrement demandé arrive à échéance",
        "a recording that was asked for is about to go",
    ),
    "mail.extension_ending": ("une prolongation prend fin", "an extension is about to end"),
    "mail.request_over": ("votre demande est close", "your request is closed"),
    "mail.hold_review_30": (
        "un gel est à réexaminer sous 30 jours",
        "a hold is to be reviewed within 30 days",
    ),
    "mail.hold_review_7": ("un gel est à réexaminer sous 7 jours", "a hold is to be reviewed within 7 days"),
    "mail.draft_waiting": (
        "un projet de politique attend votre visa",
        "a draft of the policy waits for your visa",
    ),
    "mail.draft_over": ("votre projet de politique est clos", "your draft of the policy is closed"),
    "mail.volume_waiting": (
        "plus d’échéances que prévu : un volume attend votre réponse sous 24 heures",
        "more fell due than foretold: a volume waits 24 hours for your answer",
    ),
    "mail.finding_open": (
        "un contrôle a trouvé quelque chose qui attend votre réponse",
        "a check found something that waits for your answer",
    ),
    "mail.register_gap": (
        "le journal n’est plus publié depuis plus de deux heures",
        "the register has not been published for more than two hours",
    ),
    "mail.attempt": ("tentative de contournement constatée", "an attempt to get round the desk was noticed"),
}
