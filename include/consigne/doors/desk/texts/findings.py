"""What the check of a draft says: a text for each code of rules/policy and of the form's types."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "finding.no_dpo": ("Personne n’est désigné pour décider.", "Nobody is designated to decide."),
    "finding.becomes_a_demonstration": (
        "Une version de démonstration lève les limites : elle ne peut pas suivre une vraie.",
        "A demonstration lifts the limits: it cannot follow a real version.",
    ),
    "finding.carries_number": (
        "Un numéro de carte, de compte ou d’identité ne peut figurer nulle part.",
        "A card, account or identity number may stand nowhere.",
    ),
    "finding.agents_not_informed": (
        "Rien ne dit que les salariés ont été informés.",
        "Nothing says that employees were informed.",
    ),
    "finding.names_kept": (
        "Les noms du journal se gardent de 6 à 12 mois.",
        "Names in the register are kept from 6 to 12 months.",
    ),
    "finding.backups_too_long": (
        "Une sauvegarde existe 90 jours au plus : jusque-là, rien n’est irrécupérable.",
        "A backup exists for 90 days at most: until then nothing is beyond recovery.",
    ),
    "finding.retention_too_long": (
        "Trop long : 6 mois, 1 an pour une fiche d’analyse, 5 ans pour une preuve.",
        "Too long: 6 months, 1 year for an analysis sheet, 5 years for evidence.",
    ),
    "finding.cap_too_long": ("Au-delà de 5 ans, seul un gel.", "Beyond 5 years only a hold leads."),
    "finding.systematic": (
        "Enregistrer tous les appels demande un texte de loi (legal_text).",
        "Recording every call needs a legal text (legal_text).",
    ),
    "finding.period_too_long": ("Une période dure un an au plus.", "A period lasts one year at most."),
    "finding.no_listeners": (
        "Un enregistrement que personne ne peut écouter n’a pas de finalité.",
        "A recording that nobody may hear has no purpose.",
    ),
    "finding.no_reasons": ("On écoute pour un motif énoncé.", "Whoever listens does so for a stated reason."),
    "finding.dpo_not_asked": (
        "Une dérogation est décidée par le délégué à la protection des données.",
        "An exception is decided by the data protection officer.",
    ),
    "finding.dpo_last": (
        "Le responsable métier d’abord, puis le délégué à la protection des données.",
        "The business owner first, then the data protection officer.",
    ),
    "finding.no_notice": (
        "Aucune annonce ne parle de cette finalité aux appelants.",
        "No notice tells callers of this purpose.",
    ),
    "finding.proof_unneeded": (
        "La preuve d’un contrat demande needs: {{trigger: agent, other_proof: none}}.",
        "Proof of a contract asks for needs: {{trigger: agent, other_proof: none}}.",
    ),
    "finding.unknown_profile": (
        "Aucun profil de masquage ne porte ce nom.",
        "No redaction profile has that name.",
    ),
    "finding.no_acknowledgements": (
        "Ce fichier de prises de connaissance n’est pas à sa place.",
        "That file of acknowledgements is not in its place.",
    ),
    "finding.unknown_purpose": (
        "Aucune finalité de ce nom n’est définie.",
        "No purpose of that name stands under “purposes”.",
    ),
    "finding.retention_beyond_cap": ("La durée dépasse le plafond.", "The retention is longer than the cap."),
    "finding.missing": ("Un champ manque.", "A field is missing."),
    "finding.extra_forbidden": ("Ce champ n’existe pas.", "There is no such field."),
    "finding.bad_duration": (
        "Une durée ISO 8601 est attendue, telle que P6M ou PT10M.",
        "An ISO 8601 duration is wanted, such as P6M or PT10M.",
    ),
    "finding.bad_yaml": (
        "Ce n’est pas du YAML : voyez l’indentation, les deux-points et les guillemets.",
        "This is not YAML: look at the indentation, colons and quotes.",
    ),
    "finding.staff_not_consulted": (
        "La politique ne dit pas quand les représentants du personnel ont été consultés (consulted_on).",
        "The policy does not say when staff representatives were consulted (consulted_on).",
    ),
    "finding.bad_acknowledgements": (
        "Ce fichier de prises de connaissance est illisible.",
        "That file of acknowledgements cannot be read.",
    ),
    "finding.unknown_notice": (
        "Aucune annonce de cette version n’est définie.",
        "No notice of that version stands under “notices”.",
    ),
    "finding.ends_before_it_begins": (
        "Le dernier jour précède le premier.",
        "The last day lies before the first.",
    ),
    "finding.bad_epoch_length": (
        "P1D est attendu, ou des minutes entières qui divisent un jour, telles que PT1H.",
        "P1D is wanted, or whole minutes that divide a day, such as PT1H.",
    ),
    "finding.bad_date": (
        "Une date est attendue, telle que 2026-01-31.",
        "A date is wanted, such as 2026-01-31.",
    ),
    "finding.bad_instant": (
        "Un instant avec son décalage est attendu, tel que 2026-01-01T00:00:00+01:00.",
        "An instant with its offset is wanted, such as 2026-01-01T00:00:00+01:00.",
    ),
    "finding.bad_hours": (
        'Les heures d’un même jour sont attendues, telles que "08:00-20:00".',
        'Hours of one day are wanted, such as "08:00-20:00".',
    ),
    "finding.bad_rate": (
        "Un nombre de 0 à 1 est attendu, tel que 0.05.",
        "A number from 0 to 1 is wanted, such as 0.05.",
    ),
    "finding.unknown_zone": (
        "Un fuseau horaire est attendu, tel que Europe/Paris.",
        "A time zone is wanted, such as Europe/Paris.",
    ),
    "finding.given_twice": ("Une valeur y figure deux fois.", "A value stands here twice."),
    "finding.duplicate_key": ("Cette clé y figure deux fois.", "This key stands here twice."),
    "finding.literal_error": ("Valeur attendue : {named}.", "Wanted: one of {named}."),
    "finding.enum": ("Nom attendu : {named}.", "Wanted: one of {named}."),
    "finding.string_pattern_mismatch": ("Forme attendue : {named}", "Wanted form: {named}"),
    "finding.string_type": (
        "Un texte est attendu (un nombre se met entre guillemets).",
        "A text is wanted (a number goes between quotes).",
    ),
    "finding.string_too_short": ("Ce texte est vide.", "This text is empty."),
    "finding.string_too_long": ("Ce texte est trop long.", "This text is too long."),
    "finding.bool_type": ("true ou false est attendu.", "true or false is wanted."),
    "finding.int_type": ("Un nombre entier est attendu.", "A whole number is wanted."),
    "finding.greater_than": ("Un nombre plus grand est attendu.", "A greater number is wanted."),
    "finding.list_type": ("Une liste est attendue.", "A list is wanted."),
    "finding.dict_type": ("Des champs nommés sont attendus.", "Named fields are wanted."),
    "finding.model_type": ("Des champs nommés sont attendus.", "Named fields are wanted."),
    "finding.too_short": ("Il en faut au moins un.", "At least one is wanted."),
    "finding.too_large": (
        "Le fichier est trop volumineux pour une politique.",
        "The file is too large for a policy.",
    ),
    "finding.empty": ("Le fichier est vide.", "The file is empty."),
    "finding.bad_character": (
        "Un caractère que YAML n’admet pas.",
        "A character that YAML does not allow.",
    ),
    "finding.two_documents": (
        "Une politique est un seul document YAML.",
        "A policy is one YAML document.",
    ),
    "finding.no_aliases": (
        "Les ancres et les alias ne sont pas admis.",
        "Anchors and aliases are not allowed.",
    ),
    "finding.no_tags": ("Les étiquettes (tags) ne sont pas admises.", "Tags are not allowed."),
    "finding.too_deep": ("Trop de niveaux.", "Too many levels."),
    "finding.bad_key": ("Une clé est un mot.", "A key is a word."),
}
