//! The checkout in English.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "Pay {amount}",
    more: "Please send {due} more",
    seen: "Payment seen",
    confirmed: "Confirmed {n} of {m}",
    paid: "Paid",
    expired: "Time is up",
    late: "Arrived late",
    unknown: "No such payment",
    limited: "One moment, please",
    waiting_hint: "Scan the code with your Litecoin wallet, or copy amount and address. From an \
        MWEB balance it appears with the next block.",
    partly_hint: "{received} of {amount} arrived. Send the rest to the same address.",
    replaced_hint: "The transaction that we saw was withdrawn. Waiting for a payment.",
    seen_hint: "It waits for its first confirmation. You can close this page. The shop is \
        notified automatically.",
    confirming_hint: "A confirmation takes about 2½ min; about {left} min to go. You can close this \
        page. The shop is notified automatically.",
    paid_hint: "{amount} received. Thank you.",
    overpaid_hint: "{received} received, {surplus} more than asked. Ask the shop about it.",
    expired_hint: "Do not send anything to this payment any more. Start a new order at the shop.",
    expired_partly_hint: "Only {received} of {amount} arrived in time. Do not send any more: ask \
        the shop, and name the payment number below.",
    late_hint: "{received} arrived after the time was up. The money is not lost. Contact the shop, \
        and name the payment number below.",
    unknown_hint: "There is no payment under this address. Check the link, or start again at the \
        shop. Do not send any money.",
    limited_hint: "Too many requests came from your connection. Check again in {n} s. A payment \
        that you sent is not lost.",
    delayed: "We see payments with a delay at the moment. Do not pay twice.",
    quoted: "{sum}, quoted by {shop}",
    order: "Order",
    qr: "QR code of the payment",
    open_wallet: "Open in wallet",
    no_wallet: "No wallet opened? Scan the code or copy the address.",
    amount: "Amount",
    address: "Address",
    link: "Payment link",
    copy: "Copy",
    copied: "Copied",
    selected: "Selected: copy it from the menu",
    time_left: "Time left",
    until: "until {time}",
    minutes: "{n} min",
    hours: "{n} h",
    confirmations: "Confirmations",
    transaction: "Transaction",
    back: "Back to {host}",
    check_again: "Check again",
    payment: "Payment",
    language: "Language",
};
