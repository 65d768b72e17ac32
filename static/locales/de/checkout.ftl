# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = { $amount } zahlen
more = Bitte noch { $due } senden
seen = Zahlung erkannt
confirmed = { $n } von { $m } Bestätigungen
paid = Bezahlt
expired = Zahlung abgelaufen
cancelled = Zahlung storniert
late = Zahlung zu spät eingegangen
unknown = Zahlung nicht gefunden
limited = Einen Moment bitte

## The text below the title.

waiting-hint = Scanne den Code mit deiner Litecoin-Wallet oder kopiere Betrag und Adresse. Eine Zahlung aus einem MWEB-Guthaben erscheint mit dem nächsten Block.
partly-hint = { $received } von { $amount } sind eingegangen. Sende den Rest an dieselbe Adresse.
replaced-hint = Die erkannte Transaktion wurde zurückgezogen. Wir warten auf eine Zahlung.
seen-hint = Sie wartet auf die erste Bestätigung. Du kannst diese Seite schließen.{ $notified ->
        [yes] {" "}Der Shop wird automatisch benachrichtigt.
       *[no] {""}
    }
confirming-hint = Eine Bestätigung dauert etwa 2½ min. Noch etwa { $left } min. Du kannst diese Seite schließen.{ $notified ->
        [yes] {" "}Der Shop wird automatisch benachrichtigt.
       *[no] {""}
    }
paid-hint = { $amount } erhalten. Vielen Dank.
overpaid-hint = { $received } erhalten, { $surplus } mehr als verlangt. Wende dich wegen der Differenz an den Shop.
paid-short-hint = { $received } von { $amount } erhalten. Der Shop nimmt die Zahlung so an. Vielen Dank.
expired-hint = Sende für diese Zahlung nichts mehr. Bestelle im Shop neu.
cancelled-hint = Der Shop hat diese Zahlung storniert. Senden Sie nichts mehr an diese Adresse.
expired-partly-hint = Nur { $received } von { $amount } sind rechtzeitig eingegangen. Sende nichts mehr. Wende dich an den Shop und nenne die Zahlungsnummer unten.
late-hint = { $received } sind nach Ablauf der Zahlung eingegangen. Das Geld ist nicht verloren. Wende dich an den Shop und nenne die Zahlungsnummer unten.
unknown-hint = Diese Zahlung wurde nicht gefunden. Prüfe den Link oder beginne im Shop neu. Sende kein Geld.
limited-hint = Von deiner Verbindung kamen zu viele Anfragen. Prüfe in { $n } s erneut. Eine gesendete Zahlung ist nicht verloren.
delayed = Zahlungen werden zurzeit verspätet erkannt. Zahle nicht zweimal.
quoted = { $sum }, laut { $shop }
decimal-sign = ,
price = { $sum } { $currency }
rate-held = { $price } = { $amount }. Der Kurs gilt bis { $time }.

## Labels and buttons.

order = Bestellung
qr = QR-Code der Zahlung
open-wallet = In Wallet öffnen
no-wallet = Keine Wallet geöffnet? Scanne den Code oder kopiere die Adresse.
amount = Betrag
address = Adresse
link = Zahlungslink
copy = Kopieren
copied = Kopiert
selected = Ausgewählt: über das Menü kopieren
time-left = Restzeit
until = bis { $time }
minutes = { $n } min
hours = { $n } h
confirmations = Bestätigungen
transaction = Transaktion
back = Zurück zu { $host }
check-again = Erneut prüfen
payment = Zahlung
language = Sprache
