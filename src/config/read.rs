//! Validates the parsed configuration and builds a [`Config`]. Reads the secret files that
//! keys name.
//!
//! Must not know: the sources of the values.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::clock::Clock;
use crate::domain::egress::{Egress, read_ports};
use crate::domain::ip_network::IpNetwork;
use crate::domain::network::Network;
use crate::domain::notification;
use crate::domain::time::DAY_MS;
use crate::domain::webhook_url::PrivateNetworks;
use crate::http::checkout::branding::{Branding, Theme};
use crate::operations::rates::Rates;
use crate::operations::{create_payment, merchants, retention};
use crate::safe_file;
use crate::secret::{
    KeyPair, MasterSecret, RowKeys, Secret, Secrets, rotation, row_key_file, wipe_stack,
};
use crate::store::{heads, high_water};
use crate::sweeper::private_file::Held;
use crate::view::Site;
use crate::{bot, http, sweeper, webhooks};

use super::effective::{Config, Mistakes, Process};
use super::money::{
    beside, read_key_origin, read_notify_url, read_payments, read_sweeper, read_xpub,
};
use super::nodes::{read_chain_guard, read_nodes};
use super::rates::read_rates;
use super::raw::{
    Raw, RawCheckout, RawClock, RawDiscord, RawHttp, RawMetrics, RawRetention, RawWebhooks,
};
use super::urls::{read_optional_site, read_site};
use super::validate::Diagnostics;

impl Raw {
    /// Answers the configuration, or all mistakes. With systemd's credentials
    /// (systemd.exec(5)), a credential takes precedence over the configured file of the same
    /// name, which only root can read.
    pub(super) fn validate(
        mut self,
        process: Process,
        credentials: Option<&Path>,
    ) -> Result<Config, Mistakes> {
        let more_groups = groups_to_be(&self.database).into_iter().collect();
        let mut diagnostics = Diagnostics { more_groups, ..Diagnostics::default() };
        self.refuse_equal_names(&mut diagnostics);
        if let Some(folder) = credentials {
            self.take_credentials(folder);
        }
        let config = self.read(process, &mut diagnostics);
        match config {
            Some(config) if diagnostics.mistakes.is_empty() => Ok(config),
            _ => Err(Mistakes(diagnostics.mistakes)),
        }
    }

    /// Reads every key before any is required, so that all mistakes are found.
    fn read(self, process: Process, diagnostics: &mut Diagnostics) -> Option<Config> {
        let network = diagnostics.need("network", self.network.as_deref());
        let network = network.and_then(|text| diagnostics.take("network", text.parse::<Network>()));
        let public_url = diagnostics.need("public_url", self.public_url.as_deref());
        let public_url =
            public_url.and_then(|text| diagnostics.take("public_url", read_site(text)));
        let keys = read_keys(diagnostics, process, &self);
        let http = read_http(diagnostics, &self.http, &self.checkout, network);
        let chain_guard = read_chain_guard(diagnostics, &self.chain_guard, network);
        let nodes = read_nodes(diagnostics, &self.node, network);
        let failover_timeout =
            read_timeout(diagnostics, "failover.timeout", &self.failover.timeout);
        let audit_interval = read_timeout(diagnostics, "audit.interval", &self.audit.interval);
        let xpub = read_xpub(diagnostics, &self.wallet, network);
        let payments = read_payments(diagnostics, &self.payments);
        let key_origin = read_key_origin(diagnostics, &self.wallet);
        let sweeper = read_sweeper(diagnostics, &self.sweeper, network);
        let delay_key = "sweeper.payout_address_delay";
        let delay = diagnostics.duration_ms(delay_key, &self.sweeper.payout_address_delay);
        let notify_url = read_notify_url(diagnostics, &self.sweeper);
        let bot = match process {
            Process::Gateway => read_bot(diagnostics, &self.discord),
            Process::SweeperAlone => Some(None),
        };
        let public = http.as_ref().map(|http| http.listen);
        let metrics_listen = read_metrics_listen(diagnostics, &self.metrics, public);
        require_key_files(diagnostics, &self);
        let clock = read_clock(diagnostics, &self.clock, network);
        let rates = read_rates(diagnostics, &self.rates, network);
        let retention = read_retention(diagnostics, &self.retention, payments.as_ref());
        let egress = read_egress(diagnostics, &self.webhooks);
        let (network, (rates, rate_sources)) = (network?, rates?);
        let (master_secret, row_keys) = keys?;
        Some(Config {
            network,
            site: Site { network, public_url: public_url? },
            high_water_file: self
                .high_water_file
                .unwrap_or_else(|| high_water::beside(&self.database)),
            heads_file: Some(self.heads_file.unwrap_or_else(|| heads::beside(&self.database))),
            database: self.database,
            master_secret,
            secret_file: self.secret_file,
            row_keys,
            row_key_file: self.sweeper.row_key_file,
            http: http?,
            nodes: nodes?,
            failover_timeout: failover_timeout?,
            chain_guard: chain_guard?,
            audit_interval: audit_interval?,
            retention: retention?,
            xpub: xpub?,
            signing_key_file: self.wallet.signing_key_file,
            passphrase_file: self.wallet.passphrase_file,
            held: Held::default(),
            payments: create_payment::Rules { rates: Rates::new(rates.clone()), ..payments? },
            rates,
            rate_sources,
            merchants: merchants::Rules { network, payout_address_delay_ms: delay? },
            seals: self.sweeper.seal_key_file.map(|key_file| sweeper::seals::Settings {
                seal_state_file: self.sweeper.seal_state_file.unwrap_or_else(|| beside(&key_file)),
                key_file,
                payout_address_delay_ms: delay.unwrap_or_default(),
                notify_url,
                held: Held::default(),
            }),
            sweeper: sweeper::Settings { key_origin: key_origin?, ..sweeper? },
            webhooks: webhooks::Settings { egress: egress? },
            bot: bot?,
            metrics_listen,
            clock: clock?,
        })
    }
}

/// `None` if unset or invalid.
fn read_metrics_listen(
    diagnostics: &mut Diagnostics,
    raw: &RawMetrics,
    public: Option<SocketAddr>,
) -> Option<SocketAddr> {
    let wanted = "an address and a port, such as 127.0.0.1:9180";
    let listen = diagnostics.parse("metrics.listen", raw.listen.as_deref()?, wanted)?;
    if public == Some(listen) && listen.port() != 0 {
        diagnostics.report("metrics.listen", "must differ from the public http.listen");
    }
    Some(listen)
}

/// Reports configured key files that do not exist.
fn require_key_files(diagnostics: &mut Diagnostics, raw: &Raw) {
    for (key, file) in [
        ("wallet.signing_key_file", &raw.wallet.signing_key_file),
        ("wallet.passphrase_file", &raw.wallet.passphrase_file),
        ("sweeper.seal_key_file", &raw.sweeper.seal_key_file),
    ] {
        if let Some(file) = file.as_ref().filter(|file| !file.exists()) {
            diagnostics.report(key, format!("{}: no such file", file.display()));
        }
    }
}

/// The group that a process of root will switch to: that of the database's directory.
fn groups_to_be(database: &Path) -> Option<u32> {
    let is_root = rustix::process::geteuid().is_root();
    let directory = std::fs::metadata(safe_file::directory_of(database));
    directory.ok().filter(|_| is_root).map(|found| found.gid())
}

/// Reads a file with a master secret. Errors name `key`.
///
/// # Errors
/// If it cannot be read, others may read it, or it contains no secret.
pub(crate) fn secret_at(key: &str, file: &Path) -> Result<MasterSecret, Mistakes> {
    let mut diagnostics = Diagnostics::default();
    let secret = read_secret(&mut diagnostics, key, file);
    wipe_stack(); // Reading leaves copies on the stack.
    secret.ok_or(Mistakes(diagnostics.mistakes))
}

fn read_keys(
    diagnostics: &mut Diagnostics,
    process: Process,
    raw: &Raw,
) -> Option<(Option<Secrets>, RowKeys)> {
    match process {
        Process::Gateway => {
            let secrets = read_secrets(diagnostics, &raw.secret_file)?;
            let row_keys = secrets.row_keys();
            Some((Some(secrets), row_keys))
        }
        Process::SweeperAlone => {
            let Some(file) = &raw.sweeper.row_key_file else {
                diagnostics.report(ROW_KEY_FILE, MISSING_ROW_KEY_FILE);
                return None;
            };
            Some((None, RowKeys::new(read_row_keys(diagnostics, file)?)))
        }
    }
}

const ROW_KEY_FILE: &str = "sweeper.row_key_file";

const MISSING_ROW_KEY_FILE: &str = "is not set, but a process that runs the sweeper alone needs it; \
                                    set it, and run litegate secret row-key";

/// Reads the file of row keys.
///
/// # Errors
/// If it cannot be read, others may read it, or `litegate` did not write it in this form.
pub(crate) fn row_keys_at(file: &Path) -> Result<KeyPair, Mistakes> {
    let mut diagnostics = Diagnostics::default();
    let keys = read_row_keys(&mut diagnostics, file);
    keys.ok_or(Mistakes(diagnostics.mistakes))
}

fn read_row_keys(diagnostics: &mut Diagnostics, file: &Path) -> Option<KeyPair> {
    let text = diagnostics.secret_file(ROW_KEY_FILE, file)?;
    let keys = row_key_file::parse(&text);
    keys.map_err(|unfit| {
        let file = file.display();
        diagnostics.report(ROW_KEY_FILE, format!("{file}: {unfit}; run litegate secret row-key"));
    })
    .ok()
}

/// Reads the current secret and, during a rotation, the previous one.
fn read_secrets(diagnostics: &mut Diagnostics, file: &Path) -> Option<Secrets> {
    let current = read_secret(diagnostics, "secret_file", file);
    match rotation::previous(file) {
        Ok(previous) => Some(Secrets::new(current?, previous)),
        Err(error) => {
            diagnostics.report("secret_file", error);
            None
        }
    }
}

fn read_secret(diagnostics: &mut Diagnostics, key: &str, file: &Path) -> Option<MasterSecret> {
    let text = diagnostics.secret_file(key, file)?;
    let secret = rotation::secret_of(&text);
    if secret.is_none() {
        diagnostics.report(key, "must contain 32 bytes as 64 hexadecimal digits");
    }
    secret
}

fn read_http(
    diagnostics: &mut Diagnostics,
    raw: &RawHttp,
    checkout: &RawCheckout,
    network: Option<Network>,
) -> Option<http::Settings> {
    let wanted = "an address and a port, such as 127.0.0.1:8080";
    let listen = diagnostics.parse("http.listen", &raw.listen, wanted);
    let networks = "a list of addresses and networks, such as [\"127.0.0.1\", \"172.16.0.0/12\"]";
    let trusted_proxies =
        diagnostics.list("http.trusted_proxies", &raw.trusted_proxies, networks, read_proxy);
    if raw.play_money_url.is_some() && network.is_some_and(|n| n != Network::Regtest) {
        diagnostics.report("http.play_money_url", "is for regtest only");
    }
    let play_money_url =
        read_optional_site(diagnostics, "http.play_money_url", raw.play_money_url.as_deref());
    let max_event_streams =
        usize::try_from(raw.max_event_streams).ok().filter(|n| (1..=50_000).contains(n));
    if max_event_streams.is_none() {
        diagnostics.report("http.max_event_streams", "must be between 1 and 50000");
    }
    let branding = read_branding(diagnostics, checkout);
    Some(http::Settings {
        listen: listen?,
        trusted_proxies: trusted_proxies?,
        rate_per_key: raw.rate_per_key,
        rate_per_address: raw.rate_per_address,
        max_event_streams: max_event_streams?,
        play_money_url,
        branding,
    })
}

/// Parses a trusted proxy. Sockets report IPv4 addresses as IPv4-mapped IPv6, so a single one
/// is normalised.
fn read_proxy(text: &str) -> Option<IpNetwork> {
    let single: Option<IpAddr> = text.trim().parse().ok();
    match single {
        Some(address) => IpNetwork::parse(&address.to_canonical().to_string()),
        None => IpNetwork::parse(text),
    }
}

/// How long a payment can wait for a coin: the longest expiry, and the time for late coins.
fn longest_life_ms(payments: &create_payment::Rules) -> i64 {
    let asked_ms = i64::from(*create_payment::EXPIRES_IN_SECONDS.end()).saturating_mul(1_000);
    payments.expiry_ms.max(asked_ms).saturating_add(payments.late_grace_ms)
}

fn read_retention(
    diagnostics: &mut Diagnostics,
    raw: &RawRetention,
    payments: Option<&create_payment::Rules>,
) -> Option<retention::Rules> {
    let mut kept = |key: &str, text: &str, least_days: i64| {
        let kept_ms = diagnostics.duration_ms(key, text)?;
        let enough = kept_ms >= least_days.saturating_mul(DAY_MS);
        if !enough {
            diagnostics.report(key, format!("must be at least {least_days}d"));
        }
        enough.then_some(kept_ms)
    };
    let unpaid_payments = kept("retention.unpaid_payments", &raw.unpaid_payments, 1);
    // An event is retried for three days.
    let webhook_attempts = kept("retention.webhook_attempts", &raw.webhook_attempts, 7);
    let idempotency_keys = kept("retention.idempotency_keys", &raw.idempotency_keys, 1);
    Some(retention::Rules {
        unpaid_payments_ms: unpaid_payments?,
        webhook_attempts_ms: webhook_attempts?,
        idempotency_keys_ms: idempotency_keys?,
        rates_ms: longest_life_ms(payments?),
    })
}

fn read_egress(diagnostics: &mut Diagnostics, raw: &RawWebhooks) -> Option<Egress> {
    let private = match raw.allow_private_networks {
        true => PrivateNetworks::Allowed,
        false => PrivateNetworks::Refused,
    };
    let ports = "a list of ports and ranges, such as [\"443\", \"1024-65535\"]";
    let allowed = diagnostics.list("webhooks.allowed_ports", &raw.allowed_ports, ports, read_ports);
    let denied = diagnostics.list("webhooks.denied_ports", &raw.denied_ports, ports, read_ports);
    let networks = "a list of networks, such as [\"198.51.100.0/24\"]";
    let networks = diagnostics.list(
        "webhooks.denied_networks",
        &raw.denied_networks,
        networks,
        IpNetwork::parse,
    );
    Some(Egress::new(private, allowed?, denied?, networks?))
}

/// A duration of at least one second, so that the gateway does not spin.
fn read_timeout(diagnostics: &mut Diagnostics, key: &str, text: &str) -> Option<Duration> {
    let patience = diagnostics.duration(key, text)?;
    if patience < Duration::from_secs(1) {
        diagnostics.report(key, "must be at least 1s");
        return None;
    }
    Some(patience)
}

/// Bytes of a logo that are read: more than allowed, so that a large one is refused by its
/// size.
const PICTURE_BYTES_MAX: u64 = 1 << 20;

/// Reads `[checkout]`. Invalid keys are reported and left out.
fn read_branding(diagnostics: &mut Diagnostics, raw: &RawCheckout) -> Branding {
    let mut branding = Branding::default();
    let mut take = |key, result: Result<(), String>| {
        if let Err(wrong) = result {
            diagnostics.report(key, wrong);
        }
    };
    if let Some(color) = &raw.color {
        take("checkout.color", branding.set_color(Theme::Light, color));
    }
    if let Some(color) = &raw.color_dark {
        take("checkout.color_dark", branding.set_color(Theme::Dark, color));
    }
    if let Some(file) = &raw.logo_file {
        let result = match safe_file::read(file, PICTURE_BYTES_MAX) {
            Ok(picture) => branding.set_logo(&picture),
            Err(error) => Err(error.to_string()),
        };
        take("checkout.logo_file", result.map_err(|wrong| format!("{}: {wrong}", file.display())));
    }
    if let Some(url) = &raw.explorer_url {
        take("checkout.explorer_url", branding.set_explorer(url));
    }
    take("checkout.frame_ancestors", branding.set_frame_ancestors(&raw.frame_ancestors));
    branding
}

/// The outer `None` is a mistake, the inner one no bot.
fn read_bot(diagnostics: &mut Diagnostics, raw: &RawDiscord) -> Option<Option<bot::Settings>> {
    let Some(file) = &raw.token_file else { return Some(None) };
    let token = diagnostics.secret_file("discord.token_file", file);
    if raw.guild_id == 0 {
        diagnostics.report("discord.guild_id", "is missing beside discord.token_file");
        return None;
    }
    let secret_display_ttl =
        diagnostics.duration("discord.secret_display_ttl", &raw.secret_display_ttl);
    let kinds = raw.notifications_off.iter().map(|word| {
        let wanted =
            "a kind of notification, such as \"subscription\" (see reference/discord-commands.md)";
        diagnostics.parse("discord.notifications_off", word, wanted)
    });
    // All kinds are validated before any is required.
    let kinds: Vec<Option<notification::Kind>> = kinds.collect();
    let notifications_off: Option<Vec<notification::Kind>> = kinds.into_iter().collect();
    let api_url = read_optional_site(diagnostics, "discord.api_url", raw.api_url.as_deref());
    let id = |id: u64| (id != 0).then_some(id);
    Some(Some(bot::Settings {
        token: Secret::new(token?.trim().to_owned()),
        guild_id: raw.guild_id,
        admin_role_id: id(raw.admin_role_id),
        global_commands: raw.global_commands,
        notifications_channel_id: id(raw.notifications_channel_id),
        admin_channel_id: id(raw.admin_channel_id),
        audit_log_channel_id: id(raw.audit_log_channel_id),
        notifications_off: notifications_off?,
        low_disk_bytes: raw.low_disk_mb.saturating_mul(1_000_000),
        rate_per_user: raw.rate_per_user,
        secret_display_ttl: secret_display_ttl?,
        api_url,
    }))
}

fn read_clock(
    diagnostics: &mut Diagnostics,
    raw: &RawClock,
    network: Option<Network>,
) -> Option<Clock> {
    match &raw.offset_file {
        None => Some(Clock::system()),
        Some(file) if network == Some(Network::Regtest) => Some(Clock::moved_by(file.clone())),
        Some(_) => {
            diagnostics.report("clock.offset_file", "is for regtest only");
            None
        }
    }
}
