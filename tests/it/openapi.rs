//! The OpenAPI document: valid, printed as served, and consistent with the running server for
//! thousands of generated requests.
//!
//! `API_CASES=150 API_SEED=7 cargo test --test it openapi -- --include-ignored` generates
//! more.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::harness::files;
use crate::harness::gateway::{Gateway, Output};
use crate::harness::json::Fields;
use crate::harness::random::setting;
use crate::harness::test_env::TestEnv;

fn checkers() -> PathBuf {
    files::project().join("tests/shops/openapi")
}

/// Installs the validator and schemathesis if they are not there yet.
#[track_caller]
fn prepare() {
    static PREPARED: OnceLock<Result<(), String>> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| {
        let there = ["schemathesis", "openapi_spec_validator"];
        if there.iter().all(|name| checkers().join("python").join(name).is_dir()) {
            return Ok(());
        }
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--root-user-action=ignore", "--target", "python"]);
        pip.args(["--requirement", "requirements.txt"]);
        match pip.current_dir(checkers()).stdin(Stdio::null()).output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " / ")),
            Err(error) => Err(error.to_string()),
        }
    });
    if let Err(why) = prepared {
        panic!("tests/shops/openapi/requirements.txt cannot be installed by pip: {why}");
    }
}

/// Runs Python with the checkers in this directory, where they leave files.
fn python(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("python3");
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env("PYTHONPATH", checkers().join("python"));
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", checkers().join("formats.py"));
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    let output = command.output().expect("python3 is installed");
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// 1. The served document is valid and equals the output of `litegate openapi`.
/// 2. Without configuration, `--url` sets the server; an invalid URL exits with 2.
#[test]
fn the_openapi_document_is_valid_and_printed_as_served() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    prepare();
    let served = gateway.get("/openapi.json");
    assert_eq!(served.status, 200);
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert_eq!(served.header("access-control-allow-origin"), Some("*"));
    let printed = gateway.cli_ok(&["openapi"]).stdout;
    assert_eq!(printed.trim_end(), served.body.trim_end());
    assert!(!served.body.contains("{{"), "something was not filled in");
    let file = gateway.folder().join("openapi.json");
    std::fs::write(&file, &served.body).unwrap();
    let check = checkers().join("check.py").display().to_string();
    let checked = python(gateway.folder(), &[&check, &file.display().to_string()]);
    assert_eq!(checked.code, 0, "{checked:?}");

    let elsewhere = Gateway::bare();
    let printed = elsewhere.run(&["openapi", "--url", "https://shop.example/pay/"]).stdout;
    let servers = Fields::of(&printed).objects("servers");
    assert_eq!(servers[0].text("url"), "https://shop.example/pay");
    assert_eq!(elsewhere.run(&["openapi", "--url", "shop.example"]).code, 2);
}

/// Requests that schemathesis makes up for each operation and phase.
const CASES_USUAL: u64 = 15;

/// Runs all of schemathesis's checks with this key. Answers how many requests it made.
#[track_caller]
fn check_by_schemathesis(gateway: &Gateway, key: &str, without: &[&str]) -> u64 {
    let cases = setting("API_CASES", CASES_USUAL).to_string();
    let seed = setting("API_SEED", 20_261_124).to_string();
    let url = format!("http://127.0.0.1:{}/openapi.json", gateway.port());
    let key = format!("x-api-key:{key}");
    let config = checkers().join("schemathesis.toml").display().to_string();
    let exclude = without.join(",");
    let mut arguments =
        vec!["-m", "schemathesis.cli", "--config-file", &config, "run", &url, "--header", &key];
    arguments.extend(["--checks", "all", "--continue-on-failure", "--max-examples", &cases]);
    arguments.extend(["--seed", &seed, "--generation-database", "none", "--no-color"]);
    arguments.extend(["--request-timeout", "20", "--max-response-time", "10"]);
    if !without.is_empty() {
        arguments.extend(["--exclude-checks", &exclude]);
    }
    let run = python(gateway.folder(), &arguments);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    // "Test cases:" and then "1234 generated, …".
    let made = run.stdout.lines().find_map(|line| {
        let count = line.trim().split(" generated").next()?;
        line.contains(" generated").then(|| count.parse().ok())?
    });
    let made = made.unwrap_or_else(|| panic!("how many cases? {}", run.stdout));
    println!("{made} made-up requests");
    made
}

fn any_amount(gateway: &Gateway) {
    gateway.set("payments.min_amount", "0.00000001");
}

#[test]
#[ignore = "long"]
fn generated_requests_match_the_openapi_document() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared_with(any_amount) else {
        return;
    };
    prepare();
    let made = check_by_schemathesis(&gateway, &shop.api_key, &[]);
    assert!(made >= 200, "{made} cases");
}

#[test]
#[ignore = "long"]
fn generated_requests_with_a_wrong_key_match_the_document() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared_with(any_amount) else {
        return;
    };
    prepare();
    let wrong = format!("{}x", shop.api_key);
    // Refusing valid requests is intended here.
    let made = check_by_schemathesis(&gateway, &wrong, &["positive_data_acceptance"]);
    assert!(made >= 200, "{made} cases");
}
