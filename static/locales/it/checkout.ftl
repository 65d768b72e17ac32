# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = Paga { $amount }
more = Invia ancora { $due }
seen = Pagamento rilevato
confirmed = { $n } conferme su { $m }
paid = Pagato
expired = Pagamento scaduto
cancelled = Pagamento annullato
late = Pagamento arrivato in ritardo
unknown = Pagamento non trovato
limited = Un momento, per favore

## The text below the title.

waiting-hint = Scansiona il codice con il tuo portafoglio Litecoin, oppure copia l’importo e l’indirizzo. Un pagamento da un saldo MWEB appare con il prossimo blocco.
partly-hint = Sono arrivati { $received } di { $amount }. Invia il resto allo stesso indirizzo.
replaced-hint = La transazione rilevata è stata ritirata. In attesa di un pagamento.
seen-hint = È in attesa della prima conferma. Puoi chiudere questa pagina.{ $notified ->
        [yes] {" "}Il negozio riceve un avviso automatico.
       *[no] {""}
    }
confirming-hint = Una conferma richiede circa 2½ min. Mancano circa { $left } min. Puoi chiudere questa pagina.{ $notified ->
        [yes] {" "}Il negozio riceve un avviso automatico.
       *[no] {""}
    }
paid-hint = { $amount } ricevuti. Grazie.
overpaid-hint = { $received } ricevuti, { $surplus } più del richiesto. Contatta il negozio per la differenza.
paid-short-hint = Ricevuti { $received } su { $amount }. Il negozio accetta il pagamento. Grazie.
expired-hint = Non inviare più nulla per questo pagamento. Fai un nuovo ordine nel negozio.
cancelled-hint = Il negozio ha annullato questo pagamento. Non inviare nulla.
expired-partly-hint = Solo { $received } di { $amount } sono arrivati in tempo. Non inviare altro. Contatta il negozio e indica il numero di pagamento qui sotto.
late-hint = { $received } sono arrivati dopo la scadenza del pagamento. Il denaro non è perso. Contatta il negozio e indica il numero di pagamento qui sotto.
unknown-hint = Questo pagamento non è stato trovato. Controlla il link o ricomincia dal negozio. Non inviare denaro.
limited-hint = Troppe richieste dalla tua connessione. Controlla di nuovo tra { $n } s. Un pagamento inviato non è perso.
delayed = Al momento i pagamenti vengono rilevati in ritardo. Non pagare due volte.
quoted = { $sum }, secondo { $shop }
decimal-sign = ,
price = { $sum } { $currency }
rate-held = { $price } = { $amount }. Il cambio è valido fino alle { $time }.

## Labels and buttons.

order = Ordine
qr = Codice QR del pagamento
open-wallet = Apri nel portafoglio
no-wallet = Nessun portafoglio aperto? Scansiona il codice o copia l’indirizzo.
amount = Importo
address = Indirizzo
link = Link di pagamento
copy = Copia
copied = Copiato
selected = Selezionato: copialo dal menu
time-left = Tempo rimasto
until = fino alle { $time }
minutes = { $n } min
hours = { $n } h
confirmations = Conferme
transaction = Transazione
back = Torna a { $host }
check-again = Controlla di nuovo
payment = Pagamento
language = Lingua
