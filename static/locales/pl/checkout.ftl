# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = Zapłać { $amount }
more = Wyślij jeszcze { $due }
seen = Wykryto płatność
confirmed = Potwierdzenia: { $n } z { $m }
paid = Zapłacono
expired = Płatność wygasła
cancelled = Płatność anulowana
late = Płatność dotarła za późno
unknown = Nie znaleziono płatności
limited = Chwileczkę

## The text below the title.

waiting-hint = Zeskanuj kod portfelem Litecoin albo skopiuj kwotę i adres. Płatność z salda MWEB pojawi się z następnym blokiem.
partly-hint = Dotarło { $received } z { $amount }. Wyślij resztę na ten sam adres.
replaced-hint = Wykryta transakcja została wycofana. Czekamy na płatność.
seen-hint = Czeka na pierwsze potwierdzenie. Możesz zamknąć tę stronę.{ $notified ->
        [yes] {" "}Sklep zostanie powiadomiony automatycznie.
       *[no] {""}
    }
confirming-hint = Potwierdzenie trwa około 2½ min. Pozostało około { $left } min. Możesz zamknąć tę stronę.{ $notified ->
        [yes] {" "}Sklep zostanie powiadomiony automatycznie.
       *[no] {""}
    }
paid-hint = Otrzymano { $amount }. Dziękujemy.
overpaid-hint = Otrzymano { $received }, o { $surplus } więcej niż trzeba. W sprawie różnicy skontaktuj się ze sklepem.
paid-short-hint = Otrzymano { $received } z { $amount }. Sklep akceptuje tę płatność. Dziękujemy.
expired-hint = Nie wysyłaj już nic do tej płatności. Złóż nowe zamówienie w sklepie.
cancelled-hint = Sklep anulował tę płatność. Nie wysyłaj żadnych środków.
expired-partly-hint = Na czas dotarło tylko { $received } z { $amount }. Nie wysyłaj więcej. Skontaktuj się ze sklepem i podaj poniższy numer płatności.
late-hint = { $received } dotarło po wygaśnięciu płatności. Pieniądze nie przepadły. Skontaktuj się ze sklepem i podaj poniższy numer płatności.
unknown-hint = Nie znaleziono tej płatności. Sprawdź link albo zacznij od nowa w sklepie. Nie wysyłaj pieniędzy.
limited-hint = Z twojego łącza przyszło zbyt wiele zapytań. Sprawdź ponownie za { $n } s. Wysłana płatność nie przepadła.
delayed = W tej chwili płatności są wykrywane z opóźnieniem. Nie płać dwa razy.
quoted = { $sum }, według { $shop }
decimal-sign = ,
price = { $sum } { $currency }
rate-held = { $price } = { $amount }. Kurs obowiązuje do { $time }.

## Labels and buttons.

order = Zamówienie
qr = Kod QR płatności
open-wallet = Otwórz w portfelu
no-wallet = Portfel się nie otworzył? Zeskanuj kod albo skopiuj adres.
amount = Kwota
address = Adres
link = Link do płatności
copy = Kopiuj
copied = Skopiowano
selected = Zaznaczono: skopiuj z menu
time-left = Pozostały czas
until = do { $time }
minutes = { $n } min
hours = { $n } godz.
confirmations = Potwierdzenia
transaction = Transakcja
back = Wróć do { $host }
check-again = Sprawdź ponownie
payment = Płatność
language = Język
