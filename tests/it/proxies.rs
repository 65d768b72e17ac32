//! Debian's proxies in front of the gateway, with the examples in `config/`: shops and
//! shoppers get the same responses as without one.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::harness::files;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::ports;
use crate::harness::test_env::TestEnv;
use crate::harness::tls::Identity;
use crate::harness::wait::{SOON, wait_for};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nginx,
    Caddy,
    Haproxy,
}

/// A proxy on two free ports of this machine. Killed when it is dropped.
struct Proxy {
    process: Child,
    plain: u16,
    tls: u16,
    folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A proxy that is killed leaves its workers behind.
        if let Ok(None) = self.process.try_wait() {
            files::signal(self.process.id(), "TERM");
        }
        let _ = self.process.wait();
    }
}

/// curl's result.
struct Answer {
    status: String,
    content_type: String,
    body: String,
}

impl Proxy {
    fn before(gateway: &Gateway, kind: Kind) -> Proxy {
        let folder = files::folder();
        let (plain, tls) = (ports::free(), ports::free());
        let authority = Identity::authority("A test's authority");
        let identity = authority.signed_by("pay.example.com", crate::harness::tls::GOOD);
        let [certificate, key] = identity.write_to(folder.path());
        let process = match kind {
            Kind::Nginx => nginx(gateway.port(), [plain, tls], folder.path(), [&certificate, &key]),
            Kind::Caddy => caddy(gateway.port(), [plain, tls], folder.path(), [&certificate, &key]),
            Kind::Haproxy => {
                haproxy(gateway.port(), [plain, tls], folder.path(), [&certificate, &key])
            }
        };
        let mut proxy = Proxy { process, plain, tls, folder };
        wait_for("the proxy", SOON, || {
            let ended = proxy.process.try_wait().unwrap();
            assert!(ended.is_none(), "{kind:?} ended: {}", proxy.log());
            std::net::TcpStream::connect(("127.0.0.1", tls)).is_ok()
        });
        proxy
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Asks by curl, whose options come first.
    #[track_caller]
    fn curl(&self, options: &[&str], path: &str) -> Answer {
        let output = self.curl_to(options, &format!("https://pay.example.com:{}{path}", self.tls));
        let text = String::from_utf8_lossy(&output).into_owned();
        let (body, notified) = text.rsplit_once('\n').expect(&text);
        let (status, content_type) = notified.split_once(' ').expect(notified);
        let content_type = content_type.to_owned();
        Answer { status: status.to_owned(), content_type, body: body.to_owned() }
    }

    fn curl_to(&self, options: &[&str], url: &str) -> Vec<u8> {
        let mut command = self.curl_command(options, url);
        let output = command.args(["-w", "\n%{http_code} %{content_type}"]).output().unwrap();
        output.stdout
    }

    fn curl_command(&self, options: &[&str], url: &str) -> Command {
        let mut command = Command::new("curl");
        command.args(["-s", "-k", "--max-time", "20"]).args(options);
        for port in [self.plain, self.tls] {
            command.args(["--resolve", &format!("pay.example.com:{port}:127.0.0.1")]);
        }
        command.arg(url).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }
}

fn example(name: &str) -> String {
    fs::read_to_string(files::project().join("config").join(name)).unwrap()
}

/// A text with other words, each of which must be there.
#[track_caller]
fn changed(text: String, changes: &[(&str, String)]) -> String {
    changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from} is missing in the example");
        text.replace(from, to)
    })
}

fn spawn(command: &mut Command, folder: &Path) -> Child {
    let log = fs::File::create(folder.join("log")).unwrap();
    let both = log.try_clone().unwrap();
    command.stdin(Stdio::null()).stdout(log).stderr(both).spawn().unwrap()
}

fn nginx(
    port: u16,
    [plain, tls]: [u16; 2],
    folder: &Path,
    [certificate, key]: [&PathBuf; 2],
) -> Child {
    let letsencrypt = "/etc/letsencrypt/live/pay.example.com";
    let site = changed(
        example("nginx.conf"),
        &[
            ("listen 80;", format!("listen 127.0.0.1:{plain};")),
            ("listen 443 ssl;", format!("listen 127.0.0.1:{tls} ssl;")),
            ("http://127.0.0.1:8080", format!("http://127.0.0.1:{port}")),
            (&format!("{letsencrypt}/fullchain.pem"), certificate.display().to_string()),
            (&format!("{letsencrypt}/privkey.pem"), key.display().to_string()),
        ],
    );
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
        .collect();
    let user = if files::user() == 0 { "user root;\n" } else { "" };
    let whole = format!(
        "daemon off;\nworker_processes 1;\n{user}pid {0}/pid;\nerror_log stderr;\n\
         events {{}}\nhttp {{\naccess_log off;\n{temporary}{site}\n}}\n",
        folder.display()
    );
    fs::write(folder.join("nginx.conf"), whole).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
    command.args(["-e", "stderr"]).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    spawn(&mut command, folder)
}

fn caddy(
    port: u16,
    [plain, tls]: [u16; 2],
    folder: &Path,
    [certificate, key]: [&PathBuf; 2],
) -> Child {
    let block = format!(
        "https://pay.example.com:{tls} {{\n\tbind 127.0.0.1\n\ttls {} {}",
        certificate.display(),
        key.display()
    );
    let site = changed(
        example("Caddyfile"),
        &[("pay.example.com {", block), ("127.0.0.1:8080", format!("127.0.0.1:{port}"))],
    );
    let global = format!(
        "{{\n\tadmin off\n\thttp_port {plain}\n\thttps_port {tls}\n\
         \tauto_https disable_redirects\n\tstorage file_system {}\n}}\n\n",
        folder.display()
    );
    fs::write(folder.join("Caddyfile"), global + &site).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.join("Caddyfile"));
    command.env("HOME", folder);
    spawn(&mut command, folder)
}

fn haproxy(
    port: u16,
    [plain, tls]: [u16; 2],
    folder: &Path,
    [certificate, key]: [&PathBuf; 2],
) -> Child {
    let both = [fs::read(certificate).unwrap(), fs::read(key).unwrap()].concat();
    let pem = folder.join("both.pem");
    fs::write(&pem, both).unwrap();
    let whole = changed(
        example("haproxy.cfg"),
        &[
            ("bind :80\n", format!("bind 127.0.0.1:{plain}\n")),
            ("bind :443", format!("bind 127.0.0.1:{tls}")),
            ("/etc/haproxy/pay.example.com.pem", pem.display().to_string()),
            ("127.0.0.1:8080", format!("127.0.0.1:{port}")),
            ("maxconn 10000", "maxconn 200".to_owned()),
        ],
    );
    fs::write(folder.join("haproxy.cfg"), whole).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(folder.join("haproxy.cfg"));
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    spawn(&mut command, folder)
}

// 1. Documents, a creation, a status, the page: each comes through as it is.
// 2. Errors of the gateway and of the proxy are JSON, with their status: a body that is too
//    large, a long path, an unknown one, the gateway away.
// 3. An event stream gives its first event at once, and the next one when a payment comes.
// 4. Plain HTTP is redirected with 308; on nginx's port of TLS, too.
fn everything_comes_through(kind: Kind) {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let proxy = Proxy::before(&gateway, kind);
    let home = proxy.curl(&[], "/");
    assert_eq!(home.status, "200", "{kind:?}: {} {}", home.body, proxy.log());
    assert_eq!(proxy.curl(&["-I"], "/docs").status, "200");
    let key = format!("x-api-key: {}", shop.api_key);
    let json = "content-type: application/json";
    let post = ["-H", &key, "-H", json, "-d", r#"{"amountLtc": 0.05}"#];
    let created = proxy.curl(&post, "/api/payments");
    assert_eq!(created.status, "200", "{}", created.body);
    let payment = Fields::of(&created.body);
    let (id, address) = (payment.text("paymentId"), payment.text("receivingAddress"));
    assert_eq!(proxy.curl(&[], &format!("/api/payments/{id}")).status, "200");
    assert_eq!(proxy.curl(&["--compressed"], &format!("/pay/{id}")).status, "200");

    refusals_are_json(&proxy, kind, &key);

    let events = format!("https://pay.example.com:{}/api/payments/{id}/events", proxy.tls);
    let mut follower = proxy
        .curl_command(&["-N", "--compressed"], &events)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stream = follower.stdout.take().unwrap();
    read_until(&mut stream, "\"detail\":\"waiting\"");
    node.send(&address, "0.05");
    read_until(&mut stream, "\"detail\":\"seen\"");
    let _ = follower.kill(); // It may have ended.
    follower.wait().unwrap();

    let plain = format!("http://pay.example.com:{}/docs", proxy.plain);
    if kind != Kind::Caddy {
        let redirected = proxy.curl_to(&["-o", "/dev/null"], &plain);
        assert!(String::from_utf8_lossy(&redirected).contains("308"), "{kind:?}");
    }
    gateway.term();
    let away = proxy.curl(&[], "/docs");
    assert_eq!((away.status.as_str(), away.content_type.as_str()), ("503", "application/json"));
    assert_eq!(Fields::of(&away.body).object("error").text("code"), "overloaded");
}

fn refusals_are_json(proxy: &Proxy, kind: Kind, key: &str) {
    let large = proxy.folder.path().join("large");
    fs::write(&large, vec![b' '; 300_000]).unwrap();
    let large = format!("@{}", large.display());
    let long = format!("/{}", "x".repeat(9_000));
    let longer = format!("/{}", "x".repeat(20_000));
    let body =
        ["-H", key, "-H", "expect:", "-H", "content-type: application/json", "--data-binary"];
    let body = [&body[..], &[&large]].concat();
    for (options, path, statuses) in [
        (&body[..], "/api/payments", &["413"][..]),
        (&[], "/nowhere", &["404"]),
        (&[], long.as_str(), &["404", "414", "400"]),
        (&[], longer.as_str(), &["404", "414", "400", "431"]),
    ] {
        let answer = proxy.curl(options, path);
        let shown: String = path.chars().take(30).collect();
        assert!(statuses.contains(&answer.status.as_str()), "{kind:?} {shown}: {}", answer.status);
        assert_eq!(answer.content_type, "application/json", "{kind:?} {shown}: {}", answer.body);
        assert!(!Fields::of(&answer.body).object("error").text("code").is_empty());
    }
    if kind == Kind::Nginx {
        // Plain HTTP on the port of TLS.
        let plain = format!("http://pay.example.com:{}/docs?a=b", proxy.tls);
        let notified = proxy.curl_to(&["-o", "/dev/null", "-w", "%{redirect_url}"], &plain);
        let notified = String::from_utf8_lossy(&notified).into_owned();
        assert!(notified.contains("308") && !notified.contains("text/html;"), "{notified}");
    }
}

/// Reads until these characters came.
#[track_caller]
fn read_until(stream: &mut impl Read, end: &str) {
    let (mut seen, mut bytes) = (String::new(), [0; 4096]);
    while !seen.contains(end) {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "the stream ended after {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
}

#[test]
#[ignore = "field: a real nginx"]
fn all_endpoints_work_behind_nginx() {
    everything_comes_through(Kind::Nginx);
}

#[test]
#[ignore = "field: a real Caddy"]
fn all_endpoints_work_behind_caddy() {
    everything_comes_through(Kind::Caddy);
}

#[test]
#[ignore = "field: a real HAProxy"]
fn all_endpoints_work_behind_haproxy() {
    everything_comes_through(Kind::Haproxy);
}
