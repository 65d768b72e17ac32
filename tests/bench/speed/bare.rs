//! The floors that need a process: bare warp, which does no more than HTTP and JSON, and a node
//! that answers at once from its files. The benchmark starts itself once more for each.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, serialize_hex};
use bitcoin::hex::FromHex;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::Filter;
use warp::http::header::CONTENT_TYPE;

/// A process of ours that answers on a port until it is dropped.
pub(crate) struct Bare {
    process: Child,
    pub(crate) port: u16,
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Bare {
    /// Bare warp that answers with this JSON.
    pub(crate) fn warp(answer: &Path) -> Bare {
        Bare::start("--bare-warp", answer)
    }

    /// A node that has the blocks of a folder: `chain.json` says on top of what.
    pub(crate) fn node(folder: &Path) -> Bare {
        Bare::start("--bare-node", folder)
    }

    fn start(what: &str, path: &Path) -> Bare {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(what)
            .arg(path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Bare { process, port: line.trim().parse().unwrap() }
    }
}

/// What a shop asks for, as far as the floor reads it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "it is parsed as the gateway parses it, and used for nothing")]
struct Ask {
    amount_ltc: Box<serde_json::value::RawValue>,
    reference: Option<String>,
    webhook_url: Option<String>,
}

/// Runs bare warp: `POST` parses a body and writes the answer anew, `GET` answers ready bytes.
pub(crate) fn warp(answer: &Path) {
    let text = std::fs::read_to_string(answer).unwrap();
    let value: Arc<Value> = Arc::new(serde_json::from_str(&text).unwrap());
    let create = warp::path!("api" / "payments")
        .and(warp::post())
        .and(warp::body::json())
        .map(move |_: Ask| warp::reply::json(&*value));
    let show = warp::path!("api" / "payments" / String).and(warp::get()).map(move |_| {
        warp::http::Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .body(text.clone())
            .unwrap()
    });
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        warp::serve(create.or(show)).incoming(listener).run().await;
    });
}

/// A chain in memory, as far as the watcher asks for it.
struct Chain {
    /// The height of the first block.
    first: u64,
    hashes: Vec<String>,
    headers: HashMap<String, (u64, Header)>,
    /// The files that hold the blocks.
    blocks: HashMap<String, PathBuf>,
}

/// Runs a node that has the blocks of a folder: files named by their heights, in hexadecimal. A
/// height without a block has a header only.
pub(crate) fn node(folder: &Path) {
    let chain = Arc::new(read_chain(folder));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    for stream in listener.incoming().flatten() {
        let chain = Arc::clone(&chain);
        std::thread::spawn(move || {
            let _ = answer(stream, &chain); // A client that broke off does not want it.
        });
    }
}

fn read_chain(folder: &Path) -> Chain {
    let about = std::fs::read_to_string(folder.join("chain.json")).unwrap();
    let about: Value = serde_json::from_str(&about).unwrap();
    let first = about["height"].as_u64().unwrap();
    let mut chain =
        Chain { first, hashes: Vec::new(), headers: HashMap::new(), blocks: HashMap::new() };
    let hash = about["hash"].as_str().unwrap().to_owned();
    let mut header: Header = deserialize(&[0; 80]).unwrap();
    header.time = u32::try_from(about["time"].as_u64().unwrap()).unwrap();
    chain.headers.insert(hash.clone(), (first, header));
    chain.hashes.push(hash);
    for height in first + 1.. {
        let file = folder.join(height.to_string());
        let Ok(mut text) = File::open(&file) else { break };
        let mut start = [0; 160];
        text.read_exact(&mut start).unwrap();
        let start = std::str::from_utf8(&start).unwrap();
        let header: Header = deserialize(&<[u8; 80]>::from_hex(start).unwrap()).unwrap();
        let hash = header.block_hash().to_string();
        chain.headers.insert(hash.clone(), (height, header));
        chain.blocks.insert(hash.clone(), file);
        chain.hashes.push(hash);
    }
    chain
}

fn answer(mut stream: TcpStream, chain: &Chain) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let call: Value = serde_json::from_slice(&body)?;
    let id = &call["id"];
    let block = call["params"][0].as_str().and_then(|hash| chain.blocks.get(hash));
    if call["method"] == "getblock"
        && let Some(file) = block
    {
        return send_block(&mut stream, File::open(file)?, id);
    }
    let body = match say(chain, call["method"].as_str().unwrap_or_default(), &call["params"]) {
        Ok(result) => format!("{{\"result\":{result},\"error\":null,\"id\":{id}}}"),
        Err((code, message)) => {
            let error = json!({ "code": code, "message": message });
            format!("{{\"result\":null,\"error\":{error},\"id\":{id}}}")
        }
    };
    stream.write_all(head(body.len() as u64).as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// Sends a block as it stands in its file, which costs next to nothing.
fn send_block(stream: &mut TcpStream, mut file: File, id: &Value) -> std::io::Result<()> {
    let (before, after) = ("{\"result\":\"", format!("\",\"error\":null,\"id\":{id}}}"));
    let length = before.len() as u64 + file.metadata()?.len() + after.len() as u64;
    stream.write_all(format!("{}{before}", head(length)).as_bytes())?;
    std::io::copy(&mut file, stream)?;
    stream.write_all(after.as_bytes())
}

/// What stands before an answer of so many bytes.
fn head(length: u64) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    )
}

/// The result of a call as JSON text, or the node's error.
fn say(chain: &Chain, method: &str, params: &Value) -> Result<String, (i64, &'static str)> {
    let tip = chain.hashes.last().unwrap();
    let height = chain.first + chain.hashes.len() as u64 - 1;
    let hash = params[0].as_str().unwrap_or_default();
    let unknown = (-5, "Block not found");
    let answer = match method {
        "getblockchaininfo" => json!({
            "chain": "regtest", "blocks": height, "headers": height, "bestblockhash": tip,
            "initialblockdownload": false,
        }),
        "getbestblockhash" => json!(tip),
        "getblockcount" => json!(height),
        "getblockhash" => match params[0].as_u64() {
            Some(0) => json!(bitcoin_regtest_genesis()),
            Some(asked) => {
                let at = asked.checked_sub(chain.first).and_then(|at| usize::try_from(at).ok());
                json!(at.and_then(|at| chain.hashes.get(at)).ok_or((-8, "out of range"))?)
            }
            None => return Err((-8, "out of range")),
        },
        "getblockheader" => {
            let (at, header) = chain.headers.get(hash).ok_or(unknown)?;
            json!({
                "hash": hash, "height": at, "confirmations": height - at + 1,
                "time": header.time, "mediantime": header.time,
                "previousblockhash": header.prev_blockhash.to_string(),
                "hex": serialize_hex(header),
            })
        }
        "getblock" => return Err(unknown),
        "getrawmempool" | "getzmqnotifications" => json!([]),
        "getchaintips" => {
            json!([{ "height": height, "hash": tip, "branchlen": 0, "status": "active" }])
        }
        "getnetworkinfo" => json!({ "version": 210_505, "subversion": "/LitecoinCore:0.21.5.5/" }),
        "scantxoutset" => {
            json!({ "success": true, "height": height, "bestblock": tip, "unspents": [] })
        }
        "estimatesmartfee" => json!({ "blocks": 6 }),
        "getmempoolinfo" => {
            return Ok("{\"mempoolminfee\":0.00001000}".to_owned());
        }
        "gettxout" => Value::Null,
        _ => return Err((-32_601, "Method not found")),
    };
    Ok(answer.to_string())
}

/// The first block of every regtest chain of Litecoin.
fn bitcoin_regtest_genesis() -> &'static str {
    "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"
}
