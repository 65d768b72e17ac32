//! The gateway of the stand-in: one session over a WebSocket, which can be resumed.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use super::{APPLICATION, LOOK, State, TOKEN};

/// Serves one connection of the gateway.
pub(super) fn serve_gateway(stream: TcpStream, state: &State) {
    let Ok(mut socket) = tungstenite::accept(stream) else { return };
    let _ = socket.get_mut().set_read_timeout(Some(LOOK));
    let generation = state.gateway.lock().unwrap().generation;
    let mut sent = None;
    speak(&mut socket, state, generation, &mut sent); // However it ends, the bot sees it closed.
    let mut gateway = state.gateway.lock().unwrap();
    if sent.is_some() && gateway.generation == generation {
        gateway.connected -= 1;
    }
}

/// Sends hello, handles the bot's messages, and sends events until the connection ends.
fn speak(
    socket: &mut WebSocket<TcpStream>,
    state: &State,
    generation: u64,
    // Number of the last event sent, once there is a session.
    sent: &mut Option<u64>,
) -> Option<()> {
    let hello = json!({ "op": 10, "d": { "heartbeat_interval": 1000 }, "s": null, "t": null });
    say(socket, &hello)?;
    loop {
        if state.stop.load(Ordering::Relaxed) {
            return None;
        }
        {
            let gateway = state.gateway.lock().unwrap();
            if gateway.generation != generation {
                return None; // Cut without a word.
            }
            let due: Vec<_> = match *sent {
                Some(last) => gateway.events.iter().filter(|e| e.0 > last).cloned().collect(),
                None => Vec::new(),
            };
            drop(gateway);
            for (number, name, event) in due {
                say(socket, &json!({ "op": 0, "t": name, "s": number, "d": event }))?;
                *sent = Some(number);
            }
        }
        let text = match socket.read() {
            Ok(Message::Text(text)) => text,
            Ok(Message::Close(_)) => return None,
            Ok(_) => continue,
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                continue;
            }
            Err(_) => return None,
        };
        let message: Value = serde_json::from_str(&text).ok()?;
        hear(socket, state, &message, sent)?;
    }
}

fn hear(
    socket: &mut WebSocket<TcpStream>,
    state: &State,
    message: &Value,
    sent: &mut Option<u64>,
) -> Option<()> {
    let good = |token: &Value| {
        let text = token.as_str().unwrap_or_default();
        text.trim_start_matches("Bot ") == TOKEN && state.token_is_good.load(Ordering::Relaxed)
    };
    match message["op"].as_u64()? {
        1 => {
            state.gateway.lock().unwrap().heartbeats += 1;
            say(socket, &json!({ "op": 11, "d": null, "s": null, "t": null }))
        }
        2 | 6 if !good(&message["d"]["token"]) => {
            let code = CloseCode::Library(4004);
            let _ =
                socket.close(Some(CloseFrame { code, reason: "Authentication failed.".into() }));
            let _ = socket.flush();
            None
        }
        2 => {
            let ready = {
                let mut gateway = state.gateway.lock().unwrap();
                gateway.identified += 1;
                gateway.connected += 1;
                gateway.session += 1;
                // Events before this session are not sent to it.
                gateway.events.clear();
                *sent = Some(1);
                json!({
                    "v": 10, "user": state.user(), "guilds": [],
                    "session_id": format!("session-{}", gateway.session),
                    "resume_gateway_url": format!("ws://127.0.0.1:{}", state.ws_port),
                    "shard": [0, 1],
                    "application": { "id": APPLICATION.to_string(), "flags": 0 },
                })
            };
            say(socket, &json!({ "op": 0, "t": "READY", "s": (*sent)?, "d": ready }))
        }
        6 => {
            let mut gateway = state.gateway.lock().unwrap();
            let session = format!("session-{}", gateway.session);
            if message["d"]["session_id"] != json!(session) || gateway.refuse_resume {
                gateway.refuse_resume = false;
                drop(gateway);
                return say(socket, &json!({ "op": 9, "d": false, "s": null, "t": null }));
            }
            gateway.resumed += 1;
            gateway.connected += 1;
            *sent = message["d"]["seq"].as_u64();
            drop(gateway);
            say(socket, &json!({ "op": 0, "t": "RESUMED", "s": (*sent)?, "d": {} }))
        }
        _ => Some(()),
    }
}

fn say(socket: &mut WebSocket<TcpStream>, message: &Value) -> Option<()> {
    socket.send(Message::Text(message.to_string())).ok()
}
