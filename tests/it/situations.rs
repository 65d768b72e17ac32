//! Situations that operators and shops reported of similar gateways, as tables of input and
//! result.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Stdio};

use crate::harness::files::{self, LITEGATE};
use crate::harness::gateway::Gateway;
use crate::harness::http;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::proxy::Relay;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for, wait_until};

/// The result of `check-config`.
enum Verdict {
    Taken,
    /// Names the key and contains these words.
    Refused(&'static str),
}

use Verdict::{Refused, Taken};

/// A key, a value and the result.
const URLS: [(&str, &str, Verdict); 34] = [
    ("public_url", "https://pay.example.com/", Taken),
    ("public_url", "HTTPS://Pay.Example.COM", Taken),
    ("public_url", "https://shop.example/pay-gw", Taken),
    ("public_url", "https://shop.example:8443/pay-gw/", Taken),
    ("public_url", "http://[::1]:8080", Taken),
    ("public_url", "https://pay.example.com/#top", Refused("fragment")),
    ("public_url", "https://pay.example.com/?shop=1", Refused("query")),
    ("public_url", "https://me@pay.example.com", Refused("user name")),
    ("public_url", "https://me:secret@pay.example.com", Refused("user name")),
    ("public_url", "pay.example.com", Refused("must be a URL")),
    ("public_url", "ftp://pay.example.com", Refused("must begin with https:// or http://")),
    ("node.rpc_url", "http://[::1]:9332", Taken),
    ("node.rpc_url", "HTTP://127.0.0.1:9332", Taken),
    ("node.rpc_url", "http://node.internal:9332/", Taken),
    ("node.rpc_url", "https://127.0.0.1:9332", Refused("litecoind serves no TLS")),
    ("node.rpc_url", "http://u:p@127.0.0.1:9332", Refused("rpc_password_file")),
    ("node.rpc_url", "http://127.0.0.1:9332/#a", Refused("fragment")),
    ("node.rpc_url", "http://::1:9332", Refused("must be a URL")),
    ("node.rpc_url", "localhost:9332", Refused("must be a URL")),
    ("node.zmq_rawtx", "tcp://[::1]:28332", Taken),
    ("node.zmq_rawtx", "TCP://127.0.0.1:28332", Taken),
    ("node.zmq_rawtx", "ipc:///run/litecoind/zmq", Taken),
    ("node.zmq_rawtx", "tcp://*:28332", Refused("is a wildcard")),
    ("node.zmq_rawtx", "tcp://127.0.0.1", Refused("port")),
    ("node.zmq_rawtx", "tcp://127.0.0.1:0", Refused("port")),
    ("node.zmq_rawtx", "http://127.0.0.1:28332", Refused("must be a URL")),
    ("node.zmq_hashblock", "tcp://*:28332", Refused("is a wildcard")),
    ("chain_guard.second_rpc_url", "https://node.example:9332", Refused("litecoind serves no TLS")),
    ("http.play_money_url", "http://127.0.0.1:1/#a", Refused("fragment")),
    ("http.play_money_url", "javascript:alert(1)", Refused("must be a URL")),
    ("sweeper.notify_url", "HTTPS://Operator.example/hook", Taken),
    ("sweeper.notify_url", "https://me@operator.example/", Refused("user name")),
    ("checkout.explorer_url", "HTTPS://Explorer.example/tx/{txid}", Taken),
    ("checkout.explorer_url", "https://me@explorer.example/{txid}", Refused("must be a URL")),
];

/// 1. Set each URL of the table: `check-config` accepts it, or refuses it in one line with the
///    reason.
#[test]
fn every_url_of_the_configuration_is_read_in_every_spelling() {
    let gateway = Gateway::offline();
    let good = gateway.config();
    for (key, value, verdict) in URLS {
        fs::write(gateway.config_file(), good.to_string()).unwrap();
        if key == "chain_guard.second_rpc_url" {
            gateway.set("chain_guard.second_cookie_file", "/nowhere/.cookie");
        }
        gateway.set(key, value);
        let said = gateway.cli(&["check-config"]);
        match verdict {
            Taken => assert_eq!(said.code, 0, "{key} = {value}: {said:?}"),
            Refused(words) => {
                assert_eq!(said.code, 2, "{key} = {value}: {said:?}");
                let line = said.stdout.lines().find(|line| line.starts_with(key));
                assert!(line.is_some_and(|line| line.contains(words)), "{value}: {said:?}");
                assert_eq!(said.stdout.lines().count(), 1, "one mistake, one line: {said:?}");
            }
        }
    }
}

/// 1. Set each proxy or site: accepted or refused as the table says.
#[test]
fn proxies_and_frames_are_networks_and_sites_in_every_spelling() {
    let gateway = Gateway::offline();
    let good = gateway.config();
    for (key, value, taken) in [
        ("http.trusted_proxies", "172.16.0.0/12", true),
        ("http.trusted_proxies", "fd00::/8", true),
        ("http.trusted_proxies", "::1", true),
        ("http.trusted_proxies", "::ffff:10.0.0.2", true),
        ("http.trusted_proxies", "172.16.0.0/33", false),
        ("http.trusted_proxies", "proxy.internal", false),
        ("checkout.frame_ancestors", "HTTPS://Shop.Example/", true),
        ("checkout.frame_ancestors", "https://shop.example/path", false),
    ] {
        fs::write(gateway.config_file(), good.to_string()).unwrap();
        gateway.set(key, toml::Value::Array(vec![value.into()]));
        let said = gateway.cli(&["check-config"]);
        assert_eq!(said.code, if taken { 0 } else { 2 }, "{key} = {value}: {said:?}");
    }
}

/// 1. Create each secret as Docker, Kubernetes or systemd mount it: of root, with a group and
///    a mode.
/// 2. The gateway's user reads secrets of its own or of its group alone, and refuses all
///    others.
#[test]
#[ignore = "needs root"]
fn mounted_secrets_are_read_by_their_group() {
    const USER: u32 = 4001;
    assert_eq!(files::user(), 0, "this test needs root");
    let gateway = Gateway::offline();
    let secret = gateway.setting("secret_file");
    fs::set_permissions(gateway.folder(), PermissionsExt::from_mode(0o711)).unwrap();
    for file in files::files_below(gateway.folder(), "") {
        chown(&file, Some(USER), Some(USER)).unwrap();
    }
    let run = |command: &str| {
        Command::new("setpriv")
            .args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--clear-groups"])
            .args([LITEGATE.as_str(), command, "--config"])
            .arg(gateway.config_file())
            .output()
            .unwrap()
    };
    // The key that moves money: its group reads it only where root mounted it for reading.
    let signing_key = gateway.setting("wallet.signing_key_file");
    for (owner, mode, taken) in [
        (0, 0o440, true),
        (0, 0o640, false),
        (USER, 0o640, false),
        (USER, 0o440, false),
        (USER, 0o600, true),
    ] {
        chown(&signing_key, Some(owner), Some(USER)).unwrap();
        fs::set_permissions(&signing_key, PermissionsExt::from_mode(mode)).unwrap();
        let output = run("doctor");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let refused = said.contains(&format!("other users may read it (mode {mode:o})"));
        assert_eq!(refused, !taken, "{owner} {mode:o}: {said}");
    }
    for (owner, group, mode, taken) in [
        (USER, USER, 0o600, true),
        (0, USER, 0o440, true), // Docker with a group, Kubernetes with fsGroup.
        (0, USER, 0o640, true),
        (0, USER, 0o444, false), // What Docker Swarm makes if no mode is named.
        (0, 4009, 0o440, false),
        (0, USER, 0o460, false),
        (USER, USER, 0o604, false),
    ] {
        chown(&secret, Some(owner), Some(group)).unwrap();
        fs::set_permissions(&secret, PermissionsExt::from_mode(mode)).unwrap();
        let output = run("check-config");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let refused = said.contains("secret_file") && said.contains(&format!("mode {mode:o}"));
        assert_eq!(output.status.success(), taken, "{owner}:{group} {mode:o}: {output:?}");
        assert!(taken || refused || mode == 0o440 || mode == 0o460, "{output:?}");
    }
}

#[test]
fn an_empty_secret_is_refused_with_its_config_key() {
    let gateway = Gateway::offline();
    let empty = gateway.folder().join("empty");
    for content in ["", "\n", " \r\n"] {
        fs::write(&empty, content).unwrap();
        fs::set_permissions(&empty, PermissionsExt::from_mode(0o600)).unwrap();
        gateway.set("discord.token_file", empty.display().to_string());
        gateway.set("discord.guild_id", 1);
        gateway.cli_fails(&["check-config"], 2, &["discord.token_file", "is empty"]);
    }
}

/// 1. Configure the node's RPC and ZMQ as IPv6 literals with an upper-case scheme.
/// 2. A payment is seen through ZMQ.
#[test]
fn a_node_is_reached_by_ipv6_literals() {
    let Some(node) = Node::shared() else { return };
    let port = |url: &str| -> u16 { url.rsplit_once(':').unwrap().1.parse().unwrap() };
    let rpc = Relay::on_ipv6_before(port(&node.rpc_url()));
    let zmq = Relay::on_ipv6_before(port(&node.zmq_url()));
    let test_env = TestEnv::beside(node, |gateway| {
        gateway.set("node.rpc_url", format!("HTTP://[0:0:0:0:0:0:0:1]:{}/", rpc.port()));
        gateway.set("node.zmq_rawtx", format!("TCP://[::1]:{}", zmq.port()));
        gateway.set("node.zmq_hashblock", format!("tcp://[::1]:{}", zmq.port()));
    });
    let payment = test_env.shop.create("0.05");
    test_env.node.send(&payment.address, "0.05");
    test_env.shop.await_field(&payment.id, "detail", "\"seen\"", SOON);
    let connected = "litegate_zmq_connections_total 0";
    wait_for("a ZMQ connection", SOON, || {
        let metrics = test_env.gateway.metrics();
        metrics.contains("litegate_zmq_connections_total") && !metrics.contains(connected)
    });
}

/// A method, a path below the public URL, and the status. `{id}` is a payment's.
const PATHS: [(&str, &str, u16); 26] = [
    ("GET", "/", 200),
    ("GET", "//", 200),
    ("HEAD", "/", 200),
    ("OPTIONS", "/", 204),
    ("POST", "/", 405),
    ("GET", "/docs/", 200),
    ("GET", "//docs", 200),
    ("HEAD", "/docs", 200),
    ("OPTIONS", "/docs", 204),
    ("GET", "/openapi.json/", 200),
    ("HEAD", "/openapi.json", 200),
    ("GET", "//api/payments/{id}", 200),
    ("GET", "/api//payments/{id}/", 200),
    ("HEAD", "/api/payments/{id}", 200),
    ("OPTIONS", "/api/payments/{id}", 204),
    ("HEAD", "/api/payments/{id}/events", 200),
    ("OPTIONS", "/api/payments/{id}/events", 204),
    ("GET", "/pay/{id}/", 200),
    ("GET", "//pay//{id}", 200),
    ("HEAD", "/pay/{id}", 200),
    ("OPTIONS", "/pay/{id}", 204),
    ("GET", "/pay/{id}/qr.svg/", 200),
    ("OPTIONS", "/api/payments", 204),
    ("OPTIONS", "/api/account", 204),
    ("GET", "//api/account", 401),
    ("GET", "/nowhere//", 404),
];

/// 1. Request each path and method of the table: the status matches; OPTIONS lists methods,
///    HEAD has no body.
/// 2. A POST with doubled and trailing slashes creates a payment.
#[test]
fn slash_and_method_variants_are_accepted_where_safe() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let id = shop.create("0.05").id;
    for (method, path, status) in PATHS {
        let path = path.replace("{id}", &id);
        let answer = gateway.request(method, &path, &[], "");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        if method == "OPTIONS" {
            let allowed = answer.header("allow").expect("it is listed");
            assert!(allowed.contains("OPTIONS"), "{path}: {allowed}");
            let shared = answer.header("access-control-allow-methods").is_some();
            let public = path.starts_with("/api/payments/");
            assert_eq!(shared, public, "{path}: keys stay out of browsers");
        }
        if method == "HEAD" {
            assert_eq!(answer.body, "", "{path}");
        }
    }
    let key = [("x-api-key", shop.api_key.as_str())];
    let created = gateway.request("POST", "//api/payments/", &key, r#"{"amountLtc": 0.05}"#);
    assert_eq!(created.status, 200, "{}", created.body);
    let home = gateway.get("/");
    assert_eq!(home.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(home.body.contains("/docs\">") && home.body.contains("Litecoin payment gateway"));
}

/// 1. Set a public URL with a path; the proxy forwards or removes it.
/// 2. Checkout, status, stream, QR code and documents answer both ways, and links stay below
///    the path.
#[test]
fn everything_works_below_a_path_prefix() {
    let Some(TestEnv { gateway, shop, node: _node }) =
        TestEnv::shared_with(|gateway| gateway.set("public_url", "https://shop.example/pay-gw/"))
    else {
        return;
    };
    let payment = shop.create("0.05");
    let url = payment.fields.text("paymentUrl");
    assert_eq!(url, format!("https://shop.example/pay-gw/pay/{}", payment.id));
    for prefix in ["", "/pay-gw", "//pay-gw/"] {
        for path in [
            "/".to_owned(),
            "/docs".to_owned(),
            "/openapi.json".to_owned(),
            format!("/api/payments/{}", payment.id),
            format!("/pay/{}", payment.id),
            format!("/pay/{}/qr.svg", payment.id),
        ] {
            let answer = gateway.get(&format!("{prefix}{path}"));
            assert_eq!(answer.status, 200, "{prefix}{path}: {}", answer.body);
            // Nothing leads to the root of the site.
            for root in ["href=\"/", "src=\"/", "action=\"/"] {
                assert!(!answer.body.contains(root), "{path}: {root}");
            }
        }
        let key = [("x-api-key", shop.api_key.as_str())];
        let path = format!("{prefix}/api/payments");
        let created = gateway.request("POST", &path, &key, r#"{"amountLtc": 0.05}"#);
        assert_eq!(created.status, 200, "{path}: {}", created.body);
    }
    assert_eq!(gateway.get("/pay-gwx/docs").status, 404);
    assert!(gateway.get("/docs").body.contains("https://shop.example/pay-gw/openapi.json"));
}

/// A body, its status, and words of the answer.
const BODIES: [(&[u8], u16, &str); 9] = [
    (b"\xef\xbb\xbf{\"amountLtc\":0.05,\"reference\":\"order-7\"}", 200, "order-7"),
    (b"\xef\xbb\xbf[]", 400, "must be a JSON object"),
    (
        "{\"amountLtc\":0.05,\"reference\":\"سفارش کتاب\u{200c}ها 12\"}".as_bytes(),
        200,
        "کتاب\u{200c}ها",
    ),
    ("{\"amountLtc\":0.05,\"reference\":\"👩\u{200d}👧\"}".as_bytes(), 200, "👩\u{200d}👧"),
    ("{\"amountLtc\":0.05,\"reference\":\"a\u{200d}b\"}".as_bytes(), 400, "invisible"),
    (b"{\"amountLtc\":0.05,\"reference\":\"\\ud83d\"}", 400, "unpaired surrogate"),
    (b"{\"amountLtc\":0.05,\"reference\":7}", 400, "must be a string or null"),
    (
        b"{\"amountLtc\":0.05,\"reference\":\"a\",\"reference\":\"b\"}",
        400,
        "must not be sent twice",
    ),
    (b"{\"amountLtc\":NaN}", 400, "is not valid JSON"),
];

#[test]
fn invalid_bodies_get_accurate_error_messages() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let key = [("x-api-key", shop.api_key.as_str())];
    for (body, status, words) in BODIES {
        let shown = String::from_utf8_lossy(body);
        let answer = http::request(gateway.port(), "POST", "/api/payments", &key, body).unwrap();
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
        assert!(answer.body.contains(words), "{shown}: {}", answer.body);
    }
}

/// 1. Let nothing read standard error, and log more than a pipe holds.
/// 2. Requests, health, metrics and SIGTERM work, and dropped lines are counted.
#[test]
fn an_unread_log_stops_nothing() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    gateway.term();
    let mut process = Command::new(LITEGATE.as_str())
        .args(["serve", "--config"])
        .arg(gateway.config_file())
        .env("LITEGATE_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let unread = process.stderr.take().unwrap();
    let answers = || http::request(gateway.port(), "GET", "/", &[], b"").is_ok();
    wait_for("the API", SOON, answers);
    let dropped = || {
        let metrics = gateway.metrics();
        let line =
            metrics.lines().find(|line| line.starts_with("litegate_log_lines_dropped_total"));
        line.unwrap().rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()
    };
    wait_for("lines that were dropped", SOON, || {
        for _ in 0..200 {
            assert!(answers(), "the gateway answers");
        }
        dropped() > 0
    });
    assert_eq!(shop.post(r#"{"amountLtc": 0.05}"#, &[]).status, 200);
    files::signal(process.id(), "TERM");
    let status = wait_until("the end after SIGTERM", SOON, || process.try_wait().unwrap());
    assert!(status.success(), "{status}");
    drop(unread);
}

/// 1. A client requests keep-alive events that scripts can see; other clients get comments
///    only.
#[test]
#[ignore = "long"]
fn a_quiet_stream_sends_keep_alive_events_on_request() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let id = shop.create("0.05").id;
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let path = format!("/api/payments/{id}/events?alive=event");
    std::io::Write::write_all(
        &mut stream,
        format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes(),
    )
    .unwrap();
    let (mut seen, mut bytes) = (String::new(), [0; 4096]);
    while !seen.contains("event:alive") {
        let count = stream.read(&mut bytes).expect("more, in time");
        assert!(count > 0, "closed after {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    assert!(seen.find("\"detail\":\"waiting\"") < seen.find("event:alive"), "{seen}");
    let twice = gateway.get(&format!("{path}&alive=x"));
    assert_eq!(twice.status, 400);
    assert_eq!(Fields::of(&twice.body).object("error").text("param"), "alive");
}
