# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = Betaal { $amount }
more = Stuur nog { $due }
seen = Betaling gezien
confirmed = { $n } van { $m } bevestigingen
paid = Betaald
expired = Betaling verlopen
cancelled = Betaling geannuleerd
late = Betaling te laat binnengekomen
unknown = Betaling niet gevonden
limited = Een ogenblik

## The text below the title.

waiting-hint = Scan de code met je Litecoin-wallet, of kopieer het bedrag en het adres. Een betaling vanuit een MWEB-saldo verschijnt met het volgende blok.
partly-hint = { $received } van { $amount } is binnen. Stuur de rest naar hetzelfde adres.
replaced-hint = De transactie die we zagen, is ingetrokken. We wachten op een betaling.
seen-hint = De betaling wacht op de eerste bevestiging. Je kunt deze pagina sluiten.{ $notified ->
        [yes] {" "}De winkel krijgt automatisch bericht.
       *[no] {""}
    }
confirming-hint = Een bevestiging duurt ongeveer 2½ min. Nog ongeveer { $left } min. Je kunt deze pagina sluiten.{ $notified ->
        [yes] {" "}De winkel krijgt automatisch bericht.
       *[no] {""}
    }
paid-hint = { $amount } ontvangen. Bedankt.
overpaid-hint = { $received } ontvangen, { $surplus } meer dan gevraagd. Neem over het verschil contact op met de winkel.
paid-short-hint = { $received } van { $amount } ontvangen. De winkel accepteert dit. Bedankt.
expired-hint = Stuur niets meer voor deze betaling. Bestel opnieuw in de winkel.
cancelled-hint = De winkel heeft deze betaling geannuleerd. Stuur niets meer.
expired-partly-hint = Slechts { $received } van { $amount } kwam op tijd binnen. Stuur niets meer. Neem contact op met de winkel en noem het betalingsnummer hieronder.
late-hint = { $received } kwam binnen nadat de betaling was verlopen. Het geld is niet verloren. Neem contact op met de winkel en noem het betalingsnummer hieronder.
unknown-hint = Deze betaling is niet gevonden. Controleer de link of begin opnieuw in de winkel. Stuur geen geld.
limited-hint = Er kwamen te veel verzoeken van je verbinding. Controleer over { $n } s opnieuw. Een verstuurde betaling is niet verloren.
delayed = Betalingen worden op dit moment met vertraging gezien. Betaal niet twee keer.
quoted = { $sum }, volgens { $shop }
decimal-sign = ,
price = { $currency } { $sum }
rate-held = { $price } = { $amount }. De koers geldt tot { $time }.

## Labels and buttons.

order = Bestelling
qr = QR-code van de betaling
open-wallet = Openen in wallet
no-wallet = Geen wallet geopend? Scan de code of kopieer het adres.
amount = Bedrag
address = Adres
link = Betaallink
copy = Kopiëren
copied = Gekopieerd
selected = Geselecteerd: kopieer via het menu
time-left = Resterende tijd
until = tot { $time }
minutes = { $n } min
hours = { $n } u
confirmations = Bevestigingen
transaction = Transactie
back = Terug naar { $host }
check-again = Opnieuw controleren
payment = Betaling
language = Taal
