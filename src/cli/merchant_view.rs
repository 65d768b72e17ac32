//! `litegate merchant show` and `list`: a merchant as JSON and as text.

use crate::config::Config;
use crate::domain::merchant::{Merchant, address_in_force, address_to_come};
use crate::operations::merchants::{self as operations, Account};
use crate::store::{Store, merchants as rows};
use crate::view::Time;
use crate::view::account::SumsView;
use crate::view::merchant::{MerchantView, Shown};

use super::failure::Failure;
use super::output::{Format, print_json, print_line};

/// Which secrets to show with the merchant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reveal {
    Nothing,
    ApiKey,
    WebhookSecret,
}

pub(super) fn view(
    account: &Account,
    config: &Config,
    reveal: Reveal,
) -> Result<MerchantView, Failure> {
    let now = config.clock.now();
    let in_force = address_in_force(account.addresses.current(), now).map(|r| &r.address);
    let to_come =
        address_to_come(account.addresses.current(), now).map(|r| (&r.address, r.effective_at));
    let merchant: &Merchant = &account.merchant;
    let mut view = MerchantView::new(merchant, in_force, to_come, now);
    view.damaged_payout_addresses = account.addresses.damaged.clone();
    match reveal {
        Reveal::Nothing => {}
        Reveal::ApiKey => {
            let secret = config.secret()?.current();
            let key = secret.api_key(config.network, merchant.id, merchant.key_version);
            view.api_key = Some(Shown(key.reveal().clone()));
        }
        Reveal::WebhookSecret => {
            let current = merchant.webhook_secret;
            let secret = config.secret()?.current().webhook_secret(merchant.id, current.version);
            view.webhook_secret = Some(Shown(secret.reveal().clone()));
            let in_grace = current.previous_version(now).is_some();
            let ends_at = current.grace_ends_at().filter(|_| in_grace);
            view.previous_webhook_secret_ends_at = ends_at.map(Time);
        }
    }
    Ok(view)
}

pub(super) fn list(config: &Config, store: &Store, format: Format) -> Result<(), Failure> {
    let network = config.network;
    let accounts = store.read_blocking(|tx| {
        let all = rows::all(tx)?;
        all.iter()
            .map(|merchant| operations::account(tx, merchant.id, network))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let views = accounts.iter().map(|account| view(account, config, Reveal::Nothing));
    let views: Vec<MerchantView> = views.collect::<Result<_, _>>()?;
    match format {
        Format::Json => print_json(&views),
        Format::Text => views.iter().try_for_each(|view| {
            let address = view.payout_address.as_deref().unwrap_or("no payout address");
            let active = if view.subscription_active { "active" } else { "no subscription" };
            print_line(&format!("{}  {}  {active}  {address}", view.merchant_id, view.name))
        }),
    }
}

pub(super) fn print_text(view: &MerchantView) -> Result<(), Failure> {
    print_line(&format!("merchant        {}", view.merchant_id))?;
    print_line(&format!("name            {}", view.name))?;
    let address = view.payout_address.as_deref().unwrap_or("none");
    print_line(&format!("payout address  {address}"))?;
    if let (Some(next), Some(at)) = (&view.next_payout_address, &view.next_payout_address_at) {
        print_line(&format!("                {next} from {}", at.0))?;
    }
    for version in &view.damaged_payout_addresses {
        print_line(&format!("                payout address {version} cannot be read"))?;
    }
    if let Some(why) = &view.payouts_wait {
        print_line(&format!("payouts wait    {why}"))?;
    }
    let subscription = match &view.subscription_ends_at {
        Some(end) if view.subscription_active => format!("until {}", end.0),
        Some(end) => format!("ended {}", end.0),
        None => "none".to_owned(),
    };
    print_line(&format!("subscription    {subscription}"))?;
    if let Some(confirmations) = view.confirmations {
        print_line(&format!("confirmations   {confirmations}"))?;
    }
    if let Some(key) = &view.api_key {
        print_line(&format!("API key         {}", key.0))?;
    }
    if let Some(secret) = &view.webhook_secret {
        print_line(&format!("webhook secret  {}", secret.0))?;
    }
    if let Some(end) = &view.previous_webhook_secret_ends_at {
        print_line(&format!("                the previous secret also signs until {}", end.0))?;
    }
    if let Some(end) = &view.previous_api_key_ends_at {
        print_line(&format!("                the previous key is also accepted until {}", end.0))?;
    }
    if let Some(url) = &view.webhook_url {
        print_line(&format!("webhooks go to  {url}"))?;
    }
    for (name, sum) in view.sums.iter().flat_map(SumsView::named) {
        print_line(&format!("{:14}  {} LTC", name.as_str(), sum.0))?;
    }
    Ok(())
}
