//! The bot from the outside: the real gateway at a stand-in for Discord, people who send commands
//! and press buttons, and what they read.

use serde_json::json;

use crate::harness::discord::{Discord, Person};
use crate::harness::gate::Gate;

#[test]
fn a_command_is_registered_and_answered() {
    let discord = Discord::start();
    let gate = Gate::offline();
    discord.configure(&gate);
    gate.start();
    discord.await_bot();
    let stranger = Person::member(1_001, "ada");
    let reply = discord.command(&stranger, "help", json!([]));
    assert!(reply.is_ephemeral(), "{reply:?}");
    assert!(reply.text().contains("/set_address"), "{reply:?}");
}
