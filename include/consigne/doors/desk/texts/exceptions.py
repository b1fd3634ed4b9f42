"""What is said on *Exceptions*, and of what else waits: asking, the owner's word, the list, attempts."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "exceptions": ("Dérogations", "Exceptions"),
    "back.exceptions": ("Retour aux dérogations", "Back to “Exceptions”"),
    # asking
    "ask.title": ("Demander une conservation plus longue", "Ask to keep longer"),
    "ask.lead": (
        "Le DPO décide. Sans réponse avant le {lapses}, la demande est refusée ; rien n’est conservé plus longtemps "
        "sans une décision.",
        "The DPO decides. Without an answer by {lapses} the request is refused; nothing is kept longer without a "
        "decision.",
    ),
    "ask.form": ("Votre demande", "Your request"),
    "ask.at_most": ("Au plus tard", "At the latest"),
    "ask.choose": ("Choisir…", "Choose…"),
    "ask.ground_hint": (
        "Les motifs que la politique admet pour ce que vous avez choisi.",
        "The grounds that the policy admits for what you chose.",
    ),
    "ask.reason": ("Nécessité (obligatoire)", "Necessity (required)"),
    "ask.reason_hint": (
        "Pourquoi il faut le conserver. Ni nom d’appelant, ni contenu de l’appel.",
        "Why it must be kept. No caller’s name, nothing said in the call.",
    ),
    "ask.why_not_less": ("Pourquoi moins ne suffit pas", "Why less will not do"),
    "ask.why_not_less_hint": (
        "Par exemple : une fiche, un extrait, une durée plus courte.",
        "For instance: a sheet, an excerpt, a shorter period.",
    ),
    "ask.until_hint": (
        "Du {first} au {last} au plus tard : le plafond et la plus longue prolongation en une fois.",
        "From {first} to {last} at the latest: the cap, and the longest single step.",
    ),
    "ask.submit": ("Déposer la demande", "File the request"),
    "ask.not_filed": ("Rien n’a été déposé : {why}", "Nothing was filed: {why}"),
    "ask.left_out": (
        "Les éléments marqués ne peuvent pas être demandés ; la demande porte sur les autres.",
        "The marked parts cannot be asked for; the request is about the others.",
    ),
    "ask.left.not_kept": ("plus conservé", "not kept any more"),
    "ask.left.past_due": ("échu", "past due"),
    "ask.left.already_asked": ("déjà demandé", "asked for already"),
    "ask.closed": ("Rien à demander ici", "Nothing to ask for here"),
    "ask.closed.nothing": (
        "Aucun de ces éléments ne peut faire l’objet d’une demande maintenant.",
        "None of these parts can be asked for now.",
    ),
    "ask.closed.grounds": (
        "La politique n’admet aucun motif commun à ces finalités. Faites une demande par finalité.",
        "The policy lists no ground that these purposes share. Ask for each purpose by itself.",
    ),
    "ask.closed.span": (
        "Aucune date n’est possible : le plafond est atteint, ou les échéances sont trop éloignées pour une seule "
        "demande.",
        "No date is possible: the cap is reached, or the due dates lie too far apart for one request.",
    ),
    "ask.wrong.ground": ("choisissez un motif.", "choose a ground."),
    "ask.wrong.until": ("la date manque ou est illisible.", "the date is missing or cannot be read."),
    "ask.wrong.reason": (
        "indiquez la nécessité, en 2 000 caractères au plus, sans numéro de carte, de compte ou de téléphone.",
        "say why it is necessary, in 2,000 characters at most, without a card, account or telephone number.",
    ),
    "ask.wrong.why_not_less": (
        "« pourquoi moins ne suffit pas » : 2 000 caractères au plus, sans numéro de carte, de compte ou de téléphone.",
        "“why less will not do”: 2,000 characters at most, without a card, account or telephone number.",
    ),
    "ask.wrong.reason.too_long": (
        "la nécessité est trop longue : 2 000 caractères au plus.",
        "the necessity is too long: 2,000 characters at most.",
    ),
    "ask.wrong.reason.unprintable": (
        "la nécessité contient des signes qui ne peuvent pas être conservés (de contrôle ou de direction).",
        "the necessity holds signs that cannot be kept (control or direction characters).",
    ),
    "ask.wrong.why_not_less.too_long": (
        "« pourquoi moins ne suffit pas » est trop long : 2 000 caractères au plus.",
        "“why less will not do” is too long: 2,000 characters at most.",
    ),
    "ask.wrong.why_not_less.unprintable": (
        "« pourquoi moins ne suffit pas » contient des signes qui ne peuvent pas être conservés (de contrôle ou de "
        "direction).",
        "“why less will not do” holds signs that cannot be kept (control or direction characters).",
    ),
    "ask.no.already_asked": (
        "une demande attend déjà pour l’un de ces éléments.",
        "a request for one of these parts waits already.",
    ),
    "ask.no.ground_not_listed": (
        "la politique n’admet pas ce motif ici.",
        "the policy does not list this ground here.",
    ),
    "ask.no.past_due": ("l’échéance est passée.", "it is past due."),
    # the list
    "exceptions.lead_all": (
        "Toutes les demandes : celles qui attendent d’abord, puis les plus récentes.",
        "All requests: those that wait first, then the newest.",
    ),
    "exceptions.lead_own": (
        "Vos demandes : celles qui attendent d’abord. Pour demander, choisissez un enregistrement.",
        "Your requests: those that wait first. To ask, choose a recording.",
    ),
    "exceptions.state": ("État", "State"),
    "exceptions.all": ("Toutes", "All"),
    "exceptions.none": ("Aucune demande.", "No requests."),
    "exceptions.reasons": ("Motivations", "Reasons"),
    # what else waits
    "waiting.to_state": ("Nécessité à confirmer", "Necessity to confirm"),
    "waiting.to_state_lead": (
        "Vous êtes responsable de ces finalités : dites si la conservation est nécessaire ; le DPO décide ensuite.",
        "You own these purposes: say whether keeping is necessary; the DPO decides afterwards.",
    ),
    "waiting.early": ("Attend d’abord le responsable de la finalité", "Waits for the purpose’s owner first"),
    "waiting.look": ("Ouvrir", "Open"),
    "waiting.holds": ("Gels à revoir", "Holds to review"),
    "waiting.review_left": ("{time} avant la revue", "{time} until the review"),
    "waiting.hold_silence": (
        "Sans confirmation avant le {at} : le gel prend fin, et ce qu’il garde suit son échéance propre.",
        "Not confirmed by {at}: the hold ends, and what it keeps goes by its own due date.",
    ),
    "waiting.drafts": ("Projets de politique", "Policy drafts"),
    "waiting.drafted": ("Proposé par {user}, en vigueur le {at}", "Drafted by {user}, in force on {at}"),
    "waiting.draft_own": (
        "Votre projet : un autre le vise.",
        "Your own draft: somebody else gives the visa.",
    ),
    "waiting.draft_silence": (
        "Sans visa avant le {at} : le projet est abandonné, la politique reste la même.",
        "No visa by {at}: the draft lapses, and the policy stays as it is.",
    ),
    "waiting.attempts": (
        "Tentatives de tiers, trente derniers jours",
        "Attempts by others, last thirty days",
    ),
    "waiting.attempts_lead": (
        "Aucune n’a eu d’effet : seule compte une décision enregistrée ici par la personne désignée.",
        "None had any effect: only a decision recorded here by the designated person counts.",
    ),
    "waiting.attempts_none": ("Aucune.", "None."),
    "attempt.when": ("Quand", "When"),
    "attempt.who": ("Qui", "Who"),
    "attempt.did": ("Quoi", "What"),
    "attempt.on": ("Sur", "On"),
    "attempt.draft": ("Projet {short}", "Draft {short}"),
    "attempt.decide:request:look_denied": (
        "a voulu ouvrir la page de décision : refusé",
        "tried to open the decision page: denied",
    ),
    "attempt.decide:request:answer_denied": ("a voulu répondre : refusé", "tried to answer: denied"),
    "attempt.decide:request:necessity_denied": (
        "a voulu confirmer la nécessité : refusé",
        "tried to confirm the necessity: denied",
    ),
    "attempt.decide:task:denied": (
        "a tenté dans Airflow : {did} ; refusé par Airflow",
        "tried in Airflow: {did}; denied by Airflow",
    ),
    "attempt.decide:task:touched": (
        "a fait dans Airflow : {did} ; sans effet sur la conservation",
        "did in Airflow: {did}; no effect on what is kept",
    ),
    "attempt.decide:run:refused": (
        "une exécution inventée a été lancée dans Airflow : écartée",
        "a made-up run was started in Airflow: set aside",
    ),
    "attempt.decide:run:repeated": (
        "l’exécution de la demande a été relancée dans Airflow : la décision vient d’ici seulement",
        "the request’s run was started again in Airflow: the decision comes from here alone",
    ),
    "attempt.decide:run:lost": (
        "l’exécution de la demande a disparu ou a été arrêtée dans Airflow : la demande attend toujours ici",
        "the request’s run vanished or was ended in Airflow: the request still waits here",
    ),
    "attempt.configure:policy:visa_denied": (
        "a voulu viser un projet de politique : refusé",
        "tried to give a policy draft its visa: denied",
    ),
    "attempt.configure:policy:run_refused": (
        "une exécution inventée pour un projet de politique : écartée",
        "a made-up run for a policy draft: set aside",
    ),
    "attempt.what.answer": ("répondre à la tâche", "answer the task"),
    "attempt.what.mark": ("changer l’état d’une tâche", "set a task’s state"),
    "attempt.what.clear": ("remettre des tâches à zéro", "clear tasks"),
    "attempt.what.delete_task": ("supprimer une tâche", "delete a task"),
    "attempt.what.delete_run": ("supprimer une exécution", "delete a run"),
    "attempt.what.delete_dag": ("supprimer le Dag", "delete the Dag"),
    "attempt.what.xcom": ("modifier un XCom", "write an XCom"),
    "attempt.what.store": ("modifier l’état gardé d’une tâche", "write a task’s stored state"),
    "attempt.what.start": ("lancer une exécution", "start a run"),
    "attempt.what.run_state": ("changer l’état d’une exécution", "set a run’s state"),
    "attempt.what.dag": ("suspendre ou reprendre le Dag", "pause or resume the Dag"),
    "attempt.what.backfill": ("lancer des exécutions pour une période", "start runs for a period"),
    "attempt.what.other": ("une autre modification", "another change"),
    "denied.gone": ("disparue", "gone"),
    "denied.ended": ("terminée", "ended"),
    "denied.task_ended": ("tâche terminée", "task ended"),
}
