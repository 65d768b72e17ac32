//! `litegate merchant notifications` and `notification-settings`.

use serde::Serialize;

use crate::config::Config;
use crate::domain::merchant::MerchantId;
use crate::domain::notification::{DeliveryMode, Kind};
use crate::operations::{Actor, Refusal, merchants, notifications as operations};
use crate::store::notifications::StoredNotification;
use crate::store::{Store, WriteTx, notifications as rows};
use crate::view::Time;

use super::failure::Failure;
use super::output::{Format, print_json, print_line};

#[derive(Serialize)]
struct ChoiceView {
    kind: &'static str,
    way: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotificationView {
    at: Time,
    kind: &'static str,
    text: String,
}

/// Sets how a kind of notification is delivered, if one is given, and shows all.
pub(super) fn settings(
    config: &Config,
    store: &Store,
    id: MerchantId,
    choice: Option<(Kind, DeliveryMode)>,
    format: Format,
) -> Result<(), Failure> {
    let now = config.clock.now();
    if let Some((kind, way)) = choice {
        let choose = move |tx: &WriteTx| operations::choose(tx, &Actor::Cli, id, kind, way, now);
        store.write_blocking(choose)?;
    }
    let choices = store.read_blocking(|tx| operations::choices(tx, id))?;
    let view =
        |(kind, way): (Kind, DeliveryMode)| ChoiceView { kind: kind.as_str(), way: way.as_str() };
    let views: Vec<ChoiceView> = choices.into_iter().map(view).collect();
    match format {
        Format::Json => print_json(&views),
        Format::Text => {
            views.iter().try_for_each(|view| print_line(&format!("{:16}  {}", view.kind, view.way)))
        }
    }
}

/// Largest number of notifications shown.
const NOTIFICATIONS_MAX: u32 = 100;

pub(super) fn list(store: &Store, id: MerchantId, format: Format) -> Result<(), Failure> {
    let found = store.read_blocking(|tx| {
        merchants::get(tx, id)?;
        Ok::<_, Refusal>(rows::list(tx, id, 0, NOTIFICATIONS_MAX)?)
    })?;
    let view = |notification: StoredNotification| NotificationView {
        at: Time(notification.created_at),
        kind: notification.kind.as_str(),
        text: notification.text,
    };
    let views: Vec<NotificationView> = found.into_iter().map(view).collect();
    match format {
        Format::Json => print_json(&views),
        Format::Text => views.iter().try_for_each(|view| {
            print_line(&format!("{}  {}  {}", view.at.0, view.kind, view.text))
        }),
    }
}
