# Refusals of operations.

## Accounts, payments and limits.

unknown-merchant = Es gibt keinen Händler { $id }.
unknown-payment = Diese Zahlung gibt es nicht.
unknown-event = Dieses Webhook-Ereignis gibt es nicht.
nothing-confirmed = Noch keine Münze der Zahlung ist bestätigt. Nehmen Sie sie danach an.
payment-has-coins = Zu der Zahlung ist Geld eingegangen. Sie kann nicht storniert werden.
rate-unavailable = Für { $currency } gibt es zurzeit keinen verlässlichen Kurs. Versuchen Sie es später noch einmal.
discord-user-taken = Dieser Discord-Nutzer hat schon ein Händlerkonto: { $id }.
subscription-inactive = Das Abonnement ist nicht aktiv; bitte einen Administrator darum.
account-suspended = Das Konto ist gesperrt; wende dich an einen Administrator.
account-suspended-already = Das Konto ist schon gesperrt.
account-not-suspended = Das Konto ist nicht gesperrt.
payout-address-missing = Es ist keine Auszahlungsadresse eingetragen; trage zuerst eine ein: `/set_address`.
starting = Das Gateway startet noch: Sein Node hat noch nicht geantwortet, ob dieses Konto schon benutzt wurde. Versuch es in einer Minute noch einmal.
too-many-open = { $n ->
        [one] { $n } Zahlung ist
       *[other] { $n } Zahlungen sind
    } offen; warte, bis einige davon bezahlt oder abgelaufen sind.
daily-limit = Höchstens { $n } am Tag; versuche es später noch einmal.
idempotency-key-reused = Der idempotency-key wurde schon für eine andere Anfrage verwendet.
chain-suspect = Die Kettenwache ist aktiv: Solange wird nichts ausgezahlt (`litegate chain-guard`).
no-address-change = Es wartet keine Änderung der Auszahlungsadresse.
too-many-address-changes = Die Auszahlungsadresse wurde innerhalb eines Tages { $n }-mal geändert. Versuche es morgen wieder.

## The second factor.

factor-code-needed = Es wird ein Code deiner Authenticator-App gebraucht.
factor-wrong-code = Der Code ist falsch. Nach { $n } weiteren { $n ->
        [one] falschen Code
       *[other] falschen Codes
    } ist der zweite Faktor 15 Minuten lang gesperrt.
factor-wrong-first-code = Der Code ist falsch. Prüfe die Uhr des Geräts mit der App.
factor-used-code = Der Code wurde schon verwendet. Warte auf den nächsten.
factor-locked = Zu viele falsche Codes. Versuche es in { $n ->
        [one] { $n } Minute
       *[other] { $n } Minuten
    } wieder.
factor-unusable = Der zweite Faktor lässt sich nicht prüfen. Bitte den Betreiber, ihn zurückzusetzen.
factor-enabled-already = Der zweite Faktor ist schon eingeschaltet. Schalte ihn zuerst aus.
factor-not-enabled = Der zweite Faktor ist nicht eingeschaltet.
factor-not-begun = Es wartet kein zweiter Faktor auf seinen ersten Code. Beginne noch einmal.

## Values that are not allowed.

address-empty = Die Adresse darf nicht leer sein.
address-too-long = Das ist zu lang für eine Litecoin-Adresse.
address-whitespace = Die Adresse darf keine Leerzeichen oder Zeilenumbrüche enthalten.
address-mixed-case = Die Adresse mischt große und kleine Buchstaben; prüfe, ob sie vollständig kopiert wurde.
address-other-network = Das ist eine Adresse des Netzes { $network }; dieses Gateway ist in einem anderen.
address-bitcoin = Das ist eine Bitcoin-Adresse; gib eine Litecoin-Adresse an.
address-mweb = Das ist eine MWEB-Adresse, an die nicht ausgezahlt werden kann; gib eine gewöhnliche wie ltc1q… an.
address-checksum = Die Adresse ist vertippt: Ihre Prüfsumme passt nicht.
address-witness-version = Die Adresse hat eine Witness-Version, die Litecoin-Knoten nicht weitergeben.
address-unknown = Das ist keine Litecoin-Adresse.
address-own = Das ist eine Adresse dieses Gateways; gib eine deiner eigenen Wallet an.
name-empty = Der Name darf nicht leer sein.
name-too-long = Der Name darf höchstens 64 Zeichen haben.
name-unprintable = Der Name darf keine Steuerzeichen enthalten und keine Zeichen, die die Schreibrichtung ändern.
amount-not-a-number = Der Betrag muss eine Dezimalzahl wie 0.05 sein.
amount-negative = Der Betrag darf nicht negativ sein.
amount-too-large = Der Betrag darf nicht über 84000000 liegen.
amount-too-precise = Der Betrag darf höchstens 8 Nachkommastellen haben.
amount-too-small = Der Betrag muss mindestens { $least } LTC sein.
reference-bad = Die Bestellung darf höchstens { $max } Zeichen haben, keines davon unsichtbar.
url-too-long = Die URL ist zu lang.
url-not-a-url = Die URL muss vollständig sein, etwa https://shop.example/webhook.
url-scheme = Die URL muss mit https:// oder http:// beginnen.
url-credentials = Die URL darf keinen Benutzernamen und kein Passwort enthalten.
url-not-public = Die URL darf nicht zu einer privaten oder besonderen Adresse führen.
url-port = Die URL muss einen Port haben, den der Betreiber erlaubt, etwa 443.
confirmations-range = Die Zahl der Bestätigungen muss zwischen 1 und { $max } liegen.
tiers-too-many = Höchstens { $max } Stufen sind erlaubt.
tiers-order = Die Beträge der Stufen müssen steigen, und die Bestätigungen dürfen nicht sinken.
tiers-syntax = Geben Sie eine Zahl wie 3 an, oder Stufen wie `1 below 0.2, 3 below 2`.
tolerance-bad = Die Toleranz muss eine Zahl von 0 bis 10 mit höchstens 2 Nachkommastellen sein, in Prozent.
events-bad = Die Ereignisse müssen eine Liste aus seen, partly_paid, expired, late und replaced sein.
currency-bad = Die Währung muss aus drei Buchstaben nach ISO 4217 bestehen, zum Beispiel EUR.
currency-not-offered = Preise in { $currency } werden hier nicht angeboten.
price-too-large = Der Preis in { $currency } ist zu hoch.
price-too-precise = Ein Preis in { $currency } darf höchstens { $n } Nachkommastellen haben.
days-range = Die Zahl der Tage muss zwischen 1 und { $max } liegen.
announcement-length = Der Text muss 1 bis { $max } Zeichen haben.
not-for-merchants = Wähle etwas, das Händlern gesagt wird.
month-bad = Gib Jahr und Monat an, etwa 2026-11.
bad-cursor = Diese Stelle der Liste gibt es nicht.
bad-state = Wähle fällig, zugestellt oder aufgegeben.
