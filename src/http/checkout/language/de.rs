//! The checkout in German.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "{amount} zahlen",
    more: "Bitte noch {due} senden",
    seen: "Zahlung gesehen",
    confirmed: "{n} von {m} Bestätigungen",
    paid: "Bezahlt",
    expired: "Die Zeit ist um",
    late: "Zu spät eingetroffen",
    unknown: "Diese Zahlung gibt es nicht",
    limited: "Einen Moment bitte",
    waiting_hint: "Scanne den Code mit deiner Litecoin-Wallet oder kopiere Betrag und Adresse. \
        Aus einem MWEB-Guthaben erscheint die Zahlung mit dem nächsten Block.",
    partly_hint: "{received} von {amount} sind da. Sende den Rest an dieselbe Adresse.",
    replaced_hint: "Die Transaktion, die wir sahen, wurde zurückgezogen. Wir warten auf eine \
        Zahlung.",
    seen_hint: "Sie wartet auf die erste Bestätigung. Du kannst diese Seite schließen; der Shop \
        erfährt es von selbst.",
    confirming_hint: "Eine Bestätigung dauert etwa 2½ min; noch etwa {left} min. Du kannst diese \
        Seite schließen; der Shop erfährt es von selbst.",
    paid_hint: "{amount} erhalten. Vielen Dank.",
    overpaid_hint: "{received} erhalten, {surplus} mehr als verlangt. Wende dich dafür an den \
        Shop.",
    expired_hint: "Sende für diese Zahlung nichts mehr. Bestelle im Shop neu.",
    expired_partly_hint: "Nur {received} von {amount} kamen rechtzeitig an. Sende nichts mehr: \
        Wende dich an den Shop und nenne die Zahlungsnummer unten.",
    late_hint: "{received} kamen nach Ablauf der Zeit an. Das Geld ist nicht verloren. Wende dich an \
        den Shop und nenne die Zahlungsnummer unten.",
    unknown_hint: "Unter dieser Adresse gibt es keine Zahlung. Prüfe den Link oder beginne im \
        Shop neu. Sende kein Geld.",
    limited_hint: "Von deiner Verbindung kamen zu viele Anfragen. Sieh in {n} s noch einmal \
        nach. Eine gesendete Zahlung ist nicht verloren.",
    delayed: "Wir sehen Zahlungen zurzeit verspätet. Zahle nicht zweimal.",
    quoted: "{sum}, laut {shop}",
    order: "Bestellung",
    qr: "QR-Code der Zahlung",
    open_wallet: "In Wallet öffnen",
    no_wallet: "Keine Wallet geöffnet? Scanne den Code oder kopiere die Adresse.",
    amount: "Betrag",
    address: "Adresse",
    link: "Zahlungslink",
    copy: "Kopieren",
    copied: "Kopiert",
    selected: "Ausgewählt: über das Menü kopieren",
    time_left: "Restzeit",
    until: "bis {time}",
    minutes: "{n} min",
    hours: "{n} h",
    confirmations: "Bestätigungen",
    transaction: "Transaktion",
    back: "Zurück zu {host}",
    check_again: "Erneut prüfen",
    payment: "Zahlung",
    language: "Sprache",
};
