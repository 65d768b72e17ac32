//! The HTTP API of the stand-in: one request per connection.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::http::{Request, find_header};

use super::limits::{refuses_commands, refuses_message};
use super::{
    ADMIN_ROLE, ADMINS_CHANNEL, APPLICATION, AUDIT_LOG_CHANNEL, Call, GUILD, MAY_WRITE,
    MERCHANTS_CHANNEL, Mood, Person, Posted, State, TOKEN,
};

/// A multipart message with files. The files are returned as `sentFiles`.
fn with_files(body: &[u8]) -> Value {
    let text = String::from_utf8_lossy(body);
    let Some((boundary, _)) = text.split_once("\r\n") else { return Value::Null };
    let (mut message, mut files) = (Value::Null, Vec::new());
    for part in text.split(boundary) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else { continue };
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        let quoted = |name: &str| {
            let (_, rest) = head.split_once(&format!("; {name}=\""))?;
            Some(rest.split('"').next().unwrap_or_default().to_owned())
        };
        match quoted("filename") {
            Some(name) => files.push(json!({ "name": name, "text": content })),
            None => message = serde_json::from_str(content).unwrap_or(Value::Null),
        }
    }
    if message.is_object() {
        message["sentFiles"] = Value::Array(files);
    }
    message
}

/// Serves one request.
pub(super) fn serve_http(stream: TcpStream, state: &State) {
    let _ = serve_call(stream, state); // A client that breaks off is its own affair.
}

fn serve_call(stream: TcpStream, state: &State) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let Request { method, path, headers, body } = Request::read(&stream)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_else(|_| with_files(&body));
    let path = path.strip_prefix("/api/v10").unwrap_or(&path).to_owned();
    let authorized = find_header(&headers, "authorization") == Some(&format!("Bot {TOKEN}"))
        && state.token_is_good.load(Ordering::Relaxed);
    let call = Call { method, path, body };
    state.calls.lock().unwrap().push(call.clone());
    let (status, answer) = answer(state, &call, authorized);
    let text = if status == 204 { String::new() } else { answer.to_string() };
    let extra = match status {
        429 => "retry-after: 1\r\nx-ratelimit-scope: user\r\n",
        _ => "",
    };
    let head = format!(
        "HTTP/1.1 {status} Said\r\n{extra}content-type: application/json\r\ncontent-length: \
         {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    (&stream).write_all(format!("{head}{text}").as_bytes()).ok()
}

fn answer(state: &State, call: &Call, authorized: bool) -> (u16, Value) {
    let mood = *state.mood.lock().unwrap();
    let fault = {
        let mut faults = state.faults.lock().unwrap();
        let found = faults.iter_mut().find(|f| f.left > 0 && call.path.contains(&f.path));
        found.map(|fault| {
            fault.left -= 1;
            (fault.status, fault.code)
        })
    };
    let failed = |status: u16| match status {
        401 => (401, json!({ "message": "401: Unauthorized", "code": 0 })),
        429 => (
            429,
            json!({ "message": "You are being rate limited.", "retry_after": 1.0, "global": false, "code": 0 }),
        ),
        _ => (status, json!({ "message": "Internal Server Error", "code": 0 })),
    };
    match mood {
        Mood::Well => {}
        Mood::Status(status) => return failed(status),
        Mood::Slow(pause) => std::thread::sleep(pause),
    }
    if let Some((status, code)) = fault {
        let (status, mut answer) = failed(status);
        answer["code"] = json!(code);
        return (status, answer);
    }
    let parts: Vec<&str> = call.path.trim_matches('/').split(['/', '?']).collect();
    let is_message = matches!(parts.as_slice(), ["interactions" | "webhooks" | "channels", ..]);
    if let Some(over) = is_message
        .then(|| refuses_message(&call.body).or_else(|| refuses_message(&call.body["data"])))
        .flatten()
    {
        state.refused.lock().unwrap().push(over.clone());
        return (400, json!({ "message": over, "code": 50035 }));
    }
    let own_token = matches!(parts.as_slice(), ["interactions" | "webhooks", ..] | ["gateway"]);
    if !authorized && !own_token {
        return failed(401);
    }
    route(state, call, &parts)
}

fn route(state: &State, call: &Call, parts: &[&str]) -> (u16, Value) {
    let application = APPLICATION.to_string();
    let gateway_url = format!("ws://127.0.0.1:{}", state.ws_port);
    match (call.method.as_str(), parts) {
        ("GET", ["gateway"]) => (200, json!({ "url": gateway_url })),
        ("GET", ["gateway", "bot"]) => {
            let limit =
                json!({ "total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1 });
            (200, json!({ "url": gateway_url, "shards": 1, "session_start_limit": limit }))
        }
        ("GET", ["users", "@me"]) => (200, state.user()),
        ("GET", ["oauth2", "applications", "@me"] | ["applications", "@me"]) => {
            let info = json!({
                "id": application, "name": "litegate", "icon": null, "description": "",
                "bot_public": false, "bot_require_code_grant": false, "verify_key": "00",
                "flags": 0,
            });
            (200, info)
        }
        ("GET", ["guilds", guild]) if *guild == GUILD.to_string() => (200, guild_object()),
        ("GET", ["guilds", _, "members", user, ..]) if *user == application => {
            (200, Person::member(APPLICATION, "litegate").member_object())
        }
        ("GET", ["guilds", _, "members", user, ..]) => {
            let members = state.members.lock().unwrap();
            match user.parse().ok().and_then(|id: u64| members.get(&id)) {
                Some(person) => (200, person.member_object()),
                None => (404, json!({ "message": "Unknown Member", "code": 10007 })),
            }
        }
        ("PUT", ["applications", app, rest @ ..]) if *app == application => {
            let scope = match rest {
                ["commands"] => "global",
                ["guilds", _, "commands"] => "guild",
                _ => return (404, json!({ "message": "404: Not Found", "code": 0 })),
            };
            if let Some(reason) = refuses_commands(&call.body) {
                return (400, json!({ "message": reason, "code": 50035 }));
            }
            state.commands.lock().unwrap().insert(scope.to_owned(), call.body.clone());
            (200, registered(state, &call.body))
        }
        ("POST", ["interactions", _, token, "callback", ..]) => {
            let mut answers = state.answers.lock().unwrap();
            let parts = answers.entry((*token).to_owned()).or_default();
            if parts.iter().any(|(how, _)| how == "callback") {
                let message = "Interaction has already been acknowledged.";
                return (400, json!({ "message": message, "code": 40060 }));
            }
            parts.push(("callback".to_owned(), call.body.clone()));
            (204, Value::Null)
        }
        ("POST", ["webhooks", app, token, ..]) if *app == application => {
            let mut answers = state.answers.lock().unwrap();
            answers
                .entry((*token).to_owned())
                .or_default()
                .push(("follow-up".to_owned(), call.body.clone()));
            (200, state.message(MERCHANTS_CHANNEL, &call.body))
        }
        ("PATCH", ["webhooks", app, token, "messages", "@original"]) if *app == application => {
            let mut answers = state.answers.lock().unwrap();
            answers
                .entry((*token).to_owned())
                .or_default()
                .push(("edit".to_owned(), call.body.clone()));
            (200, state.message(MERCHANTS_CHANNEL, &call.body))
        }
        ("DELETE", ["webhooks", app, ..]) if *app == application => (204, Value::Null),
        ("POST", ["users", "@me", "channels"]) => {
            let person: u64 =
                call.body["recipient_id"].to_string().trim_matches('"').parse().unwrap_or(0);
            let recipients = [Person::member(person, "someone").user()];
            (
                200,
                json!({ "id": channel_of(person).to_string(), "type": 1, "recipients": recipients, "last_message_id": null }),
            )
        }
        ("GET", ["channels", channel]) => {
            let denied = state.denied.lock().unwrap().get(&channel.parse().unwrap_or(0)).copied();
            let overwrites: Vec<Value> = denied
                .map(|bits| {
                    json!({ "id": GUILD.to_string(), "type": 0, "allow": "0", "deny": bits.to_string() })
                })
                .into_iter()
                .collect();
            let channel = json!({
                "id": channel, "type": 0, "guild_id": GUILD.to_string(), "name": "channel",
                "position": 0, "permission_overwrites": overwrites, "nsfw": false,
            });
            (200, channel)
        }
        ("POST", ["channels", channel, "messages"]) => post_message(state, call, channel),
        _ => (404, json!({ "message": "404: Not Found", "code": 0 })),
    }
}

/// Id of the direct-message channel of a user.
pub(super) fn channel_of(person: u64) -> u64 {
    person + 7
}

fn post_message(state: &State, call: &Call, channel: &str) -> (u16, Value) {
    let channel: u64 = channel.parse().unwrap_or(0);
    let public = [MERCHANTS_CHANNEL, ADMINS_CHANNEL, AUDIT_LOG_CHANNEL].contains(&channel);
    let to = (!public).then(|| channel - 7);
    let closed = to.and_then(|person| state.closed.lock().unwrap().get(&person).copied());
    if let Some(code) = closed {
        return (403, json!({ "message": "Cannot send messages to this user", "code": code }));
    }
    let mut posted = state.posted.lock().unwrap();
    // With `enforce_nonce`, a repeated message is not sent again.
    let nonce = &call.body["nonce"];
    let enforced = call.body["enforce_nonce"] == json!(true) && !nonce.is_null();
    let repeated = posted.iter().find(|p| enforced && p.body["nonce"] == *nonce);
    if let Some(before) = repeated {
        return (200, state.message(before.channel, &before.body));
    }
    let message = state.message(channel, &call.body);
    posted.push(Posted { channel, to, body: call.body.clone() });
    (200, message)
}

fn guild_object() -> Value {
    let role = |id: u64, name: &str| {
        json!({
            "id": id.to_string(), "name": name, "color": 0, "colors": { "primary_color": 0 }, "hoist": false, "position": 0,
            "permissions": MAY_WRITE.to_string(), "managed": false, "mentionable": false,
            "flags": 0,
        })
    };
    json!({
        "id": GUILD.to_string(), "name": "Shops", "icon": null, "splash": null,
        "discovery_splash": null, "owner_id": "1", "afk_channel_id": null, "afk_timeout": 300,
        "verification_level": 0, "default_message_notifications": 0,
        "explicit_content_filter": 0, "roles": [role(GUILD, "@everyone"), role(ADMIN_ROLE, "admins")],
        "emojis": [], "features": [], "mfa_level": 0, "application_id": null,
        "system_channel_id": null, "system_channel_flags": 0, "rules_channel_id": null,
        "vanity_url_code": null, "description": null, "banner": null, "premium_tier": 0,
        "preferred_locale": "en-US", "public_updates_channel_id": null, "nsfw_level": 0,
        "stickers": [], "premium_progress_bar_enabled": false, "safety_alerts_channel_id": null,
    })
}

/// Commands as the API returns them.
fn registered(state: &State, commands: &Value) -> Value {
    let all = commands.as_array().cloned().unwrap_or_default();
    let with_ids = all.into_iter().map(|mut command| {
        command["id"] = json!(state.next().to_string());
        command["application_id"] = json!(APPLICATION.to_string());
        command["version"] = json!("1");
        if command["type"].is_null() {
            command["type"] = json!(1);
        }
        command
    });
    Value::Array(with_ids.collect())
}
