//! A stand-in for Discord: its HTTP API and its gateway, over real sockets. Users send
//! commands and press buttons, and read the bot's responses. The stand-in can drop
//! connections, be slow, limit, fail and refuse the token.
//!
//! It knows only what Discord would know: a token, and what is sent to it.

mod api;
mod gateway;
mod limits;
mod people;

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::gateway::Gateway;
use super::wait::{SOON, wait_until};

pub(crate) use people::{Person, Posted, Reply, buttons, readable};

/// Application and bot have the same id, as is usual.
pub(crate) const APPLICATION: u64 = 700_000_000_000_000_001;
/// The gateway's server, and another one.
pub(crate) const GUILD: u64 = 800_000_000_000_000_002;
pub(crate) const OTHER_GUILD: u64 = 800_000_000_000_000_009;
pub(crate) const ADMIN_ROLE: u64 = 900_000_000_000_000_003;
pub(crate) const MERCHANTS_CHANNEL: u64 = 600_000_000_000_000_004;
pub(crate) const ADMINS_CHANNEL: u64 = 600_000_000_000_000_005;
pub(crate) const AUDIT_LOG_CHANNEL: u64 = 600_000_000_000_000_006;
/// Permissions to view a channel, write into it and embed.
pub(crate) const MAY_WRITE: u64 = 1_024 + 2_048 + 16_384;
const TOKEN: &str = "a.bot.token";

/// Poll interval of a connection.
const LOOK: Duration = Duration::from_millis(5);

/// A request to the HTTP API.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Without `/api/v10`.
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// Behaviour of the HTTP API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Every request gets this status: 429, 500, 401.
    Status(u16),
    /// Every response is delayed by this time.
    Slow(Duration),
}

/// Discord as the bot sees it.
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
    /// Users without direct messages, and the error code that reports it.
    closed: Mutex<BTreeMap<u64, u32>>,
    /// Permissions that nobody has in a channel.
    denied: Mutex<BTreeMap<u64, u64>>,
    /// Members of the server, by id.
    members: Mutex<BTreeMap<u64, Person>>,
    /// Messages that exceeded a limit, with the limit.
    refused: Mutex<Vec<String>>,
    /// Responses to interactions, by token.
    answers: Mutex<BTreeMap<String, Vec<(String, Value)>>>,
    gateway: Mutex<Session>,
}

/// Requests whose path contains the text get this status and code, this many times.
struct Fault {
    path: String,
    status: u16,
    code: u32,
    left: u32,
}

/// The bot's one session: numbered events, kept for a resume.
#[derive(Default)]
struct Session {
    session: u64,
    events: Vec<(u64, &'static str, Value)>,
    /// Connections of an older generation are closed.
    generation: u64,
    identified: u32,
    resumed: u32,
    connected: u32,
    heartbeats: u32,
    /// Refuses the next resume, as after a lost session.
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
            api::serve_http(stream, state);
        });
        listen(gateway, &state, |stream, state| {
            gateway::serve_gateway(stream, state);
        });
        Discord { http_port, ws_port, state }
    }

    /// Configures a gateway for this Discord.
    pub(crate) fn configure(&self, gateway: &Gateway) {
        let file = gateway.folder().join("discord.token");
        std::fs::write(&file, TOKEN).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let id = |id: u64| toml::Value::Integer(i64::try_from(id).unwrap());
        gateway.set("discord.token_file", file.display().to_string());
        gateway.set("discord.guild_id", id(GUILD));
        gateway.set("discord.admin_role_id", id(ADMIN_ROLE));
        gateway.set("discord.api_url", format!("http://127.0.0.1:{}", self.http_port));
        gateway.set("discord.rate_per_user", 0);
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

    /// As [`Discord::fail_next`], with a Discord error code.
    pub(crate) fn fail_next_with(&self, path: &str, status: u16, code: u32, count: u32) {
        let fault = Fault { path: path.to_owned(), status, code, left: count };
        self.state.faults.lock().unwrap().push(fault);
    }

    /// Denies permissions to everyone in a channel.
    pub(crate) fn deny(&self, channel: u64, permissions: u64) {
        self.state.denied.lock().unwrap().insert(channel, permissions);
    }

    /// Accepts the token, or refuses it.
    pub(crate) fn take_token(&self, good: bool) {
        self.state.token_is_good.store(good, Ordering::Relaxed);
    }

    /// Closes or opens a user's direct messages.
    pub(crate) fn close_messages(&self, person: u64, closed: bool) {
        let mut all = self.state.closed.lock().unwrap();
        if closed {
            all.insert(person, 50_007);
        } else {
            all.remove(&person);
        }
    }

    /// Closes a user's direct messages, reported by another code.
    pub(crate) fn close_messages_by(&self, person: u64, code: u32) {
        self.state.closed.lock().unwrap().insert(person, code);
    }

    /// Adds a user as a member of the server.
    pub(crate) fn join(&self, person: &Person) {
        self.state.members.lock().unwrap().insert(person.id, person.clone());
    }

    /// All requests.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// Number of requests with this method and this text in the path.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        self.calls().iter().filter(|c| c.method == method && c.path.contains(path)).count()
    }

    /// The commands registered last, by scope: `guild` or `global`.
    pub(crate) fn commands(&self, scope: &str) -> Option<Value> {
        self.state.commands.lock().unwrap().get(scope).cloned()
    }

    /// Drops all connections of the gateway. Answers the number of resumes before.
    pub(crate) fn drop_socket(&self) -> u32 {
        let mut gateway = self.state.gateway.lock().unwrap();
        gateway.generation += 1;
        gateway.connected = 0;
        gateway.resumed
    }

    /// As [`Discord::drop_socket`], and forgets the session.
    pub(crate) fn lose_session(&self) {
        self.drop_socket();
        self.state.gateway.lock().unwrap().refuse_resume = true;
    }

    /// Number of identified and of resumed sessions.
    pub(crate) fn sessions(&self) -> (u32, u32) {
        let gateway = self.state.gateway.lock().unwrap();
        (gateway.identified, gateway.resumed)
    }

    /// Number of heartbeats.
    pub(crate) fn heartbeats(&self) -> u32 {
        self.state.gateway.lock().unwrap().heartbeats
    }

    /// Limits that messages exceeded.
    pub(crate) fn broken_limits(&self) -> Vec<String> {
        self.state.refused.lock().unwrap().clone()
    }

    /// Messages in channels.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.state.posted.lock().unwrap().clone()
    }

    /// Direct messages to a user.
    pub(crate) fn messages_to(&self, person: u64) -> Vec<Posted> {
        self.posted().into_iter().filter(|posted| posted.to == Some(person)).collect()
    }

    /// Waits for a message with these words to a user or in a channel.
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

    /// Sends a command. Answers the token of its response.
    pub(crate) fn send(&self, person: &Person, name: &str, options: &Value) -> String {
        let mut interaction = self.interaction(person, 2);
        interaction["data"] = self.data(name, options);
        self.dispatch("INTERACTION_CREATE", interaction)
    }

    /// Sends a command, or a subcommand (`webhooks failed`), and waits for the response.
    #[track_caller]
    pub(crate) fn command(&self, person: &Person, name: &str, options: Value) -> Reply {
        let token = self.send(person, name, &options);
        self.await_reply(&token, &format!("/{name} {options}"))
    }

    /// Types into an option with autocompletion.
    #[track_caller]
    pub(crate) fn complete(&self, person: &Person, name: &str, option: &str, typed: &str) -> Reply {
        let mut interaction = self.interaction(person, 4);
        let options = json!([{ "name": option, "type": 3, "value": typed, "focused": true }]);
        interaction["data"] = self.data(name, &options);
        let token = self.dispatch("INTERACTION_CREATE", interaction);
        self.await_reply(&token, &format!("autocompletion of /{name} {option}"))
    }

    /// Presses the button with this label.
    #[track_caller]
    pub(crate) fn press(&self, person: &Person, body: &Value, label: &str) -> Reply {
        let found = buttons(body).into_iter().find(|(l, _)| l == label);
        let Some((_, custom_id)) = found else {
            panic!("no button {label:?} in {body}");
        };
        self.press_id(person, body, &custom_id)
    }

    /// Presses a button with this id, forged or not.
    #[track_caller]
    pub(crate) fn press_id(&self, person: &Person, body: &Value, custom_id: &str) -> Reply {
        let mut interaction = self.interaction(person, 3);
        interaction["data"] = json!({ "custom_id": custom_id, "component_type": 2 });
        interaction["message"] = self.state.message(MERCHANTS_CHANNEL, body);
        let token = self.dispatch("INTERACTION_CREATE", interaction);
        self.await_reply(&token, &format!("the button {custom_id}"))
    }

    /// Submits the form that this reply opened, with a text in its field.
    #[track_caller]
    pub(crate) fn submit(&self, person: &Person, form: &Reply, typed: &str) -> Reply {
        assert_eq!(form.kind, 9, "a form: {}", form.body);
        let field = &form.body["components"][0]["components"][0];
        assert_eq!(field["type"], json!(4), "{}", form.body);
        let mut interaction = self.interaction(person, 5);
        let value = json!({ "type": 4, "custom_id": field["custom_id"], "value": typed });
        interaction["data"] = json!({
            "custom_id": form.body["custom_id"],
            "components": [{ "type": 1, "components": [value] }],
        });
        interaction["message"] = self.state.message(MERCHANTS_CHANNEL, &json!({}));
        let token = self.dispatch("INTERACTION_CREATE", interaction);
        self.await_reply(&token, &format!("the form {}", form.body["custom_id"]))
    }

    /// Waits for the complete response to an interaction.
    #[track_caller]
    pub(crate) fn await_reply(&self, token: &str, what: &str) -> Reply {
        wait_until(&format!("an answer to {what}"), SOON, || self.reply(token))
    }

    /// The response to an interaction, once it is complete.
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
        // A follow-up is as visible as the deferral was.
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

    /// A message object as Discord builds it.
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
