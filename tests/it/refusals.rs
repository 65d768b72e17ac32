//! Early refusals: the client receives the status whatever it is still sending, and
//! connections are not reset.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::harness::gateway::Gateway;
use crate::harness::http::{find, find_header};
use crate::harness::json::Fields;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// How often each refusal is asked for.
const ROUNDS: usize = 30;

/// An answer as it was read from a connection that may be kept.
struct Answer {
    status: u16,
    closes: bool,
    body: String,
}

fn connect(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.set_write_timeout(Some(SOON)).unwrap();
    stream
}

/// Sends the head of a POST in a packet of its own.
fn send_head(mut stream: &TcpStream, path: &str, headers: &str, length: usize) {
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
}

/// Reads one answer and not a byte more.
#[track_caller]
fn read_answer(mut stream: &TcpStream) -> Answer {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while find(&head, b"\r\n\r\n").is_none() {
        let count = stream.read(&mut byte).expect("an answer, and no reset");
        assert!(count > 0, "closed before the answer: {}", String::from_utf8_lossy(&head));
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8(head).unwrap();
    let headers: Vec<(String, String)> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let length = find_header(&headers, "content-length").expect("a length");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).expect("the whole answer, and no reset");
    Answer {
        status: head[9..12].parse().unwrap(),
        closes: find_header(&headers, "connection") == Some("close"),
        body: String::from_utf8(body).unwrap(),
    }
}

/// Whether the gateway ends the connection, without a reset.
fn ends(mut stream: &TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Ok(0))
}

/// Whether a further request on this connection is answered.
fn is_kept(mut stream: &TcpStream) -> bool {
    stream.write_all(b"GET /docs HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    read_answer(stream).status == 200
}

/// 1. Send headers, then a body of 66 kB to 5 MB in separate packets, and only then read.
/// 2. The status arrives each time: 401 without a key, 413 too large, 404 no route, 405 wrong
///    method.
/// 3. The response announces the end, or the connection accepts another request.
#[test]
fn a_refusal_of_a_large_body_always_arrives() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let keyed = format!("x-api-key: {}\r\n", shop.api_key);
    for (path, headers, status, code) in [
        ("/api/payments", "", 401, "invalid_api_key"),
        ("/api/payments", keyed.as_str(), 413, "payload_too_large"),
        ("/api/nothing", "", 404, "not_found"),
        ("/docs", "", 405, "method_not_allowed"),
    ] {
        for length in [66_000, 300_000, 2_000_000, 5_000_000] {
            let body = vec![b' '; length];
            // Larger bodies with the rarer refusals add nothing.
            let rounds = if length < 1_000_000 || status == 413 { ROUNDS } else { 3 };
            for round in 0..rounds {
                let stream = connect(&gateway);
                send_head(&stream, path, headers, length);
                (&stream).write_all(&body).expect("the whole body is taken");
                let answer = read_answer(&stream);
                assert_eq!(answer.status, status, "{path} {length} round {round}");
                let said = Fields::of(&answer.body).object("error").text("code");
                assert_eq!(said, code, "{path} {length}");
                let kept = if answer.closes { ends(&stream) } else { is_kept(&stream) };
                assert!(kept, "{path} {length} round {round}: closes {}", answer.closes);
            }
        }
    }
}

/// 1. Send a body that is larger than what is drained, and then read.
/// 2. The response has `connection: close`, and the connection ends without a reset.
#[test]
fn an_oversized_body_is_refused_and_the_connection_closed() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    let body = vec![b' '; 12_000_000];
    for _ in 0..ROUNDS {
        let stream = connect(&gateway);
        send_head(&stream, "/api/payments", "", body.len());
        (&stream).write_all(&body).expect("the connection lingers");
        let answer = read_answer(&stream);
        assert_eq!((answer.status, answer.closes), (401, true));
        assert!(ends(&stream));
    }
}

/// 1. Send headers and a small body in two packets that are refused, many times on one
///    connection.
/// 2. The connection stays open.
#[test]
fn a_keep_alive_connection_survives_early_refusals() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    let stream = connect(&gateway);
    for round in 0..60 {
        for (path, status) in [("/api/payments", 401), ("/api/nothing", 404)] {
            send_head(&stream, path, "", 20);
            (&stream).write_all(br#"{"amountLtc": 0.05 }"#).unwrap();
            let answer = read_answer(&stream);
            assert_eq!((answer.status, answer.closes), (status, false), "{path} round {round}");
        }
    }
    assert!(is_kept(&stream));
}

/// 1. Send headers and one byte of the body, and stall.
/// 2. The response has `connection: close`, and the gateway closes the connection.
#[test]
#[ignore = "long"]
fn a_refused_body_that_stalls_does_not_hold_the_connection() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    let stream = connect(&gateway);
    send_head(&stream, "/api/payments", "", 60_000);
    (&stream).write_all(b"{").unwrap();
    let answer = read_answer(&stream);
    assert_eq!((answer.status, answer.closes), (401, true));
    assert!(ends(&stream), "our side is closed");
    // Until the gateway closes the connection, received data is discarded.
    crate::harness::wait::wait_for("the connection's end", SOON, || {
        (&stream).write_all(b" ").is_err()
    });
}

/// 1. Send the headers of a large body with `expect: 100-continue`.
/// 2. The refusal is the first response.
#[test]
fn a_refused_request_gets_no_100_continue() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    let stream = connect(&gateway);
    send_head(&stream, "/api/payments", "expect: 100-continue\r\n", 60_000);
    let answer = read_answer(&stream);
    assert_eq!((answer.status, answer.closes), (401, true));
    assert!(ends(&stream));
}

/// Posts a body of `n` bytes without a key repeatedly, and prints the results.
const PYTHON: &str = r#"
import http.client, sys
port, rounds, n = map(int, sys.argv[1:])
for _ in range(rounds):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request("POST", "/api/payments", b" " * n)
        print(client.getresponse().status)
    except Exception as error:
        print(type(error).__name__)
"#;

/// As [`PYTHON`], with an API key, by Node's own client.
const NODE: &str = r#"
const http = require("node:http");
const [port, rounds, n] = process.argv.slice(1, 4).map(Number);
const headers = { "x-api-key": process.argv[4], "content-type": "application/json", "content-length": n };
const post = () => new Promise((seen) => {
  const options = { host: "127.0.0.1", port, path: "/api/payments", method: "POST", headers, agent: false };
  const request = http.request(options, (answer) => {
    answer.resume();
    answer.on("end", () => seen(answer.statusCode));
  });
  request.on("error", (error) => seen(error.code));
  request.end(Buffer.alloc(n, " "));
});
(async () => { for (let round = 0; round < rounds; round++) console.log(await post()); })();
"#;

/// 1. Post 66 kB to 5 MB with a key from Node.js, 30 times each: every request gets 413.
#[test]
fn the_nodejs_client_receives_413_for_a_large_body() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let (port, rounds) = (gateway.port().to_string(), ROUNDS.to_string());
    for length in [66_000, 300_000, 2_000_000, 5_000_000] {
        let length = length.to_string();
        let arguments = ["-e", NODE, &port, &rounds, &length, &shop.api_key];
        let output = Command::new("node").args(arguments).output().unwrap();
        let seen = String::from_utf8(output.stdout).unwrap();
        assert_eq!(seen, "413\n".repeat(ROUNDS), "Node, {length}");
    }
}

/// As [`PYTHON`], with an API key, by Go's own client.
const GO: &str = r#"
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
)

func main() {
	rounds, _ := strconv.Atoi(os.Args[2])
	length, _ := strconv.Atoi(os.Args[3])
	body := bytes.Repeat([]byte(" "), length)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for round := 0; round < rounds; round++ {
		url := "http://127.0.0.1:" + os.Args[1] + "/api/payments"
		request, _ := http.NewRequest("POST", url, bytes.NewReader(body))
		request.Header.Set("x-api-key", os.Args[4])
		request.Header.Set("content-type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			fmt.Println(err)
			continue
		}
		response.Body.Close()
		fmt.Println(response.StatusCode)
	}
}
"#;

/// 1. Post 66 kB to 5 MB with a key from Go's net/http, 30 times each: every request gets 413.
#[test]
#[ignore = "needs Go"]
fn the_go_client_receives_413_for_a_large_body() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("post.go"), folder.path().join("post"));
    fs::write(&source, GO).unwrap();
    let built = Command::new("go")
        .args(["build", "-o"])
        .args([&program, &source])
        .env("GOCACHE", folder.path().join("cache"))
        .env("GO111MODULE", "off")
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    let (port, rounds) = (gateway.port().to_string(), ROUNDS.to_string());
    for length in [66_000, 300_000, 2_000_000, 5_000_000] {
        let arguments = [&port, &rounds, &length.to_string(), &shop.api_key];
        let output = Command::new(&program).args(arguments).output().unwrap();
        let seen = String::from_utf8(output.stdout).unwrap();
        assert_eq!(seen, "413\n".repeat(ROUNDS), "Go, {length}");
    }
}

/// 1. Post 66 kB to 5 MB without a key from Python's http.client and curl, 30 times each:
///    every request gets 401.
#[test]
fn curl_and_python_see_each_refusal() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    let (port, rounds) = (gateway.port().to_string(), ROUNDS.to_string());
    let folder = tempfile::tempdir().unwrap();
    let all_refused = "401\n".repeat(ROUNDS);
    for length in [66_000, 300_000, 2_000_000, 5_000_000] {
        let arguments = ["-c", PYTHON, &port, &rounds, &length.to_string()];
        let output = Command::new("python3").args(arguments).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), all_refused, "Python, {length}");

        let file = folder.path().join("body");
        fs::write(&file, vec![b' '; length]).unwrap();
        let mut seen = String::new();
        for _ in 0..ROUNDS {
            let output = Command::new("curl")
                .args(["-s", "-o", "/dev/null", "-w", "%{http_code}\n", "--data-binary"])
                .arg(format!("@{}", file.display()))
                // No waiting for a 100: the body is on its way when the refusal comes.
                .args(["-H", "expect:", &format!("http://127.0.0.1:{port}/api/payments")])
                .output()
                .unwrap();
            seen.push_str(&String::from_utf8(output.stdout).unwrap());
        }
        assert_eq!(seen, all_refused, "curl, {length}");
    }
}
