//! The second factor on Discord: which commands ask for a code, and that guarded ones do
//! nothing without it.

use serde_json::json;

use crate::discord::{ADA, ADDRESS, EVE, ROOT, grant, offline, secret_in, text};
use crate::harness::authenticator::Authenticator;
use crate::harness::database::Database;
use crate::harness::discord::{Discord, Person, Reply};
use crate::harness::gateway::Gateway;

/// The type of an answer that opens a form, and of one that changes a message.
const FORM: u64 = 9;
const UPDATE: u64 = 6;

/// Asks by a command, presses its button, and sends the form that opens with this code.
#[track_caller]
fn answer(discord: &Discord, person: &Person, confirmation: &Reply, code: &str) -> Reply {
    let label = confirmation.buttons()[0].clone();
    let form = discord.press(person, &confirmation.body, &label);
    discord.submit(person, &form, code)
}

/// Enables a second factor; answers the app and the recovery codes.
#[track_caller]
fn enable(discord: &Discord, gateway: &Gateway, person: &Person) -> (Authenticator, Vec<String>) {
    let page = discord.command(person, "second_factor enable", json!([]));
    assert!(page.is_ephemeral());
    assert_eq!(page.buttons(), ["Enter the code", "Leave it"]);
    assert!(page.text().contains("otpauth://totp/litegate:mer_"), "{}", page.text());
    let app = Authenticator::of(&secret_in(&page));
    let refused = answer(discord, person, &page, &app.wrong_code());
    assert!(refused.text().contains("The code is wrong"), "{}", refused.text());
    let done = answer(discord, person, &page, &app.next_code(gateway));
    assert!(done.is_ephemeral() && done.buttons().is_empty(), "{done:?}");
    let shown = done.text();
    let codes = shown.split("```\n").nth(1).unwrap_or_else(|| panic!("no codes in {shown}"));
    (app, codes.lines().map(str::to_owned).take(8).collect())
}

/// 1. Enable a second factor with the app's first code.
/// 2. Replace the key: a wrong code is refused and keeps the confirmation, a right one
///    replaces the key, and a used one is refused.
/// 3. The first payout address and a change of it ask for a code, too.
/// 4. Disable it with a recovery code: the key is replaced by a confirmation alone.
#[test]
fn address_and_key_changes_ask_for_a_code_in_a_form() {
    let (discord, gateway) = offline(|gateway| gateway.set_environment("LITEGATE_LOG", "trace"));
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    let refused = discord.command(&ada, "second_factor enable", json!([]));
    assert!(refused.text().contains("no merchant account yet"), "{}", refused.text());
    discord.command(&root, "grant_sub", grant(ADA, 3));
    let early = discord.command(&ada, "rotate_key", json!([]));
    let refused = discord.command(&ada, "second_factor disable", json!([]));
    assert!(refused.text().contains("not enabled"), "{}", refused.text());
    let (app, recovery) = enable(&discord, &gateway, &ada);

    let before = secret_in(&discord.command(&ada, "view_key", json!([])));
    // A question from before the factor was enabled needs a code, too.
    let opened = discord.press(&ada, &early.body, "Replace the key");
    assert_eq!(opened.kind, FORM, "{opened:?}");
    for wrong in [app.last_code().as_str(), &app.wrong_code(), "nonsense"] {
        let refused = discord.submit(&ada, &opened, wrong);
        let said = refused.text();
        assert!(said.contains("used already") || said.contains("is wrong"), "{said}");
    }
    let key = secret_in(&discord.command(&ada, "view_key", json!([])));
    assert_eq!(key, before, "nothing was replaced");
    discord.submit(&ada, &opened, &recovery[0]);
    let replaced = secret_in(&discord.command(&ada, "view_key", json!([])));
    assert_ne!(replaced, before);
    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    let code = app.next_code(&gateway);
    let done = answer(&discord, &ada, &confirmation, &code);
    assert_ne!(secret_in(&done), replaced);
    let used = answer(&discord, &ada, &discord.command(&ada, "rotate_key", json!([])), &code);
    assert!(used.text().contains("used already"), "{}", used.text());

    let confirmation = discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    assert!(
        confirmation.text().contains("code of your authenticator app"),
        "{}",
        confirmation.text()
    );
    let shown = gateway.cli_list(&["merchant", "list"]);
    assert_eq!(shown[0].raw("payoutAddress"), "null");
    let set = answer(&discord, &ada, &confirmation, &app.next_code(&gateway));
    assert!(set.text().contains("from now on") || set.text().contains("go to"), "{}", set.text());
    let second = "rltc1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpjt8zj4";
    let confirmation = discord.command(&ada, "set_address", text("ltc_address", second));
    let opened = discord.press(&ada, &confirmation.body, "Change the address");
    assert_eq!(opened.kind, FORM, "{opened:?}");

    let confirmation = discord.command(&ada, "second_factor disable", json!([]));
    let refused = answer(&discord, &ada, &confirmation, &recovery[0]);
    assert!(refused.text().contains("is wrong"), "{}", refused.text());
    let disabled = answer(&discord, &ada, &confirmation, &recovery[1].to_uppercase());
    assert!(disabled.text().contains("is disabled"), "{}", disabled.text());
    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    let done = discord.press(&ada, &confirmation.body, "Replace the key");
    assert_eq!(done.kind, UPDATE, "{done:?}");
    assert!(discord.broken_limits().is_empty(), "{:?}", discord.broken_limits());
    let audit_log = gateway.cli_ok(&["audit-log"]).stdout;
    for code in &recovery {
        assert!(!gateway.log().contains(code) && !audit_log.contains(code), "{code}");
    }
}

/// 1. Another user submits a merchant's form: refused in spite of a right code.
/// 2. Five wrong codes lock the factor, in bot and CLI alike.
/// 3. Delete the row by SQL: the form's code is refused.
#[test]
fn no_form_lets_a_wrong_user_or_code_pass() {
    let (discord, gateway) = offline(|_| ());
    let (ada, eve) = (Person::member(ADA, "ada"), Person::member(EVE, "eve"));
    for person in [&ada, &eve] {
        discord.command(person, "set_address", text("ltc_address", ADDRESS));
    }
    let (app, recovery) = enable(&discord, &gateway, &ada);
    let before = secret_in(&discord.command(&ada, "view_key", json!([])));
    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    let form = discord.press(&ada, &confirmation.body, "Replace the key");
    let foreign = discord.submit(&eve, &form, &app.next_code(&gateway));
    assert!(foreign.text().contains("not yours"), "{}", foreign.text());
    for _ in 0..5 {
        discord.submit(&ada, &form, &app.wrong_code());
    }
    let locked = discord.submit(&ada, &form, &recovery[0]);
    assert!(locked.text().contains("Too many wrong codes"), "{}", locked.text());
    let id = gateway.cli_list(&["merchant", "list"]);
    let id = id.iter().find(|merchant| merchant.raw("discordId").contains(&ADA.to_string()));
    let id = id.unwrap().text("merchantId");
    let code = app.next_code(&gateway);
    gateway.cli_fails(&["merchant", "rotate-key", &id, "--code", &code], 4, &["too many wrong"]);
    Database::of(&gateway).tamper("DELETE FROM second_factors;");
    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    let refused = answer(&discord, &ada, &confirmation, &recovery[0]);
    assert!(refused.text().contains("cannot be verified"), "{}", refused.text());
    let after = secret_in(&discord.command(&ada, "view_key", json!([])));
    assert_eq!(after, before);
}
