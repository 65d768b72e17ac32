//! The commands by which merchants run their account. Whoever sends one acts on the account of
//! their own Discord user.

use crate::acts::Refusal;
use crate::acts::merchants::{self as acts, AddressStep};
use crate::acts::notices::{self as notice_acts, plain};
use crate::domain::address::Address;
use crate::domain::merchant::{BusinessName, Subscription, address_in_force, address_to_come};
use crate::domain::notice::{Kind, Way};
use crate::store::{merchants as rows, trail};

use super::answer::{Answer, date, grouped, relative, reply};
use super::buttons::{self, Deed};
use super::lists::{self, List};
use super::{Asker, Context, Data, Failure, account_of, begin, choices};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![
        help(),
        set_address(),
        cancel_address_change(),
        set_business_name(),
        set_confirmations(),
        subscription(),
        notices(),
        notifications(),
        docs(),
    ]
}

/// Where you stand, and what to do next
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn help(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let bot = context.data();
    let (user, network, now) = (asker.user, bot.rules.network, asker.now);
    let account = bot
        .read(move |tx| match rows::by_discord_id(tx, user)? {
            Some(merchant) => {
                let viewed = trail::was_done(tx, merchant.id, "view_key")?;
                Ok(Some((acts::account(tx, merchant.id, network)?, viewed)))
            }
            None => Ok(None),
        })
        .await?;
    let mark = |done: bool| if done { "✔" } else { "✘" };
    let (mut has_address, mut active, mut has_key) = (false, None, false);
    if let Some((account, viewed)) = &account {
        has_address = address_in_force(&account.addresses, now).is_some();
        has_key = *viewed;
        if let Subscription::Until(end) = account.merchant.subscription {
            active = (end > now).then_some(end);
        }
    }
    let until = active.map(|end| format!(" until {}", date(end))).unwrap_or_default();
    let text = format!(
        "{} **Payout address**: `/set_address` says where your money goes.\n\
         {} **Subscription**{until}: an administrator grants it with `/grant_sub`.\n\
         {} **API key**: `/view_key` shows it; your shop sends it with each request. `/docs` has \
         examples.\n\n\
         **Money**: `/payments` `/payment` `/payouts` `/account` `/invoice`\n\
         **Account**: `/set_business_name` `/set_confirmations` `/subscription` \
         `/cancel_address_change` `/rotate_key` `/view_webhook_secret` `/rotate_webhook_secret`\n\
         **Webhooks**: `/set_webhook_url` `/test_webhook` `/resend_webhook`\n\
         **News**: `/notices` `/notifications`",
        mark(has_address),
        mark(active.is_some()),
        mark(has_key),
    );
    reply(context, Answer::page("Taking Litecoin, in three steps", &text)).await
}

/// Register the Litecoin address that your money is paid out to
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn set_address(
    context: Context<'_>,
    #[description = "An ordinary Litecoin address of your own wallet"]
    #[max_length = 128]
    ltc_address: String,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let bot = context.data();
    let rules = bot.rules.clone();
    let address = Address::parse(ltc_address.trim(), rules.network).map_err(Refusal::from)?;
    let Asker { user, name, actor, now } = asker;
    let (wanted, network) = (address.clone(), rules.network);
    let registered = bot
        .write(move |tx| {
            acts::judge_address(tx, &wanted)?;
            // The first registration of a Discord user opens the account.
            let merchant = acts::of_discord_user(tx, &actor, &rules, user, &name, now)?;
            match acts::address_step(tx, &rules, merchant.id, &wanted, now)? {
                AddressStep::AtOnce => {
                    Ok(Ok(acts::set_address(tx, &actor, &rules, merchant.id, &wanted, now)?))
                }
                AddressStep::Change => {
                    let account = acts::account(tx, merchant.id, network)?;
                    let before = address_in_force(&account.addresses, now);
                    Ok(Err(before.map(|registered| registered.address.to_string())))
                }
            }
        })
        .await?;
    let warning = if address.is_old_p2sh_spelling() {
        "\n⚠ What you typed may be meant for Bitcoin. Compare the address above with your \
         Litecoin wallet."
    } else {
        ""
    };
    let shown = grouped(&address.to_string());
    let answer = match registered {
        Ok(_) => Answer::text(format!(
            "Payouts go to {shown} from now on. Compare it with your wallet.{warning}"
        )),
        Err(before) => {
            let hours = bot.rules.payout_address_delay_ms / 3_600_000;
            let before = before.map_or("none".to_owned(), |address| grouped(&address));
            let text = format!(
                "**Before** {before}\n**After** {shown}{warning}\n\nThe change takes effect {hours} \
                 hours after you confirm it. Until then it can be cancelled."
            );
            let page = Answer::page("Change the payout address?", &text);
            let deed = Deed::SetAddress(address.to_string());
            buttons::question(bot, user, &deed, page, "Change the address").await?
        }
    };
    reply(context, answer).await
}

/// Cancel a change of the payout address that has not taken effect
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn cancel_address_change(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, actor, now, .. } = begin(context).await?;
    let cancel = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::cancel_address_change(tx, &actor, merchant.id, now)?)
    };
    context.data().write(cancel).await?;
    reply(context, Answer::text("The change is cancelled; payouts go where they went before."))
        .await
}

/// Change the name that shoppers see on the checkout
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn set_business_name(
    context: Context<'_>,
    #[description = "1 to 64 characters"]
    #[max_length = 64]
    name: String,
) -> Result<(), Failure> {
    let Asker { user, actor, now, .. } = begin(context).await?;
    let name = BusinessName::parse(&name).map_err(Refusal::from)?;
    let shown = plain(name.as_str());
    let set = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::set_name(tx, &actor, merchant.id, &name, now)?)
    };
    context.data().write(set).await?;
    let text = format!("Changed. The checkout now says: Pay **{shown}**.");
    reply(context, Answer::text(text)).await
}

/// Change how many confirmations your payments need
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn set_confirmations(
    context: Context<'_>,
    #[description = "1 to 250, for new payments; a block comes every 2.5 minutes"]
    #[min = 1]
    #[max = 250]
    confirmations: u32,
) -> Result<(), Failure> {
    let Asker { user, actor, now, .. } = begin(context).await?;
    let set = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::set_confirmations(tx, &actor, merchant.id, confirmations, now)?)
    };
    context.data().write(set).await?;
    let minutes = u64::from(confirmations) * 5 / 2;
    let risk = if confirmations < 3 {
        " With so few a payment can be taken back by a reorganisation of the chain."
    } else {
        ""
    };
    let text = format!(
        "New payments need {confirmations} confirmations, about {minutes} minutes. Large ones may \
         need more.{risk}"
    );
    reply(context, Answer::text(text)).await
}

/// Show until when you can take payments
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn subscription(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, now, .. } = begin(context).await?;
    let state = context.data().read(move |tx| {
        let merchant = account_of(tx, user)?;
        Ok((merchant.subscription, rows::suspended_at(tx, merchant.id)?))
    });
    let (subscription, suspended) = state.await?;
    let text = match subscription {
        _ if suspended.is_some() => {
            "Your account is suspended: no new payments. Open ones go on, and everything is paid \
             out. Ask an administrator."
                .to_owned()
        }
        Subscription::Until(end) if end > now => format!(
            "Your subscription runs until {} ({}). You are reminded 7, 3 and 1 days before.",
            date(end),
            relative(end)
        ),
        Subscription::Until(end) => {
            format!("Your subscription ended {}. Ask an administrator for a grant.", relative(end))
        }
        Subscription::None => {
            "You have no subscription yet. Ask an administrator for a grant.".to_owned()
        }
    };
    reply(context, Answer::text(text)).await
}

/// Show what you were told, and what could not be sent to you
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn notices(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let page = lists::page(context.data(), asker.user, &List::Notices, 0).await?;
    reply(context, page).await
}

/// How to be told of a kind.
#[derive(Debug, Clone, Copy, poise::ChoiceParameter)]
enum OfWay {
    #[name = "by direct message"]
    Message,
    #[name = "in the channel: that something waits, not what"]
    Channel,
    #[name = "not at all"]
    Off,
}

impl OfWay {
    fn way(self) -> Way {
        match self {
            OfWay::Message => Way::Message,
            OfWay::Channel => Way::Channel,
            OfWay::Off => Way::Off,
        }
    }
}

/// Choose what you are told, and how
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn notifications(
    context: Context<'_>,
    #[description = "What to be told; without it all are listed"]
    #[autocomplete = "choices::notice_kind"]
    kind: Option<String>,
    #[description = "How to be told of it"] how: Option<OfWay>,
) -> Result<(), Failure> {
    let Asker { user, actor, now, .. } = begin(context).await?;
    let bot = context.data();
    let chosen = match (kind, how) {
        (Some(word), Some(how)) => {
            let unknown = |_| Failure::NotUnderstood("choose one of the kinds offered".to_owned());
            Some((word.parse::<Kind>().map_err(unknown)?, how.way()))
        }
        (None, None) => None,
        _ => return Err(Failure::NotUnderstood("give both, kind and how".to_owned())),
    };
    if let Some((kind, way)) = chosen {
        if way == Way::Channel && bot.settings.notices_channel_id.is_none() {
            return Err(Failure::Unavailable("there is no channel for notices here"));
        }
        let choose = move |tx: &crate::store::WriteTx| {
            let merchant = account_of(tx, user)?;
            Ok(notice_acts::choose(tx, &actor, merchant.id, kind, way, now)?)
        };
        bot.write(choose).await?;
    }
    let wanted = bot.read(move |tx| Ok(notice_acts::choices(tx, account_of(tx, user)?.id)?));
    let line = |(kind, way): (Kind, Way)| {
        let mark = match way {
            _ if bot.settings.notices_off.contains(&kind) => "✘ (off for everybody)",
            Way::Message => "✔",
            Way::Channel => "✔ (in the channel)",
            Way::Off => "✘",
        };
        format!("{mark} `{}` {}", kind.as_str(), kind.describe())
    };
    let lines: Vec<String> = wanted.await?.into_iter().map(line).collect();
    reply(context, Answer::page("What you are told", &lines.join("\n"))).await
}

/// Where the integration guide is
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn docs(context: Context<'_>) -> Result<(), Failure> {
    begin(context).await?;
    let url = &context.data().site.public_url;
    let text = format!(
        "The integration guide with examples to copy: {url}/docs\nThe API for machines: \
         {url}/openapi.json"
    );
    reply(context, Answer::text(text)).await
}

/// The line about payout addresses on pages that show an account.
pub(super) fn address_lines(
    account: &acts::Account,
    now: crate::domain::time::Timestamp,
) -> String {
    let address = match address_in_force(&account.addresses, now) {
        Some(registered) => grouped(&registered.address.to_string()),
        None => "none: `/set_address`".to_owned(),
    };
    match address_to_come(&account.addresses, now) {
        Some(to_come) => format!(
            "{address}\n⏳ changes to {} {}; `/cancel_address_change` cancels it",
            grouped(&to_come.address.to_string()),
            relative(to_come.effective_at)
        ),
        None => address,
    }
}
