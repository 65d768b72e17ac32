//! The bot in English.

use super::Words;

pub(super) const WORDS: Words = Words {
    no_address: "none",
    no_subscription: "none",
    before_after: "**Before** {before}\n**After** {after}",
    n_of_m: "{n} of {m}",
    n_confirmations: "{n} {n|confirmation|confirmations}",
    until_date: "until {date}",
    nothing_changed: "Nothing was changed.",
    button_leave: "Leave it",
    kept_notifications: "-# You have {n} {n|notification|notifications}: {/notifications} shows {n|it|them}.",

    // What went wrong without anybody's refusal.
    ours: "Something went wrong on our side; try again later (logged as {request}).",
    changed: "This command has changed; reload Discord, then send it again.",
    has_parts: "This command has parts; choose one of them from the list.",
    not_understood: "One of the options was not understood; choose or type it again.",
    bot_lacks: "The bot may not do this here; it lacks {permissions}. An administrator can allow it.",
    permissions_unknown: "Discord did not say what is allowed here; send it again.",
    not_usable: "This command cannot be used so; {/help} shows what can.",

    // The account.
    title_help: "Taking Litecoin, in three steps",
    help: "{address} **Payout address**: {/set_address} says where your money goes.\n\
        {subscription} **Subscription**{until}: an administrator grants it with {/grant_sub}.\n\
        {key} **API key**: {/view_key} shows it; your shop sends it with each request. {/docs} has \
        examples.\n\n\
        **Money**: {/payments} {/payment} {/payouts} {/account} {/invoice}\n\
        **Account**: {/set_business_name} {/set_confirmations} {/subscription} \
        {/cancel_address_change} {/rotate_key} {/view_webhook_secret} {/rotate_webhook_secret}\n\
        **Webhooks**: {/set_webhook_url} {/test_webhook} {/resend_webhook}\n\
        **News**: {/notifications} {/notification_settings}",
    address_set: "Payouts go to {address} from now on. Compare it with your wallet.",
    address_warning: "⚠ What you typed may be meant for Bitcoin. Compare the address above with \
        your Litecoin wallet.",
    title_change_address: "Change the payout address?",
    change_address: "The change takes effect {hours} {hours|hour|hours} after you confirm it. Until \
        then it can be cancelled.",
    button_change_address: "Change the address",
    button_cancel_change: "Cancel the change",
    change_cancelled: "The change is cancelled; payouts go where they went before.",
    address_will_be: "Payouts go to {address} from {date} on ({when}). Until then \
        {/cancel_address_change} cancels it.",
    address_is: "Payouts go to {address}.",
    address_none: "none: {/set_address}",
    address_to_come: "⏳ changes to {address} {when}; {/cancel_address_change} cancels it",
    name_set: "Changed. The checkout now says: Pay **{name}**.",
    confirmations_set: "New payments need {n} {n|confirmation|confirmations}, about {minutes} \
        {minutes|minute|minutes}. Large ones may need more.",
    confirmations_risk: "With so few a payment can be taken back by a reorganisation of the chain.",
    subscription_suspended: "Your account is suspended: no new payments. Open ones go on, and \
        everything is paid out. Ask an administrator.",
    subscription_until: "Your subscription runs until {date} ({when}). You are reminded 7, 3 and 1 \
        days before.",
    subscription_ended: "Your subscription ended {when}. Ask an administrator for a grant.",
    subscription_none: "You have no subscription yet. Ask an administrator for a grant.",
    title_notification_settings: "Your notification settings",
    off_for_all: "(off for everybody)",
    in_the_channel: "(in the channel)",
    docs: "The integration guide with examples to copy: {url}/docs\nThe API for machines: \
        {url}/openapi.json",

    // Secrets.
    title_rotate_key: "Replace the API key?",
    key_number: "key {n}",
    old_key_dies: "Your shop cannot make payments from the moment you confirm until it has the new \
        key.",
    old_key_lives: "Both keys are taken for 24 hours, so your shop can change over in peace. Not for \
        a key that another person may have.",
    open_go_on: "Payments that are open go on.",
    button_rotate_key: "Replace the key",
    your_key: "Your API key: ||`{secret}`||",
    key_warning: "⚠ Keep it on your server, never in a page or an app. Anyone who has it can create \
        payments in your name; {/rotate_key} replaces it.",
    title_rotate_secret: "Replace the webhook secret?",
    secret_number: "secret {n}",
    two_signatures: "Webhooks carry two signatures for 24 hours, so your shop can change over in \
        peace. Replacing it twice ends a leaked secret at once.",
    button_rotate_secret: "Replace the secret",
    your_secret: "Your webhook secret: ||`{secret}`||",
    secret_warning: "⚠ Keep it on your server, and verify every webhook with it. Anyone who has it can \
        make your shop believe that a payment is complete.",
    goes_away: "-# This message goes away after {n} {n|second|seconds}.",
    title_factor_enable: "Use an authenticator app?",
    factor_setup: "Enter this secret in your authenticator app: ||`{secret}`||\nOr open this link \
        on the device with the app: ||`{url}`||\n\nThen enter the app's code here, within 5 \
        minutes. From then on a new payout address and a new API key need a code.",
    button_enter_code: "Enter the code",
    title_form: "Second factor",
    field_code: "Code of the app, or a recovery code",
    factor_asks: "You confirm this with a code of your authenticator app.",
    factor_enabled: "The second factor is enabled. ✔ Keep these recovery codes in a safe place. Each \
        replaces a code of the app once:\n||```\n{codes}\n```||",
    title_factor_disable: "Disable the second factor?",
    factor_disable: "Without it, anyone with your Discord account can change your payout address and \
        your API key. One more code of the app is needed.",
    factor_disabled: "The second factor is disabled.",

    // Money.
    field_merchant: "Merchant",
    field_payout_address: "Payout address",
    field_subscription: "Subscription",
    field_confirmations: "Confirmations",
    field_webhooks_to: "Webhooks go to",
    field_money: "Money",
    field_next_sweep: "Next sweep",
    subscription_runs: "until {date} ({when})",
    subscription_missing: "none: ask an administrator",
    next_sweep: "{when}, for whom {amount} or more wait",
    next_sweep_unknown: "once the sweeper runs",
    as_payments_say: "where each payment says: {/set_webhook_url}",
    payouts_list: "{/payouts} lists what was paid out",
    sum_received: "received",
    sum_unconfirmed: "unconfirmed",
    sum_unswept: "unswept",
    sum_in_flight: "in flight",
    sum_paid: "paid out",
    sum_fees: "fees",
    sum_elsewhere: "elsewhere",
    title_payment: "Payment",
    field_payment: "Payment",
    field_status: "Status",
    field_amount: "Amount",
    field_received: "Received",
    field_created: "Created",
    field_time_up: "Time is up",
    field_address: "Address",
    field_checkout: "Checkout",
    field_order: "Order",
    field_transactions: "Transactions",
    field_webhook: "Webhook",
    field_paid_out_with: "Paid out with",
    received: "{received}, confirmed {confirmed}",
    webhook_delivered: "delivered",
    webhook_due: "due {when}, {n} {n|attempt|attempts}",
    webhook_given_up: "given up: {/resend_webhook} sends it again",
    status_pending: "pending",
    status_completed: "completed",
    status_expired: "expired",
    detail_waiting: "waiting",
    detail_partly_paid: "partly paid",
    detail_seen: "seen",
    detail_confirming: "confirming",
    detail_replaced: "replaced",
    detail_paid: "paid",
    detail_overpaid: "overpaid",
    detail_paid_short: "paid, a small part missing",
    detail_accepted: "accepted",
    detail_cancelled: "cancelled",
    detail_expired: "expired",
    detail_late: "late",
    detail_delayed: "delayed",
    month_empty: "Nothing was paid out in {month}.",
    month_payouts: "Your payouts of {month} (UTC): {n}.",
    month_cut: "There are more than fit: `GET /api/payouts` gives them all.",
    title_invoice: "Payment made",
    field_send_link: "Send this link to the shopper",
    button_checkout: "Open the checkout",

    // Lists.
    title_page: "{title} (page {n})",
    button_previous: "Previous",
    button_next: "Next",
    title_payments: "Payments",
    title_payments_of: "Payments: {status}",
    title_payouts: "Payouts",
    title_notifications: "Notifications",
    title_merchants: "Merchants",
    title_audit_log: "Who did what",
    title_failed: "Webhooks that were given up",
    empty_payments: "None yet. {/invoice} makes one by hand, your shop makes them by the API: \
        {/docs}.",
    empty_payouts: "None yet. What is complete and confirmed is paid out with the next sweep; small \
        sums wait for more. {/account} shows what waits.",
    empty_notifications: "No notifications yet. {/notification_settings} chooses which you get.",
    empty_merchants: "None yet. {/grant_sub} makes the first.",
    empty_audit_log: "Nothing was done yet.",
    empty_failed: "None. All is well.",
    payout_line: "{when} {amount} · fee {fee} · {n} {n|confirmation|confirmations}",
    failed_line: "`{payment}` {when} · {n} {n|attempt|attempts} · `{merchant}`",
    state_suspended: "suspended",
    state_ends: "ends {when}",
    state_ended: "ended {when}",
    state_none: "no subscription",
    audit_log_nothing: "nothing",
    audit_log_by_message: "by message",

    // Webhooks.
    webhooks_go_to: "Webhooks go to {url}, unless a payment names its own URL.",
    webhooks_go_as_said: "Webhooks go where each payment says, and nowhere else.",
    webhooks_will_go_to: "From now on webhooks go to {url} for payments that name no URL of their \
        own. {/test_webhook} tries it.",
    webhooks_will_go_as_said: "From now on webhooks go where each payment says, and nowhere else.",
    resent: "It is sent again now. {/payment} shows what came of it.",
    title_test: "Test webhook",
    field_outcome: "What came of it",
    field_event: "Its id",
    field_answer: "What it answered",
    field_advice: "Advice",
    title_resend_all: "Send them again?",
    resend_all: "All webhooks of {name} that were given up are sent again.",
    button_resend_all: "Send again",
    resent_all: "The failed webhooks of {name} are due again.",

    // What administrators do with merchants.
    granted: "{name} has {n} {n|day|days} more.",
    title_revoke: "End the subscription?",
    revoke: "New payments are refused from then on. Open ones go on, and everything is paid out.",
    button_revoke: "End it",
    revoked: "The subscription of {name} has ended. Open payments go on and are paid out.",
    title_suspend: "Suspend this merchant?",
    can_make_payments: "can make payments",
    no_new_payments: "no new payments",
    suspend: "The subscription runs on. Open payments go on, and everything is paid out. \
        {/unsuspend} ends it.",
    button_suspend: "Suspend",
    suspended: "{name} can make no new payments. Open ones go on and are paid out. {/unsuspend} \
        ends it.",
    unsuspended: "{name} can make payments again.",
    field_owner: "Owner",
    not_on_discord: "not on Discord",
    field_since: "Since",
    field_suspended: "Suspended",

    // The whole.
    title_stats: "How it goes",
    field_day: "Last 24 hours",
    field_week: "Last 7 days",
    field_month: "Last 30 days",
    field_merchants: "Merchants",
    field_webhooks_waiting: "Webhooks that wait",
    field_lost: "Completed payments without their coins",
    stats: "{n} {n|payment|payments} made, {completed} completed{rate}: {sum}{median}; {failed} \
        {failed|webhook|webhooks} given up",
    stats_rate: " ({percent} % of those decided)",
    stats_median: ", half of them within {minutes} min {seconds} s",
    merchants_count: "{active} with a subscription, {all} in all",
    title_node: "The node",
    field_node: "Node",
    field_gateway: "Gateway",
    field_height: "Height",
    field_stand: "We stand at",
    field_peers: "Peers",
    field_mempool: "Transactions in its mempool",
    field_zmq: "ZMQ",
    field_watcher: "Watcher",
    field_chain_guard: "Chain guard",
    node_on: "{node} on {chain}",
    height: "{height} ({n} {n|block|blocks} behind its headers)",
    stand_none: "none yet",
    watcher_at: "at the tip {n} s ago",
    watcher_never: "has not stood at the tip yet",
    suspect: "the chain guard is active; `litegate chain-guard` shows why",
    zmq_heard: "last heard {when}",
    zmq_never: "nothing heard yet",
    nothing_ready: "Nothing is ready: payments are swept once they are decided and confirmed.",
    title_sweep: "Sweep now?",
    sweep: "{n} {n|coin|coins} of {merchants} {merchants|merchant|merchants}, {sum} together, less \
        the network's fee. Small sums, missing addresses and an active chain guard still \
        wait.",
    button_sweep: "Sweep now",
    title_swept: "Swept",
    swept_line: "`{txid}`: {n} {n|payout|payouts}, fee {fee}",
    swept_nothing: "The sweeper has looked; nothing could go out. `litegate sweep --dry-run` says \
        why.",
    sweeper_cannot: "The sweeper cannot: {why}.",
    sweeper_slow: "The sweeper has not looked yet. {/stats} and `litegate sweep` show what comes of \
        it.",
    title_announce: "Post this?",
    button_announce: "Post it",
    announced: "Posted.",
    title_setup: "The bot's own setup",
    setup_server: "server: {name}",
    setup_everywhere: "commands are registered everywhere",
    setup_here: "commands are registered on this server",
    setup_role: "administrators have the role {role}",
    setup_role_unset: "discord.admin_role_id is not set: nobody administrates",
    setup_role_unknown: "discord.admin_role_id: the server has no role {role}",
    channel_unset: "{key} is not set",
    channel_elsewhere: "{key}: {channel} can be seen, but it is no channel of this server",
    channel_fine: "{key}: {channel} can be seen and written to",
    channel_lacks: "{key}: in {channel} the bot lacks {permissions}. Give it in the settings of the \
        channel",
    permission_view: "View Channel",
    permission_send: "Send Messages",
    permission_embed: "Embed Links",
    title_config: "Values in effect",
    config_grant: "longest grant = {n} days",

    // Notices.
    title_shop_news: "News of your shop",
    title_gateway_notifications: "News of the gateway",
    notifications_wait: "{name} {n} {n|notification waits|notifications wait} for you: {/notifications} shows {n|it|them} to \
        you alone.",
};
