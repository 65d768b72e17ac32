//! The configuration as parsed from TOML, not validated. Unknown keys are refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) network: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) database: PathBuf,
    pub(super) high_water_file: Option<PathBuf>,
    pub(super) heads_file: Option<PathBuf>,
    pub(super) secret_file: PathBuf,
    pub(super) http: RawHttp,
    pub(super) checkout: RawCheckout,
    pub(super) node: Vec<RawNode>,
    pub(super) failover: RawFailover,
    pub(super) wallet: RawWallet,
    pub(super) payments: RawPayments,
    pub(super) sweeper: RawSweeper,
    pub(super) webhooks: RawWebhooks,
    pub(super) discord: RawDiscord,
    pub(super) metrics: RawMetrics,
    pub(super) clock: RawClock,
    pub(super) chain_guard: RawChainGuard,
    pub(super) audit: RawAudit,
    pub(super) retention: RawRetention,
    pub(super) rates: RawRates,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    pub(super) listen: String,
    pub(super) trusted_proxies: Vec<String>,
    pub(super) rate_per_key: u32,
    pub(super) rate_per_address: u32,
    pub(super) max_event_streams: u32,
    pub(super) play_money_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheckout {
    pub(super) logo_file: Option<PathBuf>,
    pub(super) color: Option<String>,
    pub(super) color_dark: Option<String>,
    pub(super) explorer_url: Option<String>,
    pub(super) frame_ancestors: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNode {
    pub(super) rpc_url: String,
    pub(super) cookie_file: Option<PathBuf>,
    pub(super) rpc_user: Option<String>,
    pub(super) rpc_password_file: Option<PathBuf>,
    pub(super) zmq_rawtx: Option<String>,
    pub(super) zmq_hashblock: Option<String>,
    pub(super) allow_old_node: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFailover {
    pub(super) timeout: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudit {
    pub(super) interval: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRetention {
    pub(super) unpaid_payments: String,
    pub(super) webhook_attempts: String,
    pub(super) idempotency_keys: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRates {
    pub(super) currencies: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) refresh: String,
    pub(super) max_age: String,
    /// A number with decimals, or its text.
    pub(super) max_deviation_percent: toml::Value,
    pub(super) min_sources: u32,
    pub(super) spread_percent: toml::Value,
    pub(super) reference: Option<String>,
    pub(super) reference_max_age: String,
    #[serde(default)]
    pub(super) fixed: BTreeMap<String, toml::Value>,
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) base_urls: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWallet {
    pub(super) xpub: Option<String>,
    pub(super) signing_key_file: Option<PathBuf>,
    pub(super) passphrase_file: Option<PathBuf>,
    pub(super) key_origin: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTier {
    pub(super) below: String,
    pub(super) confirmations: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPayments {
    pub(super) confirmations: u32,
    #[serde(default)]
    pub(super) confirmation_tiers: Vec<RawTier>,
    pub(super) low_confirmation_limit: String,
    pub(super) large_amount: String,
    pub(super) confirmations_large: u32,
    pub(super) confirmations_pegout: u32,
    pub(super) expiry: String,
    pub(super) late_grace: String,
    pub(super) min_amount: String,
    pub(super) max_open_payments: u32,
    pub(super) max_daily_payments: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSweeper {
    pub(super) interval: String,
    pub(super) min_payout: String,
    pub(super) max_fee_percent: u8,
    pub(super) payout_address_delay: String,
    pub(super) seal_key_file: Option<PathBuf>,
    pub(super) seal_state_file: Option<PathBuf>,
    pub(super) row_key_file: Option<PathBuf>,
    pub(super) notify_url: Option<String>,
    pub(super) fee_bump_after: String,
    pub(super) max_hot_balance: Option<String>,
    pub(super) operator_fee_basis_points: u16,
    pub(super) operator_address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebhooks {
    pub(super) allow_private_networks: bool,
    pub(super) allowed_ports: Vec<String>,
    pub(super) denied_ports: Vec<String>,
    pub(super) denied_networks: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDiscord {
    pub(super) token_file: Option<PathBuf>,
    pub(super) guild_id: u64,
    pub(super) admin_role_id: u64,
    pub(super) global_commands: bool,
    pub(super) notifications_channel_id: u64,
    pub(super) admin_channel_id: u64,
    pub(super) audit_log_channel_id: u64,
    pub(super) notifications_off: Vec<String>,
    pub(super) low_disk_mb: u64,
    pub(super) rate_per_user: u32,
    pub(super) secret_display_ttl: String,
    pub(super) api_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetrics {
    pub(super) listen: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawClock {
    pub(super) offset_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChainGuard {
    pub(super) mode: String,
    pub(super) second_rpc_url: Option<String>,
    pub(super) second_cookie_file: Option<PathBuf>,
    pub(super) second_rpc_user: Option<String>,
    pub(super) second_rpc_password_file: Option<PathBuf>,
}
