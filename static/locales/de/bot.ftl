# The Discord bot. The English file explains the ids.

## General.

no-address = keine
no-subscription = keines
before-after =
    {"**"}Vorher** { $before }
    {"**"}Nachher** { $after }
n-of-m = { $n } von { $m }
n-confirmations = { $n ->
        [one] { $n } Bestätigung
       *[other] { $n } Bestätigungen
    }
until-date = bis { $date }
nothing-changed = Es wurde nichts geändert.
button-leave = So lassen
kept-notifications = -# Du hast { $n ->
        [one] { $n } Mitteilung
       *[other] { $n } Mitteilungen
    }: `/notifications` zeigt sie.

## Errors of commands.

ours = Bei uns ist etwas schiefgegangen; versuche es später noch einmal (im Log als { $request }).
changed = Dieser Befehl hat sich geändert; lade Discord neu und sende ihn noch einmal.
has-parts = Dieser Befehl hat Teile; wähle einen davon aus der Liste.
not-understood = Eine der Angaben wurde nicht verstanden; wähle oder tippe sie noch einmal.
bot-lacks = Der Bot darf das hier nicht; ihm fehlt { $permissions }. Ein Administrator kann es erlauben.
permissions-unknown = Discord hat nicht gesagt, was hier erlaubt ist; sende den Befehl noch einmal.
not-usable = Dieser Befehl ist hier nicht verfügbar; `/help` zeigt die Befehle.

## The account.

title-help = Litecoin annehmen in drei Schritten
help =
    { $address } **Auszahlungsadresse**: `/set_address` sagt, wohin dein Geld geht.
    { $subscription } **Abonnement**{ $until }: Ein Administrator gibt es dir.
    { $key } **API-Schlüssel**: `/view_key` zeigt ihn; dein Shop sendet ihn bei jeder Anfrage mit. `/docs` hat Beispiele.

    {"**"}Geld**: `/payments` `/payment` `/accept` `/cancel_payment` `/payouts` `/account` `/invoice`
    {"**"}Konto**: `/set_business_name` `/set_confirmations` `/set_tolerance` `/set_events` `/subscription` `/cancel_address_change` `/rotate_key` `/view_webhook_secret` `/rotate_webhook_secret`
    {"**"}Webhooks**: `/set_webhook_url` `/test_webhook` `/resend_webhook`
    {"**"}Neues**: `/notifications` `/notification_settings`
address-set = Auszahlungen gehen ab jetzt an { $address }. Vergleiche die Adresse mit deiner Wallet.
address-warning = ⚠ Was du eingegeben hast, könnte für Bitcoin gemeint sein. Vergleiche die Adresse oben mit deiner Litecoin-Wallet.
title-change-address = Auszahlungsadresse ändern?
change-address = Die Änderung gilt { $hours ->
        [one] { $hours } Stunde
       *[other] { $hours } Stunden
    } nach deiner Bestätigung. Bis dahin lässt sie sich abbrechen.
button-change-address = Adresse ändern
button-cancel-change = Änderung abbrechen
change-cancelled = Die Änderung ist abgebrochen; Auszahlungen gehen dorthin, wohin sie vorher gingen.
address-will-be = Auszahlungen gehen ab { $date } ({ $when }) an { $address }. Bis dahin bricht `/cancel_address_change` die Änderung ab.
address-is = Auszahlungen gehen an { $address }.
address-none = keine: `/set_address`
address-to-come = ⏳ wechselt { $when } zu { $address }; `/cancel_address_change` bricht das ab
name-set = Geändert. Auf der Bezahlseite heißt dein Shop jetzt **{ $name }**.
confirmations-set = Neue Zahlungen brauchen { $n ->
        [one] { $n } Bestätigung
       *[other] { $n } Bestätigungen
    }, etwa { $minutes ->
        [one] { $minutes } Minute
       *[other] { $minutes } Minuten
    }. Große brauchen vielleicht mehr.
confirmations-risk = Bei so wenigen Bestätigungen kann eine Reorganisation der Kette eine Zahlung rückgängig machen.
tiers-set = Neue Zahlungen brauchen diese Bestätigungen: { $tiers }. Für größere gilt die Voreinstellung.
tolerance-set = Neue Zahlungen gelten als bezahlt, wenn höchstens { $percent } % des Betrags fehlen.
tolerance-none = Neue Zahlungen brauchen den ganzen Betrag.
events-set = Webhooks neuer Zahlungen melden außerdem: { $events }.
events-none = Webhooks neuer Zahlungen melden nur den Abschluss.
subscription-suspended = Dein Konto ist gesperrt: keine neuen Zahlungen. Offene Zahlungen laufen weiter, und alles wird ausgezahlt. Wende dich an einen Administrator.
subscription-until = Dein Abonnement läuft bis { $date } ({ $when }). Du wirst 7, 3 und 1 Tag vorher erinnert.
subscription-ended = Dein Abonnement ist { $when } abgelaufen. Bitte einen Administrator um Verlängerung.
subscription-none = Du hast noch kein Abonnement. Bitte einen Administrator darum.
title-notification-settings = Deine Mitteilungen
off-for-all = (für alle abgeschaltet)
in-the-channel = (im Kanal)
docs =
    Die Anleitung zur Anbindung mit Beispielen zum Kopieren: { $url }/docs
    Die API für Maschinen: { $url }/openapi.json

## Secrets.

title-rotate-key = API-Schlüssel ersetzen?
key-number = Schlüssel { $n }
old-key-dies = Dein Shop kann vom Moment der Bestätigung an keine Zahlungen anlegen, bis er den neuen Schlüssel hat.
old-key-lives = Beide Schlüssel gelten 24 Stunden lang, so kann dein Shop ohne Unterbrechung umstellen. Wähle das nicht für einen Schlüssel, den jemand anderes haben könnte.
open-go-on = Offene Zahlungen laufen weiter.
button-rotate-key = Schlüssel ersetzen
your-key = Dein API-Schlüssel: ||`{ $secret }`||
key-warning = ⚠ Bewahre ihn auf deinem Server auf, nie in einer Seite oder App. Wer ihn hat, kann in deinem Namen Zahlungen anlegen; `/rotate_key` ersetzt ihn.
title-rotate-secret = Webhook-Geheimnis ersetzen?
secret-number = Geheimnis { $n }
two-signatures = Webhooks tragen 24 Stunden lang zwei Signaturen, so kann dein Shop ohne Unterbrechung umstellen. Ist das Geheimnis bekannt geworden, ersetze es zweimal: Dann gilt es sofort nicht mehr.
button-rotate-secret = Geheimnis ersetzen
your-secret = Dein Webhook-Geheimnis: ||`{ $secret }`||
secret-warning = ⚠ Bewahre es auf deinem Server auf und prüfe jeden Webhook damit. Wer es hat, kann deinem Shop vormachen, eine Zahlung sei abgeschlossen.
goes-away = -# Diese Nachricht wird nach { $n ->
        [one] { $n } Sekunde
       *[other] { $n } Sekunden
    } gelöscht.
title-factor-enable = Authenticator-App verwenden?
factor-setup =
    Gib dieses Geheimnis in deine Authenticator-App ein: ||`{ $secret }`||
    Oder öffne diesen Link auf dem Gerät mit der App: ||`{ $url }`||

    Gib dann innerhalb von 5 Minuten den Code der App hier ein. Ab dann brauchen eine neue Auszahlungsadresse und ein neuer API-Schlüssel einen Code.
button-enter-code = Code eingeben
title-form = Zweiter Faktor
field-code = Code der App oder Wiederherstellungscode
factor-asks = Du bestätigst das mit einem Code deiner Authenticator-App.
factor-enabled =
    Der zweite Faktor ist eingeschaltet. ✔ Bewahre diese Wiederherstellungscodes sicher auf. Jeder ersetzt einmal einen Code der App:
    ||```
    { $codes }
    ```||
title-factor-disable = Zweiten Faktor ausschalten?
factor-disable = Ohne ihn kann jeder, der dein Discord-Konto hat, deine Auszahlungsadresse und deinen API-Schlüssel ändern. Es wird noch ein Code der App gebraucht.
factor-disabled = Der zweite Faktor ist ausgeschaltet.

## Money.

field-merchant = Händler
field-payout-address = Auszahlungsadresse
field-subscription = Abonnement
field-confirmations = Bestätigungen
field-webhooks-to = Webhooks gehen an
field-money = Geld
field-next-sweep = Nächste Auszahlung
subscription-runs = bis { $date } ({ $when })
subscription-missing = keines: Wende dich an einen Administrator
next-sweep = { $when }, für alle, bei denen { $amount } oder mehr wartet
next-sweep-unknown = sobald die Auszahlung läuft
as-payments-say = wohin jede Zahlung es sagt: `/set_webhook_url`
payouts-list = `/payouts` listet auf, was ausgezahlt wurde
sum-received = erhalten
sum-unconfirmed = unbestätigt
sum-unswept = noch nicht ausgezahlt
sum-in-flight = unterwegs
sum-paid = ausgezahlt
sum-fees = Gebühren
sum-elsewhere = anderswo
title-payment = Zahlung
field-payment = Zahlung
field-status = Status
field-amount = Betrag
field-received = Erhalten
field-created = Angelegt
field-time-up = Läuft ab
field-address = Adresse
field-checkout = Bezahlseite
field-order = Bestellung
field-transactions = Transaktionen
field-webhook = Webhook
field-paid-out-with = Ausgezahlt mit
received = { $received }, davon bestätigt { $confirmed }
webhook-delivered = zugestellt
webhook-due = fällig { $when }, { $n ->
        [one] { $n } Versuch
       *[other] { $n } Versuche
    }
webhook-given-up = aufgegeben: `/resend_webhook` sendet ihn noch einmal
status-pending = offen
status-completed = abgeschlossen
status-expired = abgelaufen
detail-waiting = wartet
detail-partly-paid = teilweise bezahlt
detail-seen = gesehen
detail-confirming = wird bestätigt
detail-replaced = zurückgezogen
detail-paid = bezahlt
detail-overpaid = überzahlt
detail-paid-short = bezahlt, ein kleiner Rest fehlt
detail-accepted = angenommen
detail-cancelled = storniert
detail-expired = abgelaufen
detail-late = zu spät
detail-delayed = verzögert
month-empty = Im Monat { $month } wurde nichts ausgezahlt.
month-payouts = Deine Auszahlungen im Monat { $month } (UTC): { $n }.
month-cut = Es sind mehr, als hineinpassen: `GET /api/payouts` gibt sie alle.
title-invoice = Zahlung angelegt
field-send-link = Sende dem Kunden diesen Link
button-checkout = Bezahlseite öffnen

## Lists.

title-page = { $title } (Seite { $n })
button-previous = Zurück
button-next = Weiter
title-payments = Zahlungen
title-payments-of = Zahlungen: { $status }
title-payouts = Auszahlungen
title-notifications = Mitteilungen
title-merchants = Händler
title-audit-log = Wer was getan hat
title-failed = Aufgegebene Webhooks
empty-payments = Noch keine. `/invoice` legt eine von Hand an, dein Shop legt sie über die API an: `/docs`.
empty-payouts = Noch keine. Was abgeschlossen und bestätigt ist, wird beim nächsten Mal ausgezahlt; kleine Summen warten auf mehr. `/account` zeigt, was wartet.
empty-notifications = Noch keine Mitteilungen. `/notification_settings` legt fest, welche du bekommst.
empty-merchants = Noch keine. `/grant_sub` legt den ersten an.
empty-audit-log = Es wurde noch nichts getan.
empty-failed = Keine. Alles in Ordnung.
payout-line = { $when } { $amount } · Gebühr { $fee } · { $n ->
        [one] { $n } Bestätigung
       *[other] { $n } Bestätigungen
    }
failed-line = `{ $payment }` { $when } · { $n ->
        [one] { $n } Versuch
       *[other] { $n } Versuche
    } · `{ $merchant }`
state-suspended = gesperrt
state-ends = endet { $when }
state-ended = endete { $when }
state-none = kein Abonnement
audit-log-nothing = nichts
audit-log-by-message = per Direktnachricht

## Webhooks.

webhooks-go-to = Webhooks gehen an { $url }, wenn eine Zahlung keine eigene URL nennt.
webhooks-go-as-said = Webhooks gehen dorthin, wohin jede Zahlung es sagt, sonst nirgendwohin.
webhooks-will-go-to = Ab jetzt gehen Webhooks an { $url }, wenn eine Zahlung keine eigene URL nennt. `/test_webhook` probiert es aus.
webhooks-will-go-as-said = Ab jetzt gehen Webhooks dorthin, wohin jede Zahlung es sagt, sonst nirgendwohin.
resent = Er wird jetzt noch einmal gesendet. `/payment` zeigt das Ergebnis.
title-test = Test-Webhook
field-outcome = Ergebnis
field-event = Kennung
field-answer = Antwort des Empfängers
field-advice = Rat
title-resend-all = Noch einmal senden?
resend-all = Alle aufgegebenen Webhooks von { $name } werden noch einmal gesendet.
button-resend-all = Noch einmal senden
resent-all = Die aufgegebenen Webhooks von { $name } sind wieder fällig.
title-accept = Zahlung annehmen?
accept-payment = { $received } von { $amount } sind bestätigt. Die Zahlung wird mit dem bestätigten Betrag abgeschlossen.
button-accept = Zahlung annehmen
accepted = Die Zahlung ist abgeschlossen.
title-cancel = Zahlung stornieren?
cancel-payment = Die Zahlung läuft jetzt ab. Kommt später Geld an, wird es dir ausgezahlt. Abgeschlossen wird die Zahlung nur, wenn du sie annimmst.
button-cancel = Zahlung stornieren
cancelled = Die Zahlung ist storniert.

## Administration of merchants.

granted = { $name } hat { $n ->
        [one] { $n } Tag
       *[other] { $n } Tage
    } mehr.
title-revoke = Abonnement beenden?
revoke = Neue Zahlungen werden von da an abgelehnt. Offene gehen weiter, und alles wird ausgezahlt.
button-revoke = Beenden
revoked = Das Abonnement von { $name } ist beendet. Offene Zahlungen gehen weiter und werden ausgezahlt.
title-suspend = Diesen Händler sperren?
can-make-payments = kann Zahlungen anlegen
no-new-payments = keine neuen Zahlungen
suspend = Das Abonnement läuft weiter. Offene Zahlungen gehen weiter, und alles wird ausgezahlt. `/unsuspend` hebt die Sperre auf.
button-suspend = Sperren
suspended = { $name } kann keine neuen Zahlungen anlegen. Offene gehen weiter und werden ausgezahlt. `/unsuspend` hebt die Sperre auf.
unsuspended = { $name } kann wieder Zahlungen anlegen.
field-owner = Inhaber
not-on-discord = nicht auf Discord
field-since = Seit
field-suspended = Gesperrt

## The gateway.

title-stats = Statistik
field-day = Letzte 24 Stunden
field-week = Letzte 7 Tage
field-month = Letzte 30 Tage
field-merchants = Händler
field-webhooks-waiting = Wartende Webhooks
field-lost = Abgeschlossene Zahlungen ohne ihre Münzen
stats = { $n ->
        [one] { $n } Zahlung
       *[other] { $n } Zahlungen
    } angelegt, { $completed } abgeschlossen{ $rate }: { $sum }{ $median }; { $failed ->
        [one] { $failed } Webhook
       *[other] { $failed } Webhooks
    } aufgegeben
stats-rate = {" "}({ $percent } % der entschiedenen)
stats-median = , die Hälfte davon innerhalb von { $minutes } min { $seconds } s
merchants-count = { $active } mit Abonnement, { $all } insgesamt
title-node = Der Knoten
field-node = Knoten
field-gateway = Gateway
field-height = Höhe
field-stand = Block des Beobachters
field-peers = Nachbarn
field-mempool = Transaktionen in seinem Mempool
field-zmq = ZMQ
field-watcher = Beobachter
field-chain-guard = Kettenwache
node-on = { $node } auf { $chain }
height = { $height } ({ $n ->
        [one] { $n } Block
       *[other] { $n } Blöcke
    } hinter seinen Headern)
stand-none = noch keinem Block
watcher-at = vor { $n } s an der Spitze
watcher-never = hat die Spitze noch nicht erreicht
suspect = Die Kettenwache ist aktiv; `litegate chain-guard` zeigt, warum
zmq-heard = zuletzt gehört { $when }
zmq-never = noch nichts gehört
nothing-ready = Nichts ist bereit: Zahlungen werden ausgezahlt, sobald sie entschieden und bestätigt sind.
title-sweep = Jetzt auszahlen?
sweep = { $n ->
        [one] { $n } Münze
       *[other] { $n } Münzen
    } von { $merchants ->
        [one] { $merchants } Händler
       *[other] { $merchants } Händlern
    }, zusammen { $sum }, abzüglich der Netzgebühr. Kleine Summen, fehlende Adressen und ein Zweifel an der Kette halten weiterhin auf.
button-sweep = Jetzt auszahlen
title-swept = Ausgezahlt
swept-line = `{ $txid }`: { $n ->
        [one] { $n } Auszahlung
       *[other] { $n } Auszahlungen
    }, Gebühr { $fee }
swept-nothing = Die Auszahlung lief; es konnte nichts ausgezahlt werden. `litegate sweep --dry-run` zeigt, warum.
sweeper-cannot = Die Auszahlung ist gescheitert: { $why }.
sweeper-slow = Die Auszahlung lief noch nicht. `/stats` und `litegate sweep` zeigen das Ergebnis.
title-announce = Das veröffentlichen?
button-announce = Veröffentlichen
announced = Veröffentlicht.
title-setup = Die Einrichtung des Bots
setup-server = Server: { $name }
setup-everywhere = Befehle sind überall angemeldet
setup-here = Befehle sind auf diesem Server angemeldet
setup-role = Administratoren haben die Rolle { $role }
setup-role-unset = discord.admin_role_id ist nicht gesetzt: Niemand administriert
setup-role-unknown = discord.admin_role_id: Der Server hat keine Rolle { $role }
channel-unset = { $key } ist nicht gesetzt
channel-elsewhere = { $key }: { $channel } ist zu sehen, ist aber kein Kanal dieses Servers
channel-fine = { $key }: { $channel } ist zu sehen und zu beschreiben
channel-lacks = { $key }: In { $channel } fehlt dem Bot { $permissions }. Gib es ihm in den Einstellungen des Kanals
permission-view = „Kanal anzeigen“
permission-send = „Nachrichten senden“
permission-embed = „Links einbetten“
title-config = Geltende Werte
config-grant = längste Verlängerung = { $n } Tage

## Messages that the bot sends on its own.

title-shop-news = Neues von deinem Shop
title-gateway-notifications = Neues vom Gateway
notifications-wait = { $name } Auf dich { $n ->
        [one] wartet
       *[other] warten
    } { $n ->
        [one] { $n } Mitteilung
       *[other] { $n } Mitteilungen
    }: `/notifications` zeigt sie dir allein.

## Refusals of the bot.

failure-not-yours = Dieser Knopf gehört dir nicht.
failure-used = Dieser Knopf wurde schon benutzt.
failure-too-old = Dieser Knopf ist zu alt; sende den Befehl noch einmal.
failure-no-account = Du hast noch kein Händlerkonto; beginne mit `/set_address`.
failure-no-account-of = Dieser Nutzer hat kein Händlerkonto; `/grant_sub` legt eines an.
failure-not-admin = Dieser Befehl ist für Administratoren.
failure-other-place = Dieser Befehl geht nur auf dem eigenen Server des Gateways; verwende ihn dort.
failure-too-fast = Zu viele Befehle; versuche es in { $n ->
        [one] { $n } Sekunde
       *[other] { $n } Sekunden
    } noch einmal.
failure-shown-too-often = Geheimnisse werden höchstens fünfmal in der Stunde gezeigt; versuche es später noch einmal.
failure-unknown-kind = Wähle eine der angebotenen Arten.
failure-kind-and-how = Gib beides an, die Art und die Weise.
failure-no-webhook = Diese Zahlung hat keinen Webhook: Sie ist nicht abgeschlossen oder wurde ohne webhookUrl angelegt.
failure-choose-part = Wähle einen der beiden Teile des Befehls.
failure-bot-is-no-merchant = Ein Bot ist kein Händler.
failure-bad-merchant-id = Das ist keine Kennung eines Händlers wie mer_0123456789ab.
failure-node-silent = Der Knoten hat nicht innerhalb von { $n ->
        [one] { $n } Sekunde
       *[other] { $n } Sekunden
    } geantwortet; `litegate doctor` sagt, warum.
failure-no-notifications-channel = Hier gibt es keinen Kanal für Mitteilungen.
failure-no-test = Der Test lässt sich von hier aus nicht senden.
failure-set-channel-first = Setze zuerst discord.notifications_channel_id.

## Outcomes of a webhook delivery, in the middle of a sentence.

outcome-not-public = die URL führt zu einer privaten oder besonderen Adresse oder zu einem Port, der nicht erlaubt ist
outcome-timeout = der Empfänger brauchte zu lange
outcome-no-such-name = der Name des Empfängers hat keine Adresse
outcome-connect = keine Verbindung zum Empfänger
outcome-tls = keine sichere Verbindung: Zertifikat oder TLS des Empfängers ist nicht gültig
outcome-broken = der Empfänger hat abgebrochen

## Advice after a failed test webhook.

advice-not-public = Das Gateway sendet nur an öffentliche Adressen. Der Betreiber kann private mit webhooks.allow_private_networks erlauben.
advice-no-such-name = Prüfe, wie der Host geschrieben ist, und seinen DNS-Eintrag.
advice-connect = Dort nimmt niemand an, oder eine Firewall lässt niemanden hinein: Prüfe Port und Firewall.
advice-tls = Das Zertifikat ist abgelaufen, gilt für einen anderen Namen, ist von niemand Bekanntem signiert, oder der Server lässt die Zertifikate dazwischen weg; oder er spricht http, wo die URL https sagt.
advice-timeout = Antworte innerhalb von 15 Sekunden: Prüfe die Signatur, merke dir das Ereignis, antworte 200 und tu die Arbeit danach.
advice-broken = Die Verbindung endete ohne eine Antwort, die HTTP ist: Ist die URL http, wo der Server https spricht, oder umgekehrt?
advice-redirect = Weiterleitungen wird nicht gefolgt: Gib die URL an, zu der sie führen.
advice-body = Der Empfänger nimmt den Inhalt nicht an: Er ist JSON mit content-type application/json. Prüft er die Signatur, dann über die Bytes, wie sie kamen.
advice-login = Der Empfänger verlangt eine Anmeldung oder ein CSRF-Token, oder eine Firewall weist uns ab: Lass POST ohne das herein und prüfe stattdessen die Signatur.
advice-route = Keine Route des Empfängers nimmt POST unter diesem Pfad an.
advice-busy = Der Empfänger ist beschäftigt; ein echtes Ereignis käme später wieder.
advice-failed = Der Empfänger ist gescheitert: Sein eigenes Log sagt, warum.

## Kinds of notifications, as choices of at most 100 characters.

kind-first-payment = Deine erste Zahlung ist abgeschlossen
kind-paid = Eine Zahlung ist abgeschlossen (jede einzelne)
kind-part-paid = Eine Zahlung lief ab und war nur zum Teil bezahlt
kind-late-payment = Geld kam, als die Zeit einer Zahlung um war
kind-webhook-failing = Ein Webhook ist fünfmal gescheitert
kind-webhook-failed = Ein Webhook wurde aufgegeben
kind-payout-sent = Eine Auszahlung ist unterwegs
kind-payout-stuck = Eine Auszahlung wird lange nicht bestätigt
kind-address-change = Deine Auszahlungsadresse wird oder wurde geändert, oder das wurde abgebrochen
kind-key-rotated = Dein API-Schlüssel oder Webhook-Geheimnis wurde ersetzt
kind-subscription = Dein Abonnement endet in 7, 3, 1 Tagen, und wenn es geendet hat

## Notifications.

notification-order = {" "}(Bestellung { $order })
notification-first-payment = Deine erste Zahlung ist abgeschlossen: { $amount } LTC{ $order }. Sie wird beim nächsten Mal ausgezahlt; `/payouts` zeigt, wann. `/payment { $id }`
notification-payment-complete = Die Zahlung `{ $id }`{ $order } über { $amount } LTC ist abgeschlossen. `/payment { $id }`
notification-payment-complete-late = Die Zahlung `{ $id }`{ $order } kam zu spät und ist jetzt abgeschlossen. Entscheide, ob du noch lieferst. `/payment { $id }`
notification-payment-part-paid = Die Zahlung `{ $id }`{ $order } lief ab, als { $received } von { $amount } LTC bezahlt waren. Was kam, wird dir ausgezahlt; frage den Kunden oder sende es zurück. `/payment { $id }`
notification-payment-late = { $amount } LTC kamen für die Zahlung `{ $id }`{ $order }, als ihre Zeit um war. Wird die Summe erreicht und bestätigt, so wird die Zahlung als verspätet abgeschlossen. `/payment { $id }`
notification-payment-too-late = { $amount } LTC kamen für die Zahlung `{ $id }`{ $order }, als ihre Zeit um war. Um sie abzuschließen, ist es zu spät; das Geld wird dir trotzdem ausgezahlt. `/payment { $id }`
notification-payment-lost-to-you = Die Zahlung `{ $id }`{ $order } war abgeschlossen, aber die Kette enthält ihre Münzen nicht mehr: eine tiefe Reorganisation. Sie zählt erst wieder, wenn die Münzen zurück sind. `/payment { $id }`
notification-webhook-failing = Der Webhook der Zahlung `{ $id }`{ $order } ist { $n }-mal gescheitert: { $outcome }. Er wird drei Tage lang versucht. Bringe den Empfänger in Ordnung, dann `/resend_webhook { $id }`.
notification-webhook-given-up = Der Webhook der Zahlung `{ $id }`{ $order } wurde nach { $n ->
        [one] { $n } Versuch
       *[other] { $n } Versuchen
    } aufgegeben: { $outcome }. Bringe den Empfänger in Ordnung, dann `/resend_webhook { $id }`.
notification-payout-sent = Eine Auszahlung von { $amount } LTC ist unterwegs: Transaktion `{ $txid }`. `/payouts`
notification-payout-stuck = Deine Auszahlung von { $amount } LTC wartet seit mehr als zwei Stunden auf einen Block: Transaktion `{ $txid }`. Sie wird wieder gesendet, bis sie bestätigt ist. `/payouts`
notification-address-asked = Deine Auszahlungsadresse wechselt { $when } zu `{ $address }`{ $before }. Wenn du das nicht warst, brich es jetzt ab: mit dem Knopf unten oder `/cancel_address_change`; dann sichere dein Discord-Konto.
notification-address-before = {" "}(bisher `{ $address }`)
notification-address-effective = Deine Auszahlungen gehen ab jetzt an `{ $address }`. `/account`
notification-address-cancelled = Die Änderung deiner Auszahlungsadresse zu `{ $address }` ist abgebrochen. `/account`
notification-payouts-wait = Deine Auszahlungen warten: Das Auszahlungssystem hat deine neue Auszahlungsadresse nicht rechtzeitig gesehen. Nach der Wartezeit laufen sie automatisch weiter. Wenn du die Adresse nicht geändert hast, nutze `/cancel_address_change` und sichere dein Discord-Konto.
notification-payouts-wait-for-address = Deine Auszahlungen warten: Deine Auszahlungsadresse ist nicht die, die das Auszahlungssystem kennt. Vergleiche sie mit `/account` und trage die richtige mit `/set_address` noch einmal ein.
notification-key-replaced = Dein API-Schlüssel wurde ersetzt; der alte gilt nicht mehr. Wenn du das nicht warst, sichere dein Discord-Konto und verwende noch einmal `/rotate_key`.
notification-key-replaced-gently = Dein API-Schlüssel wurde ersetzt; der alte gilt noch 24 Stunden. Wenn du das nicht warst, sichere dein Discord-Konto und verwende noch einmal `/rotate_key`.
notification-secret-replaced = Dein Webhook-Geheimnis wurde ersetzt; 24 Stunden lang signieren beide. Wenn du das nicht warst, sichere dein Discord-Konto und verwende zweimal `/rotate_webhook_secret`.
notification-subscription-ends = Dein Abonnement endet { $when } ({ $date }). Bitte vorher einen Administrator um Verlängerung, damit dein Shop weiterläuft. `/subscription`
notification-subscription-ended = Dein Abonnement ist abgelaufen: Neue Zahlungen werden abgelehnt. Offene gehen weiter, und alles wird ausgezahlt. Bitte einen Administrator um Verlängerung; `/subscription` zeigt, wann du sie hast.
notification-node-away = Seit mehr als { $minutes ->
        [one] { $minutes } Minute
       *[other] { $minutes } Minuten
    } stehen wir nicht an der Spitze des Knotens: { $why }. Zahlungen werden angenommen, aber nicht gesehen. `/node`
notification-node-behind = der Knoten ist bei Block { $height }, { $behind } hinter seinen Headern
notification-node-did-not-answer = der Knoten hat nicht innerhalb von { $n ->
        [one] { $n } Sekunde
       *[other] { $n } Sekunden
    } geantwortet; `litegate doctor` sagt, warum
notification-node-back = Wir stehen wieder an der Spitze des Knotens. `/node`
notification-sweep-stuck = Die Auszahlung { $sweep } wartet seit mehr als zwei Stunden auf einen Block: Transaktion `{ $txid }`. `/node` zeigt den Knoten; `litegate sweep` sendet sie noch einmal.
notification-sweeper-stuck = Seit einer halben Stunde wird nicht ausgezahlt: { $trouble }. Zahlungen werden angenommen und warten. `litegate doctor` sucht den Grund.
notification-sweep-damaged = Die gespeicherten Bytes der Auszahlung `{ $txid }` sind beschädigt: durch die Platte oder eine Hand in der Datenbank. So wird sie nicht gesendet; mit dem Schlüssel auf diesem Rechner wird sie neu signiert. `litegate doctor` zeigt, was noch fehlt.
notification-payouts-of-merchant-wait = Auszahlungen von `{ $merchant }` warten: { $why }. `litegate doctor` sagt, was zu tun ist.
notification-payment-lost = Die Zahlung `{ $id }` wurde abgeschlossen, aber die beste Kette enthält ihre Münzen nicht mehr: eine tiefe Reorganisation. Dem Händler wurde gesagt, dass sie bezahlt ist. `litegate payment show { $id }` und `litegate audit` zeigen, was fehlt.
notification-suspect = Die Kettenwache ist aktiv: { $reason }. Zahlungen aus MWEB und Auszahlungen warten. `litegate chain-guard` zeigt den Grund und kann sie beenden.
notification-low-disk = Die Platte der Datenbank hat noch { $n } MB frei. Ist sie voll, werden neue Zahlungen abgelehnt. Schaffe Platz; `litegate doctor` sieht noch einmal nach.
notification-zmq-silent = Das ZMQ des Knotens sagt nichts. Zahlungen werden bemerkt, indem der Knoten immer wieder gefragt wird, etwas später als sonst. `/node` zeigt es; `litegate doctor` sucht den Grund.
notification-zmq-back = Zahlungen werden wieder bemerkt wie eingestellt. `/node`
notification-fee-too-high = Münzen werden nicht ausgezahlt, weil die Gebühr mehr als `sweeper.max_fee_percent` davon wäre. Sie gehen hinaus, sobald die Gebühren fallen oder mehr zusammenkommt. `/sweep_now` zeigt, was bereit ist.
notification-too-much-hot = { $waiting } LTC warten unter dem Schlüssel auf dieser Maschine auf Auszahlung, mehr als die { $limit } LTC von `sweeper.max_hot_balance`. `/sweep_now` zahlt aus, was bereit ist; `litegate sweep --dry-run` sagt, worauf der Rest wartet.
notification-audit-found = Die Prüfung hat { $n ->
        [one] { $n } Unterschied
       *[other] { $n } Unterschiede
    } gefunden: Litoshis sind nicht, wo sie sein sollten. `litegate audit` nennt jeden davon.
notification-audit-clean = Die Prüfung ist wieder sauber: Über jeden Litoshi ist Rechenschaft gegeben. `litegate audit`

## Descriptions of commands, of their parts and of their options, 100 characters each.

command-help = Wo du stehst und was als Nächstes kommt
command-set_address = Die Litecoin-Adresse eintragen, an die dein Geld ausgezahlt wird
command-set_address-ltc_address = Eine gewöhnliche Litecoin-Adresse deiner eigenen Wallet
command-cancel_address_change = Eine Änderung der Auszahlungsadresse abbrechen, die noch nicht gilt
command-view_key = Deinen API-Schlüssel zeigen; nur du siehst die Antwort
command-rotate_key = Deinen API-Schlüssel ersetzen
command-rotate_key-old_key = Was aus dem alten Schlüssel wird; ohne Wahl gilt er sofort nicht mehr
command-view_webhook_secret = Das Geheimnis zeigen, mit dem deine Webhooks signiert sind; nur du siehst es
command-rotate_webhook_secret = Das Geheimnis der Webhooks ersetzen; einen Tag lang signieren beide
command-second_factor = Auszahlungsadresse und API-Schlüssel durch eine Authenticator-App schützen
command-second_factor-enable = Eine Authenticator-App verwenden
command-second_factor-disable = Die Authenticator-App nicht mehr verwenden; dazu gehört noch ein Code
command-set_business_name = Den Namen ändern, den Kunden auf der Bezahlseite sehen
command-set_business_name-name = 1 bis 64 Zeichen
command-set_confirmations = Ändern, wie viele Bestätigungen deine Zahlungen brauchen
command-set_confirmations-confirmations = Eine Zahl, oder Stufen in LTC wie 1 below 0.2, 3 below 2
command-set_tolerance = Ändern, wie viel vom Betrag fehlen darf
command-set_tolerance-percent = Prozent, 0 bis 10, für neue Zahlungen
command-set_events = Ändern, was dein Webhook außer dem Abschluss meldet
command-set_events-events = seen, partly_paid, expired, late, replaced oder none
command-accept = Eine teilweise bezahlte oder abgelaufene Zahlung annehmen
command-accept-payment = Die Zahlung; Nummer, Bestellung oder Status
command-cancel_payment = Eine unbezahlte Zahlung stornieren
command-cancel_payment-payment = Die Zahlung; Nummer, Bestellung oder Status
command-subscription = Zeigen, bis wann du Zahlungen annehmen kannst
command-notifications = Zeigen, was dir gesagt wurde und was dich nicht erreichen konnte
command-notification_settings = Wählen, was dir gesagt wird und wie
command-notification_settings-kind = Was gesagt werden soll; ohne Angabe wird alles aufgelistet
command-notification_settings-how = Wie du davon erfährst
command-docs = Wo die Anleitung zur Anbindung ist
command-account = Zeigen, wie es um dein Konto steht
command-payments = Deine Zahlungen auflisten, die neuesten zuerst
command-payments-status = Nur die mit diesem Status
command-payment = Eine deiner Zahlungen zeigen
command-payment-payment = Die Zahlung: Nummer, Bestellung oder Status eintippen
command-payouts = Auflisten, was dir ausgezahlt wurde, das Neueste zuerst
command-payouts-month = Ein Monat wie 2026-11: alles daraus als Datei für deine Bücher
command-resend_webhook = Den Webhook einer Zahlung noch einmal senden
command-resend_webhook-payment = Die Zahlung: Nummer, Bestellung oder Status eintippen
command-set_webhook_url = Sagen, wohin Webhooks gehen, wenn eine Zahlung keine eigene URL nennt
command-set_webhook_url-url = Etwa https://shop.example/hook; none: nirgendwohin. Ohne Angabe: zeigt, was gilt
command-test_webhook = Einen signierten Test-Webhook an eine URL senden und das Ergebnis sehen
command-test_webhook-url = Wo dein Shop Webhooks annimmt, etwa https://shop.example/hook
command-invoice = Eine Zahlung von Hand anlegen und einen Link für den Kunden bekommen
command-invoice-amount = Wie viele LTC, etwa 0.05
command-invoice-reference = Dein eigener Name dafür, etwa eine Bestellnummer
command-grant_sub = Das Abonnement eines Händlers verlängern; legt das Konto an, wenn keines da ist
command-grant_sub-user = Der Händler
command-grant_sub-days = So viele Tage dazu
command-revoke_sub = Das Abonnement eines Händlers sofort beenden; offene Zahlungen gehen weiter
command-revoke_sub-user = Der Händler
command-suspend = Einen Händler keine neuen Zahlungen anlegen lassen; offene gehen weiter
command-suspend-user = Der Händler
command-unsuspend = Einen gesperrten Händler wieder Zahlungen anlegen lassen
command-unsuspend-user = Der Händler
command-merchants = Die Händler auflisten, die neuesten zuerst
command-merchant = Einen Händler zeigen: Abonnement, Adresse, Summen, Fehler
command-merchant-merchant = Name oder Kennung eintippen
command-stats = Wie es läuft: Zahlungen, Geld, Zeiten, Webhooks
command-node = Den Knoten zeigen: Höhe, Rückstand, Nachbarn, Mempool, ZMQ, Versionen
command-sweep_now = Jetzt auszahlen, was bereit ist, statt beim nächsten Mal
command-webhooks = Sich um aufgegebene Webhooks kümmern
command-webhooks-failed = Aufgegebene Webhooks auflisten, die neuesten zuerst
command-webhooks-resend = Alle aufgegebenen Webhooks eines Händlers noch einmal senden
command-webhooks-resend-merchant = Name oder Nummer eintippen
command-audit_log = Zeigen, wer was getan hat, das Neueste zuerst
command-audit_log-merchant = Nur, was diesen Händler betrifft
command-announce = Allen Händlern etwas sagen, im Kanal für Mitteilungen
command-announce-text = Was zu sagen ist; Auszeichnungen werden gezeigt, wie sie sind
command-setup = Server, Rolle und Kanäle prüfen, die eingestellt sind
command-config = Die geltenden Werte zeigen; geändert werden sie in der Konfigurationsdatei

## Choices of options. At most 100 characters each.

choice-direct-message = per Direktnachricht
choice-channel = im Kanal: dass etwas wartet, nicht was
choice-off = gar nicht
choice-revoke-now = sofort ungültig machen (0 Stunden)
choice-grace-period = noch 24 Stunden gelten lassen
choice-pending = offen
choice-completed = abgeschlossen
choice-expired = abgelaufen
