//! The checkout in Dutch.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "Betaal {amount}",
    more: "Stuur nog {due}",
    seen: "Betaling gezien",
    confirmed: "{n} van {m} bevestigingen",
    paid: "Betaald",
    expired: "De tijd is om",
    late: "Te laat aangekomen",
    unknown: "Deze betaling bestaat niet",
    limited: "Een ogenblik",
    waiting_hint: "Scan de code met je Litecoin-wallet, of kopieer bedrag en adres. Vanuit een \
        MWEB-saldo verschijnt de betaling met het volgende blok.",
    partly_hint: "{received} van {amount} is binnen. Stuur de rest naar hetzelfde adres.",
    replaced_hint: "De transactie die we zagen is ingetrokken. We wachten op een betaling.",
    seen_hint: "Ze wacht op de eerste bevestiging. Je kunt deze pagina sluiten; de winkel krijgt \
        vanzelf bericht.",
    confirming_hint: "Een bevestiging duurt ongeveer 2½ min; nog ongeveer {left} min. Je kunt deze \
        pagina sluiten; de winkel krijgt vanzelf bericht.",
    paid_hint: "{amount} ontvangen. Bedankt.",
    overpaid_hint: "{received} ontvangen, {surplus} meer dan gevraagd. Vraag het de winkel.",
    expired_hint: "Stuur niets meer voor deze betaling. Bestel opnieuw in de winkel.",
    expired_partly_hint: "Slechts {received} van {amount} kwam op tijd aan. Stuur niets meer: \
        vraag het de winkel en noem het betalingsnummer hieronder.",
    late_hint: "{received} kwam na afloop van de tijd aan. Het geld is niet verloren. Neem contact \
        op met de winkel en noem het betalingsnummer hieronder.",
    unknown_hint: "Op dit adres is geen betaling. Controleer de link of begin opnieuw in de \
        winkel. Stuur geen geld.",
    limited_hint: "Er kwamen te veel verzoeken van je verbinding. Kijk over {n} s opnieuw. Een \
        verstuurde betaling is niet verloren.",
    delayed: "We zien betalingen op dit moment met vertraging. Betaal niet twee keer.",
    quoted: "{sum}, volgens {shop}",
    order: "Bestelling",
    qr: "QR-code van de betaling",
    open_wallet: "Openen in wallet",
    no_wallet: "Geen wallet geopend? Scan de code of kopieer het adres.",
    amount: "Bedrag",
    address: "Adres",
    link: "Betaallink",
    copy: "Kopiëren",
    copied: "Gekopieerd",
    selected: "Geselecteerd: kopieer via het menu",
    time_left: "Resterende tijd",
    until: "tot {time}",
    minutes: "{n} min",
    hours: "{n} u",
    confirmations: "Bevestigingen",
    transaction: "Transactie",
    back: "Terug naar {host}",
    check_again: "Opnieuw controleren",
    payment: "Betaling",
    language: "Taal",
};
