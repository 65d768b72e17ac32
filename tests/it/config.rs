//! The configuration is strict: what is wrong is refused at start by the key's name.

use crate::harness::gate::Gate;
use crate::harness::node::Node;
use crate::harness::stage::Stage;

/// The configuration with one change is refused by `serve` and `check-config`, naming the key.
#[track_caller]
fn check_refused(change: impl FnOnce(&Gate), words: &[&str]) {
    let gate = Gate::offline();
    change(&gate);
    for command in ["serve", "check-config"] {
        let output = gate.cli_fails(&[command], 2, words);
        assert!(!output.stderr.contains("panicked"), "{output:?}");
    }
}

#[test]
fn unknown_keys_are_refused() {
    check_refused(|gate| gate.set("payments.confirmation", 6), &["payments", "confirmation"]);
    check_refused(|gate| gate.set("webhook.timeout", 6), &["webhook"]);
    check_refused(|gate| gate.set("netwrok", "main"), &["netwrok"]);
    check_refused(
        |gate| gate.set_environment("LITEGATE_PAYMENTS__CONFIRMATION", "6"),
        &["LITEGATE_PAYMENTS__CONFIRMATION"],
    );
    check_refused(|gate| gate.set_environment("LITEGATE_NETWROK", "main"), &["LITEGATE_NETWROK"]);
}

#[test]
fn what_others_call_after_us_is_left_alone() {
    let gate = Gate::offline();
    gate.set_environment("LITEGATE_BIN", "/usr/bin/litegate");
    gate.cli_ok(&["check-config"]);
}

#[test]
fn metrics_are_never_on_the_public_port() {
    let public = |gate: &Gate| gate.set("metrics.listen", gate.setting("http.listen"));
    check_refused(public, &["metrics.listen", "http.listen"]);
}

#[test]
fn wrong_values_are_refused_by_the_name_of_the_key() {
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
        check_refused(|gate| gate.set(key, value), &[name]);
    }
    for (key, value) in [
        ("http.streams_max", 0),
        ("http.streams_max", 50_001),
        ("payments.confirmations", 0),
        ("payments.confirmations", -1),
        ("payments.confirmations", 5_000_000_000_i64),
        ("payments.confirmations_large", 0),
        ("sweeper.max_fee_percent", 101),
        ("http.rate_per_key", -1),
        ("public_url", 5),
    ] {
        let name = key.rsplit('.').next().unwrap();
        check_refused(|gate| gate.set(key, value), &[name]);
    }
}

#[test]
fn the_operators_url_is_https_or_on_this_machine() {
    let gate = Gate::offline();
    for url in ["https://operator.example/", "https://10.0.0.1/", "http://127.0.0.1:8080/x"] {
        gate.set("sweeper.notify_url", url);
        gate.cli_ok(&["check-config"]);
    }
    gate.unset("sweeper.seal_key_file");
    gate.cli_fails(&["check-config"], 2, &["sweeper.notify_url", "seal_key_file"]);
}

#[test]
fn the_network_has_no_default() {
    check_refused(
        |gate| {
            let mut config = gate.config();
            config.remove("network").unwrap();
            std::fs::write(gate.config_file(), config.to_string()).unwrap();
        },
        &["network"],
    );
}

#[test]
fn missing_and_broken_files_are_refused() {
    check_refused(|gate| std::fs::remove_file(gate.config_file()).unwrap(), &["litegate.toml"]);
    check_refused(
        |gate| std::fs::write(gate.config_file(), "network = \n").unwrap(),
        &["litegate.toml"],
    );
    check_refused(|gate| gate.set("secret_file", "/no/such/secret"), &["secret_file"]);
    check_refused(
        |gate| std::fs::write(gate.setting("secret_file"), "short").unwrap(),
        &["secret_file"],
    );
    check_refused(
        |gate| gate.set("wallet.signing_key_file", "/no/such/key"),
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
    check_refused(|gate| gate.set("wallet.xpub", main), &["xpub"]);
    let gate = Gate::offline();
    gate.set("wallet.xpub", private);
    let output = gate.cli_fails(&["serve"], 2, &["xpub", "private"]);
    assert!(!output.stderr.contains(private), "a private key is not repeated: {output:?}");
}

#[test]
fn several_nodes_are_judged_one_by_one() {
    fn several(gate: &Gate, change: impl FnOnce(&mut toml::Table)) {
        let first = gate.config()["node"].clone();
        let mut second = first.clone();
        let table = second.as_table_mut().unwrap();
        table.insert("rpc_url".to_owned(), "http://192.0.2.7:9332".into());
        change(table);
        gate.set("node", toml::Value::Array(vec![first, second]));
    }
    let gate = Gate::offline();
    several(&gate, |_| ());
    assert_eq!(gate.cli(&["check-config"]).code, 0);
    // With one node a variable can set its keys; with several it is not clear which.
    gate.set_environment("LITEGATE_NODE__RPC_URL", "http://192.0.2.8:9332");
    gate.cli_fails(&["check-config"], 2, &["LITEGATE_NODE__RPC_URL", "several sections"]);
    check_refused(
        |gate| several(gate, |node| drop(node.insert("rpc_ur".to_owned(), "x".into()))),
        &["node[2].rpc_ur", "rpc_url"],
    );
    check_refused(
        |gate| several(gate, |node| drop(node.remove("cookie_file"))),
        &["node[2].cookie_file", "is missing"],
    );
    check_refused(
        |gate| {
            let url = gate.setting("node.rpc_url");
            several(gate, |node| drop(node.insert("rpc_url".to_owned(), url.into())));
        },
        &["node[2].rpc_url", "the same node"],
    );
    check_refused(|gate| gate.set("node", toml::Value::Array(Vec::new())), &["node"]);
    check_refused(|gate| gate.set("failover.patience", "10ms"), &["failover.patience"]);
    let gate = Gate::offline();
    gate.set("node.rpc_url", "nowhere");
    gate.set_environment("LITEGATE_NODE__RPC_URL", "http://192.0.2.8:9332");
    assert_eq!(gate.cli(&["check-config"]).code, 0, "of one node the variable wins");
}

#[test]
fn check_config_tells_all_mistakes_at_once() {
    let gate = Gate::offline();
    assert_eq!(gate.cli(&["check-config"]).code, 0, "as init made it: no node is needed");
    gate.set("payments.expiry", "soon");
    gate.set("payments.min_amount", "little");
    gate.set("public_url", "nowhere");
    gate.cli_fails(&["check-config"], 2, &["expiry", "min_amount", "public_url"]);
}

#[test]
fn environment_variables_override_the_file() {
    let Some(node) = Node::shared() else { return };
    let Stage { gate, shop, node: _node } = Stage::beside(node, |gate| {
        gate.set("payments.confirmations", 3);
        gate.set_environment("LITEGATE_PAYMENTS__CONFIRMATIONS", "5");
        gate.set_environment("LITEGATE_PUBLIC_URL", "https://pay.example.com/");
    });
    let payment = shop.create("0.05");
    assert_eq!(payment.fields.raw("confirmationsRequired"), "5");
    let url = format!("https://pay.example.com/pay/{}", payment.id);
    assert_eq!(payment.fields.text("paymentUrl"), url);
    gate.term();
    gate.set_environment("LITEGATE_PAYMENTS__EXPIRY", "soon");
    gate.cli_fails(&["serve"], 2, &["expiry"]);
}

#[test]
fn all_mistakes_are_told_at_once_with_their_lines_and_what_was_meant() {
    let gate = Gate::offline();
    gate.set("payments.confirmation", 6);
    gate.set("payments.late_grace", 24);
    gate.set("sweeper.interval", "often");
    gate.set("expiry", "1h");
    let text = std::fs::read_to_string(gate.config_file()).unwrap();
    let line = |key: &str| {
        let at = text.lines().position(|line| line.starts_with(key)).unwrap();
        format!("(line {})", at + 1)
    };
    let said = gate.cli_fails(&["check-config"], 2, &[]).stdout;
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

#[test]
fn the_effective_configuration_is_shown_with_where_it_comes_from() {
    let gate = Gate::offline();
    gate.set_environment("LITEGATE_PAYMENTS__EXPIRY", "2h");
    gate.set("node.rpc_url", "http://someone:hunter2@127.0.0.1:9332");
    let shown = gate.cli_ok(&["config", "show"]).stdout;
    for line in [
        "payments.expiry = \"2h\"  # environment",
        "payments.confirmations = 2  # file",
        "payments.confirmations_pegout = 24  # default",
        "network = \"regtest\"  # file",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    assert!(shown.contains("someone:***@") && !shown.contains("hunter2"), "{shown}");
    let listed = gate.cli_list(&["config", "show"]);
    assert!(listed.iter().any(|one| one.text("key") == "payments.expiry"), "{listed:?}");
}

#[test]
fn a_credential_of_systemd_goes_before_the_file_of_its_name() {
    let gate = Gate::offline();
    let folder = gate.folder().join("credentials");
    std::fs::create_dir(&folder).unwrap();
    gate.set_environment("CREDENTIALS_DIRECTORY", &folder.display().to_string());
    let secret = gate.setting("secret_file");
    std::fs::rename(&secret, folder.join("secret")).unwrap();
    // What a unit gives where the machine has no such secret.
    std::fs::write(folder.join("seal.key"), "\n").unwrap();
    assert_eq!(gate.cli(&["check-config"]).code, 0);
    std::fs::write(folder.join("secret"), "short").unwrap();
    gate.cli_fails(&["check-config"], 2, &["secret_file"]);
}
