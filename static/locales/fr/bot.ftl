# The Discord bot. The English file explains the ids.

## General.

no-address = aucune
no-subscription = aucun
before-after =
    {"**"}Avant** { $before }
    {"**"}Après** { $after }
n-of-m = { $n } sur { $m }
n-confirmations = { $n ->
        [one] { $n } confirmation
       *[other] { $n } confirmations
    }
until-date = jusqu'au { $date }
nothing-changed = Rien n'a été changé.
button-leave = Laisser ainsi
kept-notifications = -# Vous avez { $n ->
        [one] { $n } avis
       *[other] { $n } avis
    } : `/notifications` { $n ->
        [one] le
       *[other] les
    } montre.

## Errors of commands.

ours = Quelque chose s'est mal passé de notre côté ; réessayez plus tard (dans le journal : { $request }).
changed = Cette commande a changé ; rechargez Discord, puis envoyez-la de nouveau.
has-parts = Cette commande a des parties ; choisissez-en une dans la liste.
not-understood = Une des options n'a pas été comprise ; choisissez-la ou tapez-la de nouveau.
bot-lacks = Le bot ne peut pas faire cela ici ; il lui manque { $permissions }. Un administrateur peut le permettre.
permissions-unknown = Discord n'a pas dit ce qui est permis ici ; envoyez la commande de nouveau.
not-usable = Cette commande n'est pas disponible ici ; `/help` montre les commandes.

## The account.

title-help = Accepter Litecoin en trois étapes
help =
    { $address } **Adresse de versement** : `/set_address` dit où va votre argent.
    { $subscription } **Abonnement**{ $until } : un administrateur vous l'accorde.
    { $key } **Clé d'API** : `/view_key` la montre ; votre boutique l'envoie avec chaque requête. `/docs` a des exemples.

    {"**"}Argent** : `/payments` `/payment` `/accept` `/cancel_payment` `/payouts` `/account` `/invoice`
    {"**"}Compte** : `/set_business_name` `/set_confirmations` `/set_tolerance` `/set_events` `/subscription` `/cancel_address_change` `/rotate_key` `/view_webhook_secret` `/rotate_webhook_secret`
    {"**"}Webhooks** : `/set_webhook_url` `/test_webhook` `/resend_webhook`
    {"**"}Nouvelles** : `/notifications` `/notification_settings`
address-set = Les versements vont désormais à { $address }. Comparez-la avec votre portefeuille.
address-warning = ⚠ Ce que vous avez tapé est peut-être destiné à Bitcoin. Comparez l'adresse ci-dessus avec votre portefeuille Litecoin.
title-change-address = Changer l'adresse de versement ?
change-address = Le changement prend effet { $hours ->
        [one] { $hours } heure
       *[other] { $hours } heures
    } après votre confirmation. D'ici là, il peut être annulé.
button-change-address = Changer l'adresse
button-cancel-change = Annuler le changement
change-cancelled = Le changement est annulé ; les versements vont où ils allaient avant.
address-will-be = Les versements iront à { $address } à partir du { $date } ({ $when }). D'ici là, `/cancel_address_change` l'annule.
address-is = Les versements vont à { $address }.
address-none = aucune : `/set_address`
address-to-come = ⏳ devient { $address } { $when } ; `/cancel_address_change` l'annule
name-set = Changé. Sur la page de paiement, votre boutique s'appelle maintenant **{ $name }**.
confirmations-set = Les nouveaux paiements ont besoin de { $n ->
        [one] { $n } confirmation
       *[other] { $n } confirmations
    }, environ { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }. Les gros peuvent en demander plus.
confirmations-risk = Avec si peu de confirmations, une réorganisation de la chaîne pourrait annuler un paiement.
tiers-set = Les nouveaux paiements ont besoin de ces confirmations : { $tiers }. Au-dessus, la valeur par défaut s'applique.
tolerance-set = Les nouveaux paiements sont complets s'il manque au plus { $percent } % du montant.
tolerance-none = Les nouveaux paiements ont besoin du montant entier.
events-set = Les webhooks des nouveaux paiements signalent aussi : { $events }.
events-none = Les webhooks des nouveaux paiements signalent seulement les paiements terminés.
subscription-suspended = Votre compte est suspendu : pas de nouveaux paiements. Les paiements ouverts continuent, et tout est versé. Adressez-vous à un administrateur.
subscription-until = Votre abonnement court jusqu'au { $date } ({ $when }). Un rappel vient 7, 3 et 1 jours avant.
subscription-ended = Votre abonnement a pris fin { $when }. Demandez à un administrateur de le prolonger.
subscription-none = Vous n'avez pas encore d'abonnement. Demandez-le à un administrateur.
title-notification-settings = Vos notifications
off-for-all = (désactivé pour tous)
in-the-channel = (dans le salon)
docs =
    Le guide d'intégration avec des exemples à copier : { $url }/docs
    L'API pour les machines : { $url }/openapi.json

## Secrets.

title-rotate-key = Remplacer la clé d'API ?
key-number = clé { $n }
old-key-dies = Votre boutique ne peut plus créer de paiements dès votre confirmation, jusqu'à ce qu'elle ait la nouvelle clé.
old-key-lives = Les deux clés sont valables pendant 24 heures, votre boutique peut donc changer sans interruption. Ne choisissez pas cela pour une clé que quelqu'un d'autre pourrait avoir.
open-go-on = Les paiements ouverts continuent.
button-rotate-key = Remplacer la clé
your-key = Votre clé d'API : ||`{ $secret }`||
key-warning = ⚠ Gardez-la sur votre serveur, jamais dans une page ni une application. Qui l'a peut créer des paiements en votre nom ; `/rotate_key` la remplace.
title-rotate-secret = Remplacer le secret des webhooks ?
secret-number = secret { $n }
two-signatures = Les webhooks portent deux signatures pendant 24 heures, votre boutique peut donc changer sans interruption. Si le secret a fuité, remplacez-le deux fois : il cesse aussitôt d'être valable.
button-rotate-secret = Remplacer le secret
your-secret = Votre secret de webhooks : ||`{ $secret }`||
secret-warning = ⚠ Gardez-le sur votre serveur et vérifiez chaque webhook avec lui. Qui l'a peut faire croire à votre boutique qu'un paiement est terminé.
goes-away = -# Ce message est supprimé après { $n ->
        [one] { $n } seconde
       *[other] { $n } secondes
    }.
title-factor-enable = Utiliser une application d'authentification ?
factor-setup =
    Saisissez ce secret dans votre application d'authentification : ||`{ $secret }`||
    Ou ouvrez ce lien sur l'appareil qui porte l'application : ||`{ $url }`||

    Saisissez ensuite ici le code de l'application, dans les 5 minutes. Dès lors, une nouvelle adresse de versement et une nouvelle clé d'API demandent un code.
button-enter-code = Saisir le code
title-form = Second facteur
field-code = Code de l'application ou de secours
factor-asks = Vous le confirmez par un code de votre application d'authentification.
factor-enabled =
    Le second facteur est activé. ✔ Gardez ces codes de secours en lieu sûr. Chacun remplace une fois un code de l'application :
    ||```
    { $codes }
    ```||
title-factor-disable = Désactiver le second facteur ?
factor-disable = Sans lui, quiconque tient votre compte Discord peut changer votre adresse de versement et votre clé d'API. Il faut encore un code de l'application.
factor-disabled = Le second facteur est désactivé.

## Money.

field-merchant = Marchand
field-payout-address = Adresse de versement
field-subscription = Abonnement
field-confirmations = Confirmations
field-webhooks-to = Les webhooks vont à
field-money = Argent
field-next-sweep = Prochain versement
subscription-runs = jusqu'au { $date } ({ $when })
subscription-missing = aucun : demandez-le à un administrateur
next-sweep = { $when }, pour ceux chez qui { $amount } ou plus attendent
next-sweep-unknown = dès que les versements tournent
as-payments-say = où chaque paiement le dit : `/set_webhook_url`
payouts-list = `/payouts` liste ce qui a été versé
sum-received = reçu
sum-unconfirmed = non confirmé
sum-unswept = pas encore versé
sum-in-flight = en route
sum-paid = versé
sum-fees = frais
sum-elsewhere = ailleurs
title-payment = Paiement
field-payment = Paiement
field-status = État
field-amount = Montant
field-received = Reçu
field-created = Créé
field-time-up = Expire
field-address = Adresse
field-checkout = Page de paiement
field-order = Commande
field-transactions = Transactions
field-webhook = Webhook
field-paid-out-with = Versé avec
received = { $received }, dont confirmé { $confirmed }
webhook-delivered = remis
webhook-due = prévu { $when }, { $n ->
        [one] { $n } tentative
       *[other] { $n } tentatives
    }
webhook-given-up = abandonné : `/resend_webhook` le renvoie
status-pending = en attente
status-completed = terminé
status-expired = expiré
detail-waiting = attend l'argent
detail-partly-paid = payé en partie
detail-seen = vu
detail-confirming = en cours de confirmation
detail-replaced = retiré
detail-paid = payé
detail-overpaid = payé en trop
detail-paid-short = payé, il manque un petit reste
detail-accepted = accepté
detail-cancelled = annulé
detail-expired = expiré
detail-late = arrivé en retard
detail-delayed = retardé
month-empty = Rien n'a été versé en { $month }.
month-payouts = Vos versements de { $month } (UTC) : { $n }.
month-cut = Il y en a plus qu'il n'en tient : `GET /api/payouts` les donne tous.
title-invoice = Paiement créé
field-send-link = Envoyez ce lien au client
button-checkout = Ouvrir la page de paiement

## Lists.

title-page = { $title } (page { $n })
button-previous = Précédent
button-next = Suivant
title-payments = Paiements
title-payments-of = Paiements : { $status }
title-payouts = Versements
title-notifications = Avis
title-merchants = Marchands
title-audit-log = Qui a fait quoi
title-failed = Webhooks abandonnés
empty-payments = Aucun pour l'instant. `/invoice` en crée un à la main, votre boutique les crée par l'API : `/docs`.
empty-payouts = Aucun pour l'instant. Ce qui est terminé et confirmé part avec le prochain versement ; les petites sommes en attendent d'autres. `/account` montre ce qui attend.
empty-notifications = Pas encore de notifications. `/notification_settings` choisit celles que vous recevez.
empty-merchants = Aucun pour l'instant. `/grant_sub` crée le premier.
empty-audit-log = Rien n'a encore été fait.
empty-failed = Aucun. Tout va bien.
payout-line = { $when } { $amount } · frais { $fee } · { $n ->
        [one] { $n } confirmation
       *[other] { $n } confirmations
    }
failed-line = `{ $payment }` { $when } · { $n ->
        [one] { $n } tentative
       *[other] { $n } tentatives
    } · `{ $merchant }`
state-suspended = suspendu
state-ends = prend fin { $when }
state-ended = a pris fin { $when }
state-none = pas d'abonnement
audit-log-nothing = rien
audit-log-by-message = par message privé

## Webhooks.

webhooks-go-to = Les webhooks vont à { $url }, sauf si un paiement nomme sa propre URL.
webhooks-go-as-said = Les webhooks vont où chaque paiement le dit, et nulle part ailleurs.
webhooks-will-go-to = Désormais les webhooks vont à { $url } pour les paiements qui ne nomment pas leur propre URL. `/test_webhook` l'essaie.
webhooks-will-go-as-said = Désormais les webhooks vont où chaque paiement le dit, et nulle part ailleurs.
resent = Il est renvoyé maintenant. `/payment` montre le résultat.
title-test = Webhook d'essai
field-outcome = Résultat
field-event = Son id
field-answer = Ce qu'il a répondu
field-advice = Conseil
title-resend-all = Les renvoyer ?
resend-all = Tous les webhooks abandonnés de { $name } sont renvoyés.
button-resend-all = Renvoyer
resent-all = Les webhooks abandonnés de { $name } sont de nouveau prévus.
title-accept = Accepter le paiement ?
accept-payment = { $received } sur { $amount } sont confirmés. Le paiement est terminé avec ce montant.
button-accept = Accepter le paiement
accepted = Le paiement est terminé.
title-cancel = Annuler le paiement ?
cancel-payment = Le paiement expire maintenant. Si de l'argent arrive plus tard, il vous est versé, et le paiement n'est terminé que si vous l'acceptez.
button-cancel = Annuler le paiement
cancelled = Le paiement est annulé.

## Administration of merchants.

granted = { $name } a { $n ->
        [one] { $n } jour
       *[other] { $n } jours
    } de plus.
title-revoke = Mettre fin à l'abonnement ?
revoke = Dès lors, les nouveaux paiements sont refusés. Ceux qui sont ouverts continuent, et tout est versé.
button-revoke = Y mettre fin
revoked = L'abonnement de { $name } a pris fin. Les paiements ouverts continuent et sont versés.
title-suspend = Suspendre ce marchand ?
can-make-payments = peut créer des paiements
no-new-payments = pas de nouveaux paiements
suspend = L'abonnement court toujours. Les paiements ouverts continuent, et tout est versé. `/unsuspend` y met fin.
button-suspend = Suspendre
suspended = { $name } ne peut plus créer de paiements. Ceux qui sont ouverts continuent et sont versés. `/unsuspend` y met fin.
unsuspended = { $name } peut de nouveau créer des paiements.
field-owner = Titulaire
not-on-discord = pas sur Discord
field-since = Depuis
field-suspended = Suspendu

## The gateway.

title-stats = Statistiques
field-day = Dernières 24 heures
field-week = 7 derniers jours
field-month = 30 derniers jours
field-merchants = Marchands
field-webhooks-waiting = Webhooks en attente
field-lost = Paiements terminés sans leurs pièces
stats = { $n ->
        [one] { $n } paiement créé
       *[other] { $n } paiements créés
    }, { $completed ->
        [one] { $completed } terminé
       *[other] { $completed } terminés
    }{ $rate } : { $sum }{ $median } ; { $failed ->
        [one] { $failed } webhook abandonné
       *[other] { $failed } webhooks abandonnés
    }
stats-rate = {" "}({ $percent } % de ceux qui sont décidés)
stats-median = , la moitié en moins de { $minutes } min { $seconds } s
merchants-count = { $active } avec un abonnement, { $all } en tout
title-node = Le nœud
field-node = Nœud
field-gateway = Passerelle
field-height = Hauteur
field-stand = Bloc de l'observateur
field-peers = Pairs
field-mempool = Transactions dans son mempool
field-zmq = ZMQ
field-watcher = Observateur
field-chain-guard = Gardien de la chaîne
node-on = { $node } sur { $chain }
height = { $height } ({ $n ->
        [one] { $n } bloc
       *[other] { $n } blocs
    } derrière ses en-têtes)
stand-none = aucun bloc pour l'instant
watcher-at = à la pointe il y a { $n } s
watcher-never = n'a pas encore atteint la pointe
suspect = le gardien de la chaîne est actif ; `litegate chain-guard` montre pourquoi
zmq-heard = entendu pour la dernière fois { $when }
zmq-never = rien entendu pour l'instant
nothing-ready = Rien n'est prêt : les paiements sont versés une fois décidés et confirmés.
title-sweep = Verser maintenant ?
sweep = { $n ->
        [one] { $n } pièce
       *[other] { $n } pièces
    } de { $merchants ->
        [one] { $merchants } marchand
       *[other] { $merchants } marchands
    }, { $sum } en tout, moins les frais du réseau. Les petites sommes, les adresses manquantes et un doute sur la chaîne attendent encore.
button-sweep = Verser maintenant
title-swept = Versé
swept-line = `{ $txid }` : { $n ->
        [one] { $n } versement
       *[other] { $n } versements
    }, frais { $fee }
swept-nothing = Le versement a été lancé ; rien ne pouvait être versé. `litegate sweep --dry-run` montre pourquoi.
sweeper-cannot = Le versement a échoué : { $why }.
sweeper-slow = Le versement n'a pas encore été lancé. `/stats` et `litegate sweep` montrent le résultat.
title-announce = Publier ceci ?
button-announce = Publier
announced = Publié.
title-setup = Les réglages du bot
setup-server = serveur : { $name }
setup-everywhere = les commandes sont enregistrées partout
setup-here = les commandes sont enregistrées sur ce serveur
setup-role = les administrateurs ont le rôle { $role }
setup-role-unset = discord.admin_role_id n'est pas défini : personne n'administre
setup-role-unknown = discord.admin_role_id : le serveur n'a pas de rôle { $role }
channel-unset = { $key } n'est pas défini
channel-elsewhere = { $key } : { $channel } est visible, mais n'est pas un salon de ce serveur
channel-fine = { $key } : on peut lire et écrire dans { $channel }
channel-lacks = { $key } : dans { $channel }, il manque au bot { $permissions }. Donnez-le dans les paramètres du salon
permission-view = « Voir le salon »
permission-send = « Envoyer des messages »
permission-embed = « Intégrer des liens »
title-config = Valeurs en vigueur
config-grant = prolongation la plus longue = { $n } jours

## Messages that the bot sends on its own.

title-shop-news = Nouvelles de votre boutique
title-gateway-notifications = Nouvelles de la passerelle
notifications-wait = { $name } { $n ->
        [one] { $n } avis vous attend
       *[other] { $n } avis vous attendent
    } : `/notifications` { $n ->
        [one] le
       *[other] les
    } montre à vous seul.

## Refusals of the bot.

failure-not-yours = Ce bouton n'est pas à vous.
failure-used = Ce bouton a déjà servi.
failure-too-old = Ce bouton est trop ancien ; envoyez la commande de nouveau.
failure-no-account = Vous n'avez pas encore de compte de marchand ; commencez par `/set_address`.
failure-no-account-of = Cet utilisateur n'a pas de compte de marchand ; `/grant_sub` en ouvre un.
failure-not-admin = Cette commande est réservée aux administrateurs.
failure-other-place = Cette commande fonctionne sur le serveur de la passerelle ; utilisez-la là-bas.
failure-too-fast = Trop de commandes ; réessayez dans { $n ->
        [one] { $n } seconde
       *[other] { $n } secondes
    }.
failure-shown-too-often = Les secrets sont montrés cinq fois par heure au plus ; réessayez plus tard.
failure-unknown-kind = Choisissez l'une des sortes proposées.
failure-kind-and-how = Donnez les deux, la sorte et la manière.
failure-no-webhook = Ce paiement n'a pas de webhook : il n'est pas terminé, ou a été créé sans webhookUrl.
failure-choose-part = Choisissez une des deux parties de la commande.
failure-bot-is-no-merchant = Un bot n'est pas un marchand.
failure-bad-merchant-id = Ce n'est pas l'id d'un marchand, comme mer_0123456789ab.
failure-node-silent = Le nœud n'a pas répondu en { $n ->
        [one] { $n } seconde
       *[other] { $n } secondes
    } ; `litegate doctor` dit pourquoi.
failure-no-notifications-channel = Il n'y a pas de salon pour les avis ici.
failure-no-test = L'essai ne peut pas être envoyé d'ici.
failure-set-channel-first = Définissez d'abord discord.notifications_channel_id.

## Outcomes of a webhook delivery, in the middle of a sentence.

outcome-not-public = l'URL mène à une adresse privée ou spéciale, ou à un port non autorisé
outcome-timeout = le récepteur a mis trop de temps
outcome-no-such-name = le nom du récepteur n'a pas d'adresse
outcome-connect = pas de connexion au récepteur
outcome-tls = pas de connexion sûre : le certificat ou le TLS du récepteur n'est pas valable
outcome-broken = le récepteur a coupé la connexion

## Advice after a failed test webhook.

advice-not-public = La passerelle n'envoie qu'à des adresses publiques. L'opérateur peut permettre les privées avec webhooks.allow_private_networks.
advice-no-such-name = Vérifiez l'orthographe de l'hôte et son enregistrement DNS.
advice-connect = Rien n'écoute là-bas, ou un pare-feu ne laisse entrer personne : vérifiez le port et le pare-feu.
advice-tls = Le certificat a expiré, est pour un autre nom, n'est signé par personne de connu, ou le serveur omet les certificats intermédiaires ; ou il parle http là où l'URL dit https.
advice-timeout = Répondez en moins de 15 secondes : vérifiez la signature, notez l'événement, répondez 200 et faites le travail ensuite.
advice-broken = La connexion s'est terminée sans réponse HTTP : l'URL est-elle en http là où le serveur parle https, ou l'inverse ?
advice-redirect = Les redirections ne sont pas suivies : donnez l'URL à laquelle elles mènent.
advice-body = Le récepteur ne prend pas le contenu : c'est du JSON avec content-type application/json. S'il vérifie la signature, il doit le faire sur les octets tels qu'ils sont arrivés.
advice-login = Le récepteur demande une connexion ou un jeton CSRF, ou un pare-feu nous rejette : laissez entrer POST sans cela et vérifiez plutôt la signature.
advice-route = Aucune route du récepteur ne prend POST à ce chemin.
advice-busy = Le récepteur est occupé ; un vrai événement reviendrait plus tard.
advice-failed = Le récepteur a échoué : son propre journal dit pourquoi.

## Kinds of notifications, as choices of at most 100 characters.

kind-first-payment = Votre premier paiement est terminé
kind-paid = Un paiement est terminé (chacun)
kind-part-paid = Un paiement a expiré, payé en partie seulement
kind-late-payment = De l'argent est venu après le délai d'un paiement
kind-webhook-failing = Un webhook a échoué cinq fois
kind-webhook-failed = Un webhook a été abandonné
kind-payout-sent = Un versement est en route
kind-payout-stuck = Un versement tarde à se confirmer
kind-address-change = Votre adresse de versement change, a changé, ou le changement est annulé
kind-key-rotated = Votre clé d'API ou votre secret de webhooks a été remplacé
kind-subscription = Votre abonnement prend fin dans 7, 3, 1 jours, et quand il a pris fin

## Notifications.

notification-order = {" "}(commande { $order })
notification-first-payment = Votre premier paiement est terminé : { $amount } LTC{ $order }. Il part avec le prochain versement ; `/payouts` montre quand. `/payment { $id }`
notification-payment-complete = Le paiement `{ $id }`{ $order } de { $amount } LTC est terminé. `/payment { $id }`
notification-payment-complete-late = Le paiement `{ $id }`{ $order } est arrivé en retard et est maintenant terminé. Décidez si vous livrez encore. `/payment { $id }`
notification-payment-part-paid = Le paiement `{ $id }`{ $order } a expiré avec { $received } LTC payés sur { $amount }. Ce qui est venu vous est versé ; demandez au client, ou renvoyez-le. `/payment { $id }`
notification-payment-late = { $amount } LTC sont venus pour le paiement `{ $id }`{ $order } après son délai. Si la somme est atteinte et confirmée, le paiement est terminé comme tardif. `/payment { $id }`
notification-payment-too-late = { $amount } LTC sont venus pour le paiement `{ $id }`{ $order } après son délai. Il est trop tard pour le terminer ; l'argent vous est versé tout de même. `/payment { $id }`
notification-payment-lost-to-you = Le paiement `{ $id }`{ $order } était terminé, mais la chaîne ne contient plus ses pièces : une réorganisation profonde. Il ne compte plus tant qu'elles ne sont pas revenues. `/payment { $id }`
notification-webhook-failing = Le webhook du paiement `{ $id }`{ $order } a échoué { $n } fois : { $outcome }. Il est essayé pendant trois jours. Réparez le récepteur, puis `/resend_webhook { $id }`.
notification-webhook-given-up = Le webhook du paiement `{ $id }`{ $order } a été abandonné après { $n ->
        [one] { $n } tentative
       *[other] { $n } tentatives
    } : { $outcome }. Réparez le récepteur, puis `/resend_webhook { $id }`.
notification-payout-sent = Un versement de { $amount } LTC est en route : transaction `{ $txid }`. `/payouts`
notification-payout-stuck = Votre versement de { $amount } LTC attend un bloc depuis plus de deux heures : transaction `{ $txid }`. Il est renvoyé jusqu'à sa confirmation. `/payouts`
notification-address-asked = Votre adresse de versement devient { $when } `{ $address }`{ $before }. Si ce n'était pas vous, annulez-le maintenant : avec le bouton ci-dessous ou `/cancel_address_change` ; puis sécurisez votre compte Discord.
notification-address-before = {" "}(jusqu'ici `{ $address }`)
notification-address-effective = Vos versements vont désormais à `{ $address }`. `/account`
notification-address-cancelled = Le changement de votre adresse de versement vers `{ $address }` est annulé. `/account`
notification-payouts-wait = Vos versements attendent : le système n'a pas vu à temps votre nouvelle adresse de versement. Ils reprennent automatiquement après le délai. Si vous n'avez pas changé l'adresse, utilisez `/cancel_address_change` et protégez votre compte Discord.
notification-payouts-wait-for-address = Vos versements attendent : votre adresse de versement n'est pas celle que le système connaît. Comparez-la avec `/account` et enregistrez de nouveau la bonne avec `/set_address`.
notification-key-replaced = Votre clé d'API a été remplacée ; l'ancienne ne vaut plus. Si ce n'était pas vous, sécurisez votre compte Discord et utilisez de nouveau `/rotate_key`.
notification-key-replaced-gently = Votre clé d'API a été remplacée ; l'ancienne vaut encore 24 heures. Si ce n'était pas vous, sécurisez votre compte Discord et utilisez de nouveau `/rotate_key`.
notification-secret-replaced = Votre secret de webhooks a été remplacé ; pendant 24 heures les deux signent. Si ce n'était pas vous, sécurisez votre compte Discord et utilisez deux fois `/rotate_webhook_secret`.
notification-subscription-ends = Votre abonnement prend fin { $when } ({ $date }). Demandez avant à un administrateur de le prolonger, pour que votre boutique continue. `/subscription`
notification-subscription-ended = Votre abonnement a pris fin : les nouveaux paiements sont refusés. Ceux qui sont ouverts continuent, et tout est versé. Demandez à un administrateur de le prolonger ; `/subscription` montre quand vous l'avez.
notification-node-away = Depuis plus de { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }, nous ne sommes plus à la pointe du nœud : { $why }. Les paiements sont pris, mais pas vus. `/node`
notification-node-behind = le nœud est au bloc { $height }, { $behind } derrière ses en-têtes
notification-node-did-not-answer = le nœud n'a pas répondu en { $n ->
        [one] { $n } seconde
       *[other] { $n } secondes
    } ; `litegate doctor` dit pourquoi
notification-node-back = Nous sommes de nouveau à la pointe du nœud. `/node`
notification-sweep-stuck = Le versement { $sweep } attend un bloc depuis plus de deux heures : transaction `{ $txid }`. `/node` montre le nœud ; `litegate sweep` le renvoie.
notification-sweeper-stuck = Rien n'est versé depuis une demi-heure : { $trouble }. Les paiements sont pris et attendent. `litegate doctor` cherche la raison.
notification-sweep-damaged = Les octets enregistrés du versement `{ $txid }` sont abîmés : par le disque ou par une main dans la base de données. Il n'est pas envoyé ainsi ; avec la clé sur cette machine, il est signé à nouveau. `litegate doctor` montre ce qui reste.
notification-payouts-of-merchant-wait = Les versements de `{ $merchant }` attendent : { $why }. `litegate doctor` dit quoi faire.
notification-payment-lost = Le paiement `{ $id }` était terminé, mais la meilleure chaîne ne contient plus ses pièces : une réorganisation profonde. On a dit au marchand qu'il est payé. `litegate payment show { $id }` et `litegate audit` montrent ce qui manque.
notification-suspect = Le gardien de la chaîne est actif : { $reason }. Les paiements sortant de MWEB et les versements attendent. `litegate chain-guard` le montre et peut y mettre fin.
notification-low-disk = Il reste { $n } Mo au disque de la base de données. Quand il sera plein, les nouveaux paiements seront refusés. Faites de la place ; `litegate doctor` regarde de nouveau.
notification-zmq-silent = Le ZMQ du nœud ne dit rien. Les paiements sont remarqués en interrogeant le nœud sans cesse, un peu plus tard que d'habitude. `/node` le montre ; `litegate doctor` cherche la raison.
notification-zmq-back = Les paiements sont de nouveau remarqués comme configuré. `/node`
notification-fee-too-high = Des pièces ne sont pas versées, car les frais dépasseraient `sweeper.max_fee_percent` de leur valeur. Elles partent quand les frais baissent ou quand il y en a davantage. `/sweep_now` montre ce qui est prêt.
notification-too-much-hot = { $waiting } LTC attendent d'être versés sous la clé de cette machine, plus que les { $limit } LTC de `sweeper.max_hot_balance`. `/sweep_now` verse ce qui est prêt ; `litegate sweep --dry-run` dit ce que le reste attend.
notification-audit-found = L'audit a trouvé { $n ->
        [one] { $n } différence
       *[other] { $n } différences
    } : des litoshis ne sont pas où ils devraient être. `litegate audit` nomme chacune d'elles.
notification-audit-clean = L'audit est de nouveau propre : il est rendu compte de chaque litoshi. `litegate audit`

## Descriptions of commands, of their parts and of their options, 100 characters each.

command-help = Où vous en êtes et la suite
command-set_address = Enregistrer l'adresse Litecoin où votre argent est versé
command-set_address-ltc_address = Une adresse Litecoin ordinaire de votre propre portefeuille
command-cancel_address_change = Annuler un changement d'adresse qui n'a pas encore pris effet
command-view_key = Montrer votre clé d'API ; vous seul voyez la réponse
command-rotate_key = Remplacer votre clé d'API
command-rotate_key-old_key = Ce que devient l'ancienne clé ; sans choix elle cesse aussitôt de valoir
command-view_webhook_secret = Montrer le secret qui signe vos webhooks ; vous seul voyez la réponse
command-rotate_webhook_secret = Remplacer le secret des webhooks ; les deux signent pendant un jour
command-second_factor = Protéger l'adresse de versement et la clé d'API par une application
command-second_factor-enable = Commencer à utiliser une application d'authentification
command-second_factor-disable = Ne plus utiliser l'application d'authentification ; il faut encore un code
command-set_business_name = Changer le nom que les clients voient au paiement
command-set_business_name-name = De 1 à 64 caractères
command-set_confirmations = Changer le nombre de confirmations de vos paiements
command-set_confirmations-confirmations = Un nombre, ou des paliers en LTC comme 1 below 0.2, 3 below 2
command-set_tolerance = Changer la part du montant qui peut manquer
command-set_tolerance-percent = Pour cent, de 0 à 10, pour les nouveaux paiements
command-set_events = Changer les événements que reçoit votre webhook
command-set_events-events = seen, partly_paid, expired, late, replaced ou none
command-accept = Accepter tel quel un paiement partiel ou expiré
command-accept-payment = Le paiement ; tapez son id, sa commande ou son état
command-cancel_payment = Annuler un paiement que personne n'a payé
command-cancel_payment-payment = Le paiement ; tapez son id, sa commande ou son état
command-subscription = Montrer jusqu'à quand vous pouvez recevoir des paiements
command-notifications = Montrer ce qui vous a été dit ou n'a pas pu vous être envoyé
command-notification_settings = Choisir ce qui vous est dit et comment
command-notification_settings-kind = Ce qu'il faut vous dire ; sans cela, tout est listé
command-notification_settings-how = Comment vous le dire
command-docs = Où se trouve le guide d'intégration
command-account = Montrer l'état de votre compte
command-payments = Lister vos paiements, les plus récents d'abord
command-payments-status = Seulement ceux de cet état
command-payment = Montrer un de vos paiements
command-payment-payment = Le paiement : tapez son id, sa commande ou son état
command-payouts = Lister ce qui vous a été versé, le plus récent d'abord
command-payouts-month = Un mois comme 2026-11 : tout en un fichier pour vos comptes
command-resend_webhook = Renvoyer le webhook d'un paiement
command-resend_webhook-payment = Le paiement : tapez son id, sa commande ou son état
command-set_webhook_url = Dire où vont les webhooks quand un paiement ne nomme pas sa propre URL
command-set_webhook_url-url = Comme https://shop.example/hook ; none : nulle part. Sans elle, montre l'actuelle
command-test_webhook = Envoyer un webhook d'essai signé à une URL et voir le résultat
command-test_webhook-url = Où votre boutique reçoit les webhooks, comme https://shop.example/hook
command-invoice = Créer un paiement à la main et obtenir un lien pour le client
command-invoice-amount = Combien de LTC, comme 0.05
command-invoice-reference = Votre propre nom pour cela, comme un numéro de commande
command-grant_sub = Ajouter des jours à l'abonnement d'un marchand ; ouvre le compte au besoin
command-grant_sub-user = Le marchand
command-grant_sub-days = Jours à ajouter
command-revoke_sub = Finir l'abonnement d'un marchand ; les paiements ouverts continuent
command-revoke_sub-user = Le marchand
command-suspend = Empêcher un marchand de créer des paiements ; les ouverts continuent
command-suspend-user = Le marchand
command-unsuspend = Permettre de nouveau les paiements à un marchand suspendu
command-unsuspend-user = Le marchand
command-merchants = Lister les marchands, les plus récents d'abord
command-merchant = Montrer un marchand : abonnement, adresse, sommes, échecs
command-merchant-merchant = Tapez un nom ou un id
command-stats = Comment ça va : paiements, argent, durées, webhooks
command-node = Montrer le nœud : hauteur, retard, pairs, mempool, ZMQ, versions
command-sweep_now = Verser maintenant ce qui est prêt, sans attendre la suite
command-webhooks = S'occuper des webhooks abandonnés
command-webhooks-failed = Lister les webhooks abandonnés, les plus récents d'abord
command-webhooks-resend = Renvoyer tous les webhooks abandonnés d'un marchand
command-webhooks-resend-merchant = Tapez un nom ou un id
command-audit_log = Montrer qui a fait quoi, le plus récent d'abord
command-audit_log-merchant = Seulement ce qui concerne ce marchand
command-announce = Dire quelque chose à tous les marchands, dans le salon des avis
command-announce-text = Que dire ; la mise en forme est montrée telle quelle
command-setup = Vérifier le serveur, le rôle et les salons configurés
command-config = Montrer les valeurs en vigueur ; elles se changent dans le fichier

## Choices of options. At most 100 characters each.

choice-direct-message = par message privé
choice-channel = dans le salon : que quelque chose attend, pas quoi
choice-off = pas du tout
choice-revoke-now = la révoquer aussitôt (0 heure)
choice-grace-period = la garder valable encore 24 heures
choice-pending = en attente
choice-completed = terminé
choice-expired = expiré
