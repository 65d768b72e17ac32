//! `GET /api/account` and `GET /api/payouts`, by API key.

use std::sync::Arc;

use bitcoin::Txid;
use serde::Serialize;
use warp::Filter;
use warp::reply::Response;

use crate::domain::api_key::Permission;
use crate::domain::event_kind::EventKind;
use crate::domain::merchant::{Subscription, address_in_force, address_to_come};
use crate::operations::accounts::{self as operations, Statement};
use crate::operations::reason::Reason;
use crate::store::blocks;
use crate::view::account::{AccountView, PaidView, SumsView, TierView};
use crate::view::{Decimal, Time};

use super::api::Api;
use super::auth::KeyHolder;
use super::error::ApiError;
use super::filters::{Route, get, json, query, query_parts, with_api};
use super::keyed::{Keyed, keyed};

const LIMIT_USUAL: u32 = 20;

const LIMIT_MAX: u32 = 100;

pub(super) fn route(api: &Arc<Api>) -> Route {
    let account = warp::path!("api" / "account")
        .and(get())
        .and(keyed(api))
        .and(with_api(api))
        .then(|key: Keyed, api| key.respond(Permission::Read, |holder| account(api, holder)));
    let payouts = warp::path!("api" / "payouts")
        .and(get())
        .and(keyed(api))
        .and(with_api(api))
        .and(query())
        .then(|key: Keyed, api, query: String| {
            key.respond(
                Permission::Read,
                |holder| async move { payouts(api, holder, &query).await },
            )
        });
    account.or(payouts).unify().boxed()
}

pub(crate) async fn account(api: Arc<Api>, holder: KeyHolder) -> Result<Response, ApiError> {
    let (network, now) = (api.site.network, api.clock.now());
    let Statement { account, sums } =
        api.store.read(move |tx| operations::statement(tx, holder.merchant(), network)).await?;
    let merchant = &account.merchant;
    let to_come = address_to_come(account.addresses.current(), now);
    json(&AccountView {
        merchant_id: merchant.id.to_string(),
        business_name: merchant.name.as_str().to_owned(),
        livemode: network.is_live(),
        subscription_ends_at: match merchant.subscription {
            Subscription::None => None,
            Subscription::Until(end) => Some(Time(end)),
        },
        subscription_active: merchant.subscription.is_active(now),
        confirmations: merchant.confirmations.others,
        confirmation_tiers: TierView::all(&merchant.confirmations.tiers),
        tolerance_percent: Decimal(merchant.tolerance.to_string()),
        events: merchant.events.iter().map(EventKind::as_str).collect(),
        payout_address: address_in_force(account.addresses.current(), now)
            .map(|a| a.address.to_string()),
        next_payout_address: to_come.map(|change| change.address.to_string()),
        next_payout_address_at: to_come.map(|change| Time(change.effective_at)),
        webhook_url: merchant.webhook_url.clone(),
        sums: SumsView::new(&sums),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<PaidView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// The sweeps that paid the key's merchant, newest first. Parameters: `limit`, `cursor`.
pub(crate) async fn payouts(
    api: Arc<Api>,
    holder: KeyHolder,
    query: &str,
) -> Result<Response, ApiError> {
    let (after, limit) = read_query(query)?;
    let (found, more, tip) = api
        .store
        .read(move |tx| {
            let (found, more) = operations::payouts(tx, holder.merchant(), after, limit)?;
            Ok::<_, ApiError>((found, more, blocks::tip(tx)?))
        })
        .await?;
    let next_cursor = found.last().filter(|_| more).map(|paid| paid.payout.txid.to_string());
    let view =
        |paid: &crate::store::accounts::PaidSweep| PaidView::new(&paid.payout, &paid.payments, tip);
    json(&Page { data: found.iter().map(view).collect(), next_cursor })
}

fn read_query(query: &str) -> Result<(Option<Txid>, u32), ApiError> {
    let (mut after, mut limit) = (None, LIMIT_USUAL);
    for (name, value) in query_parts(query, ["limit", "cursor"])? {
        match name {
            "limit" => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let asked = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                let reason = format!("must be a whole number from 1 to {LIMIT_MAX}");
                let asked = asked.filter(|_| digits);
                limit = asked.ok_or_else(|| ApiError::invalid("limit", reason))?;
            }
            _ => {
                let txid = value.parse().map_err(|_| ApiError::invalid("cursor", Reason::Cursor));
                after = Some(txid?);
            }
        }
    }
    Ok((after, limit))
}
