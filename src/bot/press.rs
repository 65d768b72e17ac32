//! A pressed button, or a form that one opened and that was sent.

use poise::serenity_prelude as serenity;

use super::Failure;
use super::authorization::Origin;
use super::calls::patiently;

/// What the ids of our forms begin with, before the id of the button.
pub(super) const FORM: &str = "form:";

/// What was pressed, and the way to answer it.
pub(super) struct Press<'p> {
    http: &'p serenity::Http,
    kind: Kind<'p>,
}

enum Kind<'p> {
    Button(&'p serenity::ComponentInteraction),
    Form(&'p serenity::ModalInteraction),
}

/// Calls a method that both kinds have.
macro_rules! both {
    ($press:expr, $one:ident => $call:expr) => {
        match $press.kind {
            Kind::Button($one) => $call,
            Kind::Form($one) => $call,
        }
    };
}

impl<'p> Press<'p> {
    /// What was pressed, if anything was.
    pub(super) fn of(
        interaction: &'p serenity::Interaction,
        http: &'p serenity::Http,
    ) -> Option<Press<'p>> {
        let kind = match interaction {
            serenity::Interaction::Component(press) => Kind::Button(press),
            serenity::Interaction::Modal(form) => Kind::Form(form),
            _ => return None,
        };
        Some(Press { http, kind })
    }

    /// The id of the button, also of the one that opened the form.
    pub(super) fn id(&self) -> &'p str {
        let id = both!(self, one => one.data.custom_id.as_str());
        match self.kind {
            Kind::Button(_) => id,
            Kind::Form(_) => id.strip_prefix(FORM).unwrap_or_default(),
        }
    }

    /// What was typed into the form.
    pub(super) fn code(&self) -> Option<&'p str> {
        let Kind::Form(form) = self.kind else { return None };
        let fields = form.data.components.iter().flat_map(|row| &row.components);
        let mut typed = fields.map(|field| match field {
            serenity::ActionRowComponent::InputText(text) => text.value.as_deref(),
            _ => None,
        });
        Some(typed.next().flatten().unwrap_or_default())
    }

    pub(super) fn user(&self) -> u64 {
        both!(self, one => one.user.id.get())
    }

    pub(super) fn locale(&self) -> &'p str {
        both!(self, one => one.locale.as_str())
    }

    /// The number by which the log is found.
    pub(super) fn interaction(&self) -> u64 {
        both!(self, one => one.id.get())
    }

    /// Who pressed it, and where.
    pub(super) fn origin(&self) -> Origin<'p> {
        let (guild, member) = both!(self, one => (one.guild_id, one.member.as_ref()));
        Origin {
            user: self.user(),
            guild: guild.map(serenity::GuildId::get),
            roles: member.map(|member| member.roles.as_slice()).unwrap_or_default(),
            wants: self.id(),
        }
    }

    /// The first answer, for which Discord waits three seconds.
    pub(super) async fn respond(
        &self,
        response: serenity::CreateInteractionResponse,
    ) -> Result<(), Failure> {
        Ok(both!(self, one => one.create_response(self.http, response).await)?)
    }

    /// Changes the message under which the button stands.
    pub(super) async fn edit(
        &self,
        edit: serenity::EditInteractionResponse,
    ) -> Result<(), Failure> {
        both!(self, one => patiently(|| one.edit_response(self.http, edit.clone())).await)?;
        Ok(())
    }

    /// Removes that message.
    pub(super) async fn delete(&self) -> Result<(), Failure> {
        both!(self, one => patiently(|| one.delete_response(self.http)).await)?;
        Ok(())
    }

    /// Says something in a message of its own.
    pub(super) async fn follow_up(
        &self,
        said: serenity::CreateInteractionResponseFollowup,
    ) -> Result<(), Failure> {
        both!(self, one => patiently(|| one.create_followup(self.http, said.clone())).await)?;
        Ok(())
    }
}
