//! The checkout in Italian.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "Paga {amount}",
    more: "Invia ancora {due}",
    seen: "Pagamento visto",
    confirmed: "{n} conferme su {m}",
    paid: "Pagato",
    expired: "Tempo scaduto",
    late: "Arrivato in ritardo",
    unknown: "Pagamento inesistente",
    limited: "Un momento, per favore",
    waiting_hint: "Scansiona il codice con il tuo portafoglio Litecoin, oppure copia importo e \
        indirizzo. Da un saldo MWEB appare con il prossimo blocco.",
    partly_hint: "Sono arrivati {received} di {amount}. Invia il resto allo stesso indirizzo.",
    replaced_hint: "La transazione che avevamo visto è stata ritirata. In attesa di un pagamento.",
    seen_hint: "Attende la prima conferma. Puoi chiudere questa pagina; il negozio viene \
        avvisato da solo.",
    confirming_hint: "Una conferma richiede circa 2½ min; mancano circa {left} min. Puoi chiudere \
        questa pagina; il negozio viene avvisato da solo.",
    paid_hint: "{amount} ricevuti. Grazie.",
    overpaid_hint: "{received} ricevuti, {surplus} più del richiesto. Chiedi al negozio.",
    expired_hint: "Non inviare più nulla per questo pagamento. Fai un nuovo ordine nel negozio.",
    expired_partly_hint: "Solo {received} di {amount} sono arrivati in tempo. Non inviare altro: \
        chiedi al negozio e indica il numero di pagamento qui sotto.",
    late_hint: "{received} sono arrivati a tempo scaduto. Il denaro non è perso. Contatta il negozio \
        e indica il numero di pagamento qui sotto.",
    unknown_hint: "A questo indirizzo non c’è alcun pagamento. Controlla il link o ricomincia \
        dal negozio. Non inviare denaro.",
    limited_hint: "Troppe richieste dalla tua connessione. Ricontrolla tra {n} s. Un pagamento \
        inviato non è perso.",
    delayed: "Al momento vediamo i pagamenti in ritardo. Non pagare due volte.",
    quoted: "{sum}, secondo {shop}",
    order: "Ordine",
    qr: "Codice QR del pagamento",
    open_wallet: "Apri nel portafoglio",
    no_wallet: "Nessun portafoglio aperto? Scansiona il codice o copia l’indirizzo.",
    amount: "Importo",
    address: "Indirizzo",
    link: "Link di pagamento",
    copy: "Copia",
    copied: "Copiato",
    selected: "Selezionato: copialo dal menu",
    time_left: "Tempo rimasto",
    until: "fino alle {time}",
    minutes: "{n} min",
    hours: "{n} h",
    confirmations: "Conferme",
    transaction: "Transazione",
    back: "Torna a {host}",
    check_again: "Controlla di nuovo",
    payment: "Pagamento",
    language: "Lingua",
};
