//! The bot in French.

use super::Words;
use super::typed::Said;

pub(super) const WORDS: Words = Words {
    no_address: "aucune",
    no_subscription: "aucun",
    before_after: "**Avant** {before}\n**Après** {after}",
    n_of_m: "{n} sur {m}",
    n_confirmations: "{n} {n|confirmation|confirmations}",
    until_date: "jusqu'au {date}",
    nothing_changed: "Rien n'a été changé.",
    button_leave: "Laisser ainsi",
    kept_notifications: "-# Vous avez {n} {n|avis|avis} : {/notifications} {n|le|les} montre.",

    ours: "Quelque chose s'est mal passé de notre côté ; réessayez plus tard (dans le journal : \
        {request}).",
    changed: "Cette commande a changé ; rechargez Discord, puis envoyez-la de nouveau.",
    has_parts: "Cette commande a des parties ; choisissez-en une dans la liste.",
    not_understood: "Une des options n'a pas été comprise ; choisissez-la ou tapez-la de nouveau.",
    bot_lacks: "Le bot ne peut pas faire cela ici ; il lui manque {permissions}. Un administrateur peut \
        le permettre.",
    permissions_unknown: "Discord n'a pas dit ce qui est permis ici ; envoyez la commande de nouveau.",
    not_usable: "Cette commande ne s'utilise pas ainsi ; {/help} montre ce qui est possible.",

    title_help: "Accepter Litecoin en trois étapes",
    help: "{address} **Adresse de versement** : {/set_address} dit où va votre argent.\n\
        {subscription} **Abonnement**{until} : un administrateur vous l'accorde.\n\
        {key} **Clé d'API** : {/view_key} la montre ; votre boutique l'envoie avec chaque requête. \
        {/docs} a des exemples.\n\n\
        **Argent** : {/payments} {/payment} {/payouts} {/account} {/invoice}\n\
        **Compte** : {/set_business_name} {/set_confirmations} {/subscription} \
        {/cancel_address_change} {/rotate_key} {/view_webhook_secret} {/rotate_webhook_secret}\n\
        **Webhooks** : {/set_webhook_url} {/test_webhook} {/resend_webhook}\n\
        **Nouvelles** : {/notifications} {/notification_settings}",
    address_set: "Les versements vont désormais à {address}. Comparez-la avec votre portefeuille.",
    address_warning: "⚠ Ce que vous avez tapé est peut-être destiné à Bitcoin. Comparez l'adresse \
        ci-dessus avec votre portefeuille Litecoin.",
    title_change_address: "Changer l'adresse de versement ?",
    change_address: "Le changement prend effet {hours} {hours|heure|heures} après votre confirmation. \
        D'ici là, il peut être annulé.",
    button_change_address: "Changer l'adresse",
    button_cancel_change: "Annuler le changement",
    change_cancelled: "Le changement est annulé ; les versements vont où ils allaient avant.",
    address_will_be: "Les versements iront à {address} à partir du {date} ({when}). D'ici là, \
        {/cancel_address_change} l'annule.",
    address_is: "Les versements vont à {address}.",
    address_none: "aucune : {/set_address}",
    address_to_come: "⏳ devient {address} {when} ; {/cancel_address_change} l'annule",
    name_set: "Changé. Sur la page de paiement, votre boutique s'appelle maintenant **{name}**.",
    confirmations_set: "Les nouveaux paiements ont besoin de {n} {n|confirmation|confirmations}, environ \
        {minutes} {minutes|minute|minutes}. Les gros peuvent en demander plus.",
    confirmations_risk: "Avec si peu, une réorganisation de la chaîne peut reprendre un paiement.",
    subscription_suspended: "Votre compte est suspendu : pas de nouveaux paiements. Ceux qui sont ouverts \
        continuent, et tout est versé. Adressez-vous à un administrateur.",
    subscription_until: "Votre abonnement court jusqu'au {date} ({when}). Un rappel vient 7, 3 et 1 jours \
        avant.",
    subscription_ended: "Votre abonnement a pris fin {when}. Demandez à un administrateur de le prolonger.",
    subscription_none: "Vous n'avez pas encore d'abonnement. Demandez-le à un administrateur.",
    title_notification_settings: "Ce qui vous est dit",
    off_for_all: "(désactivé pour tous)",
    in_the_channel: "(dans le salon)",
    docs: "Le guide d'intégration avec des exemples à copier : {url}/docs\nL'API pour les machines : \
        {url}/openapi.json",

    title_rotate_key: "Remplacer la clé d'API ?",
    key_number: "clé {n}",
    old_key_dies: "Votre boutique ne peut plus créer de paiements dès votre confirmation, jusqu'à ce \
        qu'elle ait la nouvelle clé.",
    old_key_lives: "Les deux clés valent pendant 24 heures, votre boutique peut donc changer \
        tranquillement. Pas pour une clé que quelqu'un d'autre pourrait avoir.",
    open_go_on: "Les paiements ouverts continuent.",
    button_rotate_key: "Remplacer la clé",
    your_key: "Votre clé d'API : ||`{secret}`||",
    key_warning: "⚠ Gardez-la sur votre serveur, jamais dans une page ni une application. Qui l'a peut \
        créer des paiements en votre nom ; {/rotate_key} la remplace.",
    title_rotate_secret: "Remplacer le secret des webhooks ?",
    secret_number: "secret {n}",
    two_signatures: "Les webhooks portent deux signatures pendant 24 heures, votre boutique peut donc \
        changer tranquillement. Le remplacer deux fois annule aussitôt un secret divulgué.",
    button_rotate_secret: "Remplacer le secret",
    your_secret: "Votre secret de webhooks : ||`{secret}`||",
    secret_warning: "⚠ Gardez-le sur votre serveur et vérifiez chaque webhook avec lui. Qui l'a peut faire \
        croire à votre boutique qu'un paiement est terminé.",
    goes_away: "-# Ce message disparaît après {n} {n|seconde|secondes}.",
    title_factor_enable: "Utiliser une application d'authentification ?",
    factor_setup: "Saisissez ce secret dans votre application d'authentification : \
        ||`{secret}`||\nOu ouvrez ce lien sur l'appareil qui porte l'application : \
        ||`{url}`||\n\nSaisissez ensuite ici le code de l'application, dans les 5 minutes. Dès lors, \
        une nouvelle adresse de versement et une nouvelle clé d'API demandent un code.",
    button_enter_code: "Saisir le code",
    title_form: "Second facteur",
    field_code: "Code de l'application ou de secours",
    factor_asks: "Vous le confirmez par un code de votre application d'authentification.",
    factor_enabled: "Le second facteur est activé. ✔ Gardez ces codes de secours en lieu sûr. Chacun \
        remplace une fois un code de l'application :\n||```\n{codes}\n```||",
    title_factor_disable: "Désactiver le second facteur ?",
    factor_disable: "Sans lui, quiconque tient votre compte Discord peut changer votre adresse de \
        versement et votre clé d'API. Il faut encore un code de l'application.",
    factor_disabled: "Le second facteur est désactivé.",

    field_merchant: "Marchand",
    field_payout_address: "Adresse de versement",
    field_subscription: "Abonnement",
    field_confirmations: "Confirmations",
    field_webhooks_to: "Les webhooks vont à",
    field_money: "Argent",
    field_next_sweep: "Prochain versement",
    subscription_runs: "jusqu'au {date} ({when})",
    subscription_missing: "aucun : demandez-le à un administrateur",
    next_sweep: "{when}, pour ceux chez qui {amount} ou plus attendent",
    next_sweep_unknown: "dès que les versements tournent",
    as_payments_say: "où chaque paiement le dit : {/set_webhook_url}",
    payouts_list: "{/payouts} liste ce qui a été versé",
    sum_received: "reçu",
    sum_unconfirmed: "non confirmé",
    sum_unswept: "pas encore versé",
    sum_in_flight: "en route",
    sum_paid: "versé",
    sum_fees: "frais",
    sum_elsewhere: "ailleurs",
    title_payment: "Paiement",
    field_payment: "Paiement",
    field_status: "État",
    field_amount: "Montant",
    field_received: "Reçu",
    field_created: "Créé",
    field_time_up: "Fin du délai",
    field_address: "Adresse",
    field_checkout: "Page de paiement",
    field_order: "Commande",
    field_transactions: "Transactions",
    field_webhook: "Webhook",
    field_paid_out_with: "Versé avec",
    received: "{received}, dont confirmé {confirmed}",
    webhook_delivered: "remis",
    webhook_due: "prévu {when}, {n} {n|tentative|tentatives}",
    webhook_given_up: "abandonné : {/resend_webhook} le renvoie",
    status_pending: "en attente",
    status_completed: "terminé",
    status_expired: "expiré",
    detail_waiting: "attend l'argent",
    detail_partly_paid: "payé en partie",
    detail_seen: "vu",
    detail_confirming: "en cours de confirmation",
    detail_replaced: "retiré",
    detail_paid: "payé",
    detail_overpaid: "payé en trop",
    detail_paid_short: "payé, il manque un petit reste",
    detail_accepted: "accepté",
    detail_cancelled: "annulé",
    detail_expired: "expiré",
    detail_late: "arrivé en retard",
    detail_delayed: "retardé",
    month_empty: "Rien n'a été versé en {month}.",
    month_payouts: "Vos versements de {month} (UTC) : {n}.",
    month_cut: "Il y en a plus qu'il n'en tient : `GET /api/payouts` les donne tous.",
    title_invoice: "Paiement créé",
    field_send_link: "Envoyez ce lien au client",
    button_checkout: "Ouvrir la page de paiement",

    title_page: "{title} (page {n})",
    button_previous: "Précédent",
    button_next: "Suivant",
    title_payments: "Paiements",
    title_payments_of: "Paiements : {status}",
    title_payouts: "Versements",
    title_notifications: "Avis",
    title_merchants: "Marchands",
    title_audit_log: "Qui a fait quoi",
    title_failed: "Webhooks abandonnés",
    empty_payments: "Aucun pour l'instant. {/invoice} en crée un à la main, votre boutique les crée par \
        l'API : {/docs}.",
    empty_payouts: "Aucun pour l'instant. Ce qui est terminé et confirmé part avec le prochain versement ; \
        les petites sommes en attendent d'autres. {/account} montre ce qui attend.",
    empty_notifications: "Il ne s'est rien passé dont vous seriez averti. {/notification_settings} choisit ce que c'est.",
    empty_merchants: "Aucun pour l'instant. {/grant_sub} crée le premier.",
    empty_audit_log: "Rien n'a encore été fait.",
    empty_failed: "Aucun. Tout va bien.",
    payout_line: "{when} {amount} · frais {fee} · {n} {n|confirmation|confirmations}",
    failed_line: "`{payment}` {when} · {n} {n|tentative|tentatives} · `{merchant}`",
    state_suspended: "suspendu",
    state_ends: "prend fin {when}",
    state_ended: "a pris fin {when}",
    state_none: "pas d'abonnement",
    audit_log_nothing: "rien",
    audit_log_by_message: "par message privé",

    webhooks_go_to: "Les webhooks vont à {url}, sauf si un paiement nomme sa propre URL.",
    webhooks_go_as_said: "Les webhooks vont où chaque paiement le dit, et nulle part ailleurs.",
    webhooks_will_go_to: "Désormais les webhooks vont à {url} pour les paiements qui ne nomment pas leur \
        propre URL. {/test_webhook} l'essaie.",
    webhooks_will_go_as_said: "Désormais les webhooks vont où chaque paiement le dit, et nulle part \
        ailleurs.",
    resent: "Il est renvoyé maintenant. {/payment} montre ce qu'il en est advenu.",
    title_test: "Webhook d'essai",
    field_outcome: "Résultat",
    field_event: "Son id",
    field_answer: "Ce qu'il a répondu",
    field_advice: "Conseil",
    title_resend_all: "Les renvoyer ?",
    resend_all: "Tous les webhooks abandonnés de {name} sont renvoyés.",
    button_resend_all: "Renvoyer",
    resent_all: "Les webhooks abandonnés de {name} sont de nouveau prévus.",

    granted: "{name} a {n} {n|jour|jours} de plus.",
    title_revoke: "Mettre fin à l'abonnement ?",
    revoke: "Dès lors, les nouveaux paiements sont refusés. Ceux qui sont ouverts continuent, et tout est \
        versé.",
    button_revoke: "Y mettre fin",
    revoked: "L'abonnement de {name} a pris fin. Les paiements ouverts continuent et sont versés.",
    title_suspend: "Suspendre ce marchand ?",
    can_make_payments: "peut créer des paiements",
    no_new_payments: "pas de nouveaux paiements",
    suspend: "L'abonnement court toujours. Les paiements ouverts continuent, et tout est versé. \
        {/unsuspend} y met fin.",
    button_suspend: "Suspendre",
    suspended: "{name} ne peut plus créer de paiements. Ceux qui sont ouverts continuent et sont versés. \
        {/unsuspend} y met fin.",
    unsuspended: "{name} peut de nouveau créer des paiements.",
    field_owner: "Titulaire",
    not_on_discord: "pas sur Discord",
    field_since: "Depuis",
    field_suspended: "Suspendu",

    title_stats: "Comment ça va",
    field_day: "Dernières 24 heures",
    field_week: "7 derniers jours",
    field_month: "30 derniers jours",
    field_merchants: "Marchands",
    field_webhooks_waiting: "Webhooks en attente",
    field_lost: "Paiements terminés sans leurs pièces",
    stats: "{n} {n|paiement créé|paiements créés}, {completed} {completed|terminé|terminés}{rate} : \
        {sum}{median} ; {failed} {failed|webhook abandonné|webhooks abandonnés}",
    stats_rate: " ({percent} % de ceux qui sont décidés)",
    stats_median: ", la moitié en moins de {minutes} min {seconds} s",
    merchants_count: "{active} avec un abonnement, {all} en tout",
    title_node: "Le nœud",
    field_node: "Nœud",
    field_gateway: "Passerelle",
    field_height: "Hauteur",
    field_stand: "Nous en sommes à",
    field_peers: "Pairs",
    field_mempool: "Transactions dans son mempool",
    field_zmq: "ZMQ",
    field_watcher: "Observateur",
    field_chain_guard: "Doute",
    node_on: "{node} sur {chain}",
    height: "{height} ({n} {n|bloc|blocs} derrière ses en-têtes)",
    stand_none: "aucun bloc pour l'instant",
    watcher_at: "à la pointe il y a {n} s",
    watcher_never: "n'a pas encore été à la pointe",
    suspect: "le gardien de la chaîne est actif ; `litegate chain-guard` montre pourquoi",
    zmq_heard: "entendu pour la dernière fois {when}",
    zmq_never: "rien entendu pour l'instant",
    nothing_ready: "Rien n'est prêt : les paiements sont versés une fois décidés et confirmés.",
    title_sweep: "Verser maintenant ?",
    sweep: "{n} {n|pièce|pièces} de {merchants} {merchants|marchand|marchands}, {sum} en tout, moins les \
        frais du réseau. Les petites sommes, les adresses manquantes et un doute sur la chaîne attendent \
        encore.",
    button_sweep: "Verser maintenant",
    title_swept: "Versé",
    swept_line: "`{txid}` : {n} {n|versement|versements}, frais {fee}",
    swept_nothing: "On a regardé ; rien ne pouvait partir. `litegate sweep --dry-run` dit pourquoi.",
    sweeper_cannot: "Le versement est impossible : {why}.",
    sweeper_slow: "On n'a pas encore regardé. {/stats} et `litegate sweep` montrent ce qu'il en advient.",
    title_announce: "Publier ceci ?",
    button_announce: "Publier",
    announced: "Publié.",
    title_setup: "Les réglages du bot",
    setup_server: "serveur : {name}",
    setup_everywhere: "les commandes sont enregistrées partout",
    setup_here: "les commandes sont enregistrées sur ce serveur",
    setup_role: "les administrateurs ont le rôle {role}",
    setup_role_unset: "discord.admin_role_id n'est pas défini : personne n'administre",
    setup_role_unknown: "discord.admin_role_id : le serveur n'a pas de rôle {role}",
    channel_unset: "{key} n'est pas défini",
    channel_elsewhere: "{key} : {channel} est visible, mais n'est pas un salon de ce serveur",
    channel_fine: "{key} : on peut lire et écrire dans {channel}",
    channel_lacks: "{key} : dans {channel}, il manque au bot {permissions}. Donnez-le dans les paramètres du \
        salon",
    permission_view: "« Voir le salon »",
    permission_send: "« Envoyer des messages »",
    permission_embed: "« Intégrer des liens »",
    title_config: "Valeurs en vigueur",
    config_grant: "prolongation la plus longue = {n} jours",

    title_shop_news: "Nouvelles de votre boutique",
    title_gateway_notifications: "Nouvelles de la passerelle",
    notifications_wait: "{name} {n} {n|avis vous attend|avis vous attendent} : {/notifications} {n|le|les} montre à vous \
        seul.",
};

pub(super) const SAID: Said = Said {
    unknown_merchant: "Il n'y a pas de marchand {id}.",
    unknown_payment: "Ce paiement n'existe pas.",
    unknown_event: "Cet événement de webhook n'existe pas.",
    discord_user_taken: "Cet utilisateur de Discord a déjà un compte de marchand : {id}.",
    subscription_inactive: "L'abonnement n'est pas actif ; demandez-le à un administrateur.",
    suspended: "Le compte est suspendu ; adressez-vous à un administrateur.",
    suspended_already: "Le compte est déjà suspendu.",
    not_suspended: "Le compte n'est pas suspendu.",
    payout_address_missing: "Aucune adresse de versement n'est enregistrée ; enregistrez-en d'abord une : \
        {/set_address}.",
    starting: "La passerelle démarre : son nœud n'a pas encore répondu si ce compte a déjà servi. \
        Réessayez dans une minute.",
    too_many_open: "{n} {n|paiement est ouvert|paiements sont ouverts} ; attendez que certains soient payés \
        ou expirent.",
    daily_limit: "Au plus {n} par jour ; réessayez plus tard.",
    idempotency_key_reused: "L'idempotency-key a déjà servi pour une autre requête.",
    chain_suspect: "Le gardien de la chaîne est actif : rien n'est versé entre-temps (`litegate \
        chain-guard`).",
    no_address_change: "Aucun changement de l'adresse de versement n'est en attente.",
    too_many_address_changes: "L'adresse de versement a été changée {n} fois en un jour. \
        Réessayez demain.",
    factor_code_needed: "Il faut un code de votre application d'authentification.",
    factor_wrong_code: "Le code est faux. Encore {n} {n|code faux|codes faux}, et le second \
        facteur est bloqué pendant 15 minutes.",
    factor_wrong_first_code: "Le code est faux. Vérifiez l'heure de l'appareil qui porte \
        l'application.",
    factor_used_code: "Ce code a déjà servi. Attendez le suivant.",
    factor_locked: "Trop de codes faux. Réessayez dans {n} {n|minute|minutes}.",
    factor_unusable: "Le second facteur ne peut pas être vérifié. Demandez à l'exploitant de le \
        réinitialiser.",
    factor_enabled_already: "Le second facteur est déjà activé. Désactivez-le d'abord.",
    factor_not_enabled: "Le second facteur n'est pas activé.",
    factor_not_begun: "Aucun second facteur n'attend son premier code. Recommencez.",

    address_empty: "L'adresse ne doit pas être vide.",
    address_too_long: "C'est trop long pour une adresse Litecoin.",
    address_whitespace: "L'adresse ne doit contenir ni espaces ni retours à la ligne.",
    address_mixed_case: "L'adresse mêle majuscules et minuscules ; vérifiez qu'elle a été copiée en entier.",
    address_other_network: "C'est une adresse du réseau {network} ; cette passerelle est sur un autre.",
    address_bitcoin: "C'est une adresse Bitcoin ; donnez une adresse Litecoin.",
    address_mweb: "C'est une adresse MWEB, à laquelle on ne peut pas verser ; donnez-en une ordinaire comme \
        ltc1q…",
    address_checksum: "L'adresse est mal tapée : sa somme de contrôle ne correspond pas.",
    address_witness_version: "L'adresse a une version de témoin que les nœuds Litecoin ne relaient pas.",
    address_unknown: "Ce n'est pas une adresse Litecoin.",
    address_own: "C'est une adresse de cette passerelle ; donnez-en une de votre propre portefeuille.",
    name_empty: "Le nom ne doit pas être vide.",
    name_too_long: "Le nom doit avoir 64 caractères au plus.",
    name_unprintable: "Le nom ne doit contenir ni caractères de contrôle ni marques qui changent le sens du \
        texte.",
    amount_not_a_number: "Le montant doit être un nombre décimal comme 0.05.",
    amount_negative: "Le montant ne doit pas être négatif.",
    amount_too_large: "Le montant ne doit pas dépasser 84000000.",
    amount_too_precise: "Le montant doit avoir 8 décimales au plus.",
    amount_too_small: "Le montant doit être d'au moins {least} LTC.",
    reference_bad: "La commande doit avoir {max} caractères au plus, aucun d'eux invisible.",
    url_too_long: "L'URL est trop longue.",
    url_not_a_url: "L'URL doit être complète, comme https://shop.example/webhook.",
    url_scheme: "L'URL doit commencer par https:// ou http://.",
    url_credentials: "L'URL ne doit contenir ni nom d'utilisateur ni mot de passe.",
    url_not_public: "L'URL ne doit pas mener à une adresse privée ou spéciale.",
    url_port: "L'URL doit utiliser un port que l'opérateur autorise, comme 443.",
    confirmations_range: "Le nombre de confirmations doit être entre 1 et {max}.",
    days_range: "Le nombre de jours doit être entre 1 et {max}.",
    announcement_length: "Le texte doit avoir de 1 à {max} caractères.",
    not_for_merchants: "Choisissez quelque chose qui est dit aux marchands.",
    month_bad: "Donnez une année et un mois, comme 2026-11.",
    bad_cursor: "Cet endroit de la liste n'existe pas.",
    bad_state: "Choisissez prévu, remis ou abandonné.",

    not_yours: "Ce bouton n'est pas à vous.",
    used: "Ce bouton a déjà servi.",
    too_old: "Ce bouton est trop ancien ; envoyez la commande de nouveau.",
    no_account: "Vous n'avez pas encore de compte de marchand ; commencez par {/set_address}.",
    no_account_of: "Cet utilisateur n'a pas de compte de marchand ; {/grant_sub} en ouvre un.",
    not_admin: "Cette commande est réservée aux administrateurs.",
    other_place: "Cette commande fonctionne sur le serveur de la passerelle ; utilisez-la là-bas.",
    too_fast: "Trop de commandes ; réessayez dans {n} {n|seconde|secondes}.",
    shown_too_often: "Les secrets sont montrés cinq fois par heure au plus ; réessayez plus tard.",
    unknown_kind: "Choisissez l'une des sortes proposées.",
    kind_and_how: "Donnez les deux, la sorte et la manière.",
    no_webhook: "Ce paiement n'a pas de webhook : il n'est pas terminé, ou a été créé sans webhookUrl.",
    choose_part: "Choisissez une des deux parties de la commande.",
    bot_is_no_merchant: "Un bot n'est pas un marchand.",
    bad_merchant_id: "Ce n'est pas l'id d'un marchand, comme mer_0123456789ab.",
    node_silent: "Le nœud n'a pas répondu en {n} {n|seconde|secondes} ; `litegate doctor` dit pourquoi.",
    no_notifications_channel: "Il n'y a pas de salon pour les avis ici.",
    no_test: "L'essai ne peut pas être envoyé d'ici.",
    set_channel_first: "Définissez d'abord discord.notifications_channel_id.",

    answer_not_public: "l'URL mène à une adresse privée ou spéciale, ou à un port non autorisé",
    answer_timeout: "le récepteur a mis trop de temps",
    answer_no_such_name: "le nom du récepteur n'a pas d'adresse",
    answer_connect: "pas de connexion au récepteur",
    answer_tls: "pas de connexion sûre : le certificat ou le TLS du récepteur n'est pas valable",
    answer_broken: "le récepteur a coupé la connexion",
    advice_not_public: "La passerelle n'envoie qu'à des adresses publiques. L'opérateur peut permettre les \
        privées avec webhooks.allow_private_networks.",
    advice_no_such_name: "Vérifiez l'orthographe de l'hôte et son enregistrement DNS.",
    advice_connect: "Rien n'écoute là-bas, ou un pare-feu ne laisse entrer personne : vérifiez le port et le \
        pare-feu.",
    advice_tls: "Le certificat a expiré, est pour un autre nom, n'est signé par personne de connu, ou le \
        serveur omet les certificats intermédiaires ; ou il parle http là où l'URL dit https.",
    advice_timeout: "Répondez en moins de 15 secondes : vérifiez la signature, notez l'événement, répondez \
        200 et faites le travail ensuite.",
    advice_broken: "La connexion s'est terminée sans réponse HTTP : l'URL est-elle en http là où le serveur \
        parle https, ou l'inverse ?",
    advice_redirect: "Les redirections ne sont pas suivies : donnez l'URL à laquelle elles mènent.",
    advice_body: "Le récepteur ne prend pas le contenu : c'est du JSON avec content-type application/json. \
        S'il vérifie la signature, il doit le faire sur les octets tels qu'ils sont arrivés.",
    advice_login: "Le récepteur demande une connexion ou un jeton CSRF, ou un pare-feu nous rejette : laissez \
        entrer POST sans cela et vérifiez plutôt la signature.",
    advice_route: "Aucune route du récepteur ne prend POST à ce chemin.",
    advice_busy: "Le récepteur est occupé ; un vrai événement reviendrait plus tard.",
    advice_failed: "Le récepteur a échoué : son propre journal dit pourquoi.",

    kind_first_payment: "Votre premier paiement est terminé",
    kind_paid: "Un paiement est terminé (chacun)",
    kind_part_paid: "Un paiement a expiré, payé en partie seulement",
    kind_late_payment: "De l'argent est venu après le délai d'un paiement",
    kind_webhook_failing: "Un webhook a échoué cinq fois",
    kind_webhook_failed: "Un webhook a été abandonné",
    kind_payout_sent: "Un versement est en route",
    kind_payout_stuck: "Un versement tarde à se confirmer",
    kind_address_change: "Votre adresse de versement change, a changé, ou le changement est annulé",
    kind_key_rotated: "Votre clé d'API ou votre secret de webhooks a été remplacé",
    kind_subscription: "Votre abonnement prend fin dans 7, 3, 1 jours, et quand il a pris fin",

    order: " (commande {order})",
    first_payment: "Votre premier paiement est terminé : {amount} LTC{order}. Il part avec le prochain \
        versement ; {/payouts} montre quand. {/payment id}",
    payment_complete: "Le paiement `{id}`{order} de {amount} LTC est terminé. {/payment id}",
    payment_complete_late: "Le paiement `{id}`{order} est arrivé en retard et est maintenant terminé. Décidez \
        si vous livrez encore. {/payment id}",
    payment_part_paid: "Le paiement `{id}`{order} a expiré avec {received} LTC payés sur {amount}. Ce qui est \
        venu vous est versé ; demandez au client, ou renvoyez-le. {/payment id}",
    payment_late: "{amount} LTC sont venus pour le paiement `{id}`{order} après son délai. Si la somme est \
        atteinte et confirmée, le paiement est terminé comme tardif. {/payment id}",
    payment_too_late: "{amount} LTC sont venus pour le paiement `{id}`{order} après son délai. Il est trop tard \
        pour le terminer ; l'argent vous est versé tout de même. {/payment id}",
    payment_lost_to_you: "Le paiement `{id}`{order} était terminé, mais la chaîne ne contient plus ses pièces : une \
        réorganisation profonde. Il ne compte plus tant qu'elles ne sont pas revenues. {/payment id}",
    webhook_failing: "Le webhook du paiement `{id}`{order} a échoué {n} fois : {outcome}. Il est essayé pendant \
        trois jours. Réparez le récepteur, puis {/resend_webhook id}.",
    webhook_given_up: "Le webhook du paiement `{id}`{order} a été abandonné après {n} \
        {n|tentative|tentatives} : {outcome}. Réparez le récepteur, puis {/resend_webhook id}.",
    payout_sent: "Un versement de {amount} LTC est en route : transaction `{txid}`. {/payouts}",
    payout_stuck: "Votre versement de {amount} LTC attend un bloc depuis plus de deux heures : transaction \
        `{txid}`. Il est renvoyé jusqu'à sa confirmation. {/payouts}",
    address_asked: "Votre adresse de versement devient {when} `{address}`{before}. Si ce n'était pas vous, \
        annulez-le maintenant : avec le bouton ci-dessous ou {/cancel_address_change} ; puis sécurisez votre \
        compte Discord.",
    address_before: " (jusqu'ici `{address}`)",
    address_effective: "Vos versements vont désormais à `{address}`. {/account}",
    address_cancelled: "Le changement de votre adresse de versement vers `{address}` est annulé. {/account}",
    payouts_wait: "Vos versements attendent : le système n'a pas vu à temps votre nouvelle adresse de \
        versement. Ils reprennent automatiquement après le délai. Si vous n'avez pas changé l'adresse, \
        utilisez {/cancel_address_change} et protégez votre compte Discord.",
    payouts_wait_for_address: "Vos versements attendent : votre adresse de versement n'est pas celle que le \
        système connaît. Comparez-la avec {/account} et enregistrez de nouveau la bonne avec {/set_address}.",
    key_replaced: "Votre clé d'API a été remplacée ; l'ancienne ne vaut plus. Si ce n'était pas vous, sécurisez \
        votre compte Discord et utilisez de nouveau {/rotate_key}.",
    key_replaced_gently: "Votre clé d'API a été remplacée ; l'ancienne vaut encore 24 heures. Si ce n'était pas \
        vous, sécurisez votre compte Discord et utilisez de nouveau {/rotate_key}.",
    secret_replaced: "Votre secret de webhooks a été remplacé ; pendant 24 heures les deux signent. Si ce \
        n'était pas vous, sécurisez votre compte Discord et utilisez deux fois {/rotate_webhook_secret}.",
    subscription_ends: "Votre abonnement prend fin {when} ({date}). Demandez avant à un administrateur de le \
        prolonger, pour que votre boutique continue. {/subscription}",
    subscription_ended: "Votre abonnement a pris fin : les nouveaux paiements sont refusés. Ceux qui sont ouverts \
        continuent, et tout est versé. Demandez à un administrateur de le prolonger ; {/subscription} montre \
        quand vous l'avez.",
    node_away: "Depuis plus de {minutes} {minutes|minute|minutes}, nous ne sommes plus à la pointe du nœud : \
        {why}. Les paiements sont pris, mais pas vus. {/node}",
    node_behind: "le nœud est au bloc {height}, {behind} derrière ses en-têtes",
    node_did_not_answer: "le nœud n'a pas répondu en {n} {n|seconde|secondes} ; `litegate doctor` dit pourquoi",
    node_back: "Nous sommes de nouveau à la pointe du nœud. {/node}",
    sweep_stuck: "Le versement {sweep} attend un bloc depuis plus de deux heures : transaction `{txid}`. {/node} \
        montre le nœud ; `litegate sweep` le renvoie.",
    sweeper_stuck: "Rien n'est versé depuis une demi-heure : {trouble}. Les paiements sont pris et attendent. \
        `litegate doctor` cherche la raison.",
    sweep_damaged: "Les octets enregistrés du versement `{txid}` sont abîmés : par le disque ou par une main dans la \
        base de données. Il n'est pas envoyé ainsi ; avec la clé sur cette machine, il est signé à nouveau. \
        `litegate doctor` montre ce qui reste.",
    payouts_of_merchant_wait: "Les versements de `{merchant}` attendent : {why}. `litegate doctor` dit quoi \
        faire.",
    payment_lost: "Le paiement `{id}` était terminé, mais la meilleure chaîne ne contient plus ses pièces : une \
        réorganisation profonde. On a dit au marchand qu'il est payé. `litegate payment show {id}` et `litegate \
        audit` montrent ce qui manque.",
    suspect: "Le gardien de la chaîne est actif : {reason}. Les paiements sortant de MWEB et les versements attendent. \
        `litegate chain-guard` le montre et peut y mettre fin.",
    low_disk: "Il reste {n} Mo au disque de la base de données. Quand il sera plein, les nouveaux paiements seront \
        refusés. Faites de la place ; `litegate doctor` regarde de nouveau.",
    zmq_silent: "Le ZMQ du nœud ne dit rien. Les paiements sont remarqués en interrogeant le nœud sans cesse, un peu \
        plus tard que d'habitude. {/node} le montre ; `litegate doctor` cherche la raison.",
    zmq_back: "Les paiements sont de nouveau remarqués comme configuré. {/node}",
    fee_too_high: "Des pièces ne sont pas versées, car les frais dépasseraient `sweeper.max_fee_percent` de leur \
        valeur. Elles partent quand les frais baissent ou quand il y en a davantage. {/sweep_now} montre ce qui \
        est prêt.",
    too_much_hot: "{waiting} LTC attendent d'être versés sous la clé de cette machine, plus que les {limit} LTC de \
        `sweeper.max_hot_balance`. {/sweep_now} verse ce qui est prêt ; `litegate sweep --dry-run` dit ce que le reste \
        attend.",
    audit_found: "L'audit a trouvé {n} {n|différence|différences} : des litoshis ne sont pas où ils devraient être. \
        `litegate audit` nomme chacune d'elles.",
    audit_clean: "L'audit est de nouveau propre : il est rendu compte de chaque litoshi. `litegate audit`",
};
