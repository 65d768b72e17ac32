//! Users on Discord, and the messages that they read.
//!
//! Must not know: the transport.

use serde_json::{Value, json};

use super::{ADMIN_ROLE, GUILD};

/// A user, at the place where they type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) roles: Vec<u64>,
    /// The server, or a direct message to the bot.
    pub(crate) guild: Option<u64>,
    /// The language of the user's Discord.
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

    /// The same user elsewhere.
    pub(crate) fn at(&self, guild: Option<u64>) -> Person {
        Person { guild, ..self.clone() }
    }

    /// The same user with another language.
    pub(crate) fn speaking(&self, locale: &str) -> Person {
        Person { locale: locale.to_owned(), ..self.clone() }
    }

    pub(super) fn user(&self) -> Value {
        json!({
            "id": self.id.to_string(), "username": self.name, "discriminator": "0",
            "global_name": null, "avatar": null, "bot": false, "public_flags": 0,
        })
    }

    pub(super) fn member_object(&self) -> Value {
        json!({
            "user": self.user(), "nick": null, "avatar": null,
            "roles": self.roles.iter().map(u64::to_string).collect::<Vec<_>>(),
            "joined_at": "2024-01-01T00:00:00.000000+00:00", "premium_since": null,
            "deaf": false, "mute": false, "flags": 0, "pending": false, "permissions": "0",
        })
    }
}

/// A message in a channel.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) channel: u64,
    /// The user of a direct-message channel.
    pub(crate) to: Option<u64>,
    pub(crate) body: Value,
}

/// The bot's response to an interaction.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// Type of the first response: 4 message, 5 deferred, 6 deferred update, 8 autocompletion,
    /// 9 form.
    pub(crate) kind: u64,
    /// The response, with the follow-up of a deferral.
    pub(crate) body: Value,
    pub(super) ephemeral: bool,
}

impl Reply {
    /// All text that a user reads.
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

    /// Names and values of an autocompletion.
    pub(crate) fn choices(&self) -> Vec<(String, String)> {
        let choices = self.body["choices"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        choices.iter().map(|choice| (text(&choice["name"]), text(&choice["value"]))).collect()
    }
}

/// All text that a user reads of a message.
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

/// Labels and ids of a message's enabled buttons.
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
