//! Answers: what a person reads, sent to them alone, again if Discord stumbles; and errors as one
//! sentence each.

use std::time::Duration;

use poise::serenity_prelude as serenity;

use crate::acts::Refusal;
use crate::domain::amount::Amount;
use crate::domain::time::Timestamp;
use crate::store::notices;

use super::language::{ENGLISH, Language};
use super::{Bot, Context, Data, Failure, account_of, language_of};

/// What is said to one person.
#[derive(Default)]
pub(super) struct Answer {
    content: Option<String>,
    embed: Option<serenity::CreateEmbed>,
    rows: Vec<serenity::CreateActionRow>,
    file: Option<serenity::CreateAttachment>,
    secret: bool,
}

/// The colour at the side of lists and pages.
const COLOUR: u32 = 0x34_5d_9d;

/// The longest description of an embed, in characters (Discord's limit is 4,096).
pub(super) const DESCRIPTION_CHARS_MAX: usize = 4_000;

/// The longest value of a field (Discord's limit is 1,024).
const FIELD_CHARS_MAX: usize = 1_000;

/// Fields of a page (Discord's limit), and all that is in them (its limit for a page is 6,000 with
/// the title).
const FIELDS_MAX: usize = 25;
const FIELDS_CHARS_MAX: usize = 5_700;

impl Answer {
    pub(super) fn text(text: impl Into<String>) -> Answer {
        Answer { content: Some(text.into()), ..Answer::default() }
    }

    /// A page with a title.
    pub(super) fn page(title: impl Into<String>, text: &str) -> Answer {
        let embed = serenity::CreateEmbed::new()
            .title(title)
            .description(cut(text, DESCRIPTION_CHARS_MAX))
            .colour(COLOUR);
        Answer { embed: Some(embed), ..Answer::default() }
    }

    /// A page made of named values.
    pub(super) fn table(title: impl Into<String>, fields: &[(&str, String)]) -> Answer {
        let mut embed = serenity::CreateEmbed::new().title(title).colour(COLOUR);
        let mut room = FIELDS_CHARS_MAX;
        for (name, value) in fields.iter().take(FIELDS_MAX) {
            let value = cut(value, FIELD_CHARS_MAX);
            let chars = name.chars().count().saturating_add(value.chars().count());
            let Some(left) = room.checked_sub(chars) else { break };
            room = left;
            embed = embed.field(*name, value, false);
        }
        Answer { embed: Some(embed), ..Answer::default() }
    }

    /// A file goes with it. Only first answers can have one.
    pub(super) fn with_file(mut self, name: String, text: String) -> Answer {
        self.file = Some(serenity::CreateAttachment::bytes(text, name));
        self
    }

    pub(super) fn with_buttons(mut self, buttons: Vec<serenity::CreateButton>) -> Answer {
        if !buttons.is_empty() {
            self.rows.push(serenity::CreateActionRow::Buttons(buttons));
        }
        self
    }

    /// The text holds a secret: it goes away after a while.
    pub(super) fn secret(mut self) -> Answer {
        self.secret = true;
        self
    }

    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    fn add_line(&mut self, line: &str) {
        let before = self.content.take().map(|text| format!("{text}\n")).unwrap_or_default();
        self.content = Some(format!("{before}{line}"));
    }

    /// As the edit of the message under which a button was pressed. What is not said is removed.
    pub(super) fn into_edit(self) -> serenity::EditInteractionResponse {
        serenity::EditInteractionResponse::new()
            .content(self.content.unwrap_or_default())
            .embeds(self.embed.into_iter().collect())
            .components(self.rows)
            .allowed_mentions(serenity::CreateAllowedMentions::new())
    }

    fn into_reply(self) -> poise::CreateReply {
        let mut reply = poise::CreateReply::default();
        if let Some(content) = self.content {
            reply = reply.content(content);
        }
        if let Some(embed) = self.embed {
            reply = reply.embed(embed);
        }
        if !self.rows.is_empty() {
            reply = reply.components(self.rows);
        }
        if let Some(file) = self.file {
            reply = reply.attachment(file);
        }
        reply.ephemeral(true).allowed_mentions(serenity::CreateAllowedMentions::new())
    }
}

/// The beginning of a text that is too long.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Tries and the first pause between them, for what Discord may refuse for a moment.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// How long one request to Discord may take; the library itself would wait for ever.
const REQUEST_MAX: Duration = Duration::from_secs(15);

/// One request with an end.
pub(super) async fn in_time<T>(
    call: impl Future<Output = Result<T, serenity::Error>>,
) -> Result<T, serenity::Error> {
    match tokio::time::timeout(REQUEST_MAX, call).await {
        Ok(answered) => answered,
        Err(_) => Err(serenity::Error::Other("no answer in time")),
    }
}

/// Calls until it works, or cannot.
pub(super) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, serenity::Error>
where
    F: Future<Output = Result<T, serenity::Error>>,
{
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match in_time(call()).await {
            Err(error) if may_pass(&error) => tokio::time::sleep(pause).await,
            ended => return ended,
        }
        pause *= 2;
    }
    in_time(call()).await
}

/// Answers to the asker alone. A secret is taken away again after a while.
pub(super) async fn reply(context: Context<'_>, mut answer: Answer) -> Result<(), Failure> {
    let (bot, language) = (context.data(), language_of(context));
    add_kept_notices(bot, language, context.author().id.get(), &mut answer).await;
    let is_secret = answer.is_secret();
    let message = answer.into_reply();
    let sent = patiently(|| context.send(message.clone())).await?;
    if is_secret {
        tokio::select! {
            () = bot.shutdown.cancelled() => {}
            () = tokio::time::sleep(bot.settings.secrets_shown) => {}
        }
        patiently(|| sent.delete(context)).await?;
    }
    Ok(())
}

/// Who takes no direct messages is reminded under the next answer.
async fn add_kept_notices(bot: &Bot, language: Language, user: u64, answer: &mut Answer) {
    let kept = bot
        .read(move |tx| match account_of(tx, user) {
            Ok(merchant) => Ok(notices::count_kept(tx, merchant.id)?),
            Err(_) => Ok(0),
        })
        .await;
    match kept {
        Ok(0) | Err(_) => {}
        Ok(n) => answer.add_line(&language.say(language.words.kept_notices, &[("n", &n)])),
    }
}

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
        self.language.say(self.language.words.ours, &[("request", &self.request())])
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
            .content(Mishap::Changed.told(&asked))
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
enum Mishap {
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

impl Mishap {
    /// In one sentence.
    fn said(&self, language: Language, asked: &Asked<'_>) -> String {
        let words = language.words;
        match self {
            Mishap::Ours | Mishap::Panicked(_) => {
                language.say(words.ours, &[("request", &asked.request())])
            }
            Mishap::NotUnderstood(_) => words.not_understood.to_owned(),
            Mishap::Changed => words.changed.to_owned(),
            Mishap::HasParts => words.has_parts.to_owned(),
            Mishap::BotLacks(which) => {
                let lacks = permissions(language, *which);
                language.say(words.bot_lacks, &[("permissions", &lacks)])
            }
            Mishap::PermissionsUnknown => words.permissions_unknown.to_owned(),
            Mishap::NotUsable => language.say(words.not_usable, &[]),
        }
    }

    /// The same for the asker, in their language; the log has it in English with what only it is
    /// told.
    fn told(&self, asked: &Asked<'_>) -> String {
        let (request, user, wants) = (asked.request(), asked.user, asked.wants);
        let (why, said) = (self.said(ENGLISH, asked), self.said(asked.language, asked));
        match self {
            Mishap::Ours => {
                tracing::error!(why, request, discord.user = user, wants, "a command failed");
                said
            }
            Mishap::Panicked(payload) => {
                tracing::error!(payload, request, discord.user = user, wants, "a command panicked");
                said
            }
            Mishap::NotUnderstood(detail) => {
                tracing::info!(why, detail, request, discord.user = user, wants, "refused");
                with_request(&said, &request)
            }
            Mishap::Changed
            | Mishap::HasParts
            | Mishap::BotLacks(_)
            | Mishap::PermissionsUnknown
            | Mishap::NotUsable => {
                tracing::info!(why, request, discord.user = user, wants, "refused");
                with_request(&said, &request)
            }
        }
    }
}

/// What the one who sent a command is told of its failure, whatever it is.
fn said_of(error: &poise::FrameworkError<'_, Data, Failure>, asked: &Asked<'_>) -> String {
    use poise::FrameworkError as E;
    let mishap = match error {
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
        E::CommandPanic { payload, .. } => Mishap::Panicked(payload.clone()),
        E::ArgumentParse { error, .. } => Mishap::NotUnderstood(error.to_string()),
        E::CommandStructureMismatch { .. } => Mishap::Changed,
        E::SubcommandRequired { .. } => Mishap::HasParts,
        E::MissingBotPermissions { missing_permissions, .. } => {
            Mishap::BotLacks(*missing_permissions)
        }
        E::PermissionFetchFailed { .. } => Mishap::PermissionsUnknown,
        E::CommandCheckFailed { error: None, .. } => Mishap::NotUsable,
        // Those below come with no command: whoever has sent nothing is told nothing.
        E::Setup { .. }
        | E::EventHandler { .. }
        | E::DynamicPrefix { .. }
        | E::UnknownCommand { .. }
        | E::UnknownInteraction { .. }
        | E::NonCommandMessage { .. } => Mishap::Ours,
        E::__NonExhaustive(never) => match *never {},
    };
    mishap.told(asked)
}

/// Permissions as Discord calls them in a language; those that we do not ask for by its own names.
pub(super) fn permissions(language: Language, which: serenity::Permissions) -> String {
    use serenity::Permissions as P;
    let ours = [
        (P::VIEW_CHANNEL, language.words.permission_view),
        (P::SEND_MESSAGES, language.words.permission_send),
        (P::EMBED_LINKS, language.words.permission_embed),
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
        _ => tracing::warn!("Discord told of something that nobody had asked for"),
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

/// The status of Discord's answer, if it is one that says no, and its own code.
pub(super) fn refusal_of(error: &serenity::Error) -> Option<(u16, isize)> {
    match error {
        serenity::Error::Http(serenity::HttpError::UnsuccessfulRequest(response)) => {
            Some((response.status_code.as_u16(), response.error.code))
        }
        _ => None,
    }
}

pub(super) fn is_unauthorized(error: &serenity::Error) -> bool {
    use serenity::GatewayError;
    let by_gateway = matches!(
        error,
        serenity::Error::Gateway(
            GatewayError::InvalidAuthentication | GatewayError::NoAuthentication
        )
    );
    by_gateway || refusal_of(error).is_some_and(|(status, _)| status == 401)
}

/// Whether the same may work in a moment.
pub(super) fn may_pass(error: &serenity::Error) -> bool {
    match refusal_of(error) {
        Some((status, _)) => status == 429 || status >= 500,
        None => matches!(error, serenity::Error::Http(serenity::HttpError::Request(_))),
    }
}

/// An error without the addresses in it, which hold tokens of interactions.
pub(super) fn in_words(error: &serenity::Error) -> String {
    match error {
        serenity::Error::Http(serenity::HttpError::UnsuccessfulRequest(response)) => format!(
            "it answers {} ({}: {})",
            response.status_code.as_u16(),
            response.error.code,
            response.error.message
        ),
        serenity::Error::Http(serenity::HttpError::Request(request)) => {
            let kind = if request.is_timeout() {
                "no answer in time"
            } else if request.is_connect() {
                "cannot be reached"
            } else {
                "the connection broke"
            };
            kind.to_owned()
        }
        serenity::Error::Http(_) => "an answer that is not understood".to_owned(),
        other => other.to_string(),
    }
}

/// Words of the log, of the node or of Discord, as they are in all languages and without any
/// meaning as markup.
pub(super) fn logged(words: &str) -> String {
    let shown = words.chars().filter(|c| !crate::domain::merchant::is_unprintable(*c));
    let shown: String = shown.map(|c| if c == '`' { '\'' } else { c }).collect();
    format!("`{}`", cut(&shown, LOGGED_CHARS_MAX))
}

/// The most that is shown of them.
const LOGGED_CHARS_MAX: usize = 600;

/// An amount with its unit.
pub(super) fn ltc(amount: Amount) -> String {
    format!("{amount} LTC")
}

/// A time as Discord shows it to each reader in their own time zone: how long until or since.
pub(super) fn relative(at: Timestamp) -> String {
    format!("<t:{}:R>", at.seconds())
}

/// A time as date and hour.
pub(super) fn date(at: Timestamp) -> String {
    format!("<t:{}:f>", at.seconds())
}

/// An address in groups of four, to be compared by eye.
pub(super) fn grouped(address: &str) -> String {
    let chars: Vec<char> = address.chars().collect();
    let groups: Vec<String> = chars.chunks(4).map(|group| group.iter().collect()).collect();
    format!("`{}`", groups.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acts::notices::plain;

    #[test]
    fn addresses_are_said_back_in_groups_of_four() {
        assert_eq!(grouped("ltc1qabcde"), "`ltc1 qabc de`");
        assert_eq!(grouped(""), "``");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüx", 3), "äö…");
    }

    #[test]
    fn every_mishap_is_one_sentence_with_its_number_in_each_language() {
        let payload = || Some("Err(Os { code: 2 })".to_owned());
        let all = [
            Mishap::Ours,
            Mishap::Panicked(payload()),
            Mishap::NotUnderstood("Error { expected: .. }".to_owned()),
            Mishap::Changed,
            Mishap::HasParts,
            Mishap::BotLacks(serenity::Permissions::SEND_MESSAGES),
            Mishap::PermissionsUnknown,
            Mishap::NotUsable,
        ];
        let mut said = std::collections::BTreeSet::new();
        for locale in ["en-US", "de", "es-ES", "fr", "pt-BR"] {
            let language = Language::of_locale(locale);
            for mishap in &all {
                let asked = Asked { interaction: 0xab, user: 1, wants: "help", language };
                let told = mishap.told(&asked);
                assert_eq!(told.matches("req_ab").count(), 1, "{told}");
                assert!(told.lines().count() <= 2, "{told}");
                for trace in ["Err(", "Error {", "Some(", "{"] {
                    assert!(!told.contains(trace), "{trace} in {told}");
                }
                said.insert(told);
            }
        }
        // A panic is ours, too; all others are different sentences in each language.
        assert_eq!(said.len(), 5 * (all.len() - 1), "{said:?}");
    }

    #[test]
    fn text_of_others_loses_its_markup() {
        assert_eq!(plain("**a** <@1> @everyone"), "\\*\\*a\\*\\* \\<\\@1\\> \\@everyone");
        assert_eq!(plain("[x](https://e)"), "\\[x\\](https\\://e)");
        assert_eq!(plain("a\u{202e}b\u{200b}c"), "abc");
    }
}
