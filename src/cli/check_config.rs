//! `litegate check-config`: reports all configuration mistakes, without a node.

use std::path::Path;

use bitcoin::Script;
use clap::Args;

use super::failure::Failure;
use super::output::print_line;
use crate::config::{self, Mistakes};
use crate::operations::own_addresses::OwnAddresses;

#[derive(Args)]
#[command(after_help = "Example: litegate check-config --config /etc/litegate/litegate.toml")]
pub(super) struct CheckConfig {}

impl CheckConfig {
    pub(super) fn run(self, config: Option<&Path>) -> Result<(), Failure> {
        let checked = config::load(config).and_then(|config| {
            let own = OwnAddresses::new(config.xpub.clone());
            let is_own = |script: &Script| Ok::<_, Mistakes>(own.is_of_new_account(script));
            config.check_operator_address(is_own)??;
            Ok(config)
        });
        match checked {
            Ok(config) => {
                print_line(&format!("ok: {} at {}", config.network, config.site.public_url))
            }
            Err(mistakes) => {
                for mistake in &mistakes.0 {
                    print_line(mistake)?;
                }
                let n = mistakes.0.len();
                Err(Failure::Usage(format!("mistakes in the configuration ({n}): {mistakes}")))
            }
        }
    }
}
