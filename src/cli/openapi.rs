//! `litegate openapi`: prints the OpenAPI document.

use std::path::Path;

use clap::Args;

use super::failure::Failure;
use super::output::print_line;
use crate::{config, http};

/// The server URL without configuration and `--url`.
const URL_USUAL: &str = "https://pay.example.com";

#[derive(Args)]
#[command(after_help = "Example: litegate openapi --url https://pay.example.com > openapi.json")]
pub(super) struct Openapi {
    /// The gateway's own URL (default: the configuration's public_url, if --config is given)
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Openapi {
    pub(super) fn run(self, config: Option<&Path>) -> Result<(), Failure> {
        let url = match (self.url, config) {
            (Some(text), _) => read_url(&text)?,
            (None, Some(file)) => {
                let config = config::load(Some(file)).map_err(anyhow::Error::new)?;
                config.site.public_url
            }
            (None, None) => URL_USUAL.to_owned(),
        };
        print_line(http::openapi::document(&url).trim_end())
    }
}

fn read_url(text: &str) -> Result<String, Failure> {
    config::read_site(text).map_err(|wrong| Failure::Usage(format!("--url {wrong}")))
}
