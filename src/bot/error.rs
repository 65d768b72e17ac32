//! What goes wrong with a command: one sentence for the asker, in their language, and a line in the
//! log that its number finds.

use poise::serenity_prelude as serenity;

use crate::operations::Refusal;

use super::answer::Answer;
use super::calls::patiently;
use super::language::{ENGLISH, Language};
use super::{Context, Data, Failure, language_of};

/// Who asked for what, and the number of their interaction, by which the log is found.
pub(super) struct Asked<'a> {
    pub(super) interaction: u64,
    pub(super) user: u64,
    pub(super) wants: &'a str,
    pub(super) language: Language,
}

impl Asked<'_> {
    fn request(&self) -> String {
        format!("req_{:x}", self.interaction)
    }

    /// What is said of mistakes that are not the asker's.
    fn ours(&self) -> String {
        self.language.say("ours", &[("request", &self.request())])
    }
}

/// What an asker is told of a failure, and what only the log is told. Each failure has a line in
/// the log, which the request's name under the sentence finds.
pub(super) fn sentence(failure: &Failure, asked: &Asked<'_>) -> String {
    let (request, user, wants) = (asked.request(), asked.user, asked.wants);
    match failure {
        Failure::Refused(Refusal::Store(error)) => {
            tracing::error!(%error, request, discord.user = user, wants, "a command failed");
            asked.ours()
        }
        Failure::Panicked | Failure::Unreadable => {
            tracing::error!(why = %failure, request, discord.user = user, wants, "a command failed");
            asked.ours()
        }
        Failure::Discord(why) => {
            tracing::warn!(
                why,
                request,
                discord.user = user,
                wants,
                "an answer did not reach Discord"
            );
            asked.ours()
        }
        refused => {
            tracing::info!(why = %refused, request, discord.user = user, wants, "refused");
            with_request(&asked.language.failure(refused), &request)
        }
    }
}

/// A sentence with the name of the request under it, in small letters.
fn with_request(sentence: &str, request: &str) -> String {
    format!("{sentence}\n-# {request}")
}

/// One sentence to the one who asked, never a debug output.
pub(super) async fn error(error: poise::FrameworkError<'_, Data, Failure>) {
    use poise::FrameworkError as E;
    if let E::UnknownInteraction { framework, interaction, .. } = &error {
        let asked = Asked {
            interaction: interaction.id.get(),
            user: interaction.user.id.get(),
            wants: &interaction.data.name,
            language: Language::of_locale(&interaction.locale),
        };
        let message = serenity::CreateInteractionResponseMessage::new()
            .content(CommandError::Changed.notified(&asked))
            .ephemeral(true)
            .allowed_mentions(serenity::CreateAllowedMentions::new());
        let response = serenity::CreateInteractionResponse::Message(message);
        let sent = interaction.create_response(&framework.serenity_context.http, response);
        let _ = sent.await; // Nobody is left to be told.
        return;
    }
    let Some(context) = error.ctx() else {
        log_unasked(&error);
        return;
    };
    let asked = Asked {
        interaction: match context {
            poise::Context::Application(context) => context.interaction.id.get(),
            poise::Context::Prefix(_) => 0,
        },
        user: context.author().id.get(),
        wants: &context.command().qualified_name,
        language: language_of(context),
    };
    let text = said_of(&error, &asked);
    if let Err(failure) = answer_error(context, text).await {
        let request = asked.request();
        tracing::warn!(%failure, request, "an answer did not reach Discord");
    }
}

/// What went wrong with a command outside of its own code.
enum CommandError {
    /// Nothing that the asker could have done otherwise.
    Ours,
    Panicked(Option<String>),
    NotUnderstood(String),
    /// What Discord sends is not what we registered.
    Changed,
    HasParts,
    BotLacks(serenity::Permissions),
    PermissionsUnknown,
    NotUsable,
}

impl CommandError {
    /// In one sentence.
    fn said(&self, language: Language, asked: &Asked<'_>) -> String {
        match self {
            CommandError::Ours | CommandError::Panicked(_) => {
                language.say("ours", &[("request", &asked.request())])
            }
            CommandError::NotUnderstood(_) => language.text("not-understood").to_owned(),
            CommandError::Changed => language.text("changed").to_owned(),
            CommandError::HasParts => language.text("has-parts").to_owned(),
            CommandError::BotLacks(which) => {
                let lacks = permissions(language, *which);
                language.say("bot-lacks", &[("permissions", &lacks)])
            }
            CommandError::PermissionsUnknown => language.text("permissions-unknown").to_owned(),
            CommandError::NotUsable => language.text("not-usable").to_owned(),
        }
    }

    /// The same for the asker, in their language; the log has it in English with what only it is
    /// told.
    fn notified(&self, asked: &Asked<'_>) -> String {
        let (request, user, wants) = (asked.request(), asked.user, asked.wants);
        let (why, said) = (self.said(ENGLISH, asked), self.said(asked.language, asked));
        match self {
            CommandError::Ours => {
                tracing::error!(why, request, discord.user = user, wants, "a command failed");
                said
            }
            CommandError::Panicked(payload) => {
                tracing::error!(payload, request, discord.user = user, wants, "a command panicked");
                said
            }
            CommandError::NotUnderstood(detail) => {
                tracing::info!(why, detail, request, discord.user = user, wants, "refused");
                with_request(&said, &request)
            }
            CommandError::Changed
            | CommandError::HasParts
            | CommandError::BotLacks(_)
            | CommandError::PermissionsUnknown
            | CommandError::NotUsable => {
                tracing::info!(why, request, discord.user = user, wants, "refused");
                with_request(&said, &request)
            }
        }
    }
}

/// What the one who sent a command is told of its failure, whatever it is.
fn said_of(error: &poise::FrameworkError<'_, Data, Failure>, asked: &Asked<'_>) -> String {
    use poise::FrameworkError as E;
    let error = match error {
        E::Command { error, .. } | E::CommandCheckFailed { error: Some(error), .. } => {
            return sentence(error, asked);
        }
        E::CooldownHit { remaining_cooldown, .. } => {
            let wait = remaining_cooldown.as_secs().saturating_add(1);
            return sentence(&Failure::TooFast(wait), asked);
        }
        E::MissingUserPermissions { .. } | E::NotAnOwner { .. } => {
            return sentence(&Failure::NotAdmin, asked);
        }
        E::GuildOnly { .. } | E::DmOnly { .. } | E::NsfwOnly { .. } => {
            return sentence(&Failure::OtherPlace, asked);
        }
        E::CommandPanic { payload, .. } => CommandError::Panicked(payload.clone()),
        E::ArgumentParse { error, .. } => CommandError::NotUnderstood(error.to_string()),
        E::CommandStructureMismatch { .. } => CommandError::Changed,
        E::SubcommandRequired { .. } => CommandError::HasParts,
        E::MissingBotPermissions { missing_permissions, .. } => {
            CommandError::BotLacks(*missing_permissions)
        }
        E::PermissionFetchFailed { .. } => CommandError::PermissionsUnknown,
        E::CommandCheckFailed { error: None, .. } => CommandError::NotUsable,
        // The errors below belong to no command: there is no user to answer.
        E::Setup { .. }
        | E::EventHandler { .. }
        | E::DynamicPrefix { .. }
        | E::UnknownCommand { .. }
        | E::UnknownInteraction { .. }
        | E::NonCommandMessage { .. } => CommandError::Ours,
        E::__NonExhaustive(never) => match *never {},
    };
    error.notified(asked)
}

/// Permissions as Discord calls them in a language; those that we do not ask for by its own names.
pub(super) fn permissions(language: Language, which: serenity::Permissions) -> String {
    use serenity::Permissions as P;
    let ours = [
        (P::VIEW_CHANNEL, language.text("permission-view")),
        (P::SEND_MESSAGES, language.text("permission-send")),
        (P::EMBED_LINKS, language.text("permission-embed")),
    ];
    let mut named: Vec<&str> =
        ours.iter().filter(|(bit, _)| which.contains(*bit)).map(|(_, name)| *name).collect();
    let asked_for = ours.iter().fold(P::empty(), |all, (bit, _)| all | *bit);
    named.extend(which.difference(asked_for).get_permission_names());
    named.join(", ")
}

/// Failures that no command led to.
fn log_unasked(error: &poise::FrameworkError<'_, Data, Failure>) {
    use poise::FrameworkError as E;
    match error {
        E::EventHandler { error, .. } => tracing::warn!(%error, "a button failed"),
        E::Setup { error, .. } => tracing::warn!(%error, "the bot could not be set up"),
        _ => tracing::warn!("Discord sent an unexpected event"),
    }
}

async fn answer_error(context: Context<'_>, text: String) -> Result<(), Failure> {
    if let poise::Context::Application(application) = context
        && application.interaction_type == poise::CommandInteractionType::Autocomplete
    {
        // Who may not ask gets an empty list, not a reason.
        let empty = serenity::CreateAutocompleteResponse::new();
        let response = serenity::CreateInteractionResponse::Autocomplete(empty);
        let http = &context.serenity_context().http;
        application.interaction.create_response(http, response).await?;
        return Ok(());
    }
    let message = Answer::text(text).into_reply();
    patiently(|| context.send(message.clone())).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bot_error_is_one_sentence_with_its_request_id() {
        let payload = || Some("Err(Os { code: 2 })".to_owned());
        let all = [
            CommandError::Ours,
            CommandError::Panicked(payload()),
            CommandError::NotUnderstood("Error { expected: .. }".to_owned()),
            CommandError::Changed,
            CommandError::HasParts,
            CommandError::BotLacks(serenity::Permissions::SEND_MESSAGES),
            CommandError::PermissionsUnknown,
            CommandError::NotUsable,
        ];
        let mut said = std::collections::BTreeSet::new();
        for locale in ["en-US", "de", "es-ES", "fr", "pt-BR"] {
            let language = Language::of_locale(locale);
            for error in &all {
                let asked = Asked { interaction: 0xab, user: 1, wants: "help", language };
                let notified = error.notified(&asked);
                assert_eq!(notified.matches("req_ab").count(), 1, "{notified}");
                assert!(notified.lines().count() <= 2, "{notified}");
                for trace in ["Err(", "Error {", "Some(", "{"] {
                    assert!(!notified.contains(trace), "{trace} in {notified}");
                }
                said.insert(notified);
            }
        }
        // A panic is ours, too; all others are different sentences in each language.
        assert_eq!(said.len(), 5 * (all.len() - 1), "{said:?}");
    }
}
