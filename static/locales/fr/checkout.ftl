# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = Payez { $amount }
more = Envoyez encore { $due }
seen = Paiement détecté
confirmed = { $n } confirmations sur { $m }
paid = Payé
expired = Paiement expiré
cancelled = Paiement annulé
late = Paiement arrivé en retard
unknown = Paiement introuvable
limited = Un instant, s’il vous plaît

## The text below the title.

waiting-hint = Scannez le code avec votre portefeuille Litecoin, ou copiez le montant et l’adresse. Un paiement depuis un solde MWEB apparaît avec le prochain bloc.
partly-hint = { $received } sur { $amount } sont arrivés. Envoyez le reste à la même adresse.
replaced-hint = La transaction détectée a été retirée. En attente d’un paiement.
seen-hint = Il attend sa première confirmation. Vous pouvez fermer cette page.{ $notified ->
        [yes] {" "}La boutique est prévenue automatiquement.
       *[no] {""}
    }
confirming-hint = Une confirmation prend environ 2½ min. Encore { $left } min environ. Vous pouvez fermer cette page.{ $notified ->
        [yes] {" "}La boutique est prévenue automatiquement.
       *[no] {""}
    }
paid-hint = { $amount } reçus. Merci.
overpaid-hint = { $received } reçus, soit { $surplus } de trop. Contactez la boutique au sujet de la différence.
paid-short-hint = { $received } sur { $amount } reçus. La boutique accepte ce paiement. Merci.
expired-hint = N’envoyez plus rien pour ce paiement. Passez une nouvelle commande dans la boutique.
cancelled-hint = La boutique a annulé ce paiement. N’envoyez rien.
expired-partly-hint = Seuls { $received } sur { $amount } sont arrivés à temps. N’envoyez plus rien. Contactez la boutique et indiquez le numéro de paiement ci-dessous.
late-hint = { $received } sont arrivés après l’expiration du paiement. L’argent n’est pas perdu. Contactez la boutique et indiquez le numéro de paiement ci-dessous.
unknown-hint = Ce paiement est introuvable. Vérifiez le lien ou recommencez dans la boutique. N’envoyez pas d’argent.
limited-hint = Trop de requêtes viennent de votre connexion. Vérifiez à nouveau dans { $n } s. Un paiement envoyé n’est pas perdu.
delayed = Les paiements sont actuellement détectés avec retard. Ne payez pas deux fois.
quoted = { $sum }, selon { $shop }
decimal-sign = ,
price = { $sum } { $currency }
rate-held = { $price } = { $amount }. Le taux est garanti jusqu’à { $time }.

## Labels and buttons.

order = Commande
qr = Code QR du paiement
open-wallet = Ouvrir le portefeuille
no-wallet = Aucun portefeuille ouvert ? Scannez le code ou copiez l’adresse.
amount = Montant
address = Adresse
link = Lien de paiement
copy = Copier
copied = Copié
selected = Sélectionné : copiez par le menu
time-left = Temps restant
until = jusqu’à { $time }
minutes = { $n } min
hours = { $n } h
confirmations = Confirmations
transaction = Transaction
back = Retour à { $host }
check-again = Vérifier à nouveau
payment = Paiement
language = Langue
