"""What people say on the telephone besides numbers. `a:` is the agent, `c:` the caller, `|` a new turn."""

from __future__ import annotations

ORDINARY = {
    "fr": (
        "c: je voudrais savoir où en est mon dossier s'il vous plaît | a: bien sûr je regarde cela tout de suite",
        "a: est-ce que je peux vous aider pour autre chose ? | c: non c'est parfait merci",
        "c: ça fait deux semaines que j'attends et personne ne me rappelle | a: je comprends je suis désolé",
        "a: je vous mets en attente une petite minute | c: d'accord pas de souci",
        "c: j'ai reçu un courrier mais je ne comprends pas ce qu'il faut faire",
        "a: le technicien passera dans la matinée il vous appellera avant de venir",
        "c: ma fille a fait la commande pour moi sur internet il y a trois jours",
        "a: vous avez bien fait d'appeler nous allons régler cela ensemble",
        "c: la dernière fois on m'avait dit que c'était gratuit | a: en effet il n'y a pas de frais",
        "c: je suis au bureau toute la journée donc plutôt en fin d'après-midi",
        "a: votre contrat est bien à jour et les garanties sont les mêmes qu'avant",
        "c: il y a deux personnes dans le foyer et un seul véhicule",
        "c: je n'ai pas mes papiers sous la main | a: prenez votre temps je reste en ligne",
        "a: je vous envoie un message de confirmation dans les prochaines minutes",
        "c: on est partis à quatre et on est rentrés à trois c'est toute une histoire",
        "c: franchement c'est la première fois que ça m'arrive en dix ans",
        "a: il y a une réduction de vingt pour cent jusqu'à la fin du mois",
        "c: j'habite au troisième étage sans ascenseur | a: c'est noté merci",
        "c: le colis est arrivé ouvert et il manque deux pièces sur six",
        "a: votre demande sera traitée sous huit jours ouvrés",
        "c: est-ce que je peux passer directement à l'agence demain matin ?",
        "a: l'agence est ouverte du lundi au samedi de neuf heures à dix-huit heures",
        "c: j'ai essayé trois ou quatre fois et ça ne marche toujours pas",
        "a: avez-vous redémarré l'appareil ? | c: oui deux fois sans succès",
        "c: mon mari s'en occupe d'habitude mais il est en déplacement",
        "a: la carte de fidélité vous sera envoyée par la poste",
        "c: je ne veux pas payer pour quelque chose que je n'ai pas demandé",
        "a: je n'ai pas besoin de votre numéro de carte pour cette demande | c: ah très bien",
        "c: le chien a mangé le coin de la facture | a: ce n'est pas grave je l'ai ici",
        "a: merci d'avoir patienté je vois bien votre commande à l'écran",
    ),
    "en": (
        "c: I would like to know what is going on with my order please | a: of course let me have a look",
        "a: is there anything else I can help you with ? | c: no that's all thank you",
        "c: I have been waiting for two weeks and nobody calls me back | a: I understand I am sorry about that",
        "a: I will put you on hold for a minute | c: okay no problem",
        "c: I got a letter but I don't understand what I need to do",
        "a: the engineer will come in the morning and he will ring you first",
        "c: my daughter placed the order for me online three days ago",
        "a: you did well to call we will sort this out together",
        "c: last time they told me it was free | a: that's right there is no charge",
        "c: I am at the office all day so late afternoon would be better",
        "a: your policy is up to date and the cover is the same as before",
        "c: there are two people in the house and only one car",
        "c: I don't have my papers with me | a: take your time I'll stay on the line",
        "a: I am sending you a confirmation in the next few minutes",
        "c: four of us left and three came back it's quite a story",
        "c: honestly it's the first time this has happened in ten years",
        "a: there is a twenty percent discount until the end of the month",
        "c: I live on the third floor and there is no lift | a: I have noted that thank you",
        "c: the parcel was open when it came and two of the six parts are missing",
        "a: your request will be handled within eight working days",
        "c: can I come to the branch tomorrow morning ?",
        "a: the branch is open Monday to Saturday from nine to six",
        "c: I tried three or four times and it still doesn't work",
        "a: did you restart the device ? | c: yes twice without any luck",
        "c: my husband usually takes care of it but he is away",
        "a: the loyalty card will be sent to you by post",
        "c: I don't want to pay for something I didn't ask for",
        "a: I don't need your card number for this request | c: oh very good",
        "c: the dog ate the corner of the invoice | a: that's fine I have it here",
        "a: thank you for waiting I can see your order on the screen",
    ),
}
GREETING = {
    "fr": "a: bonjour et bienvenue au service client cet appel est enregistré | c: bonjour madame",
    "en": "a: good morning and welcome to customer service this call is recorded | c: hello",
}
GOODBYE = {
    "fr": "a: merci de votre appel bonne journée | c: au revoir",
    "en": "a: thank you for calling | c: goodbye",
}

# `{}` is where the number goes. The first of each are those that name it.
ASKED = {
    "card": {
        "fr": (
            "a: je vous écoute pour le numéro de votre carte | c: alors c'est le {} | a: merci",
            "c: mon numéro de carte c'est {} | a: c'est noté",
            "a: pouvez-vous me donner les seize chiffres de votre carte bancaire ? | c: oui {} | a: parfait",
            "c: je vous donne ma carte bleue {}",
            "a: pour le paiement il me faut le numéro de la carte | c: oui voilà {} | a: très bien",
            "c: vous êtes prêt ? {} | a: merci beaucoup",
            "a: allez-y je note | c: {}",
        ),
        "en": (
            "a: can I take your card number please ? | c: sure it's {} | a: thank you",
            "c: my card number is {} | a: got that",
            "a: and the long number on the front of the card ? | c: {} | a: perfect",
            "c: I'll pay by credit card it's {}",
            "a: I need the card number for the payment | c: yes here it is {} | a: great",
            "c: are you ready ? {} | a: thank you",
            "a: go ahead please | c: {}",
        ),
    },
    "code": {
        "fr": (
            "a: et le cryptogramme au dos ? | c: {}",
            "c: le cryptogramme c'est {}",
            "a: il me faut les trois chiffres au dos de la carte | c: alors {}",
            "c: et le code de sécurité {} | a: merci",
            "c: le CVV c'est le {}",
            "c: le cryptogramme c'est {} | a: alors {} c'est noté",
        ),
        "en": (
            "a: and the security code on the back ? | c: {}",
            "c: the security code is {}",
            "a: I need the three digits on the back of the card | c: it's {}",
            "c: and the CVV is {} | a: thank you",
            "a: the last three digits on the signature strip ? | c: yes {}",
            "c: the security code is {} | a: so {} thank you",
        ),
    },
    "card_next": {
        "fr": ("a: je vous écoute pour la carte | c: alors {}", "c: je paie par carte {}"),
        "en": ("a: go ahead with the card | c: right {}", "c: I'll pay by card {}"),
    },
    "expiry_next": {
        "fr": ("c: date d'expiration {}", "c: expire fin {}", "c: {}"),
        "en": ("c: expiry date {}", "c: expires {}", "c: {}"),
    },
    "code_next": {
        "fr": ("c: cryptogramme {}", "c: et au dos {}", "c: et les trois chiffres {}"),
        "en": ("c: security code {}", "c: and on the back {}", "c: and the three digits {}"),
    },
    "sms": {
        "fr": (
            "a: vous avez reçu un code de vérification | c: oui {}",
            "c: le code reçu par SMS c'est {}",
        ),
        "en": ("a: you received a verification code | c: yes {}", "c: the verification code is {}"),
    },
    "expiry": {
        "fr": (
            "a: la date d'expiration ? | c: {}",
            "c: elle expire en {}",
            "c: la date de fin de validité c'est {} | a: merci",
            "c: date d'expiration {}",
            "a: la date d'expiration ? | c: {} | a: {} très bien",
        ),
        "en": (
            "a: and the expiry date ? | c: {}",
            "c: it expires {}",
            "c: the expiration date is {} | a: thank you",
            "c: valid until {}",
            "a: the expiry date ? | c: {} | a: {} perfect",
        ),
    },
    "pin": {
        "fr": ("c: mon code confidentiel c'est {}", "c: le code secret de ma carte c'est {} | a: ne me le donnez pas",
               "c: mon code PIN {}"),
        "en": ("c: my PIN is {}", "c: the PIN code is {} | a: please don't tell me", "c: my pin number is {}"),
    },
    "iban": {
        "fr": (
            "a: votre IBAN s'il vous plaît | c: alors {} | a: c'est noté",
            "c: mon IBAN c'est {}",
            "a: pour le virement il me faut vos coordonnées bancaires | c: oui {}",
        ),
        "en": (
            "a: your IBAN please | c: it's {} | a: noted",
            "c: my IBAN is {}",
            "a: I need your bank details for the transfer | c: yes {}",
        ),
    },
    "bic": {
        "fr": ("a: et le BIC ? | c: {}", "c: le code BIC c'est {}", "c: le code SWIFT de la banque {}"),
        "en": ("a: and the BIC ? | c: {}", "c: the BIC is {}", "c: the SWIFT code is {}"),
    },
    "rib": {
        "fr": ("a: vous avez votre RIB ? | c: oui {}", "c: mon RIB c'est {}", "a: le numéro de compte complet ? | c: {}"),
    },
    "nir": {
        "fr": (
            "a: votre numéro de sécurité sociale ? | c: {} | a: merci",
            "c: mon numéro de sécurité sociale c'est le {}",
            "c: j'ai ma carte vitale c'est le {}",
        ),
    },
    "email": {
        "fr": ("a: votre adresse mail ? | c: {}", "c: mon adresse c'est {} | a: merci", "c: vous pouvez m'écrire à {}"),
        "en": ("a: your email address ? | c: {}", "c: my email is {} | a: thank you", "c: you can write to {}"),
    },
    "phone": {
        "fr": ("a: votre numéro de téléphone ? | c: {}", "c: vous pouvez me rappeler au {} | a: très bien",
               "c: mon portable c'est le {}"),
        "en": ("a: your phone number ? | c: {}", "c: you can call me back on {} | a: very good", "c: my mobile is {}"),
    },
    "tone": {
        "fr": ("a: tapez votre code sur le clavier puis dièse | c: d'accord {}", "a: composez le numéro sur votre clavier {}",
               "c: {}"),
        "en": ("a: please key in the number followed by hash | c: okay {}", "a: enter the digits on your keypad {}",
               "c: {}"),
    },
}  # fmt: skip
DECOYS = {
    "order": {
        "fr": ("c: c'est pour la commande numéro {}", "a: votre commande {} a bien été expédiée"),
        "en": ("c: it's about order number {}", "a: your order {} has been shipped"),
    },
    "customer": {
        "fr": ("c: mon numéro client c'est le {}", "a: votre référence client est {} | c: c'est noté"),
        "en": ("c: my customer number is {}", "a: your customer reference is {} | c: okay"),
    },
    "tracking": {
        "fr": ("a: le numéro de suivi du colis est {}", "c: j'ai le numéro de suivi {}"),
        "en": ("a: the tracking number of the parcel is {}", "c: I have the tracking number {}"),
    },
    "contract": {
        "fr": ("c: le numéro de contrat c'est {}", "a: votre numéro de dossier est {} | c: merci"),
        "en": ("c: the contract number is {}", "a: your file number is {} | c: thanks"),
    },
    "siret": {
        "fr": ("c: le SIRET de l'entreprise c'est {}",),
        "en": ("c: the company number is {}",),
    },
    "amount": {
        "fr": ("a: cela fait {} au total", "c: on m'a prélevé {} en trop", "a: le montant est de {}"),
        "en": ("a: that comes to {} in total", "c: they charged me {} too much", "a: the amount is {}"),
    },
    "date": {
        "fr": ("c: je suis né le {}", "a: le rendez-vous est fixé au {}", "c: c'était le {} je crois"),
        "en": ("c: I was born on {}", "a: the appointment is on {}", "c: it was {} I think"),
    },
    "time": {
        "fr": ("a: le livreur passera vers {}", "c: j'ai appelé à {} et personne"),
        "en": ("a: the driver will come around {}", "c: I called at {} and nobody answered"),
    },
    "postcode": {
        "fr": ("c: j'habite {} rue des Lilas {} Lyon", "a: le code postal est bien {} ? | c: oui"),
        "en": ("c: I live at {} Station Road {}", "a: the postcode is {} right ? | c: yes"),
    },
    "count": {
        "fr": ("c: il me faut {} boîtes de {}", "a: il reste {} points sur votre compte de fidélité"),
        "en": ("c: I need {} boxes of {}", "a: you have {} points left on your loyalty account"),
    },
}
