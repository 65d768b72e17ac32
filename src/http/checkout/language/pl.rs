//! The checkout in Polish.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "Zapłać {amount}",
    more: "Wyślij jeszcze {due}",
    seen: "Płatność zauważona",
    confirmed: "Potwierdzenia: {n} z {m}",
    paid: "Zapłacono",
    expired: "Czas minął",
    late: "Dotarło za późno",
    unknown: "Nie ma takiej płatności",
    limited: "Chwileczkę",
    waiting_hint: "Zeskanuj kod portfelem Litecoin albo skopiuj kwotę i adres. Z salda MWEB \
        płatność pojawi się z następnym blokiem.",
    partly_hint: "Dotarło {received} z {amount}. Wyślij resztę na ten sam adres.",
    replaced_hint: "Transakcja, którą widzieliśmy, została wycofana. Czekamy na płatność.",
    seen_hint: "Czeka na pierwsze potwierdzenie. Możesz zamknąć tę stronę; sklep dowie się sam.",
    confirming_hint: "Potwierdzenie trwa około 2½ min; jeszcze około {left} min. Możesz zamknąć tę \
        stronę; sklep dowie się sam.",
    paid_hint: "Otrzymano {amount}. Dziękujemy.",
    overpaid_hint: "Otrzymano {received}, o {surplus} więcej niż trzeba. Zapytaj sklep.",
    expired_hint: "Nie wysyłaj już nic do tej płatności. Złóż nowe zamówienie w sklepie.",
    expired_partly_hint: "Na czas dotarło tylko {received} z {amount}. Nie wysyłaj więcej: \
        zapytaj sklep i podaj poniższy numer płatności.",
    late_hint: "{received} dotarło po czasie. Pieniądze nie przepadły. Skontaktuj się ze sklepem i \
        podaj poniższy numer płatności.",
    unknown_hint: "Pod tym adresem nie ma płatności. Sprawdź link albo zacznij od nowa w \
        sklepie. Nie wysyłaj pieniędzy.",
    limited_hint: "Z twojego łącza przyszło zbyt wiele zapytań. Sprawdź ponownie za {n} s. \
        Wysłana płatność nie przepadła.",
    delayed: "W tej chwili widzimy płatności z opóźnieniem. Nie płać dwa razy.",
    quoted: "{sum}, według {shop}",
    order: "Zamówienie",
    qr: "Kod QR płatności",
    open_wallet: "Otwórz w portfelu",
    no_wallet: "Portfel się nie otworzył? Zeskanuj kod albo skopiuj adres.",
    amount: "Kwota",
    address: "Adres",
    link: "Link do płatności",
    copy: "Kopiuj",
    copied: "Skopiowano",
    selected: "Zaznaczono: skopiuj z menu",
    time_left: "Pozostały czas",
    until: "do {time}",
    minutes: "{n} min",
    hours: "{n} godz.",
    confirmations: "Potwierdzenia",
    transaction: "Transakcja",
    back: "Wróć do {host}",
    check_again: "Sprawdź ponownie",
    payment: "Płatność",
    language: "Język",
};
