# Refusals of operations. The API and the command line print them in English with the name of the
# field; these are the sentences for people who use a command of the bot.

## Accounts, payments and limits.

unknown-merchant = There is no merchant { $id }.
unknown-payment = There is no such payment.
unknown-event = There is no such webhook event.
nothing-confirmed = No coin of the payment is confirmed yet. Accept it once one is.
payment-has-coins = The payment has coins and cannot be cancelled.
rate-unavailable = There is no usable exchange rate for { $currency } at the moment. Try again later.
discord-user-taken = This Discord user has a merchant account already: { $id }.
subscription-inactive = The subscription is not active; ask an administrator for a grant (`/grant_sub`).
account-suspended = The account is suspended; ask an administrator.
account-suspended-already = The account is suspended already.
account-not-suspended = The account is not suspended.
payout-address-missing = No payout address is registered; register one first: `/set_address`.
starting = The gateway is starting: its node has not answered yet whether this account was used before; try again in a minute.
too-many-open = { $n ->
        [one] { $n } payment is
       *[other] { $n } payments are
    } open; wait until some of them are paid or expire.
daily-limit = The limit of { $n } a day is reached; try again later.
idempotency-key-reused = The idempotency-key was used before with another request.
chain-suspect = The chain guard is active: payouts are paused (`litegate chain-guard`).
no-address-change = No change of the payout address is waiting.
too-many-address-changes = The payout address was changed { $n ->
        [one] { $n } time
       *[other] { $n } times
    } within a day; try again tomorrow.

## The second factor.

factor-code-needed = A code of your authenticator app is required.
factor-wrong-code = The code is wrong; after { $n } more the second factor is locked for 15 minutes.
factor-wrong-first-code = The code is wrong; check the clock of the device with the app.
factor-used-code = The code was used already; wait for the next one.
factor-locked = Too many wrong codes; try again in { $n ->
        [one] { $n } minute
       *[other] { $n } minutes
    }.
factor-unusable = The second factor cannot be verified; ask the operator to reset it.
factor-enabled-already = The second factor is enabled already; disable it first.
factor-not-enabled = The second factor is not enabled.
factor-not-begun = No second factor is being set up; start again.

## Values that are not allowed.

address-empty = The address must not be empty.
address-too-long = This is too long for a Litecoin address.
address-whitespace = The address must not contain spaces or line breaks.
address-mixed-case = The address mixes capital and small letters; check that it was copied as a whole.
address-other-network = This is an address of the { $network } network; this gateway is on another one.
address-bitcoin = This is a Bitcoin address; give a Litecoin address.
address-mweb = This is an MWEB address, which cannot be paid out to; give an ordinary one such as ltc1q….
address-checksum = The address is mistyped: its checksum is wrong.
address-witness-version = The address has a witness version that Litecoin nodes do not relay.
address-unknown = This is not a Litecoin address.
address-own = This is an address of this gateway; use one of your own wallet.
name-empty = The name must not be empty.
name-too-long = The name must have at most 64 characters.
name-unprintable = The name must not contain control characters or marks that change the direction of text.
amount-not-a-number = The amount must be a decimal number such as 0.05.
amount-negative = The amount must not be negative.
amount-too-large = The amount must not be above 84000000.
amount-too-precise = The amount must have at most 8 decimals.
amount-too-small = The amount must be at least { $least } LTC.
reference-bad = The order must have at most { $max } characters, none of them invisible.
url-too-long = The URL is too long.
url-not-a-url = The URL must be complete, such as https://shop.example/webhook.
url-scheme = The URL must begin with https:// or http://.
url-credentials = The URL must not contain a user name or password.
url-not-public = The URL must not lead to a private or special address.
url-port = The URL must use a port that the operator allows, such as 443.
confirmations-range = The number of confirmations must be between 1 and { $max }.
tiers-too-many = There must be at most { $max } tiers.
tiers-order = The amounts of the tiers must rise, and the confirmations must not fall.
tiers-syntax = Give a number such as 3, or tiers such as `1 below 0.2, 3 below 2`.
tolerance-bad = The tolerance must be a number from 0 to 10 with at most 2 decimals, in percent.
events-bad = The events must be a list of seen, partly_paid, expired, late and replaced.
currency-bad = The currency must be three letters of ISO 4217, such as EUR.
currency-not-offered = This gateway does not offer prices in { $currency }.
price-too-large = The price in { $currency } is too large.
price-too-precise = A price in { $currency } must have at most { $n } decimals.
days-range = The number of days must be between 1 and { $max }.
announcement-length = The text must have 1 to { $max } characters.
not-for-merchants = Choose a notification for merchants.
month-bad = Give a year and a month, such as 2026-11.
bad-cursor = This place in the list does not exist.
bad-state = Choose due, delivered or failed.
