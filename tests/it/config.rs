//! The configuration is strict: mistakes are refused at start with the key's name.

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::test_env::TestEnv;

/// `serve` and `check-config` refuse the changed configuration and name the key.
#[track_caller]
fn check_refused(change: impl FnOnce(&Gateway), words: &[&str]) {
    let gateway = Gateway::offline();
    change(&gateway);
    for command in ["serve", "check-config"] {
        let output = gateway.cli_fails(&[command], 2, words);
        assert!(!output.stderr.contains("panicked"), "{output:?}");
    }
}

#[test]
fn unknown_keys_are_refused() {
    check_refused(|gateway| gateway.set("payments.confirmation", 6), &["payments", "confirmation"]);
    check_refused(|gateway| gateway.set("webhook.timeout", 6), &["webhook"]);
    check_refused(|gateway| gateway.set("netwrok", "main"), &["netwrok"]);
    check_refused(
        |gateway| gateway.set_environment("LITEGATE_PAYMENTS__CONFIRMATION", "6"),
        &["LITEGATE_PAYMENTS__CONFIRMATION"],
    );
    check_refused(
        |gateway| gateway.set_environment("LITEGATE_NETWROK", "main"),
        &["LITEGATE_NETWROK"],
    );
}

#[test]
fn unrelated_litegate_variables_are_ignored() {
    let gateway = Gateway::offline();
    gateway.set_environment("LITEGATE_BIN", "/usr/bin/litegate");
    gateway.cli_ok(&["check-config"]);
}

#[test]
fn metrics_are_never_on_the_public_port() {
    let public = |gateway: &Gateway| gateway.set("metrics.listen", gateway.setting("http.listen"));
    check_refused(public, &["metrics.listen", "http.listen"]);
}

/// 1. Set each key to an invalid text or number.
/// 2. `serve` and `check-config` refuse it and name the key.
#[test]
fn invalid_values_are_refused_with_the_name_of_the_key() {
    for (key, value) in [
        ("network", "mainnet"),
        ("public_url", "pay.example.com"),
        ("public_url", "ftp://pay.example.com"),
        ("http.listen", "8080"),
        ("http.listen", "127.0.0.1:99999"),
        ("node.rpc_url", "127.0.0.1:9332"),
        ("node.zmq_rawtx", "127.0.0.1:28332"),
        ("wallet.xpub", "zpub"),
        ("payments.expiry", "30"),
        ("payments.expiry", "half an hour"),
        ("payments.expiry", "0s"),
        ("payments.late_grace", "-1h"),
        ("payments.min_amount", "0.123456789"),
        ("payments.min_amount", "-1"),
        ("payments.large_amount", "much"),
        ("payments.confirmations", "six"),
        ("sweeper.interval", "often"),
        ("sweeper.min_payout", "1e400"),
        ("sweeper.notify_url", "http://operator.example/"),
        ("sweeper.notify_url", "http://10.0.0.1/"),
        ("sweeper.notify_url", "operator.example"),
        ("webhooks.allow_private_networks", "maybe"),
        ("metrics.listen", "everywhere"),
    ] {
        let name = key.rsplit('.').next().unwrap();
        check_refused(|gateway| gateway.set(key, value), &[name]);
    }
    for (key, value) in [
        ("http.max_event_streams", 0),
        ("http.max_event_streams", 50_001),
        ("payments.confirmations", 0),
        ("payments.confirmations", -1),
        ("payments.confirmations", 5_000_000_000_i64),
        ("payments.confirmations_large", 0),
        ("sweeper.max_fee_percent", 101),
        ("http.rate_per_key", -1),
        ("public_url", 5),
    ] {
        let name = key.rsplit('.').next().unwrap();
        check_refused(|gateway| gateway.set(key, value), &[name]);
    }
}

#[test]
fn the_operators_url_is_https_or_on_this_machine() {
    let gateway = Gateway::offline();
    for url in ["https://operator.example/", "https://10.0.0.1/", "http://127.0.0.1:8080/x"] {
        gateway.set("sweeper.notify_url", url);
        gateway.cli_ok(&["check-config"]);
    }
    gateway.unset("sweeper.seal_key_file");
    gateway.cli_fails(&["check-config"], 2, &["sweeper.notify_url", "seal_key_file"]);
}

#[test]
fn the_network_has_no_default() {
    check_refused(
        |gateway| {
            let mut config = gateway.config();
            config.remove("network").unwrap();
            std::fs::write(gateway.config_file(), config.to_string()).unwrap();
        },
        &["network"],
    );
}

/// 1. Remove or break the configuration, the secret and the signing key.
/// 2. `serve` and `check-config` refuse each by name.
#[test]
fn missing_and_broken_files_are_refused() {
    check_refused(
        |gateway| std::fs::remove_file(gateway.config_file()).unwrap(),
        &["litegate.toml"],
    );
    check_refused(
        |gateway| std::fs::write(gateway.config_file(), "network = \n").unwrap(),
        &["litegate.toml"],
    );
    check_refused(|gateway| gateway.set("secret_file", "/no/such/secret"), &["secret_file"]);
    check_refused(
        |gateway| std::fs::write(gateway.setting("secret_file"), "short").unwrap(),
        &["secret_file"],
    );
    check_refused(
        |gateway| gateway.set("wallet.signing_key_file", "/no/such/key"),
        &["signing_key_file"],
    );
}

#[test]
fn keys_of_another_network_or_kind_are_refused() {
    // BIP32's test vector 1, master: public on mainnet, and private.
    let main = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJo\
                Cu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8";
    let private = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJ\
                   xWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi";
    check_refused(|gateway| gateway.set("wallet.xpub", main), &["xpub"]);
    let gateway = Gateway::offline();
    gateway.set("wallet.xpub", private);
    let output = gateway.cli_fails(&["serve"], 2, &["xpub", "private"]);
    assert!(!output.stderr.contains(private), "a private key is not repeated: {output:?}");
}

/// 1. Two nodes are valid.
/// 2. A variable for a key of several nodes is ambiguous and refused.
/// 3. Mistakes name the node's number; no node and a short timeout are refused.
/// 4. With a single node the variable overrides the file.
#[test]
fn several_nodes_are_validated_one_by_one() {
    fn several(gateway: &Gateway, change: impl FnOnce(&mut toml::Table)) {
        let first = gateway.config()["node"].clone();
        let mut second = first.clone();
        let table = second.as_table_mut().unwrap();
        table.insert("rpc_url".to_owned(), "http://192.0.2.7:9332".into());
        change(table);
        gateway.set("node", toml::Value::Array(vec![first, second]));
    }
    let gateway = Gateway::offline();
    several(&gateway, |_| ());
    assert_eq!(gateway.cli(&["check-config"]).code, 0);
    gateway.set_environment("LITEGATE_NODE__RPC_URL", "http://192.0.2.8:9332");
    gateway.cli_fails(&["check-config"], 2, &["LITEGATE_NODE__RPC_URL", "several sections"]);
    check_refused(
        |gateway| several(gateway, |node| drop(node.insert("rpc_ur".to_owned(), "x".into()))),
        &["node[2].rpc_ur", "rpc_url"],
    );
    check_refused(
        |gateway| several(gateway, |node| drop(node.remove("cookie_file"))),
        &["node[2].cookie_file", "is missing"],
    );
    check_refused(
        |gateway| {
            let url = gateway.setting("node.rpc_url");
            several(gateway, |node| drop(node.insert("rpc_url".to_owned(), url.into())));
        },
        &["node[2].rpc_url", "the same node"],
    );
    check_refused(|gateway| gateway.set("node", toml::Value::Array(Vec::new())), &["node"]);
    check_refused(|gateway| gateway.set("failover.timeout", "10ms"), &["failover.timeout"]);
    let gateway = Gateway::offline();
    gateway.set("node.rpc_url", "nowhere");
    gateway.set_environment("LITEGATE_NODE__RPC_URL", "http://192.0.2.8:9332");
    assert_eq!(gateway.cli(&["check-config"]).code, 0, "of one node the variable wins");
}

#[test]
fn check_config_reports_all_mistakes_at_once() {
    let gateway = Gateway::offline();
    assert_eq!(gateway.cli(&["check-config"]).code, 0, "as init made it: no node is needed");
    gateway.set("payments.expiry", "soon");
    gateway.set("payments.min_amount", "little");
    gateway.set("public_url", "nowhere");
    gateway.cli_fails(&["check-config"], 2, &["expiry", "min_amount", "public_url"]);
}

#[test]
fn environment_variables_override_the_file() {
    let Some(node) = Node::shared() else { return };
    let TestEnv { gateway, shop, node: _node } = TestEnv::beside(node, |gateway| {
        gateway.set("payments.confirmations", 3);
        gateway.set_environment("LITEGATE_PAYMENTS__CONFIRMATIONS", "5");
        gateway.set_environment("LITEGATE_PUBLIC_URL", "https://pay.example.com/");
    });
    let payment = shop.create("0.05");
    assert_eq!(payment.fields.raw("confirmationsRequired"), "5");
    let url = format!("https://pay.example.com/pay/{}", payment.id);
    assert_eq!(payment.fields.text("paymentUrl"), url);
    gateway.term();
    gateway.set_environment("LITEGATE_PAYMENTS__EXPIRY", "soon");
    gateway.cli_fails(&["serve"], 2, &["expiry"]);
}

/// 1. Make four mistakes.
/// 2. `check-config` reports each with its line, and suggests the intended key.
#[test]
fn all_mistakes_are_reported_with_their_lines_and_suggestions() {
    let gateway = Gateway::offline();
    gateway.set("payments.confirmation", 6);
    gateway.set("payments.late_grace", 24);
    gateway.set("sweeper.interval", "often");
    gateway.set("expiry", "1h");
    let text = std::fs::read_to_string(gateway.config_file()).unwrap();
    let line = |key: &str| {
        let at = text.lines().position(|line| line.starts_with(key)).unwrap();
        format!("(line {})", at + 1)
    };
    let said = gateway.cli_fails(&["check-config"], 2, &[]).stdout;
    let said: Vec<&str> = said.lines().collect();
    let wanted = [
        format!("expiry is an unknown key; did you mean payments.expiry? {}", line("expiry")),
        format!("did you mean confirmations? {}", line("confirmation ")),
        format!("payments.late_grace must be text in quotes {}", line("late_grace")),
        format!(
            "sweeper.interval must be a number and a unit (ms, s, m, h, d), such as \"30m\" {}",
            line("interval")
        ),
    ];
    assert_eq!(said.len(), wanted.len(), "{said:?}");
    for words in &wanted {
        assert!(said.iter().any(|line| line.ends_with(words.as_str())), "{words}: {said:?}");
    }
}

/// 1. Set keys by file and environment, with a password in a URL.
/// 2. `config show` prints value and source of each key, and masks the password.
#[test]
fn config_show_prints_each_effective_value_with_its_source() {
    let gateway = Gateway::offline();
    gateway.set_environment("LITEGATE_PAYMENTS__EXPIRY", "2h");
    gateway.set("node.rpc_url", "http://someone:hunter2@127.0.0.1:9332");
    let shown = gateway.cli_ok(&["config", "show"]).stdout;
    for line in [
        "payments.expiry = \"2h\"  # environment",
        "payments.confirmations = 2  # file",
        "payments.confirmations_pegout = 24  # default",
        "network = \"regtest\"  # file",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    assert!(shown.contains("someone:***@") && !shown.contains("hunter2"), "{shown}");
    let listed = gateway.cli_list(&["config", "show"]);
    assert!(listed.iter().any(|one| one.text("key") == "payments.expiry"), "{listed:?}");
}

/// 1. Move the secret into the credentials directory: the configuration is valid.
/// 2. An empty credential counts as missing; an invalid one is refused.
#[test]
fn a_systemd_credential_overrides_the_file_of_its_name() {
    let gateway = Gateway::offline();
    let folder = gateway.folder().join("credentials");
    std::fs::create_dir(&folder).unwrap();
    gateway.set_environment("CREDENTIALS_DIRECTORY", &folder.display().to_string());
    let secret = gateway.setting("secret_file");
    std::fs::rename(&secret, folder.join("secret")).unwrap();
    // What a unit passes for a missing secret.
    std::fs::write(folder.join("seal.key"), "\n").unwrap();
    assert_eq!(gateway.cli(&["check-config"]).code, 0);
    std::fs::write(folder.join("secret"), "short").unwrap();
    gateway.cli_fails(&["check-config"], 2, &["secret_file"]);
}
