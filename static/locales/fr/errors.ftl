# Refusals of operations.

## Accounts, payments and limits.

unknown-merchant = Il n'y a pas de marchand { $id }.
unknown-payment = Ce paiement n'existe pas.
unknown-event = Cet événement de webhook n'existe pas.
nothing-confirmed = Aucune pièce du paiement n'est encore confirmée. Acceptez-le ensuite.
payment-has-coins = Le paiement a déjà reçu des pièces et ne peut pas être annulé.
rate-unavailable = Il n'y a pas de taux de change fiable pour { $currency } en ce moment. Réessayez plus tard.
discord-user-taken = Cet utilisateur de Discord a déjà un compte de marchand : { $id }.
subscription-inactive = L'abonnement n'est pas actif ; demandez-le à un administrateur.
account-suspended = Le compte est suspendu ; adressez-vous à un administrateur.
account-suspended-already = Le compte est déjà suspendu.
account-not-suspended = Le compte n'est pas suspendu.
payout-address-missing = Aucune adresse de versement n'est enregistrée ; enregistrez-en d'abord une : `/set_address`.
starting = La passerelle démarre : son nœud n'a pas encore répondu si ce compte a déjà servi. Réessayez dans une minute.
too-many-open = { $n ->
        [one] { $n } paiement est ouvert
       *[other] { $n } paiements sont ouverts
    } ; attendez que certains soient payés ou expirent.
daily-limit = Au plus { $n } par jour ; réessayez plus tard.
idempotency-key-reused = L'idempotency-key a déjà servi pour une autre requête.
chain-suspect = Le gardien de la chaîne est actif : rien n'est versé entre-temps (`litegate chain-guard`).
no-address-change = Aucun changement de l'adresse de versement n'est en attente.
too-many-address-changes = L'adresse de versement a été changée { $n } fois en un jour. Réessayez demain.

## The second factor.

factor-code-needed = Il faut un code de votre application d'authentification.
factor-wrong-code = Le code est faux. Encore { $n ->
        [one] { $n } code faux
       *[other] { $n } codes faux
    }, et le second facteur est bloqué pendant 15 minutes.
factor-wrong-first-code = Le code est faux. Vérifiez l'heure de l'appareil qui porte l'application.
factor-used-code = Ce code a déjà servi. Attendez le suivant.
factor-locked = Trop de codes faux. Réessayez dans { $n ->
        [one] { $n } minute
       *[other] { $n } minutes
    }.
factor-unusable = Le second facteur ne peut pas être vérifié. Demandez à l'exploitant de le réinitialiser.
factor-enabled-already = Le second facteur est déjà activé. Désactivez-le d'abord.
factor-not-enabled = Le second facteur n'est pas activé.
factor-not-begun = Aucun second facteur n'attend son premier code. Recommencez.

## Values that are not allowed.

address-empty = L'adresse ne doit pas être vide.
address-too-long = C'est trop long pour une adresse Litecoin.
address-whitespace = L'adresse ne doit contenir ni espaces ni retours à la ligne.
address-mixed-case = L'adresse mêle majuscules et minuscules ; vérifiez qu'elle a été copiée en entier.
address-other-network = C'est une adresse du réseau { $network } ; cette passerelle est sur un autre.
address-bitcoin = C'est une adresse Bitcoin ; donnez une adresse Litecoin.
address-mweb = C'est une adresse MWEB, à laquelle on ne peut pas verser ; donnez-en une ordinaire comme ltc1q…
address-checksum = L'adresse est mal tapée : sa somme de contrôle ne correspond pas.
address-witness-version = L'adresse a une version de témoin que les nœuds Litecoin ne relaient pas.
address-unknown = Ce n'est pas une adresse Litecoin.
address-own = C'est une adresse de cette passerelle ; donnez-en une de votre propre portefeuille.
name-empty = Le nom ne doit pas être vide.
name-too-long = Le nom doit avoir 64 caractères au plus.
name-unprintable = Le nom ne doit contenir ni caractères de contrôle ni marques qui changent le sens du texte.
amount-not-a-number = Le montant doit être un nombre décimal comme 0.05.
amount-negative = Le montant ne doit pas être négatif.
amount-too-large = Le montant ne doit pas dépasser 84000000.
amount-too-precise = Le montant doit avoir 8 décimales au plus.
amount-too-small = Le montant doit être d'au moins { $least } LTC.
reference-bad = La commande doit avoir { $max } caractères au plus, aucun d'eux invisible.
url-too-long = L'URL est trop longue.
url-not-a-url = L'URL doit être complète, comme https://shop.example/webhook.
url-scheme = L'URL doit commencer par https:// ou http://.
url-credentials = L'URL ne doit contenir ni nom d'utilisateur ni mot de passe.
url-not-public = L'URL ne doit pas mener à une adresse privée ou spéciale.
url-port = L'URL doit utiliser un port que l'opérateur autorise, comme 443.
confirmations-range = Le nombre de confirmations doit être entre 1 et { $max }.
tiers-too-many = Il peut y avoir { $max } paliers au plus.
tiers-order = Les montants des paliers doivent augmenter, et les confirmations ne doivent pas diminuer.
tiers-syntax = Indiquez un nombre comme 3, ou des paliers comme `1 below 0.2, 3 below 2`.
tolerance-bad = La tolérance doit être un nombre de 0 à 10 avec 2 décimales au plus, en pour cent.
events-bad = Les événements doivent être une liste parmi seen, partly_paid, expired, late et replaced.
currency-bad = La devise doit comporter trois lettres de la norme ISO 4217, par exemple EUR.
currency-not-offered = Les prix en { $currency } ne sont pas proposés ici.
price-too-large = Le prix en { $currency } est trop élevé.
price-too-precise = Un prix en { $currency } doit avoir { $n } décimales au plus.
days-range = Le nombre de jours doit être entre 1 et { $max }.
announcement-length = Le texte doit avoir de 1 à { $max } caractères.
not-for-merchants = Choisissez quelque chose qui est dit aux marchands.
month-bad = Donnez une année et un mois, comme 2026-11.
bad-cursor = Cet endroit de la liste n'existe pas.
bad-state = Choisissez prévu, remis ou abandonné.
