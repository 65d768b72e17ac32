//! Last reports of the roles: what each one says about its work, as one value per role.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Whose report it is. Part of the stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Watcher,
    Sweeper,
    /// The ZMQ subscriber: when it last received a message.
    Zmq,
    /// The daily audit.
    Audit,
    /// `litegate doctor`.
    Doctor,
    /// The bot's commands at Discord.
    Commands,
    /// The bot's notifications.
    Notifications,
    /// The operator's part of the audit log in its Discord channel.
    AuditLogOfOperator,
    /// The merchants' part of the audit log in its Discord channel.
    AuditLogOfMerchants,
    /// A proxy that forwards requests without being in `http.trusted_proxies`.
    UntrustedProxy,
}

impl Role {
    /// The role's name in the table `role_status`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Role::Watcher => "watcher",
            Role::Sweeper => "sweeper",
            Role::Zmq => "zmq",
            Role::Audit => "audit",
            Role::Doctor => "doctor",
            Role::Commands => "commands",
            Role::Notifications => "notifications",
            Role::AuditLogOfOperator => "audit_log_of_operator",
            Role::AuditLogOfMerchants => "audit_log_of_merchants",
            Role::UntrustedProxy => "untrusted_proxy",
        }
    }
}

/// What a role last reported. Stored as JSON; a report that an older program wrote in another form
/// counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum RoleReport {
    /// The watcher is at the node's tip.
    AtTip { height: u32, mode: NotificationMode },
    /// The sweeper finished a pass. The numbers are sweeps sent, coins that wait, and those of them
    /// that wait for a lower fee.
    Swept { sent: usize, waiting: usize, too_expensive: usize },
    /// An audit or a doctor ended with so many differences or failures.
    Checked { faults: u64 },
    /// The SHA-256 of the command definitions that Discord has, in hexadecimal.
    Registered { hash: String },
    /// The instant (milliseconds since 1970) before which nothing is notified.
    Since { ms: i64 },
    /// The last row of the audit log that was posted, and the last one of a message that was begun.
    Posted { row: i64, begun: Option<i64> },
    /// The address of the proxy; none after a new configuration.
    Proxy { address: Option<IpAddr> },
    /// Nothing but that it happened.
    Seen,
}

/// How the watcher learns of transactions and blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotificationMode {
    Zmq,
    Polling(PollingReason),
}

/// Why the watcher polls the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PollingReason {
    /// No ZMQ address is configured.
    NotConfigured,
    /// The node was built without ZMQ.
    NotBuiltIn,
    /// The node does not publish `rawtx` and `hashblock`.
    NotPublished,
    /// There is no connection to the node's ZMQ.
    NotConnected,
    /// No ZMQ message arrived although there were transactions.
    Silent,
}

impl NotificationMode {
    /// Whether a configured publisher fails.
    pub(crate) fn is_disturbed(self) -> bool {
        use PollingReason::{NotConnected, Silent};
        matches!(self, NotificationMode::Polling(NotConnected | Silent))
    }
}

impl fmt::Display for NotificationMode {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            NotificationMode::Zmq => "zmq",
            NotificationMode::Polling(reason) => match reason {
                PollingReason::NotConfigured => "polling: no ZMQ configured",
                PollingReason::NotBuiltIn => "polling: the node was built without ZMQ",
                PollingReason::NotPublished => {
                    "polling: the node does not publish rawtx and hashblock"
                }
                PollingReason::NotConnected => "polling: no connection to the node's ZMQ",
                PollingReason::Silent => "polling: ZMQ is silent",
            },
        })
    }
}

/// The reports that people see: of the watcher and of `doctor`.
impl fmt::Display for RoleReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            RoleReport::AtTip { height, mode } => write!(f, "height {height} ({mode})"),
            RoleReport::Checked { faults: 0 } => f.write_str("no failure"),
            RoleReport::Checked { faults: 1 } => f.write_str("1 failure"),
            RoleReport::Checked { faults } => write!(f, "{faults} failures"),
            RoleReport::Swept { .. }
            | RoleReport::Registered { .. }
            | RoleReport::Since { .. }
            | RoleReport::Posted { .. }
            | RoleReport::Proxy { .. }
            | RoleReport::Seen => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored form of each report never changes: an older row has to be readable.
    #[test]
    fn the_stored_form_of_each_report_is_stable() {
        #[track_caller]
        fn check(report: RoleReport, stored: &str) {
            assert_eq!(serde_json::to_string(&report).expect("plain values"), stored);
            assert_eq!(serde_json::from_str::<RoleReport>(stored).expect(stored), report);
        }
        let at_tip = |mode| RoleReport::AtTip { height: 7, mode };
        let zmq = at_tip(NotificationMode::Zmq);
        check(zmq, r#"{"kind":"at_tip","height":7,"mode":"zmq"}"#);
        let silent = at_tip(NotificationMode::Polling(PollingReason::Silent));
        check(silent, r#"{"kind":"at_tip","height":7,"mode":{"polling":"silent"}}"#);
        check(
            RoleReport::Swept { sent: 1, waiting: 2, too_expensive: 0 },
            r#"{"kind":"swept","sent":1,"waiting":2,"too_expensive":0}"#,
        );
        check(RoleReport::Checked { faults: 0 }, r#"{"kind":"checked","faults":0}"#);
        check(
            RoleReport::Registered { hash: "00".to_owned() },
            r#"{"kind":"registered","hash":"00"}"#,
        );
        check(RoleReport::Since { ms: 5 }, r#"{"kind":"since","ms":5}"#);
        check(
            RoleReport::Posted { row: 5, begun: Some(6) },
            r#"{"kind":"posted","row":5,"begun":6}"#,
        );
        check(
            RoleReport::Proxy { address: "192.0.2.7".parse().ok() },
            r#"{"kind":"proxy","address":"192.0.2.7"}"#,
        );
        check(RoleReport::Seen, r#"{"kind":"seen"}"#);
    }
}
