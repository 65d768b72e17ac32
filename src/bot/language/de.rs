//! The bot in German.

use super::Words;
use super::typed::Said;

pub(super) const WORDS: Words = Words {
    no_address: "keine",
    no_subscription: "keines",
    before_after: "**Vorher** {before}\n**Nachher** {after}",
    n_of_m: "{n} von {m}",
    n_confirmations: "{n} {n|Bestätigung|Bestätigungen}",
    until_date: "bis {date}",
    nothing_changed: "Es wurde nichts geändert.",
    button_leave: "So lassen",
    kept_notifications: "-# Du hast {n} {n|Mitteilung|Mitteilungen}: {/notifications} zeigt sie.",

    ours: "Bei uns ist etwas schiefgegangen; versuche es später noch einmal (im Log als {request}).",
    changed: "Dieser Befehl hat sich geändert; lade Discord neu und sende ihn noch einmal.",
    has_parts: "Dieser Befehl hat Teile; wähle einen davon aus der Liste.",
    not_understood: "Eine der Angaben wurde nicht verstanden; wähle oder tippe sie noch einmal.",
    bot_lacks: "Der Bot darf das hier nicht; ihm fehlt {permissions}. Ein Administrator kann es \
        erlauben.",
    permissions_unknown: "Discord hat nicht gesagt, was hier erlaubt ist; sende den Befehl noch \
        einmal.",
    not_usable: "So lässt sich dieser Befehl nicht verwenden; {/help} zeigt, was geht.",

    title_help: "Litecoin annehmen in drei Schritten",
    help: "{address} **Auszahlungsadresse**: {/set_address} sagt, wohin dein Geld geht.\n\
        {subscription} **Abonnement**{until}: Ein Administrator gibt es dir.\n\
        {key} **API-Schlüssel**: {/view_key} zeigt ihn; dein Shop sendet ihn bei jeder Anfrage mit. \
        {/docs} hat Beispiele.\n\n\
        **Geld**: {/payments} {/payment} {/payouts} {/account} {/invoice}\n\
        **Konto**: {/set_business_name} {/set_confirmations} {/subscription} \
        {/cancel_address_change} {/rotate_key} {/view_webhook_secret} {/rotate_webhook_secret}\n\
        **Webhooks**: {/set_webhook_url} {/test_webhook} {/resend_webhook}\n\
        **Neues**: {/notifications} {/notification_settings}",
    address_set: "Auszahlungen gehen ab jetzt an {address}. Vergleiche die Adresse mit deiner \
        Wallet.",
    address_warning: "⚠ Was du eingegeben hast, könnte für Bitcoin gemeint sein. Vergleiche die \
        Adresse oben mit deiner Litecoin-Wallet.",
    title_change_address: "Auszahlungsadresse ändern?",
    change_address: "Die Änderung gilt {hours} {hours|Stunde|Stunden} nach deiner Bestätigung. Bis \
        dahin lässt sie sich abbrechen.",
    button_change_address: "Adresse ändern",
    button_cancel_change: "Änderung abbrechen",
    change_cancelled: "Die Änderung ist abgebrochen; Auszahlungen gehen dorthin, wohin sie vorher \
        gingen.",
    address_will_be: "Auszahlungen gehen ab {date} ({when}) an {address}. Bis dahin bricht \
        {/cancel_address_change} die Änderung ab.",
    address_is: "Auszahlungen gehen an {address}.",
    address_none: "keine: {/set_address}",
    address_to_come: "⏳ wechselt {when} zu {address}; {/cancel_address_change} bricht das ab",
    name_set: "Geändert. Auf der Bezahlseite heißt dein Shop jetzt **{name}**.",
    confirmations_set: "Neue Zahlungen brauchen {n} {n|Bestätigung|Bestätigungen}, etwa {minutes} \
        {minutes|Minute|Minuten}. Große brauchen vielleicht mehr.",
    confirmations_risk: "Bei so wenigen kann eine Reorganisation der Kette eine Zahlung zurücknehmen.",
    subscription_suspended: "Dein Konto ist gesperrt: keine neuen Zahlungen. Offene gehen weiter, und \
        alles wird ausgezahlt. Wende dich an einen Administrator.",
    subscription_until: "Dein Abonnement läuft bis {date} ({when}). Du wirst 7, 3 und 1 Tag vorher \
        erinnert.",
    subscription_ended: "Dein Abonnement ist {when} abgelaufen. Bitte einen Administrator um \
        Verlängerung.",
    subscription_none: "Du hast noch kein Abonnement. Bitte einen Administrator darum.",
    title_notification_settings: "Was dir gesagt wird",
    off_for_all: "(für alle abgeschaltet)",
    in_the_channel: "(im Kanal)",
    docs: "Die Anleitung zur Anbindung mit Beispielen zum Kopieren: {url}/docs\nDie API für \
        Maschinen: {url}/openapi.json",

    title_rotate_key: "API-Schlüssel ersetzen?",
    key_number: "Schlüssel {n}",
    old_key_dies: "Dein Shop kann vom Moment der Bestätigung an keine Zahlungen anlegen, bis er den \
        neuen Schlüssel hat.",
    old_key_lives: "Beide Schlüssel gelten 24 Stunden lang, so kann dein Shop in Ruhe umstellen. \
        Nicht für einen Schlüssel, den jemand anderes haben könnte.",
    open_go_on: "Offene Zahlungen gehen weiter.",
    button_rotate_key: "Schlüssel ersetzen",
    your_key: "Dein API-Schlüssel: ||`{secret}`||",
    key_warning: "⚠ Bewahre ihn auf deinem Server auf, nie in einer Seite oder App. Wer ihn hat, kann \
        in deinem Namen Zahlungen anlegen; {/rotate_key} ersetzt ihn.",
    title_rotate_secret: "Webhook-Geheimnis ersetzen?",
    secret_number: "Geheimnis {n}",
    two_signatures: "Webhooks tragen 24 Stunden lang zwei Signaturen, so kann dein Shop in Ruhe \
        umstellen. Zweimaliges Ersetzen entwertet ein bekannt gewordenes Geheimnis sofort.",
    button_rotate_secret: "Geheimnis ersetzen",
    your_secret: "Dein Webhook-Geheimnis: ||`{secret}`||",
    secret_warning: "⚠ Bewahre es auf deinem Server auf und prüfe jeden Webhook damit. Wer es hat, \
        kann deinem Shop vormachen, eine Zahlung sei abgeschlossen.",
    goes_away: "-# Diese Nachricht verschwindet nach {n} {n|Sekunde|Sekunden}.",
    title_factor_enable: "Authenticator-App verwenden?",
    factor_setup: "Gib dieses Geheimnis in deine Authenticator-App ein: ||`{secret}`||\nOder öffne \
        diesen Link auf dem Gerät mit der App: ||`{url}`||\n\nGib dann innerhalb von 5 Minuten den \
        Code der App hier ein. Ab dann brauchen eine neue Auszahlungsadresse und ein neuer \
        API-Schlüssel einen Code.",
    button_enter_code: "Code eingeben",
    title_form: "Zweiter Faktor",
    field_code: "Code der App oder Wiederherstellungscode",
    factor_asks: "Du bestätigst das mit einem Code deiner Authenticator-App.",
    factor_enabled: "Der zweite Faktor ist eingeschaltet. ✔ Bewahre diese Wiederherstellungscodes \
        sicher auf. Jeder ersetzt einmal einen Code der App:\n||```\n{codes}\n```||",
    title_factor_disable: "Zweiten Faktor ausschalten?",
    factor_disable: "Ohne ihn kann jeder, der dein Discord-Konto hat, deine Auszahlungsadresse und \
        deinen API-Schlüssel ändern. Es wird noch ein Code der App gebraucht.",
    factor_disabled: "Der zweite Faktor ist ausgeschaltet.",

    field_merchant: "Händler",
    field_payout_address: "Auszahlungsadresse",
    field_subscription: "Abonnement",
    field_confirmations: "Bestätigungen",
    field_webhooks_to: "Webhooks gehen an",
    field_money: "Geld",
    field_next_sweep: "Nächste Auszahlung",
    subscription_runs: "bis {date} ({when})",
    subscription_missing: "keines: Wende dich an einen Administrator",
    next_sweep: "{when}, für alle, bei denen {amount} oder mehr wartet",
    next_sweep_unknown: "sobald die Auszahlung läuft",
    as_payments_say: "wohin jede Zahlung es sagt: {/set_webhook_url}",
    payouts_list: "{/payouts} listet auf, was ausgezahlt wurde",
    sum_received: "erhalten",
    sum_unconfirmed: "unbestätigt",
    sum_unswept: "noch nicht ausgezahlt",
    sum_in_flight: "unterwegs",
    sum_paid: "ausgezahlt",
    sum_fees: "Gebühren",
    sum_elsewhere: "anderswo",
    title_payment: "Zahlung",
    field_payment: "Zahlung",
    field_status: "Status",
    field_amount: "Betrag",
    field_received: "Erhalten",
    field_created: "Angelegt",
    field_time_up: "Zeit ist um",
    field_address: "Adresse",
    field_checkout: "Bezahlseite",
    field_order: "Bestellung",
    field_transactions: "Transaktionen",
    field_webhook: "Webhook",
    field_paid_out_with: "Ausgezahlt mit",
    received: "{received}, davon bestätigt {confirmed}",
    webhook_delivered: "zugestellt",
    webhook_due: "fällig {when}, {n} {n|Versuch|Versuche}",
    webhook_given_up: "aufgegeben: {/resend_webhook} sendet ihn noch einmal",
    status_pending: "offen",
    status_completed: "abgeschlossen",
    status_expired: "abgelaufen",
    detail_waiting: "wartet",
    detail_partly_paid: "teilweise bezahlt",
    detail_seen: "gesehen",
    detail_confirming: "wird bestätigt",
    detail_replaced: "zurückgezogen",
    detail_paid: "bezahlt",
    detail_overpaid: "überzahlt",
    detail_paid_short: "bezahlt, ein kleiner Rest fehlt",
    detail_accepted: "angenommen",
    detail_cancelled: "storniert",
    detail_expired: "abgelaufen",
    detail_late: "zu spät",
    detail_delayed: "verzögert",
    month_empty: "Im Monat {month} wurde nichts ausgezahlt.",
    month_payouts: "Deine Auszahlungen im Monat {month} (UTC): {n}.",
    month_cut: "Es sind mehr, als hineinpassen: `GET /api/payouts` gibt sie alle.",
    title_invoice: "Zahlung angelegt",
    field_send_link: "Sende dem Kunden diesen Link",
    button_checkout: "Bezahlseite öffnen",

    title_page: "{title} (Seite {n})",
    button_previous: "Zurück",
    button_next: "Weiter",
    title_payments: "Zahlungen",
    title_payments_of: "Zahlungen: {status}",
    title_payouts: "Auszahlungen",
    title_notifications: "Mitteilungen",
    title_merchants: "Händler",
    title_audit_log: "Wer was getan hat",
    title_failed: "Aufgegebene Webhooks",
    empty_payments: "Noch keine. {/invoice} legt eine von Hand an, dein Shop legt sie über die API \
        an: {/docs}.",
    empty_payouts: "Noch keine. Was abgeschlossen und bestätigt ist, wird beim nächsten Mal \
        ausgezahlt; kleine Summen warten auf mehr. {/account} zeigt, was wartet.",
    empty_notifications: "Es ist nichts geschehen, wovon du erfahren würdest. {/notification_settings} legt fest, was \
        das ist.",
    empty_merchants: "Noch keine. {/grant_sub} legt den ersten an.",
    empty_audit_log: "Es wurde noch nichts getan.",
    empty_failed: "Keine. Alles in Ordnung.",
    payout_line: "{when} {amount} · Gebühr {fee} · {n} {n|Bestätigung|Bestätigungen}",
    failed_line: "`{payment}` {when} · {n} {n|Versuch|Versuche} · `{merchant}`",
    state_suspended: "gesperrt",
    state_ends: "endet {when}",
    state_ended: "endete {when}",
    state_none: "kein Abonnement",
    audit_log_nothing: "nichts",
    audit_log_by_message: "per Direktnachricht",

    webhooks_go_to: "Webhooks gehen an {url}, wenn eine Zahlung keine eigene URL nennt.",
    webhooks_go_as_said: "Webhooks gehen dorthin, wohin jede Zahlung es sagt, sonst nirgendwohin.",
    webhooks_will_go_to: "Ab jetzt gehen Webhooks an {url}, wenn eine Zahlung keine eigene URL nennt. \
        {/test_webhook} probiert es aus.",
    webhooks_will_go_as_said: "Ab jetzt gehen Webhooks dorthin, wohin jede Zahlung es sagt, sonst \
        nirgendwohin.",
    resent: "Er wird jetzt noch einmal gesendet. {/payment} zeigt, was daraus wurde.",
    title_test: "Test-Webhook",
    field_outcome: "Ergebnis",
    field_event: "Kennung",
    field_answer: "Antwort des Empfängers",
    field_advice: "Rat",
    title_resend_all: "Noch einmal senden?",
    resend_all: "Alle aufgegebenen Webhooks von {name} werden noch einmal gesendet.",
    button_resend_all: "Noch einmal senden",
    resent_all: "Die aufgegebenen Webhooks von {name} sind wieder fällig.",

    granted: "{name} hat {n} {n|Tag|Tage} mehr.",
    title_revoke: "Abonnement beenden?",
    revoke: "Neue Zahlungen werden von da an abgelehnt. Offene gehen weiter, und alles wird \
        ausgezahlt.",
    button_revoke: "Beenden",
    revoked: "Das Abonnement von {name} ist beendet. Offene Zahlungen gehen weiter und werden \
        ausgezahlt.",
    title_suspend: "Diesen Händler sperren?",
    can_make_payments: "kann Zahlungen anlegen",
    no_new_payments: "keine neuen Zahlungen",
    suspend: "Das Abonnement läuft weiter. Offene Zahlungen gehen weiter, und alles wird ausgezahlt. \
        {/unsuspend} hebt die Sperre auf.",
    button_suspend: "Sperren",
    suspended: "{name} kann keine neuen Zahlungen anlegen. Offene gehen weiter und werden \
        ausgezahlt. {/unsuspend} hebt die Sperre auf.",
    unsuspended: "{name} kann wieder Zahlungen anlegen.",
    field_owner: "Inhaber",
    not_on_discord: "nicht auf Discord",
    field_since: "Seit",
    field_suspended: "Gesperrt",

    title_stats: "Wie es läuft",
    field_day: "Letzte 24 Stunden",
    field_week: "Letzte 7 Tage",
    field_month: "Letzte 30 Tage",
    field_merchants: "Händler",
    field_webhooks_waiting: "Wartende Webhooks",
    field_lost: "Abgeschlossene Zahlungen ohne ihre Münzen",
    stats: "{n} {n|Zahlung|Zahlungen} angelegt, {completed} abgeschlossen{rate}: {sum}{median}; \
        {failed} {failed|Webhook|Webhooks} aufgegeben",
    stats_rate: " ({percent} % der entschiedenen)",
    stats_median: ", die Hälfte davon innerhalb von {minutes} min {seconds} s",
    merchants_count: "{active} mit Abonnement, {all} insgesamt",
    title_node: "Der Knoten",
    field_node: "Knoten",
    field_gateway: "Gateway",
    field_height: "Höhe",
    field_stand: "Wir stehen bei",
    field_peers: "Nachbarn",
    field_mempool: "Transaktionen in seinem Mempool",
    field_zmq: "ZMQ",
    field_watcher: "Beobachter",
    field_chain_guard: "Zweifel",
    node_on: "{node} auf {chain}",
    height: "{height} ({n} {n|Block|Blöcke} hinter seinen Headern)",
    stand_none: "noch keinem Block",
    watcher_at: "vor {n} s an der Spitze",
    watcher_never: "stand noch nicht an der Spitze",
    suspect: "Die Kettenwache ist aktiv; `litegate chain-guard` zeigt, warum",
    zmq_heard: "zuletzt gehört {when}",
    zmq_never: "noch nichts gehört",
    nothing_ready: "Nichts ist bereit: Zahlungen werden ausgezahlt, sobald sie entschieden und \
        bestätigt sind.",
    title_sweep: "Jetzt auszahlen?",
    sweep: "{n} {n|Münze|Münzen} von {merchants} {merchants|Händler|Händlern}, zusammen {sum}, \
        abzüglich der Netzgebühr. Kleine Summen, fehlende Adressen und ein Zweifel an der Kette \
        halten weiterhin auf.",
    button_sweep: "Jetzt auszahlen",
    title_swept: "Ausgezahlt",
    swept_line: "`{txid}`: {n} {n|Auszahlung|Auszahlungen}, Gebühr {fee}",
    swept_nothing: "Es wurde nachgesehen; nichts konnte hinausgehen. `litegate sweep --dry-run` \
        sagt, warum.",
    sweeper_cannot: "Die Auszahlung geht nicht: {why}.",
    sweeper_slow: "Es wurde noch nicht nachgesehen. {/stats} und `litegate sweep` zeigen, was daraus \
        wird.",
    title_announce: "Das veröffentlichen?",
    button_announce: "Veröffentlichen",
    announced: "Veröffentlicht.",
    title_setup: "Die Einrichtung des Bots",
    setup_server: "Server: {name}",
    setup_everywhere: "Befehle sind überall angemeldet",
    setup_here: "Befehle sind auf diesem Server angemeldet",
    setup_role: "Administratoren haben die Rolle {role}",
    setup_role_unset: "discord.admin_role_id ist nicht gesetzt: Niemand administriert",
    setup_role_unknown: "discord.admin_role_id: Der Server hat keine Rolle {role}",
    channel_unset: "{key} ist nicht gesetzt",
    channel_elsewhere: "{key}: {channel} ist zu sehen, ist aber kein Kanal dieses Servers",
    channel_fine: "{key}: {channel} ist zu sehen und zu beschreiben",
    channel_lacks: "{key}: In {channel} fehlt dem Bot {permissions}. Gib es ihm in den Einstellungen \
        des Kanals",
    permission_view: "„Kanal anzeigen“",
    permission_send: "„Nachrichten senden“",
    permission_embed: "„Links einbetten“",
    title_config: "Geltende Werte",
    config_grant: "längste Verlängerung = {n} Tage",

    title_shop_news: "Neues von deinem Shop",
    title_gateway_notifications: "Neues vom Gateway",
    notifications_wait: "{name} Auf dich {n|wartet|warten} {n} {n|Mitteilung|Mitteilungen}: {/notifications} zeigt \
        sie dir allein.",
};

pub(super) const SAID: Said = Said {
    unknown_merchant: "Es gibt keinen Händler {id}.",
    unknown_payment: "Diese Zahlung gibt es nicht.",
    unknown_event: "Dieses Webhook-Ereignis gibt es nicht.",
    discord_user_taken: "Dieser Discord-Nutzer hat schon ein Händlerkonto: {id}.",
    subscription_inactive: "Das Abonnement ist nicht aktiv; bitte einen Administrator darum.",
    suspended: "Das Konto ist gesperrt; wende dich an einen Administrator.",
    suspended_already: "Das Konto ist schon gesperrt.",
    not_suspended: "Das Konto ist nicht gesperrt.",
    payout_address_missing: "Es ist keine Auszahlungsadresse eingetragen; trage zuerst eine ein: \
        {/set_address}.",
    starting: "Das Gateway startet noch: Sein Node hat noch nicht geantwortet, ob dieses Konto schon benutzt \
        wurde. Versuch es in einer Minute noch einmal.",
    too_many_open: "{n} {n|Zahlung ist|Zahlungen sind} offen; warte, bis einige davon bezahlt oder \
        abgelaufen sind.",
    daily_limit: "Höchstens {n} am Tag; versuche es später noch einmal.",
    idempotency_key_reused: "Der idempotency-key wurde schon für eine andere Anfrage verwendet.",
    chain_suspect: "Die Kettenwache ist aktiv: Solange wird nichts ausgezahlt \
        (`litegate chain-guard`).",
    no_address_change: "Es wartet keine Änderung der Auszahlungsadresse.",
    too_many_address_changes: "Die Auszahlungsadresse wurde innerhalb eines Tages {n}-mal \
        geändert. Versuche es morgen wieder.",
    factor_code_needed: "Es wird ein Code deiner Authenticator-App gebraucht.",
    factor_wrong_code: "Der Code ist falsch. Nach {n} weiteren {n|falschen Code|falschen Codes} \
        ist der zweite Faktor 15 Minuten lang gesperrt.",
    factor_wrong_first_code: "Der Code ist falsch. Prüfe die Uhr des Geräts mit der App.",
    factor_used_code: "Der Code wurde schon verwendet. Warte auf den nächsten.",
    factor_locked: "Zu viele falsche Codes. Versuche es in {n} {n|Minute|Minuten} wieder.",
    factor_unusable: "Der zweite Faktor lässt sich nicht prüfen. Bitte den Betreiber, ihn \
        zurückzusetzen.",
    factor_enabled_already: "Der zweite Faktor ist schon eingeschaltet. Schalte ihn zuerst aus.",
    factor_not_enabled: "Der zweite Faktor ist nicht eingeschaltet.",
    factor_not_begun: "Es wartet kein zweiter Faktor auf seinen ersten Code. Beginne noch einmal.",

    address_empty: "Die Adresse darf nicht leer sein.",
    address_too_long: "Das ist zu lang für eine Litecoin-Adresse.",
    address_whitespace: "Die Adresse darf keine Leerzeichen oder Zeilenumbrüche enthalten.",
    address_mixed_case: "Die Adresse mischt große und kleine Buchstaben; prüfe, ob sie vollständig \
        kopiert wurde.",
    address_other_network: "Das ist eine Adresse des Netzes {network}; dieses Gateway ist in einem \
        anderen.",
    address_bitcoin: "Das ist eine Bitcoin-Adresse; gib eine Litecoin-Adresse an.",
    address_mweb: "Das ist eine MWEB-Adresse, an die nicht ausgezahlt werden kann; gib eine \
        gewöhnliche wie ltc1q… an.",
    address_checksum: "Die Adresse ist vertippt: Ihre Prüfsumme passt nicht.",
    address_witness_version: "Die Adresse hat eine Witness-Version, die Litecoin-Knoten nicht \
        weitergeben.",
    address_unknown: "Das ist keine Litecoin-Adresse.",
    address_own: "Das ist eine Adresse dieses Gateways; gib eine deiner eigenen Wallet an.",
    name_empty: "Der Name darf nicht leer sein.",
    name_too_long: "Der Name darf höchstens 64 Zeichen haben.",
    name_unprintable: "Der Name darf keine Steuerzeichen enthalten und keine Zeichen, die die \
        Schreibrichtung ändern.",
    amount_not_a_number: "Der Betrag muss eine Dezimalzahl wie 0.05 sein.",
    amount_negative: "Der Betrag darf nicht negativ sein.",
    amount_too_large: "Der Betrag darf nicht über 84000000 liegen.",
    amount_too_precise: "Der Betrag darf höchstens 8 Nachkommastellen haben.",
    amount_too_small: "Der Betrag muss mindestens {least} LTC sein.",
    reference_bad: "Die Bestellung darf höchstens {max} Zeichen haben, keines davon unsichtbar.",
    url_too_long: "Die URL ist zu lang.",
    url_not_a_url: "Die URL muss vollständig sein, etwa https://shop.example/webhook.",
    url_scheme: "Die URL muss mit https:// oder http:// beginnen.",
    url_credentials: "Die URL darf keinen Benutzernamen und kein Passwort enthalten.",
    url_not_public: "Die URL darf nicht zu einer privaten oder besonderen Adresse führen.",
    url_port: "Die URL muss einen Port haben, den der Betreiber erlaubt, etwa 443.",
    confirmations_range: "Die Zahl der Bestätigungen muss zwischen 1 und {max} liegen.",
    days_range: "Die Zahl der Tage muss zwischen 1 und {max} liegen.",
    announcement_length: "Der Text muss 1 bis {max} Zeichen haben.",
    not_for_merchants: "Wähle etwas, das Händlern gesagt wird.",
    month_bad: "Gib Jahr und Monat an, etwa 2026-11.",
    bad_cursor: "Diese Stelle der Liste gibt es nicht.",
    bad_state: "Wähle fällig, zugestellt oder aufgegeben.",

    not_yours: "Dieser Knopf gehört dir nicht.",
    used: "Dieser Knopf wurde schon benutzt.",
    too_old: "Dieser Knopf ist zu alt; sende den Befehl noch einmal.",
    no_account: "Du hast noch kein Händlerkonto; beginne mit {/set_address}.",
    no_account_of: "Dieser Nutzer hat kein Händlerkonto; {/grant_sub} legt eines an.",
    not_admin: "Dieser Befehl ist für Administratoren.",
    other_place: "Dieser Befehl geht nur auf dem eigenen Server des Gateways; verwende ihn dort.",
    too_fast: "Zu viele Befehle; versuche es in {n} {n|Sekunde|Sekunden} noch einmal.",
    shown_too_often: "Geheimnisse werden höchstens fünfmal in der Stunde gezeigt; versuche es später \
        noch einmal.",
    unknown_kind: "Wähle eine der angebotenen Arten.",
    kind_and_how: "Gib beides an, die Art und die Weise.",
    no_webhook: "Diese Zahlung hat keinen Webhook: Sie ist nicht abgeschlossen oder wurde ohne \
        webhookUrl angelegt.",
    choose_part: "Wähle einen der beiden Teile des Befehls.",
    bot_is_no_merchant: "Ein Bot ist kein Händler.",
    bad_merchant_id: "Das ist keine Kennung eines Händlers wie mer_0123456789ab.",
    node_silent: "Der Knoten hat nicht innerhalb von {n} {n|Sekunde|Sekunden} geantwortet; `litegate \
        doctor` sagt, warum.",
    no_notifications_channel: "Hier gibt es keinen Kanal für Mitteilungen.",
    no_test: "Der Test lässt sich von hier aus nicht senden.",
    set_channel_first: "Setze zuerst discord.notifications_channel_id.",

    answer_not_public: "die URL führt zu einer privaten oder besonderen Adresse oder zu einem Port, der nicht erlaubt ist",
    answer_timeout: "der Empfänger brauchte zu lange",
    answer_no_such_name: "der Name des Empfängers hat keine Adresse",
    answer_connect: "keine Verbindung zum Empfänger",
    answer_tls: "keine sichere Verbindung: Zertifikat oder TLS des Empfängers ist nicht gültig",
    answer_broken: "der Empfänger hat abgebrochen",
    advice_not_public: "Das Gateway sendet nur an öffentliche Adressen. Der Betreiber kann private mit \
        webhooks.allow_private_networks erlauben.",
    advice_no_such_name: "Prüfe, wie der Host geschrieben ist, und seinen DNS-Eintrag.",
    advice_connect: "Dort nimmt niemand an, oder eine Firewall lässt niemanden hinein: Prüfe Port und \
        Firewall.",
    advice_tls: "Das Zertifikat ist abgelaufen, gilt für einen anderen Namen, ist von niemand \
        Bekanntem signiert, oder der Server lässt die Zertifikate dazwischen weg; oder er spricht \
        http, wo die URL https sagt.",
    advice_timeout: "Antworte innerhalb von 15 Sekunden: Prüfe die Signatur, merke dir das Ereignis, \
        antworte 200 und tu die Arbeit danach.",
    advice_broken: "Die Verbindung endete ohne eine Antwort, die HTTP ist: Ist die URL http, wo der \
        Server https spricht, oder umgekehrt?",
    advice_redirect: "Weiterleitungen wird nicht gefolgt: Gib die URL an, zu der sie führen.",
    advice_body: "Der Empfänger nimmt den Inhalt nicht an: Er ist JSON mit content-type \
        application/json. Prüft er die Signatur, dann über die Bytes, wie sie kamen.",
    advice_login: "Der Empfänger verlangt eine Anmeldung oder ein CSRF-Token, oder eine Firewall weist \
        uns ab: Lass POST ohne das herein und prüfe stattdessen die Signatur.",
    advice_route: "Keine Route des Empfängers nimmt POST unter diesem Pfad an.",
    advice_busy: "Der Empfänger ist beschäftigt; ein echtes Ereignis käme später wieder.",
    advice_failed: "Der Empfänger ist gescheitert: Sein eigenes Log sagt, warum.",

    kind_first_payment: "Deine erste Zahlung ist abgeschlossen",
    kind_paid: "Eine Zahlung ist abgeschlossen (jede einzelne)",
    kind_part_paid: "Eine Zahlung lief ab und war nur zum Teil bezahlt",
    kind_late_payment: "Geld kam, als die Zeit einer Zahlung um war",
    kind_webhook_failing: "Ein Webhook ist fünfmal gescheitert",
    kind_webhook_failed: "Ein Webhook wurde aufgegeben",
    kind_payout_sent: "Eine Auszahlung ist unterwegs",
    kind_payout_stuck: "Eine Auszahlung wird lange nicht bestätigt",
    kind_address_change: "Deine Auszahlungsadresse wird oder wurde geändert, oder das wurde \
        abgebrochen",
    kind_key_rotated: "Dein API-Schlüssel oder Webhook-Geheimnis wurde ersetzt",
    kind_subscription: "Dein Abonnement endet in 7, 3, 1 Tagen, und wenn es geendet hat",

    order: " (Bestellung {order})",
    first_payment: "Deine erste Zahlung ist abgeschlossen: {amount} LTC{order}. Sie wird beim \
        nächsten Mal ausgezahlt; {/payouts} zeigt, wann. {/payment id}",
    payment_complete: "Die Zahlung `{id}`{order} über {amount} LTC ist abgeschlossen. {/payment id}",
    payment_complete_late: "Die Zahlung `{id}`{order} kam zu spät und ist jetzt abgeschlossen. \
        Entscheide, ob du noch lieferst. {/payment id}",
    payment_part_paid: "Die Zahlung `{id}`{order} lief ab, als {received} von {amount} LTC bezahlt \
        waren. Was kam, wird dir ausgezahlt; frage den Kunden oder sende es zurück. {/payment id}",
    payment_late: "{amount} LTC kamen für die Zahlung `{id}`{order}, als ihre Zeit um war. Wird die \
        Summe erreicht und bestätigt, so wird die Zahlung als verspätet abgeschlossen. {/payment id}",
    payment_too_late: "{amount} LTC kamen für die Zahlung `{id}`{order}, als ihre Zeit um war. Um sie \
        abzuschließen, ist es zu spät; das Geld wird dir trotzdem ausgezahlt. {/payment id}",
    payment_lost_to_you: "Die Zahlung `{id}`{order} war abgeschlossen, aber die Kette enthält ihre Münzen nicht \
        mehr: eine tiefe Reorganisation. Sie zählt erst wieder, wenn die Münzen zurück sind. {/payment id}",
    webhook_failing: "Der Webhook der Zahlung `{id}`{order} ist {n}-mal gescheitert: {outcome}. Er wird \
        drei Tage lang versucht. Bringe den Empfänger in Ordnung, dann {/resend_webhook id}.",
    webhook_given_up: "Der Webhook der Zahlung `{id}`{order} wurde nach {n} {n|Versuch|Versuchen} \
        aufgegeben: {outcome}. Bringe den Empfänger in Ordnung, dann {/resend_webhook id}.",
    payout_sent: "Eine Auszahlung von {amount} LTC ist unterwegs: Transaktion `{txid}`. {/payouts}",
    payout_stuck: "Deine Auszahlung von {amount} LTC wartet seit mehr als zwei Stunden auf einen Block: \
        Transaktion `{txid}`. Sie wird wieder gesendet, bis sie bestätigt ist. {/payouts}",
    address_asked: "Deine Auszahlungsadresse wechselt {when} zu `{address}`{before}. Wenn du das nicht \
        warst, brich es jetzt ab: mit dem Knopf unten oder {/cancel_address_change}; dann sichere dein \
        Discord-Konto.",
    address_before: " (bisher `{address}`)",
    address_effective: "Deine Auszahlungen gehen ab jetzt an `{address}`. {/account}",
    address_cancelled: "Die Änderung deiner Auszahlungsadresse zu `{address}` ist abgebrochen. \
        {/account}",
    payouts_wait: "Deine Auszahlungen warten: Das Auszahlungssystem hat deine neue Auszahlungsadresse nicht \
        rechtzeitig gesehen. Nach der Wartezeit laufen sie automatisch weiter. Wenn du die Adresse nicht \
        geändert hast, nutze {/cancel_address_change} und sichere dein Discord-Konto.",
    payouts_wait_for_address: "Deine Auszahlungen warten: Deine Auszahlungsadresse ist nicht die, die das \
        Auszahlungssystem kennt. Vergleiche sie mit {/account} und trage die richtige mit {/set_address} \
        noch einmal ein.",
    key_replaced: "Dein API-Schlüssel wurde ersetzt; der alte gilt nicht mehr. Wenn du das nicht warst, \
        sichere dein Discord-Konto und verwende noch einmal {/rotate_key}.",
    key_replaced_gently: "Dein API-Schlüssel wurde ersetzt; der alte gilt noch 24 Stunden. Wenn du das \
        nicht warst, sichere dein Discord-Konto und verwende noch einmal {/rotate_key}.",
    secret_replaced: "Dein Webhook-Geheimnis wurde ersetzt; 24 Stunden lang signieren beide. Wenn du \
        das nicht warst, sichere dein Discord-Konto und verwende zweimal {/rotate_webhook_secret}.",
    subscription_ends: "Dein Abonnement endet {when} ({date}). Bitte vorher einen Administrator um \
        Verlängerung, damit dein Shop weiterläuft. {/subscription}",
    subscription_ended: "Dein Abonnement ist abgelaufen: Neue Zahlungen werden abgelehnt. Offene gehen \
        weiter, und alles wird ausgezahlt. Bitte einen Administrator um Verlängerung; {/subscription} \
        zeigt, wann du sie hast.",
    node_away: "Seit mehr als {minutes} {minutes|Minute|Minuten} stehen wir nicht an der Spitze des \
        Knotens: {why}. Zahlungen werden angenommen, aber nicht gesehen. {/node}",
    node_behind: "der Knoten ist bei Block {height}, {behind} hinter seinen Headern",
    node_did_not_answer: "der Knoten hat nicht innerhalb von {n} {n|Sekunde|Sekunden} geantwortet; \
        `litegate doctor` sagt, warum",
    node_back: "Wir stehen wieder an der Spitze des Knotens. {/node}",
    sweep_stuck: "Die Auszahlung {sweep} wartet seit mehr als zwei Stunden auf einen Block: Transaktion \
        `{txid}`. {/node} zeigt den Knoten; `litegate sweep` sendet sie noch einmal.",
    sweeper_stuck: "Seit einer halben Stunde wird nicht ausgezahlt: {trouble}. Zahlungen werden \
        angenommen und warten. `litegate doctor` sucht den Grund.",
    sweep_damaged: "Die gespeicherten Bytes der Auszahlung `{txid}` sind beschädigt: durch die Platte oder eine \
        Hand in der Datenbank. So wird sie nicht gesendet; mit dem Schlüssel auf diesem Rechner wird sie neu \
        signiert. `litegate doctor` zeigt, was noch fehlt.",
    payouts_of_merchant_wait: "Auszahlungen von `{merchant}` warten: {why}. `litegate doctor` sagt, was zu \
        tun ist.",
    payment_lost: "Die Zahlung `{id}` wurde abgeschlossen, aber die beste Kette enthält ihre Münzen \
        nicht mehr: eine tiefe Reorganisation. Dem Händler wurde gesagt, dass sie bezahlt ist. \
        `litegate payment show {id}` und `litegate audit` zeigen, was fehlt.",
    suspect: "Die Kettenwache ist aktiv: {reason}. Zahlungen aus MWEB und Auszahlungen warten. \
        `litegate chain-guard` zeigt den Grund und kann sie beenden.",
    low_disk: "Die Platte der Datenbank hat noch {n} MB frei. Ist sie voll, werden neue Zahlungen \
        abgelehnt. Schaffe Platz; `litegate doctor` sieht noch einmal nach.",
    zmq_silent: "Das ZMQ des Knotens sagt nichts. Zahlungen werden bemerkt, indem der Knoten immer \
        wieder gefragt wird, etwas später als sonst. {/node} zeigt es; `litegate doctor` sucht den \
        Grund.",
    zmq_back: "Zahlungen werden wieder bemerkt wie eingestellt. {/node}",
    fee_too_high: "Münzen werden nicht ausgezahlt, weil die Gebühr mehr als \
        `sweeper.max_fee_percent` davon wäre. Sie gehen hinaus, sobald die Gebühren fallen oder mehr \
        zusammenkommt. {/sweep_now} zeigt, was bereit ist.",
    too_much_hot: "{waiting} LTC warten unter dem Schlüssel auf dieser Maschine auf Auszahlung, mehr als \
        die {limit} LTC von `sweeper.max_hot_balance`. {/sweep_now} zahlt aus, was bereit ist; `litegate sweep \
        --dry-run` sagt, worauf der Rest wartet.",
    audit_found: "Die Prüfung hat {n} {n|Unterschied|Unterschiede} gefunden: Litoshis sind nicht, wo \
        sie sein sollten. `litegate audit` nennt jeden davon.",
    audit_clean: "Die Prüfung ist wieder sauber: Über jeden Litoshi ist Rechenschaft gegeben. \
        `litegate audit`",
};
