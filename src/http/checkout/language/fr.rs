//! The checkout in French.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "Payez {amount}",
    more: "Envoyez encore {due}",
    seen: "Paiement vu",
    confirmed: "{n} confirmations sur {m}",
    paid: "Payé",
    expired: "Le temps est écoulé",
    late: "Arrivé en retard",
    unknown: "Ce paiement n’existe pas",
    limited: "Un instant, s’il vous plaît",
    waiting_hint: "Scannez le code avec votre portefeuille Litecoin, ou copiez montant et \
        adresse. Depuis un solde MWEB, il apparaît avec le prochain bloc.",
    partly_hint: "{received} sur {amount} sont arrivés. Envoyez le reste à la même adresse.",
    replaced_hint: "La transaction que nous avions vue a été retirée. Nous attendons un paiement.",
    seen_hint: "Il attend sa première confirmation. Vous pouvez fermer cette page ; la boutique \
        est prévenue automatiquement.",
    confirming_hint: "Une confirmation prend environ 2½ min ; encore {left} min environ. Vous \
        pouvez fermer cette page ; la boutique est prévenue automatiquement.",
    paid_hint: "{amount} reçus. Merci.",
    overpaid_hint: "{received} reçus, soit {surplus} de trop. Adressez-vous à la boutique.",
    expired_hint: "N’envoyez plus rien pour ce paiement. Passez une nouvelle commande dans la \
        boutique.",
    expired_partly_hint: "Seuls {received} sur {amount} sont arrivés à temps. N’envoyez plus \
        rien : adressez-vous à la boutique avec le numéro de paiement ci-dessous.",
    late_hint: "{received} sont arrivés hors délai. L’argent n’est pas perdu. Contactez la boutique \
        et donnez le numéro de paiement ci-dessous.",
    unknown_hint: "Il n’y a aucun paiement à cette adresse. Vérifiez le lien ou recommencez dans \
        la boutique. N’envoyez pas d’argent.",
    limited_hint: "Trop de requêtes viennent de votre connexion. Revérifiez dans {n} s. Un \
        paiement envoyé n’est pas perdu.",
    delayed: "Nous voyons actuellement les paiements avec retard. Ne payez pas deux fois.",
    quoted: "{sum}, selon {shop}",
    order: "Commande",
    qr: "Code QR du paiement",
    open_wallet: "Ouvrir le portefeuille",
    no_wallet: "Aucun portefeuille ouvert ? Scannez le code ou copiez l’adresse.",
    amount: "Montant",
    address: "Adresse",
    link: "Lien de paiement",
    copy: "Copier",
    copied: "Copié",
    selected: "Sélectionné : copiez par le menu",
    time_left: "Temps restant",
    until: "jusqu’à {time}",
    minutes: "{n} min",
    hours: "{n} h",
    confirmations: "Confirmations",
    transaction: "Transaction",
    back: "Retour à {host}",
    check_again: "Vérifier à nouveau",
    payment: "Paiement",
    language: "Langue",
};
