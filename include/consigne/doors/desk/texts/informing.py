"""What is said on *Notices*, *Rules for advisers*, acknowledgements and objections."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "rules": ("Règles pour les conseillers", "Rules for advisers"),
    "notices": ("Information", "Notices"),
    "objections": ("Oppositions", "Objections"),
    # roles of the policy
    "role.dpo": ("le délégué à la protection des données", "the data protection officer"),
    "role.auditor": ("l’auditeur", "the auditor"),
    "role.ops": ("l’exploitation", "operations"),
    "role.analyst": ("l’analyste qualité", "the quality analyst"),
    "role.trainer": ("le formateur", "the trainer"),
    "role.adviser": ("le conseiller", "the adviser"),
    # notices
    "notices.lead": (
        "Ce que les appelants entendent et ce que les salariés lisent, tiré de la politique en vigueur. "
        "La page s’imprime telle quelle.",
        "What callers hear and what employees read, made from the policy in force. The page prints as it is.",
    ),
    "notices.queue": ("File", "Queue"),
    "notices.language": ("Langue du texte", "Language of the text"),
    "notices.none": (
        "La politique n’envoie aucune file vers une finalité.",
        "The policy routes no queue to any purpose.",
    ),
    "notices.no_callers": (
        "Aucune annonce ne couvre les finalités de cette file : rien n’y est enregistré.",
        "No notice covers the purposes of this queue: nothing is recorded there.",
    ),
    "notices.version": ("version {version}", "version {version}"),
    "notices.coming": ("à venir, à partir du {day}", "to come, from {day}"),
    "notices.mine": ("Ma lecture", "My acknowledgement"),
    "notices.mine_lead": (
        "Vos appels ne sont enregistrés qu’à partir du moment où vous avez lu cette note. Votre nom d’utilisateur, "
        "« {user} », doit être celui que la téléphonie vous donne ; sinon l’exploitation importe votre émargement.",
        "Your calls are recorded only from the moment at which you have read this notice. Your user name, “{user}”, "
        "must be the one that the telephone system gives you; else operations import your signature.",
    ),
    "notices.read": ("J’ai lu la note {version}", "I have read notice {version}"),
    "notices.done": ("Note {version} lue le {at}.", "Notice {version} read on {at}."),
    "notices.not_asked": (
        "La politique ne demande pas d’émargement aux salariés.",
        "The policy asks employees for no acknowledgement.",
    ),
    "notices.who": ("Qui a lu la note {version}", "Who has read notice {version}"),
    "notices.who_lead": (
        "Conseillers vus dans les 90 derniers jours, et ceux qui l’ont lue ici.",
        "Advisers seen in the last 90 days, and those who have read it here.",
    ),
    "notices.who_none": ("Aucun conseiller vu.", "No adviser was seen."),
    "notices.agent": ("Conseiller", "Adviser"),
    "notices.state": ("État", "State"),
    "notices.acknowledged": ("lue le {at}", "read on {at}"),
    "notices.handed_in": ("remise par {user}", "handed in by {user}"),
    "notices.owing": ("pas encore lue", "not read yet"),
    "notices.refused": ("appels refusés pour cela", "calls were refused for it"),
    "notices.missing": ("{count} n’ont pas lu la note.", "{count} have not read it."),
    # rules for advisers
    "rules.lead": (
        "Ce qui est enregistré des appels de chaque file, pourquoi, et ce que vous proposez à qui s’y oppose.",
        "What is recorded of each queue’s calls, why, and what you offer somebody who objects.",
    ),
    "rules.of": ("File « {queue} »", "Queue “{queue}”"),
    "rules.back": ("Toutes les files", "All queues"),
    "rules.nothing": (
        "Rien n’est enregistré des appels de cette file.",
        "Nothing is recorded of this queue’s calls.",
    ),
    "rules.say": ("Ce que l’appelant doit entendre", "What the caller must hear"),
    "rules.within": (
        "Dans les {time} qui suivent le début de l’appel (annonce {version}).",
        "Within {time} of the call’s start (notice {version}).",
    ),
    "rules.what": ("Ce qui est enregistré, et pourquoi", "What is recorded, and why"),
    "rules.why": ("Pourquoi", "Why"),
    "rules.often": ("Quels appels", "Which calls"),
    "rules.kept": ("Conservé", "Kept"),
    "rules.listeners": ("Qui peut écouter, et pour quoi", "Who may listen, and for what"),
    "rules.listener": ("{role} : {reasons}", "{role}: {reasons}"),
    "rules.by_law": ("imposé par la loi", "demanded by law"),
    "rules.by_choice": ("non imposé par la loi", "not demanded by law"),
    "rules.by_law_note": (
        "{text}. L’appelant ne peut pas s’y opposer ; il peut renoncer à l’appel, ou passer par une autre voie.",
        "{text}. The caller cannot object to it; they may end the call, or go another way.",
    ),
    "rules.rights": ("Les droits de l’appelant", "The caller’s rights"),
    "rules.rights_object": (
        "S’opposer à tout moment, sans dire pourquoi, à ce que la loi n’impose pas ; et le retirer.",
        "To object at any time, without saying why, to what the law does not demand; and to take it back.",
    ),
    "rules.rights_object_to": (
        "S’opposer à tout moment, sans dire pourquoi, à : {purposes} ; et le retirer. À rien d’autre : la loi impose "
        "{demanded}.",
        "To object at any time, without saying why, to: {purposes}; and to take it back. To nothing else: the law "
        "demands {demanded}.",
    ),
    "rules.rights_none": (
        "On ne peut pas s’opposer à l’enregistrement des appels de cette file : la loi l’impose ({demanded}).",
        "One cannot object to the recording of this queue’s calls: the law demands it ({demanded}).",
    ),
    "rules.rights_access": (
        "Demander l’accès à l’enregistrement, son effacement, la limitation de son usage : {contact}.",
        "To ask for access to the recording, its erasure, its restriction: {contact}.",
    ),
    "rules.alternative": ("L’autre voie à proposer", "The other way to offer"),
    "alternative.not_recorded": (
        "l’appel continue sans être enregistré",
        "the call goes on without being recorded",
    ),
    "alternative.called_back": (
        "vous rappelez sur une ligne qui n’enregistre pas",
        "you call back on a line that does not record",
    ),
    "alternative.another_channel": (
        "une autre voie : courrier, agence, messagerie",
        "another channel: letter, branch, message",
    ),
    # the caller objects
    "object.title": ("L’appelant s’oppose", "The caller objects"),
    "object.lead": (
        "L’identifiant suffit pour cet appel. Avec le numéro, l’opposition vaut aussi pour les appels suivants de cette "
        "personne, jusqu’à ce qu’elle la retire. Le numéro n’est ni gardé ni affiché.",
        "The identifier is enough for this call. With the number, the objection also holds for this person’s later "
        "calls, until they take it back. The number is neither kept nor shown.",
    ),
    "object.call": (
        "Identifiant de l’appel dans la téléphonie",
        "The call’s identifier in the telephone system",
    ),
    "object.source": ("Source", "Source"),
    "object.caller": ("Numéro de l’appelant", "The caller’s number"),
    "object.purposes": ("À quoi", "To what"),
    "object.purposes_hint": (
        "Rien de coché : tout ce que la loi n’impose pas.",
        "Nothing ticked: all that the law does not demand.",
    ),
    "object.alternative": ("Ce que vous avez proposé", "What you offered"),
    "object.submit": ("L’appelant s’oppose", "The caller objects"),
    "object.done": (
        "Opposition enregistrée ({short}). Elle prend effet dès la livraison de l’appel ; ce qui était déjà gardé ne "
        "s’écoute plus.",
        "Objection recorded ({short}). It takes effect when the call is delivered; what was kept already is heard no "
        "more.",
    ),
    "object.not_done": ("Rien n’a été enregistré : {why}", "Nothing was recorded: {why}"),
    "object.wrong.call": (
        "donnez l’identifiant de l’appel ou le numéro de l’appelant.",
        "give the call’s identifier or the caller’s number.",
    ),
    "object.wrong.source": ("la source n’a pas la forme attendue.", "the source is malformed."),
    "object.wrong.caller": (
        "le numéro n’a pas la forme attendue (par exemple +33 6 12 34 56 78).",
        "the number is malformed (for example +33 6 12 34 56 78).",
    ),
    "object.wrong.purposes": (
        "une finalité est inconnue, ou imposée par la loi.",
        "a purpose is unknown, or demanded by law.",
    ),
    "object.wrong.alternative": ("choisissez ce que vous avez proposé.", "choose what you offered."),
    "withdraw.title": ("L’appelant retire son opposition", "The caller takes the objection back"),
    "withdraw.lead": (
        "Les appels qui commencent ensuite peuvent de nouveau être enregistrés. Ce qui a été refusé le reste.",
        "Calls that begin from then on may be recorded again. What was refused stays refused.",
    ),
    "withdraw.submit": ("Retirer l’opposition", "Take it back"),
    "withdraw.done": ("Oppositions retirées : {count}.", "Objections taken back: {count}."),
    # objections
    "objections.lead": (
        "Les plus récentes d’abord. Aucun numéro n’est gardé : seulement son empreinte.",
        "The newest first. No number is kept, only its digest.",
    ),
    "objections.none": ("Personne ne s’est opposé.", "Nobody has objected."),
    "objections.when": ("Le", "On"),
    "objections.purposes": ("À quoi", "To what"),
    "objections.all": ("tout ce que la loi n’impose pas", "all that the law does not demand"),
    "objections.alternative": ("Proposé", "Offered"),
    "objections.by": ("Recueillie par", "Taken by"),
    "objections.source": ("la source", "the source"),
    "objections.call": ("Appel", "Call"),
    "objections.call_unknown": ("pas encore livré", "not delivered yet"),
    "objections.state": ("État", "State"),
    "objections.stands": ("vaut pour les appels suivants", "holds for later calls"),
    "objections.this_call": ("cet appel seulement", "this call only"),
    "objections.withdrawn": ("retirée le {at} par {user}", "taken back on {at} by {user}"),
}
