//! Notifies systemd (sd_notify(3)): ready, status, watchdog, stopping. Without systemd nothing
//! is sent.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::store::totals::totals;
use crate::store::{self, ReadTx, Store, blocks, role_status};
use crate::view::role_status::Role;
use crate::watchdog;

/// Longest interval between two status lines.
const EVERY: Duration = Duration::from_secs(10);

/// Reports readiness, then status and watchdog until the shutdown signal. The watchdog is fed
/// only while the loops of watcher and sweeper are alive, so that systemd restarts a process
/// that hangs.
pub(super) async fn notify(store: Store, shutdown: CancellationToken) {
    send(NotifyState::Ready);
    let limit = sd_notify::watchdog_enabled();
    let every = limit.map_or(EVERY, |limit| (limit / 3).min(EVERY));
    loop {
        if limit.is_none_or(|limit| watchdog::stalest() < limit) {
            send(NotifyState::Watchdog);
        } else {
            tracing::error!("a role hangs; systemd's watchdog will end this process");
        }
        // An unreadable status is left out.
        if let Ok(status) = store.read(status).await {
            send(NotifyState::Status(&status));
        }
        tokio::select! {
            () = shutdown.cancelled() => return send(NotifyState::Stopping),
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// The status line.
fn status(tx: &ReadTx) -> Result<String, store::Error> {
    let height = match blocks::tip(tx)? {
        Some(tip) => format!("height {}", tip.height),
        None => "no block yet".to_owned(),
    };
    let totals = totals(tx)?;
    let open = totals.payments.iter().find(|(status, _)| status == "pending");
    let open = open.map_or(0, |(_, count)| *count);
    let trouble =
        role_status::of_role(tx, Role::Watcher)?.and_then(|role_status| role_status.trouble);
    let trouble = trouble.map(|trouble| format!("; waits: {trouble}")).unwrap_or_default();
    let line = format!("{height}, {open} open, {} failed webhooks{trouble}", totals.events_failed);
    Ok(line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

fn send(state: NotifyState) {
    // A service manager that has ended is no reason to stop.
    let _ = sd_notify::notify(&[state]);
}
