//! How a command fails, by exit code.

use crate::config::Mistakes;
use crate::node;
use crate::operations::Refusal;
use crate::serve::Refused;
use crate::store;

#[derive(Debug)]
pub(super) enum Failure {
    /// 1: a check or the operation failed.
    Failed(String),
    /// 2: usage or configuration.
    Usage(String),
    /// 3: the node is unreachable.
    NodeOutOfReach(String),
    /// 4: refused for safety.
    Refused(String),
}

impl Failure {
    pub(super) fn code(&self) -> u8 {
        match self {
            Failure::Failed(_) => 1,
            Failure::Usage(_) => 2,
            Failure::NodeOutOfReach(_) => 3,
            Failure::Refused(_) => 4,
        }
    }

    pub(super) fn message(&self) -> &str {
        match self {
            Failure::Failed(text)
            | Failure::Usage(text)
            | Failure::NodeOutOfReach(text)
            | Failure::Refused(text) => text,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        let text = format!("{error:#}");
        if error.downcast_ref::<Refused>().is_some() {
            return Failure::Refused(text);
        }
        if error.downcast_ref::<Mistakes>().is_some() {
            return Failure::Usage(text);
        }
        match error.downcast_ref::<node::Error>() {
            Some(node::Error::Unreachable(_) | node::Error::WarmingUp(_)) => {
                Failure::NodeOutOfReach(text)
            }
            _ => Failure::Failed(text),
        }
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Failure {
        Failure::Usage(mistakes.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        match &refusal {
            Refusal::Invalid { .. } => Failure::Usage(refusal.to_string()),
            Refusal::Starting => Failure::NodeOutOfReach(format!(
                "{refusal}; if the account was never used, start once with litegate serve --assume-unused-account"
            )),
            Refusal::SecondFactor(refusal) => (*refusal).into(),
            _ => Failure::Failed(refusal.to_string()),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Failure {
        Failure::Failed(error.to_string())
    }
}
