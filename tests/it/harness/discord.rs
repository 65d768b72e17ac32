//! A stand-in for Discord: its HTTP API and its gateway, spoken over real sockets. People press
//! commands and buttons here, and read what the bot answers; the stand-in can drop connections,
//! be slow, limit, fail and refuse the token, as the real one does.
//!
//! It knows nothing of the gateway but what Discord would: a token, and what is sent to it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use super::gate::Gate;
use super::http::find_header;
use super::wait::{SOON, wait_until};

/// The application and its bot have one number, as with all bots of today.
pub(crate) const APPLICATION: u64 = 700_000_000_000_000_001;
/// The server on which the gateway's commands live, and another one.
pub(crate) const GUILD: u64 = 800_000_000_000_000_002;
pub(crate) const OTHER_GUILD: u64 = 800_000_000_000_000_009;
pub(crate) const ADMIN_ROLE: u64 = 900_000_000_000_000_003;
pub(crate) const MERCHANTS_CHANNEL: u64 = 600_000_000_000_000_004;
pub(crate) const ADMINS_CHANNEL: u64 = 600_000_000_000_000_005;
pub(crate) const TRAIL_CHANNEL: u64 = 600_000_000_000_000_006;
/// Seeing a channel, writing into it, and embedding into what is written.
pub(crate) const MAY_WRITE: u64 = 1_024 + 2_048 + 16_384;
const TOKEN: &str = "a.bot.token";

/// How often a connection looks whether there is something to send.
const LOOK: Duration = Duration::from_millis(5);

/// Somebody on Discord, at the place where they type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) roles: Vec<u64>,
    /// The server, or a direct message to the bot.
    pub(crate) guild: Option<u64>,
    /// The language of their Discord.
    pub(crate) locale: String,
}

impl Person {
    /// A member of the gateway's server without a role.
    pub(crate) fn member(id: u64, name: &str) -> Person {
        let (name, locale) = (name.to_owned(), "en-US".to_owned());
        Person { id, name, roles: Vec::new(), guild: Some(GUILD), locale }
    }

    /// A member with the role of administrators.
    pub(crate) fn admin(id: u64, name: &str) -> Person {
        Person { roles: vec![ADMIN_ROLE], ..Person::member(id, name) }
    }

    /// The same person elsewhere.
    pub(crate) fn at(&self, guild: Option<u64>) -> Person {
        Person { guild, ..self.clone() }
    }

    /// The same person with their Discord in this language.
    pub(crate) fn speaking(&self, locale: &str) -> Person {
        Person { locale: locale.to_owned(), ..self.clone() }
    }

    fn user(&self) -> Value {
        json!({
            "id": self.id.to_string(), "username": self.name, "discriminator": "0",
            "global_name": null, "avatar": null, "bot": false, "public_flags": 0,
        })
    }

    fn member_object(&self) -> Value {
        json!({
            "user": self.user(), "nick": null, "avatar": null,
            "roles": self.roles.iter().map(u64::to_string).collect::<Vec<_>>(),
            "joined_at": "2024-01-01T00:00:00.000000+00:00", "premium_since": null,
            "deaf": false, "mute": false, "flags": 0, "pending": false, "permissions": "0",
        })
    }
}

/// A request that came to the HTTP API.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Without `/api/v10`.
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// How the HTTP API behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Every request is answered with this status: 429, 500, 401.
    Status(u16),
    /// Every request is answered after this time.
    Slow(Duration),
}

/// A message as it ended up in a channel.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) channel: u64,
    /// The person whose direct messages the channel is.
    pub(crate) to: Option<u64>,
    pub(crate) body: Value,
}

/// What the bot answered to one interaction.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The type of the first answer: 4 message, 5 deferred, 6 deferred update, 8 autocompletion.
    pub(crate) kind: u64,
    /// The answer itself, with what followed a deferral.
    pub(crate) body: Value,
    ephemeral: bool,
}

impl Reply {
    /// Everything that a person reads of it.
    pub(crate) fn text(&self) -> String {
        readable(&self.body)
    }

    pub(crate) fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// The labels of its buttons.
    pub(crate) fn buttons(&self) -> Vec<String> {
        buttons(&self.body).into_iter().map(|(label, _)| label).collect()
    }

    /// The names and values of an autocompletion.
    pub(crate) fn choices(&self) -> Vec<(String, String)> {
        let choices = self.body["choices"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        choices.iter().map(|choice| (text(&choice["name"]), text(&choice["value"]))).collect()
    }
}

/// Everything that a person reads of a message.
pub(crate) fn readable(body: &Value) -> String {
    let mut parts = Vec::new();
    let mut add = |value: &Value| {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            parts.push(text.to_owned());
        }
    };
    add(&body["content"]);
    for embed in body["embeds"].as_array().into_iter().flatten() {
        add(&embed["title"]);
        add(&embed["description"]);
        for field in embed["fields"].as_array().into_iter().flatten() {
            add(&field["name"]);
            add(&field["value"]);
        }
        add(&embed["footer"]["text"]);
    }
    parts.join("\n")
}

/// Labels and ids of the buttons of a message that can be pressed.
pub(crate) fn buttons(body: &Value) -> Vec<(String, String)> {
    let rows = body["components"].as_array().into_iter().flatten();
    rows.flat_map(|row| row["components"].as_array().into_iter().flatten())
        .filter(|button| button["disabled"] != json!(true) && button["custom_id"].is_string())
        .map(|button| {
            let text = |name: &str| button[name].as_str().unwrap_or_default().to_owned();
            (text("label"), text("custom_id"))
        })
        .collect()
}

/// Discord, as far as the bot sees it.
pub(crate) struct Discord {
    http_port: u16,
    ws_port: u16,
    state: Arc<State>,
}

struct State {
    stop: AtomicBool,
    number: AtomicU64,
    calls: Mutex<Vec<Call>>,
    mood: Mutex<Mood>,
    faults: Mutex<Vec<Fault>>,
    token_is_good: AtomicBool,
    ws_port: u16,
    commands: Mutex<BTreeMap<String, Value>>,
    posted: Mutex<Vec<Posted>>,
    /// Who takes no direct messages, and the code by which Discord says so.
    closed: Mutex<BTreeMap<u64, u32>>,
    /// Permissions that everybody lacks in a channel.
    denied: Mutex<BTreeMap<u64, u64>>,
    /// Members of the server who can be looked up, by id.
    members: Mutex<BTreeMap<u64, Person>>,
    /// Messages that broke a limit, and which.
    refused: Mutex<Vec<String>>,
    /// What was answered to an interaction, by its token.
    answers: Mutex<BTreeMap<String, Vec<(String, Value)>>>,
    gateway: Mutex<Gateway>,
}

/// Requests whose path contains the text are answered with this status and code, so often.
struct Fault {
    path: String,
    status: u16,
    code: u32,
    left: u32,
}

/// The gateway's one session: events are numbered, and kept for whoever resumes.
#[derive(Default)]
struct Gateway {
    session: u64,
    events: Vec<(u64, &'static str, Value)>,
    /// Connections of an older generation close their sockets.
    generation: u64,
    identified: u32,
    resumed: u32,
    connected: u32,
    heartbeats: u32,
    /// The next resume is refused, as after a session was lost.
    refuse_resume: bool,
}

impl Discord {
    pub(crate) fn start() -> Discord {
        let http = TcpListener::bind("127.0.0.1:0").unwrap();
        let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
        let (http_port, ws_port) =
            (http.local_addr().unwrap().port(), gateway.local_addr().unwrap().port());
        let state = Arc::new(State {
            stop: AtomicBool::new(false),
            number: AtomicU64::new(1_000_000_000_000_000_000),
            calls: Mutex::default(),
            mood: Mutex::new(Mood::Well),
            faults: Mutex::default(),
            token_is_good: AtomicBool::new(true),
            ws_port,
            commands: Mutex::default(),
            posted: Mutex::default(),
            closed: Mutex::default(),
            denied: Mutex::default(),
            members: Mutex::default(),
            refused: Mutex::default(),
            answers: Mutex::default(),
            gateway: Mutex::default(),
        });
        listen(http, &state, |stream, state| {
            serve_http(stream, state);
        });
        listen(gateway, &state, |stream, state| {
            serve_gateway(stream, state);
        });
        Discord { http_port, ws_port, state }
    }

    /// Makes the gateway use this Discord, with all that the tests of it need.
    pub(crate) fn configure(&self, gate: &Gate) {
        let file = gate.folder().join("discord.token");
        std::fs::write(&file, TOKEN).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let id = |id: u64| toml::Value::Integer(i64::try_from(id).unwrap());
        gate.set("discord.token_file", file.display().to_string());
        gate.set("discord.guild_id", id(GUILD));
        gate.set("discord.admin_role_id", id(ADMIN_ROLE));
        gate.set("discord.api_url", format!("http://127.0.0.1:{}", self.http_port));
        gate.set("discord.rate_per_user", 0);
    }

    /// Waits until the bot is connected and its commands are registered.
    #[track_caller]
    pub(crate) fn await_bot(&self) {
        super::wait::wait_for("the bot at Discord", SOON, || {
            let connected = self.state.gateway.lock().unwrap().connected > 0;
            connected && !self.state.commands.lock().unwrap().is_empty()
        });
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }

    /// The next `count` requests whose path contains the text are answered with this status.
    pub(crate) fn fail_next(&self, path: &str, status: u16, count: u32) {
        self.fail_next_with(path, status, 0, count);
    }

    /// The same with a code of Discord's.
    pub(crate) fn fail_next_with(&self, path: &str, status: u16, code: u32, count: u32) {
        let fault = Fault { path: path.to_owned(), status, code, left: count };
        self.state.faults.lock().unwrap().push(fault);
    }

    /// Takes permissions away from everybody in a channel.
    pub(crate) fn deny(&self, channel: u64, permissions: u64) {
        self.state.denied.lock().unwrap().insert(channel, permissions);
    }

    /// From now on the token is refused, or taken again.
    pub(crate) fn take_token(&self, good: bool) {
        self.state.token_is_good.store(good, Ordering::Relaxed);
    }

    /// This person takes no direct messages any more, or takes them again.
    pub(crate) fn close_messages(&self, person: u64, closed: bool) {
        let mut all = self.state.closed.lock().unwrap();
        if closed {
            all.insert(person, 50_007);
        } else {
            all.remove(&person);
        }
    }

    /// This person takes no direct messages any more, which Discord says by another code.
    pub(crate) fn close_messages_by(&self, person: u64, code: u32) {
        self.state.closed.lock().unwrap().insert(person, code);
    }

    /// Makes a person known as a member of the server.
    pub(crate) fn join(&self, person: &Person) {
        self.state.members.lock().unwrap().insert(person.id, person.clone());
    }

    /// All requests so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// How many requests of this method had a path with this text.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        self.calls().iter().filter(|c| c.method == method && c.path.contains(path)).count()
    }

    /// The commands registered last, by where: `guild` or `global`.
    pub(crate) fn commands(&self, scope: &str) -> Option<Value> {
        self.state.commands.lock().unwrap().get(scope).cloned()
    }

    /// Cuts all connections of the gateway without a word. Answers how often was resumed before.
    pub(crate) fn drop_socket(&self) -> u32 {
        let mut gateway = self.state.gateway.lock().unwrap();
        gateway.generation += 1;
        gateway.connected = 0;
        gateway.resumed
    }

    /// As [`Discord::drop_socket`], and the session is forgotten.
    pub(crate) fn lose_session(&self) {
        self.drop_socket();
        self.state.gateway.lock().unwrap().refuse_resume = true;
    }

    /// How often the bot began a session, and how often it went on with one.
    pub(crate) fn sessions(&self) -> (u32, u32) {
        let gateway = self.state.gateway.lock().unwrap();
        (gateway.identified, gateway.resumed)
    }

    /// How many heartbeats came.
    pub(crate) fn heartbeats(&self) -> u32 {
        self.state.gateway.lock().unwrap().heartbeats
    }

    /// The limits that messages broke so far.
    pub(crate) fn broken_limits(&self) -> Vec<String> {
        self.state.refused.lock().unwrap().clone()
    }

    /// Messages in channels so far.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.state.posted.lock().unwrap().clone()
    }

    /// The direct messages that a person got.
    pub(crate) fn messages_to(&self, person: u64) -> Vec<Posted> {
        self.posted().into_iter().filter(|posted| posted.to == Some(person)).collect()
    }

    /// Waits for a direct message to a person, or one in a channel, with these words.
    #[track_caller]
    pub(crate) fn await_message(&self, to: u64, words: &[&str]) -> Posted {
        wait_until(&format!("a message to {to} with {words:?}"), SOON, || {
            let has = |posted: &Posted| {
                let text = readable(&posted.body);
                words.iter().all(|word| text.contains(word))
            };
            let mut found = self.posted().into_iter();
            found.find(|posted| (posted.to == Some(to) || posted.channel == to) && has(posted))
        })
    }

    /// Somebody sends a command. Answers with the token by which its answer is found.
    pub(crate) fn send(&self, person: &Person, name: &str, options: &Value) -> String {
        let mut interaction = self.interaction(person, 2);
        interaction["data"] = self.data(name, options);
        self.dispatch("INTERACTION_CREATE", interaction)
    }

    /// Somebody sends a command, or a part of one (`webhooks failed`), and waits for the answer.
    #[track_caller]
    pub(crate) fn command(&self, person: &Person, name: &str, options: Value) -> Reply {
        let token = self.send(person, name, &options);
        self.await_reply(&token, &format!("/{name} {options}"))
    }

    /// Somebody types into an option with autocompletion.
    #[track_caller]
    pub(crate) fn complete(&self, person: &Person, name: &str, option: &str, typed: &str) -> Reply {
        let mut interaction = self.interaction(person, 4);
        let options = json!([{ "name": option, "type": 3, "value": typed, "focused": true }]);
        interaction["data"] = self.data(name, &options);
        let token = self.dispatch("INTERACTION_CREATE", interaction);
        self.await_reply(&token, &format!("autocompletion of /{name} {option}"))
    }

    /// Somebody presses the button with this label.
    #[track_caller]
    pub(crate) fn press(&self, person: &Person, body: &Value, label: &str) -> Reply {
        let found = buttons(body).into_iter().find(|(l, _)| l == label);
        let Some((_, custom_id)) = found else {
            panic!("no button {label:?} in {body}");
        };
        self.press_id(person, body, &custom_id)
    }

    /// Somebody presses a button with this id, forged or not.
    #[track_caller]
    pub(crate) fn press_id(&self, person: &Person, body: &Value, custom_id: &str) -> Reply {
        let mut interaction = self.interaction(person, 3);
        interaction["data"] = json!({ "custom_id": custom_id, "component_type": 2 });
        interaction["message"] = self.state.message(MERCHANTS_CHANNEL, body);
        let token = self.dispatch("INTERACTION_CREATE", interaction);
        self.await_reply(&token, &format!("the button {custom_id}"))
    }

    /// Waits for the whole answer to an interaction.
    #[track_caller]
    pub(crate) fn await_reply(&self, token: &str, what: &str) -> Reply {
        wait_until(&format!("an answer to {what}"), SOON, || self.reply(token))
    }

    /// The answer to an interaction, once it is complete.
    pub(crate) fn reply(&self, token: &str) -> Option<Reply> {
        let answers = self.state.answers.lock().unwrap();
        let parts = answers.get(token)?;
        let (_, first) = parts.iter().find(|(how, _)| how == "callback")?;
        let kind = first["type"].as_u64()?;
        let mut follows = parts.iter().filter(|(how, _)| how != "callback").map(|(_, body)| body);
        let deferred = matches!(kind, 5 | 6);
        let is_ephemeral = |body: &Value| body["flags"].as_u64().unwrap_or(0) & 64 != 0;
        let body = match follows.next_back() {
            Some(last) => last.clone(),
            None if deferred => return None,
            None => first["data"].clone(),
        };
        // What follows a deferral is as visible as the deferral was.
        let ephemeral = match kind {
            5 => is_ephemeral(&first["data"]),
            _ => is_ephemeral(&body) || kind == 6,
        };
        Some(Reply { kind, body, ephemeral })
    }

    fn data(&self, name: &str, options: &Value) -> Value {
        let mut users = serde_json::Map::new();
        let mut members = serde_json::Map::new();
        for option in options.as_array().into_iter().flatten() {
            if option["type"] == json!(6) {
                let id = option["value"].as_str().unwrap().to_owned();
                let known = self.state.members.lock().unwrap().get(&id.parse().unwrap()).cloned();
                let person =
                    known.unwrap_or_else(|| Person::member(id.parse().unwrap(), "someone"));
                let mut member = person.member_object();
                member.as_object_mut().unwrap().remove("user");
                users.insert(id.clone(), person.user());
                members.insert(id, member);
            }
        }
        let (name, options) = match name.split_once(' ') {
            Some((name, part)) => (name, json!([{ "name": part, "type": 1, "options": options }])),
            None => (name, options.clone()),
        };
        json!({
            "id": "1", "name": name, "type": 1, "options": options,
            "resolved": { "users": users, "members": members },
        })
    }

    fn interaction(&self, person: &Person, kind: u8) -> Value {
        let id = self.state.next();
        let mut interaction = json!({
            "id": id.to_string(), "application_id": APPLICATION.to_string(), "type": kind,
            "token": format!("interaction-{id}"), "version": 1, "locale": person.locale,
            "channel_id": MERCHANTS_CHANNEL.to_string(), "entitlements": [],
            "attachment_size_limit": 10_485_760, "app_permissions": "0",
            "authorizing_integration_owners": {},
        });
        match person.guild {
            Some(guild) => {
                interaction["guild_id"] = json!(guild.to_string());
                interaction["member"] = person.member_object();
                interaction["context"] = json!(0);
            }
            None => {
                interaction["user"] = person.user();
                interaction["context"] = json!(1);
            }
        }
        interaction
    }

    fn dispatch(&self, name: &'static str, event: Value) -> String {
        let token = event["token"].as_str().unwrap().to_owned();
        let mut gateway = self.state.gateway.lock().unwrap();
        let number = gateway.events.last().map_or(2, |(number, ..)| number + 1);
        gateway.events.push((number, name, event));
        token
    }
}

impl Drop for Discord {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        for port in [self.http_port, self.ws_port] {
            let _ = TcpStream::connect(("127.0.0.1", port)); // Wakes the thread that listens.
        }
    }
}

impl State {
    fn next(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    /// A message object as Discord makes it of what was sent.
    fn message(&self, channel: u64, body: &Value) -> Value {
        let bot = Person::member(APPLICATION, "litegate").user();
        json!({
            "id": self.next().to_string(), "channel_id": channel.to_string(), "author": bot,
            "content": body["content"].as_str().unwrap_or_default(),
            "timestamp": "2026-01-01T00:00:00.000000+00:00", "edited_timestamp": null,
            "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [],
            "attachments": [], "embeds": [], "pinned": false, "type": 0, "flags": 0,
            "components": [],
        })
    }

    fn user(&self) -> Value {
        json!({
            "id": APPLICATION.to_string(), "username": "litegate", "discriminator": "0",
            "avatar": null, "bot": true, "mfa_enabled": true, "verified": true, "flags": 0,
        })
    }
}

fn listen(listener: TcpListener, state: &Arc<State>, serve: fn(TcpStream, &State)) {
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if state.stop.load(Ordering::Relaxed) {
                return;
            }
            let (Ok(stream), state) = (stream, Arc::clone(&state)) else { continue };
            std::thread::spawn(move || serve(stream, &state));
        }
    });
}

/// A message with files, as Discord takes it: its parts one after the other, the message's own JSON
/// among them. The files come back as `sentFiles`.
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

/// One request a connection.
fn serve_http(stream: TcpStream, state: &State) {
    let _ = serve_call(stream, state); // A client that breaks off is its own affair.
}

fn serve_call(stream: TcpStream, state: &State) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = find_header(&headers, "content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
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

/// The channel of direct messages with a person has a number of its own.
fn channel_of(person: u64) -> u64 {
    person + 7
}

fn post_message(state: &State, call: &Call, channel: &str) -> (u16, Value) {
    let channel: u64 = channel.parse().unwrap_or(0);
    let public = [MERCHANTS_CHANNEL, ADMINS_CHANNEL, TRAIL_CHANNEL].contains(&channel);
    let to = (!public).then(|| channel - 7);
    let closed = to.and_then(|person| state.closed.lock().unwrap().get(&person).copied());
    if let Some(code) = closed {
        return (403, json!({ "message": "Cannot send messages to this user", "code": code }));
    }
    let mut posted = state.posted.lock().unwrap();
    // With `enforce_nonce` a message that was sent already is not sent again.
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

/// What Discord says to commands that break its limits, if they do.
fn refuses_commands(commands: &Value) -> Option<String> {
    let all = commands.as_array()?;
    if all.len() > 100 {
        return Some("more than 100 commands".to_owned());
    }
    for command in all {
        let name = command["name"].as_str().unwrap_or_default();
        // Of a text in several languages the longest counts.
        if longest_texts(command) > 8000 {
            return Some(format!("{name}: too large"));
        }
        for locale in ["de", "es-ES", "es-419", "fr", "pt-BR"] {
            let called =
                |one: &Value| one["name_localizations"][locale].as_str().map(str::to_owned);
            let same = all.iter().filter(|other| called(other) == called(command)).count();
            if called(command).is_some() && same > 1 {
                return Some(format!("{name}: another one is called so in {locale}"));
            }
        }
        if let Some(reason) = refuses_options(command) {
            return Some(reason);
        }
    }
    None
}

/// The characters in names, descriptions and choices of a command, in its longest languages.
fn longest_texts(value: &Value) -> usize {
    let length = |text: &Value| text.as_str().unwrap_or_default().chars().count();
    let longest = |name: &str| {
        let others = value[format!("{name}_localizations")].as_object();
        let others = others.into_iter().flat_map(|all| all.values()).map(length);
        others.chain([length(&value[name])]).max().unwrap_or(0)
    };
    let below = ["options", "choices"].into_iter();
    let below = below.flat_map(|part| value[part].as_array().into_iter().flatten());
    longest("name") + longest("description") + below.map(longest_texts).sum::<usize>()
}

/// What Discord says to a message that breaks its limits, if it does.
fn refuses_message(message: &Value) -> Option<String> {
    let chars = |text: &Value| text.as_str().unwrap_or_default().chars().count();
    let mut over = Vec::new();
    let mut limit = |what: &str, length: usize, max: usize| {
        if length > max {
            over.push(format!("{what} has {length}, and {max} are allowed"));
        }
    };
    limit("content", chars(&message["content"]), 2_000);
    for embed in message["embeds"].as_array().into_iter().flatten() {
        limit("embed.title", chars(&embed["title"]), 256);
        limit("embed.description", chars(&embed["description"]), 4_096);
        let fields = embed["fields"].as_array().cloned().unwrap_or_default();
        limit("embed.fields", fields.len(), 25);
        let mut total = chars(&embed["title"]) + chars(&embed["description"]);
        for field in &fields {
            limit("field.name", chars(&field["name"]), 256);
            limit("field.value", chars(&field["value"]), 1_024);
            // What is empty is refused as well.
            limit("empty fields", usize::from(chars(&field["value"]) == 0), 0);
            total += chars(&field["name"]) + chars(&field["value"]);
        }
        limit("embed", total, 6_000);
    }
    for row in message["components"].as_array().into_iter().flatten() {
        let buttons = row["components"].as_array().cloned().unwrap_or_default();
        limit("row", buttons.len(), 5);
        for button in &buttons {
            limit("label", chars(&button["label"]), 80);
            limit("custom_id", chars(&button["custom_id"]), 100);
        }
    }
    for choice in message["choices"].as_array().into_iter().flatten() {
        limit("choice", chars(&choice["name"]), 100);
    }
    limit("choices", message["choices"].as_array().map_or(0, Vec::len), 25);
    (!over.is_empty()).then(|| over.join("; "))
}

/// The same of a command's options, those of its parts too.
fn refuses_options(command: &Value) -> Option<String> {
    let name_is_fine = |name: &str| {
        (1..=32).contains(&name.chars().count())
            && name.chars().all(|c| c.is_alphanumeric() || "_-'".contains(c))
            && name.to_lowercase() == name
    };
    let names_are_fine = |described: &Value| {
        let others = described["name_localizations"].as_object();
        let mut names = others.into_iter().flat_map(|all| all.values());
        described["name"].as_str().is_some_and(name_is_fine)
            && names.all(|name| name.as_str().is_some_and(name_is_fine))
    };
    let texts = |described: &Value| {
        let others = described["description_localizations"].as_object();
        let others = others.into_iter().flat_map(|all| all.values());
        let all = others.chain([&described["description"]]);
        all.filter_map(|text| text.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let name = command["name"].as_str().unwrap_or_default();
    let options = command["options"].as_array().cloned().unwrap_or_default();
    if options.len() > 25 {
        return Some(format!("{name}: too many options"));
    }
    let parts = options.iter().filter(|option| option["type"] == json!(1));
    if let Some(reason) = parts.filter_map(refuses_options).next() {
        return Some(reason);
    }
    let mut optional_seen = false;
    for described in std::iter::once(command).chain(&options) {
        let described_well =
            texts(described).iter().all(|text| (1..=100).contains(&text.chars().count()));
        if !described_well || !names_are_fine(described) {
            return Some(format!("{name}: {described}"));
        }
        if described["choices"].as_array().is_some_and(|choices| choices.len() > 25) {
            return Some(format!("{name}: too many choices"));
        }
    }
    for option in &options {
        let required = option["required"] == json!(true);
        if required && optional_seen {
            return Some(format!("{name}: required options come first"));
        }
        optional_seen |= !required;
    }
    None
}

/// Commands as the API gives them back.
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

/// One connection of the gateway.
fn serve_gateway(stream: TcpStream, state: &State) {
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

/// Hello, then whatever the bot says, and events as they come. Ends with the connection.
fn speak(
    socket: &mut WebSocket<TcpStream>,
    state: &State,
    generation: u64,
    // The number of the last event that this connection has sent, once it has a session.
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
                // What happened before this session is not told to it; it counts from one.
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
