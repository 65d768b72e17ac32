# The Discord bot: answers, buttons, notifications, and descriptions of commands.
# English is the source language. The beginning of an id says where a text is shown: `title-` above
# a page, `field-` above a value, `button-` on a button. Names of commands and options are English
# in every language: `/help`. Values are inserted as they are; their writer escapes markup.

## General.

no-address = none
no-subscription = none
before-after =
    {"**"}Before** { $before }
    {"**"}After** { $after }
n-of-m = { $n } of { $m }
n-confirmations = { $n ->
        [one] { $n } confirmation
       *[other] { $n } confirmations
    }
until-date = until { $date }
nothing-changed = Nothing was changed.
button-leave = Leave it
kept-notifications = -# You have { $n ->
        [one] { $n } notification
       *[other] { $n } notifications
    }: `/notifications` shows { $n ->
        [one] it
       *[other] them
    }.

## Errors of commands.

ours = Something went wrong on our side; try again later (logged as { $request }).
changed = This command has changed; reload Discord, then send it again.
has-parts = This command has parts; choose one of them from the list.
not-understood = One of the options was not understood; choose or type it again.
bot-lacks = The bot may not do this here; it lacks { $permissions }. An administrator can allow it.
permissions-unknown = Discord did not say what is allowed here; send it again.
not-usable = This command is not available here; `/help` lists the commands.

## The account.

title-help = Taking Litecoin, in three steps
help =
    { $address } **Payout address**: `/set_address` says where your money goes.
    { $subscription } **Subscription**{ $until }: an administrator grants it with `/grant_sub`.
    { $key } **API key**: `/view_key` shows it; your shop sends it with each request. `/docs` has examples.

    {"**"}Money**: `/payments` `/payment` `/accept` `/cancel_payment` `/payouts` `/account` `/invoice`
    {"**"}Account**: `/set_business_name` `/set_confirmations` `/set_tolerance` `/set_events` `/subscription` `/cancel_address_change` `/rotate_key` `/view_webhook_secret` `/rotate_webhook_secret`
    {"**"}Webhooks**: `/set_webhook_url` `/test_webhook` `/resend_webhook`
    {"**"}News**: `/notifications` `/notification_settings`
address-set = Payouts go to { $address } from now on. Compare it with your wallet.
address-warning = ⚠ What you typed may be meant for Bitcoin. Compare the address above with your Litecoin wallet.
title-change-address = Change the payout address?
change-address = The change takes effect { $hours ->
        [one] { $hours } hour
       *[other] { $hours } hours
    } after you confirm it. Until then it can be cancelled.
button-change-address = Change the address
button-cancel-change = Cancel the change
change-cancelled = The change is cancelled; payouts go where they went before.
address-will-be = Payouts go to { $address } from { $date } on ({ $when }). Until then `/cancel_address_change` cancels it.
address-is = Payouts go to { $address }.
address-none = none: `/set_address`
address-to-come = ⏳ changes to { $address } { $when }; `/cancel_address_change` cancels it
name-set = Changed. The checkout now says: Pay **{ $name }**.
confirmations-set = New payments need { $n ->
        [one] { $n } confirmation
       *[other] { $n } confirmations
    }, about { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }. Large ones may need more.
confirmations-risk = With so few confirmations, a reorganisation of the chain could reverse a payment.
tiers-set = New payments need these confirmations: { $tiers }. Larger ones need the gateway's default.
tolerance-set = New payments are complete if at most { $percent } % of the amount is missing.
tolerance-none = New payments need the whole amount.
events-set = Webhooks of new payments also report: { $events }.
events-none = Webhooks of new payments report completions only.
subscription-suspended = Your account is suspended: no new payments. Open payments continue, and everything is paid out. Ask an administrator.
subscription-until = Your subscription runs until { $date } ({ $when }). You are reminded 7, 3 and 1 days before.
subscription-ended = Your subscription ended { $when }. Ask an administrator for a grant.
subscription-none = You have no subscription yet. Ask an administrator for a grant.
title-notification-settings = Your notification settings
off-for-all = (off for everybody)
in-the-channel = (in the channel)
docs =
    The integration guide with examples to copy: { $url }/docs
    The API for machines: { $url }/openapi.json

## Secrets.

title-rotate-key = Replace the API key?
key-number = key { $n }
old-key-dies = Your shop cannot make payments from the moment you confirm until it has the new key.
old-key-lives = Both keys are valid for 24 hours, so your shop can switch without interruption. Do not choose this for a key that another person may have.
open-go-on = Open payments continue.
button-rotate-key = Replace the key
your-key = Your API key: ||`{ $secret }`||
key-warning = ⚠ Keep it on your server, never in a page or an app. Anyone who has it can create payments in your name; `/rotate_key` replaces it.
title-rotate-secret = Replace the webhook secret?
secret-number = secret { $n }
two-signatures = Webhooks carry two signatures for 24 hours, so your shop can switch without interruption. If the secret has leaked, replace it twice: that revokes it immediately.
button-rotate-secret = Replace the secret
your-secret = Your webhook secret: ||`{ $secret }`||
secret-warning = ⚠ Keep it on your server, and verify every webhook with it. Anyone who has it can make your shop believe that a payment is complete.
goes-away = -# This message is deleted after { $n ->
        [one] { $n } second
       *[other] { $n } seconds
    }.
title-factor-enable = Use an authenticator app?
factor-setup =
    Enter this secret in your authenticator app: ||`{ $secret }`||
    Or open this link on the device with the app: ||`{ $url }`||

    Then enter the app's code here, within 5 minutes. From then on a new payout address and a new API key need a code.
button-enter-code = Enter the code
title-form = Second factor
field-code = Code of the app, or a recovery code
factor-asks = You confirm this with a code of your authenticator app.
factor-enabled =
    The second factor is enabled. ✔ Keep these recovery codes in a safe place. Each replaces a code of the app once:
    ||```
    { $codes }
    ```||
title-factor-disable = Disable the second factor?
factor-disable = Without it, anyone with your Discord account can change your payout address and your API key. One more code of the app is needed.
factor-disabled = The second factor is disabled.

## Money.

field-merchant = Merchant
field-payout-address = Payout address
field-subscription = Subscription
field-confirmations = Confirmations
field-webhooks-to = Webhooks go to
field-money = Money
field-next-sweep = Next sweep
subscription-runs = until { $date } ({ $when })
subscription-missing = none: ask an administrator
next-sweep = { $when }, for whom { $amount } or more wait
next-sweep-unknown = once the sweeper runs
as-payments-say = where each payment says: `/set_webhook_url`
payouts-list = `/payouts` lists what was paid out
sum-received = received
sum-unconfirmed = unconfirmed
sum-unswept = unswept
sum-in-flight = in flight
sum-paid = paid out
sum-fees = fees
sum-elsewhere = elsewhere
title-payment = Payment
field-payment = Payment
field-status = Status
field-amount = Amount
field-received = Received
field-created = Created
field-time-up = Expires
field-address = Address
field-checkout = Checkout
field-order = Order
field-transactions = Transactions
field-webhook = Webhook
field-paid-out-with = Paid out with
received = { $received }, confirmed { $confirmed }
webhook-delivered = delivered
webhook-due = due { $when }, { $n ->
        [one] { $n } attempt
       *[other] { $n } attempts
    }
webhook-given-up = given up: `/resend_webhook` sends it again
status-pending = pending
status-completed = completed
status-expired = expired
detail-waiting = waiting
detail-partly-paid = partly paid
detail-seen = seen
detail-confirming = confirming
detail-replaced = replaced
detail-paid = paid
detail-overpaid = overpaid
detail-paid-short = paid, a small part missing
detail-accepted = accepted
detail-cancelled = cancelled
detail-expired = expired
detail-late = late
detail-delayed = delayed
month-empty = Nothing was paid out in { $month }.
month-payouts = Your payouts of { $month } (UTC): { $n }.
month-cut = There are more than fit: `GET /api/payouts` gives them all.
title-invoice = Payment made
field-send-link = Send this link to the shopper
button-checkout = Open the checkout

## Lists.

title-page = { $title } (page { $n })
button-previous = Previous
button-next = Next
title-payments = Payments
title-payments-of = Payments: { $status }
title-payouts = Payouts
title-notifications = Notifications
title-merchants = Merchants
title-audit-log = Who did what
title-failed = Webhooks that were given up
empty-payments = None yet. `/invoice` makes one by hand, your shop makes them by the API: `/docs`.
empty-payouts = None yet. What is complete and confirmed is paid out with the next sweep; small sums wait for more. `/account` shows what waits.
empty-notifications = No notifications yet. `/notification_settings` chooses which you get.
empty-merchants = None yet. `/grant_sub` makes the first.
empty-audit-log = Nothing was done yet.
empty-failed = None. All is well.
payout-line = { $when } { $amount } · fee { $fee } · { $n ->
        [one] { $n } confirmation
       *[other] { $n } confirmations
    }
failed-line = `{ $payment }` { $when } · { $n ->
        [one] { $n } attempt
       *[other] { $n } attempts
    } · `{ $merchant }`
state-suspended = suspended
state-ends = ends { $when }
state-ended = ended { $when }
state-none = no subscription
audit-log-nothing = nothing
audit-log-by-message = by message

## Webhooks.

webhooks-go-to = Webhooks go to { $url }, unless a payment names its own URL.
webhooks-go-as-said = Webhooks go where each payment says, and nowhere else.
webhooks-will-go-to = From now on webhooks go to { $url } for payments that name no URL of their own. `/test_webhook` tries it.
webhooks-will-go-as-said = From now on webhooks go where each payment says, and nowhere else.
resent = It is sent again now. `/payment` shows the result.
title-test = Test webhook
field-outcome = Result
field-event = Its id
field-answer = What it answered
field-advice = Advice
title-resend-all = Send them again?
resend-all = All webhooks of { $name } that were given up are sent again.
button-resend-all = Send again
resent-all = The failed webhooks of { $name } are due again.
title-accept = Accept the payment?
accept-payment = { $received } of { $amount } are confirmed. The payment is completed with what is confirmed.
button-accept = Accept the payment
accepted = The payment is completed.
title-cancel = Cancel the payment?
cancel-payment = The payment expires now. If money arrives later, it is paid out to you, and the payment is completed only if you accept it.
button-cancel = Cancel the payment
cancelled = The payment is cancelled.

## Administration of merchants.

granted = { $name } has { $n ->
        [one] { $n } day
       *[other] { $n } days
    } more.
title-revoke = End the subscription?
revoke = New payments are refused from then on. Open ones go on, and everything is paid out.
button-revoke = End it
revoked = The subscription of { $name } has ended. Open payments go on and are paid out.
title-suspend = Suspend this merchant?
can-make-payments = can make payments
no-new-payments = no new payments
suspend = The subscription runs on. Open payments go on, and everything is paid out. `/unsuspend` ends it.
button-suspend = Suspend
suspended = { $name } can make no new payments. Open ones go on and are paid out. `/unsuspend` ends it.
unsuspended = { $name } can make payments again.
field-owner = Owner
not-on-discord = not on Discord
field-since = Since
field-suspended = Suspended

## The gateway.

title-stats = Statistics
field-day = Last 24 hours
field-week = Last 7 days
field-month = Last 30 days
field-merchants = Merchants
field-webhooks-waiting = Webhooks that wait
field-lost = Completed payments without their coins
stats = { $n ->
        [one] { $n } payment
       *[other] { $n } payments
    } made, { $completed } completed{ $rate }: { $sum }{ $median }; { $failed ->
        [one] { $failed } webhook
       *[other] { $failed } webhooks
    } given up
stats-rate = {" "}({ $percent } % of those decided)
stats-median = , half of them within { $minutes } min { $seconds } s
merchants-count = { $active } with a subscription, { $all } in all
title-node = The node
field-node = Node
field-gateway = Gateway
field-height = Height
field-stand = Watcher's block
field-peers = Peers
field-mempool = Transactions in its mempool
field-zmq = ZMQ
field-watcher = Watcher
field-chain-guard = Chain guard
node-on = { $node } on { $chain }
height = { $height } ({ $n ->
        [one] { $n } block
       *[other] { $n } blocks
    } behind its headers)
stand-none = none yet
watcher-at = at the tip { $n } s ago
watcher-never = has not reached the tip yet
suspect = the chain guard is active; `litegate chain-guard` shows why
zmq-heard = last heard { $when }
zmq-never = nothing heard yet
nothing-ready = Nothing is ready: payments are swept once they are decided and confirmed.
title-sweep = Sweep now?
sweep = { $n ->
        [one] { $n } coin
       *[other] { $n } coins
    } of { $merchants ->
        [one] { $merchants } merchant
       *[other] { $merchants } merchants
    }, { $sum } together, less the network's fee. Small sums, missing addresses and an active chain guard still wait.
button-sweep = Sweep now
title-swept = Swept
swept-line = `{ $txid }`: { $n ->
        [one] { $n } payout
       *[other] { $n } payouts
    }, fee { $fee }
swept-nothing = The sweeper ran; nothing could be paid out. `litegate sweep --dry-run` shows why.
sweeper-cannot = The sweep failed: { $why }.
sweeper-slow = The sweeper has not run yet. `/stats` and `litegate sweep` show the result.
title-announce = Post this?
button-announce = Post it
announced = Posted.
title-setup = The bot's own setup
setup-server = server: { $name }
setup-everywhere = commands are registered everywhere
setup-here = commands are registered on this server
setup-role = administrators have the role { $role }
setup-role-unset = discord.admin_role_id is not set: nobody administrates
setup-role-unknown = discord.admin_role_id: the server has no role { $role }
channel-unset = { $key } is not set
channel-elsewhere = { $key }: { $channel } can be seen, but it is no channel of this server
channel-fine = { $key }: { $channel } can be seen and written to
channel-lacks = { $key }: in { $channel } the bot lacks { $permissions }. Give it in the settings of the channel
permission-view = View Channel
permission-send = Send Messages
permission-embed = Embed Links
title-config = Values in effect
config-grant = longest grant = { $n } days

## Messages that the bot sends on its own.

title-shop-news = News of your shop
title-gateway-notifications = News of the gateway
notifications-wait = { $name } { $n ->
        [one] { $n } notification waits
       *[other] { $n } notifications wait
    } for you: `/notifications` shows { $n ->
        [one] it
       *[other] them
    } to you alone.

## Refusals of the bot.

failure-not-yours = This button is not yours.
failure-used = This button was used already.
failure-too-old = This button is too old; send the command again.
failure-no-account = You have no merchant account yet; begin with `/set_address`.
failure-no-account-of = This user has no merchant account; `/grant_sub` opens one.
failure-not-admin = This command is for administrators.
failure-other-place = This command works on the gateway's own server; use it there.
failure-too-fast = Too many commands; try again in { $n ->
        [one] { $n } second
       *[other] { $n } seconds
    }.
failure-shown-too-often = Secrets are shown five times an hour at most; try again later.
failure-unknown-kind = Choose one of the kinds offered.
failure-kind-and-how = Give both, kind and how.
failure-no-webhook = This payment has no webhook: it is not complete, or was made without a webhookUrl.
failure-choose-part = Choose `failed` or `resend`.
failure-bot-is-no-merchant = A bot cannot be a merchant.
failure-bad-merchant-id = The merchant must be an id such as mer_0123456789ab.
failure-node-silent = The node did not answer within { $n ->
        [one] { $n } second
       *[other] { $n } seconds
    }; `litegate doctor` says why.
failure-no-notifications-channel = No channel is available: notifications_channel_id is not configured.
failure-no-test = The test cannot be sent from here.
failure-set-channel-first = Set discord.notifications_channel_id first.

## Outcomes of a webhook delivery, in the middle of a sentence.

outcome-not-public = the URL leads to a private or special address, or to a port that is not allowed
outcome-timeout = the receiver took too long
outcome-no-such-name = the receiver's name has no address
outcome-connect = no connection to the receiver
outcome-tls = no secure connection: the receiver's certificate or TLS is not valid
outcome-broken = the receiver broke off

## Advice after a failed test webhook.

advice-not-public = The gateway sends to public addresses only. The operator can allow private ones with webhooks.allow_private_networks.
advice-no-such-name = Check how the host is spelled, and its DNS record.
advice-connect = No server accepts connections there: check the port and the firewall.
advice-tls = The certificate has expired, is for another name or has no known issuer, the server does not send the intermediate certificates, or it speaks http where the URL says https.
advice-timeout = Answer within 15 seconds: verify the signature, store the event, answer 200, and do the work afterwards.
advice-broken = The connection ended without an HTTP response: is the URL http where the server speaks https, or the other way round?
advice-redirect = Redirects are not followed: use the URL that the redirect points to.
advice-body = The receiver refuses the body: it is JSON with content-type application/json. If the receiver verifies the signature, it must use the bytes as received.
advice-login = The receiver requires a login or a CSRF token, or a firewall blocks the gateway: allow POST without them, and verify the signature instead.
advice-route = No route of the receiver accepts POST at this path.
advice-busy = The receiver is busy. A real event would be sent again later.
advice-failed = The receiver failed: see its log.

## Kinds of notifications, as choices of at most 100 characters.

kind-first-payment = Your first payment is complete
kind-paid = A payment is complete (each one)
kind-part-paid = A payment expired partly paid
kind-late-payment = Money arrived after a payment expired
kind-webhook-failing = A webhook has failed five times
kind-webhook-failed = A webhook was given up
kind-payout-sent = A payout was sent
kind-payout-stuck = A payout takes a long time to confirm
kind-address-change = Your payout address changes, changed, or the change is cancelled
kind-key-rotated = Your API key or webhook secret was replaced
kind-subscription = Your subscription ends in 7, 3, 1 days, and when it has ended

## Notifications.

notification-order = {" "}(order { $order })
notification-first-payment = Your first payment is complete: { $amount } LTC{ $order }. It is paid out with the next sweep; `/payouts` shows when. `/payment { $id }`
notification-payment-complete = Payment `{ $id }`{ $order } of { $amount } LTC is complete. `/payment { $id }`
notification-payment-complete-late = Payment `{ $id }`{ $order } was paid late and is complete now. Decide whether you still deliver. `/payment { $id }`
notification-payment-part-paid = Payment `{ $id }`{ $order } expired with { $received } of { $amount } LTC paid. The coins are paid out to you. Contact the shopper, or send them back. `/payment { $id }`
notification-payment-late = { $amount } LTC arrived for payment `{ $id }`{ $order } after it expired. If the amount is reached and confirmed, the payment is completed as late. `/payment { $id }`
notification-payment-too-late = { $amount } LTC arrived too late to complete payment `{ $id }`{ $order }. The coins are paid out to you. `/payment { $id }`
notification-payment-lost-to-you = Payment `{ $id }`{ $order } was completed, but a deep reorganisation removed its coins from the best chain. Treat it as unpaid until they are back. `/payment { $id }`
notification-webhook-failing = The webhook of payment `{ $id }`{ $order } has failed { $n ->
        [one] { $n } time
       *[other] { $n } times
    }: { $outcome }. It is retried for three days. Fix the receiver, then use `/resend_webhook { $id }`.
notification-webhook-given-up = The webhook of payment `{ $id }`{ $order } failed for good after { $n ->
        [one] { $n } attempt
       *[other] { $n } attempts
    }: { $outcome }. Fix the receiver, then use `/resend_webhook { $id }`.
notification-payout-sent = A payout of { $amount } LTC was sent: transaction `{ $txid }`. `/payouts`
notification-payout-stuck = Your payout of { $amount } LTC has been unconfirmed for more than two hours: transaction `{ $txid }`. It is sent again until it confirms. `/payouts`
notification-address-asked = Your payout address changes { $before }to `{ $address }` { $when }. If this was not you, cancel it now with the button below or `/cancel_address_change`, and secure your Discord account.
notification-address-before = from `{ $address }`{" "}
notification-address-effective = Your payouts go to `{ $address }` from now on. `/account`
notification-address-cancelled = The change of your payout address to `{ $address }` is cancelled. `/account`
notification-payouts-wait = Your payouts are paused: the sweeper did not see your new payout address in time. They start again automatically once the waiting time is over. If you did not change the address, use `/cancel_address_change` and secure your Discord account.
notification-payouts-wait-for-address = Your payouts are paused: your payout address is not the one that the sweeper knows. Compare it with `/account`, and register the right one again with `/set_address`.
notification-key-replaced = Your API key was replaced, and the old one is revoked. If this was not you, secure your Discord account and use `/rotate_key` again.
notification-key-replaced-gently = Your API key was replaced. The old one is valid for another 24 hours. If this was not you, secure your Discord account and use `/rotate_key` again.
notification-secret-replaced = Your webhook secret was replaced. For 24 hours webhooks are signed with both. If this was not you, secure your Discord account and use `/rotate_webhook_secret` twice.
notification-subscription-ends = Your subscription ends { $when } ({ $date }). Ask an administrator for a grant before then, so that your shop can create payments. `/subscription`
notification-subscription-ended = Your subscription has ended: new payments are refused. Open payments continue, and all coins are paid out. Ask an administrator for a grant (`/grant_sub`); `/subscription` shows when you have it.
notification-node-away = The watcher has not reached the node's tip for more than { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }: { $why }. Payments can be created, but incoming coins are not detected. `/node`
notification-node-behind = the node is at block { $height }, { $behind } behind its headers
notification-node-did-not-answer = the node did not answer within { $n ->
        [one] { $n } second
       *[other] { $n } seconds
    }; `litegate doctor` shows why
notification-node-back = The watcher follows the node's tip again. `/node`
notification-sweep-stuck = Sweep { $sweep } has been unconfirmed for more than two hours: transaction `{ $txid }`. `/node` shows the node; `litegate sweep` sends it again.
notification-sweeper-stuck = The sweeper has failed for half an hour: { $trouble }. Payments are accepted, and payouts wait. `litegate doctor` looks for the reason.
notification-sweep-damaged = The stored bytes of sweep transaction `{ $txid }` are damaged, by the disk or by a change of the database. They are not sent; with the signing key on this machine the sweep is signed again. `litegate doctor` shows what is left.
notification-payouts-of-merchant-wait = Payouts of `{ $merchant }` are paused: { $why }. `litegate doctor` says what to do.
notification-payment-lost = Payment `{ $id }` was completed, but a deep reorganisation removed its coins from the best chain. Its merchant may have delivered already. `litegate payment show { $id }` and `litegate audit` show what is missing.
notification-suspect = The chain guard is active: { $reason }. Payments out of MWEB and sweeps are paused. `litegate chain-guard` shows it and can end it.
notification-low-disk = The disk of the database has { $n } MB left. When it is full, new payments are refused. Free some space; `litegate doctor` checks it again.
notification-zmq-silent = The node's ZMQ is silent. Payments are detected by polling the node, a little later than usual. `/node` shows it; `litegate doctor` looks for the reason.
notification-zmq-back = ZMQ messages arrive again. `/node`
notification-fee-too-high = Coins are not paid out, because the fee would be more than `sweeper.max_fee_percent` of them. They are paid out once fees fall or more coins arrive. `/sweep_now` shows what is ready.
notification-too-much-hot = { $waiting } LTC wait for payout under the key on this machine, more than the { $limit } LTC of `sweeper.max_hot_balance`. `/sweep_now` pays out what is ready; `litegate sweep --dry-run` shows what the rest waits for.
notification-audit-found = The audit found { $n ->
        [one] { $n } difference
       *[other] { $n } differences
    }. `litegate audit` names each of them.
notification-audit-clean = The audit is clean again: every litoshi is accounted for. `litegate audit`

## Descriptions of commands, of their parts and of their options, 100 characters each.

command-help = Where you stand, and what to do next
command-set_address = Register the Litecoin address that your money is paid out to
command-set_address-ltc_address = An ordinary Litecoin address of your own wallet
command-cancel_address_change = Cancel a change of the payout address that has not taken effect
command-view_key = Show your API key; only you see the answer
command-rotate_key = Replace your API key
command-rotate_key-old_key = What happens to the old key; without a choice it is revoked immediately
command-view_webhook_secret = Show the secret with which webhooks to you are signed; only you see the answer
command-rotate_webhook_secret = Replace the secret that signs webhooks; both sign for a day
command-second_factor = Protect your payout address and API key by an authenticator app
command-second_factor-enable = Begin to use an authenticator app
command-second_factor-disable = Stop using an authenticator app; needs one more code of it
command-set_business_name = Change the name that shoppers see on the checkout
command-set_business_name-name = 1 to 64 characters
command-set_confirmations = Change how many confirmations your payments need
command-set_confirmations-confirmations = A number, or tiers in LTC such as 1 below 0.2, 3 below 2
command-set_tolerance = Change how much of the amount may be missing
command-set_tolerance-percent = Percent, 0 to 10, for new payments
command-set_events = Change which events beside completed your webhook gets
command-set_events-events = seen, partly_paid, expired, late, replaced, or none
command-accept = Take a partly paid or expired payment as it is
command-accept-payment = The payment; type its id, order or status
command-cancel_payment = End a payment that nobody has paid
command-cancel_payment-payment = The payment; type its id, order or status
command-subscription = Show until when you can take payments
command-notifications = Show what you were told, and what could not be sent to you
command-notification_settings = Choose what you are told, and how
command-notification_settings-kind = Kind of notification; without it all are listed
command-notification_settings-how = How to be notified
command-docs = Where the integration guide is
command-account = Show where your account stands
command-payments = List your payments, newest first
command-payments-status = Only those with this status
command-payment = Show one of your payments
command-payment-payment = The payment; type its id, order or status
command-payouts = List what was paid out to you, newest first
command-payouts-month = A month such as 2026-11: all of it as a file for your books
command-resend_webhook = Send the webhook of a payment again
command-resend_webhook-payment = The payment; type its id, order or status
command-set_webhook_url = Say where webhooks go when a payment names no URL of its own
command-set_webhook_url-url = Such as https://shop.example/hook; none: nowhere. Left out, it shows what is set
command-test_webhook = Send a signed test webhook to a URL, and see what came of it
command-test_webhook-url = Where your shop takes webhooks, such as https://shop.example/hook
command-invoice = Make a payment by hand, and get a link for the shopper
command-invoice-amount = How many LTC, such as 0.05
command-invoice-reference = Your own name for it, such as an order number
command-grant_sub = Add days to a merchant's subscription; opens the account if there is none
command-grant_sub-user = The merchant
command-grant_sub-days = Days to add
command-revoke_sub = End a merchant's subscription now; open payments go on
command-revoke_sub-user = The merchant
command-suspend = Let a merchant make no new payments; open ones go on and are paid out
command-suspend-user = The merchant
command-unsuspend = Let a suspended merchant make payments again
command-unsuspend-user = The merchant
command-merchants = List the merchants, newest first
command-merchant = Show one merchant: subscription, address, sums, failures
command-merchant-merchant = Type a name or an id
command-stats = How the gateway does: payments, money, times, webhooks
command-node = Show the node: height, lag, peers, mempool, ZMQ, versions
command-sweep_now = Pay out now what is ready, instead of at the next interval
command-webhooks = Look after webhooks that were given up
command-webhooks-failed = List webhooks that were given up, newest first
command-webhooks-resend = Send all webhooks of a merchant again that were given up
command-webhooks-resend-merchant = Type a name or an id
command-audit_log = Show who did what, newest first
command-audit_log-merchant = Only what concerns this merchant
command-announce = Say something to all merchants, in the channel for notices
command-announce-text = What to say; markup is shown as it is
command-setup = Check the server, the role, the channels and the bot's permissions in them
command-config = Show the values in effect; they are changed in the configuration file

## Choices of options. At most 100 characters each.

choice-direct-message = by direct message
choice-channel = in the channel: that something waits, not what
choice-off = not at all
choice-revoke-now = revoke it immediately (0 hours)
choice-grace-period = keep it valid for 24 more hours
choice-pending = pending
choice-completed = completed
choice-expired = expired
