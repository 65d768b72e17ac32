//! `litegate merchant second-factor …`, and the `--code` argument of guarded commands.

use std::io::BufRead;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::output::{Format, print_json, print_line};
use crate::config::Config;
use crate::domain::merchant::MerchantId;
use crate::operations::second_factor::{self as operations, Attempt, FactorRefusal, Passed};
use crate::operations::{Actor, Refusal};
use crate::store::{Store, WriteTx};
use crate::view::merchant::Shown;

/// The one-time code of a guarded command.
#[derive(Args)]
pub(super) struct Code {
    /// A code of the merchant's authenticator app, or a recovery code; - reads it from
    /// standard input
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    code: Option<String>,
}

/// Largest line read as a code, in bytes.
const LINE_BYTES_MAX: u64 = 256;

impl Code {
    fn read(self) -> Result<Option<String>, Failure> {
        if self.code.as_deref() != Some("-") {
            return Ok(self.code);
        }
        let mut line = String::new();
        let mut input = std::io::Read::take(std::io::stdin().lock(), LINE_BYTES_MAX);
        let read = input.read_line(&mut line);
        read.map_err(|error| Failure::Failed(format!("standard input: {error}")))?;
        Ok(Some(line))
    }

    /// Runs an operation that the second factor guards. The code is used in the same write.
    pub(super) fn guard<T: Send + 'static>(
        self,
        config: &Config,
        store: &Store,
        merchant: MerchantId,
        guarded: impl FnOnce(&WriteTx, &Passed) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Failure> {
        let (code, now) = (self.read()?, config.clock.now());
        let attempt = Attempt { actor: Actor::Cli, merchant, code, now };
        let secrets = config.secret()?.clone();
        let done = store.write_blocking(move |tx| {
            operations::with_code(tx, &secrets, &attempt, |passed| guarded(tx, passed))
        })?;
        Ok(done?)
    }
}

#[derive(Subcommand)]
pub(super) enum SecondFactor {
    /// Create a secret for an authenticator app; confirm it with the first code
    #[command(after_help = "Example: litegate merchant second-factor enable mer_0123456789ab")]
    Enable { merchant: MerchantId },
    /// Enable the second factor with the app's first code; prints recovery codes once
    #[command(
        after_help = "Example: litegate merchant second-factor confirm mer_0123456789ab --code 123456"
    )]
    Confirm {
        merchant: MerchantId,
        #[command(flatten)]
        code: Code,
    },
    /// Disable the second factor; without a code the operator vouches for the merchant
    #[command(after_help = "Example: litegate merchant second-factor disable mer_0123456789ab")]
    Disable {
        merchant: MerchantId,
        #[command(flatten)]
        code: Code,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    merchant_id: String,
    enabled: bool,
    /// The secret for the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recovery_codes: Vec<Shown>,
}

impl From<FactorRefusal> for Failure {
    fn from(refusal: FactorRefusal) -> Failure {
        match refusal {
            FactorRefusal::CodeNeeded => Failure::Refused(format!("{refusal} (--code CODE)")),
            FactorRefusal::Unusable => {
                Failure::Refused(format!("{refusal} (litegate merchant second-factor disable)"))
            }
            FactorRefusal::WrongCode { .. }
            | FactorRefusal::WrongFirstCode
            | FactorRefusal::UsedCode
            | FactorRefusal::Locked { .. } => Failure::Refused(refusal.to_string()),
            FactorRefusal::EnabledAlready | FactorRefusal::NotEnabled | FactorRefusal::NotBegun => {
                Failure::Failed(refusal.to_string())
            }
        }
    }
}

impl SecondFactor {
    pub(super) fn run(self, config: &Config, store: &Store, format: Format) -> Result<(), Failure> {
        let view = match self {
            SecondFactor::Enable { merchant } => enable(config, store, merchant)?,
            SecondFactor::Confirm { merchant, code } => confirm(config, store, merchant, code)?,
            SecondFactor::Disable { merchant, code } => disable(config, store, merchant, code)?,
        };
        match format {
            Format::Json => print_json(&view),
            Format::Text => view.print(),
        }
    }
}

fn enable(config: &Config, store: &Store, merchant: MerchantId) -> Result<View, Failure> {
    let (secrets, now) = (config.secret()?.clone(), config.clock.now());
    let begin = move |tx: &WriteTx| operations::begin(tx, &Actor::Cli, &secrets, merchant, now);
    let setup = store.write_blocking(begin)?;
    let shown = |text: &crate::secret::Secret<String>| Some(Shown(text.reveal().clone()));
    let (secret, url) = (shown(&setup.secret), shown(&setup.url));
    Ok(View { secret, url, ..View::new(merchant) })
}

fn confirm(
    config: &Config,
    store: &Store,
    merchant: MerchantId,
    code: Code,
) -> Result<View, Failure> {
    let (secrets, now) = (config.secret()?.clone(), config.clock.now());
    let code = code.read()?.ok_or(FactorRefusal::CodeNeeded)?;
    let codes = store.write_blocking(move |tx| {
        operations::confirm(tx, &Actor::Cli, &secrets, merchant, &code, now)
    })?;
    let recovery_codes = codes.iter().map(|code| Shown(code.reveal().to_owned())).collect();
    Ok(View { enabled: true, recovery_codes, ..View::new(merchant) })
}

fn disable(
    config: &Config,
    store: &Store,
    merchant: MerchantId,
    code: Code,
) -> Result<View, Failure> {
    let now = config.clock.now();
    if code.code.is_none() {
        store.write_blocking(move |tx| operations::reset(tx, &Actor::Cli, merchant, now))?;
    } else {
        code.guard(config, store, merchant, move |tx, passed| {
            operations::disable(tx, &Actor::Cli, merchant, passed, now)
        })?;
    }
    Ok(View::new(merchant))
}

impl View {
    fn new(merchant: MerchantId) -> View {
        View {
            merchant_id: merchant.to_string(),
            enabled: false,
            secret: None,
            url: None,
            recovery_codes: Vec::new(),
        }
    }

    fn print(&self) -> Result<(), Failure> {
        if let (Some(secret), Some(url)) = (&self.secret, &self.url) {
            print_line(&format!("secret  {}", secret.0))?;
            print_line(&format!("url     {}", url.0))?;
            let merchant = &self.merchant_id;
            return print_line(&format!(
                "Enter one of them in an authenticator app. Then enable the second factor by the \
                 app's code: litegate merchant second-factor confirm {merchant} --code CODE"
            ));
        }
        if !self.enabled {
            return print_line("the second factor is disabled");
        }
        print_line("the second factor is enabled")?;
        print_line("Keep these recovery codes. Each works once, without the app:")?;
        self.recovery_codes.iter().try_for_each(|code| print_line(&format!("  {}", code.0)))
    }
}
