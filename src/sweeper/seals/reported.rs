//! Notifications to the operator about the record, and which of them were delivered.

use bitcoin::hex::DisplayHex;

use crate::domain::address::Address;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::payout_address::Wait;
use crate::domain::seal::notification::{Kind, Notification};
use crate::domain::time::Timestamp;
use crate::view::notification::NotificationView;
use crate::webhooks::operator::OperatorWebhook;

use super::Seals;

impl Seals {
    /// The operator's webhook, if one is configured.
    ///
    /// # Errors
    /// If the system has no usable TLS.
    pub(crate) fn operator_webhook(&self) -> anyhow::Result<Option<OperatorWebhook>> {
        let Some(url) = &self.notify_url else { return Ok(None) };
        OperatorWebhook::new(url.clone(), self.key.notification_key()).map(Some)
    }

    /// Logs new notifications. Without a configured URL, the log is the only notification.
    pub(in crate::sweeper) fn log(&mut self, news: &[Notification], network: Network) {
        if !self.is_kept_here() {
            return;
        }
        for one in news {
            let Notification { merchant, version, kind } = *one;
            let Some(seen) = self.record.seen(merchant, version) else { continue };
            let address = Address::from_script(&seen.script, network);
            let address = address.map(|address| address.to_string()).unwrap_or_default();
            let (registered_at, effective_at) = (seen.registered_at, seen.effective_at);
            let event = kind.as_str();
            match seen.was_in_force {
                true => tracing::info!(
                    merchant_id = %merchant, version, event, address, %registered_at,
                    %effective_at, "payout address seen"
                ),
                false => tracing::warn!(
                    merchant_id = %merchant, version, event, address, %registered_at,
                    %effective_at, "payout address change seen"
                ),
            }
            if self.notify_url.is_none() {
                self.mark_reported(*one);
            }
        }
    }

    /// Records whether a merchant's address needs an operator's action.
    pub(in crate::sweeper) fn note_refusal(
        &mut self,
        merchant: MerchantId,
        wait: Option<Wait>,
        now: Timestamp,
    ) {
        let changed = self.record.note_refusal(merchant, wait, now);
        self.changed = self.changed || changed;
    }

    /// The notification to send after `last`.
    pub(in crate::sweeper) fn next_unreported(
        &self,
        last: Option<Notification>,
    ) -> Option<Notification> {
        self.record.next_unreported(last)
    }

    /// The number of undelivered notifications about facts from before this time.
    pub(crate) fn undelivered(&self, before: Timestamp) -> usize {
        let is_old = |one: &Notification| self.noted_at(*one).is_some_and(|at| at < before);
        self.record.unreported().filter(is_old).count()
    }

    /// When the fact of a notification was recorded.
    fn noted_at(&self, of: Notification) -> Option<Timestamp> {
        match of.kind {
            Kind::Refused => Some(self.record.refused.get(&of.merchant)?.since),
            Kind::Seen | Kind::Cancelled => {
                Some(self.record.seen(of.merchant, of.version)?.first_seen_at)
            }
        }
    }

    pub(in crate::sweeper) fn mark_reported(&mut self, done: Notification) {
        self.record.mark_reported(done);
        self.changed = true;
    }

    /// The id and the body of a notification, equal at each attempt. `None` if the record no
    /// longer holds its fact.
    pub(in crate::sweeper) fn notification(
        &self,
        of: Notification,
        network: Network,
    ) -> Option<(String, NotificationView)> {
        let Notification { merchant, version, kind } = of;
        let view = NotificationView::new(&self.record, of, network, self.delay_ms)?;
        let at = self.noted_at(of)?;
        let id = self.key.seal(&[
            b"notification id",
            kind.as_str().as_bytes(),
            &merchant.get().to_be_bytes(),
            &version.to_be_bytes(),
            &at.ms().to_be_bytes(),
        ]);
        Some((format!("ntf_{}", id[..16].to_lower_hex_string()), view))
    }
}
