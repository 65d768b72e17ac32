# The checkout page. Plain text only: no markup and no straight quotes.
# English is the source language. `$amount`, `$due`, `$received` and `$surplus` are sums
# such as 0.05 LTC.

## Titles, one for each state of a payment.

pay = Pay { $amount }
more = Please send { $due } more
seen = Payment seen
confirmed = Confirmed { $n } of { $m }
paid = Paid
expired = Payment expired
cancelled = Payment cancelled
late = Payment arrived late
unknown = No such payment
limited = One moment, please

## The text below the title.

waiting-hint = Scan the code with your Litecoin wallet, or copy the amount and the address. A payment from an MWEB balance appears with the next block.
partly-hint = { $received } of { $amount } arrived. Send the rest to the same address.
replaced-hint = The transaction we saw was withdrawn. Waiting for a payment.
seen-hint = It is waiting for its first confirmation. You can close this page.{ $notified ->
        [yes] {" "}The shop is notified automatically.
       *[no] {""}
    }
confirming-hint = A confirmation takes about 2½ min. About { $left } min left. You can close this page.{ $notified ->
        [yes] {" "}The shop is notified automatically.
       *[no] {""}
    }
paid-hint = { $amount } received. Thank you.
overpaid-hint = { $received } received, { $surplus } more than asked. Contact the shop about the difference.
paid-short-hint = { $received } of { $amount } received. The shop accepts it. Thank you.
expired-hint = Do not send anything to this payment any more. Place a new order in the shop.
cancelled-hint = The shop cancelled this payment. Do not send anything to it.
expired-partly-hint = Only { $received } of { $amount } arrived in time. Do not send any more. Contact the shop and give the payment number below.
late-hint = { $received } arrived after the payment expired. The money is not lost. Contact the shop and give the payment number below.
unknown-hint = This payment was not found. Check the link, or start again in the shop. Do not send any money.
limited-hint = There were too many requests from your connection. Check again in { $n } s. A payment that you sent is not lost.
delayed = Payments are detected with a delay at the moment. Do not pay twice.
quoted = { $sum }, quoted by { $shop }
# The decimal sign of a price; the order of sum and currency; the rate of a price.
decimal-sign = .
price = { $currency }{ $sum }
rate-held = { $price } = { $amount }. The rate is held until { $time }.

## Labels and buttons.

order = Order
qr = QR code of the payment
open-wallet = Open in wallet
no-wallet = No wallet opened? Scan the code or copy the address.
amount = Amount
address = Address
link = Payment link
copy = Copy
copied = Copied
selected = Selected: copy it from the menu
time-left = Time left
until = until { $time }
minutes = { $n } min
hours = { $n } h
confirmations = Confirmations
transaction = Transaction
back = Back to { $host }
check-again = Check again
payment = Payment
language = Language
