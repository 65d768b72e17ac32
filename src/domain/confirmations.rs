//! Confirmations by amount: small payments may need fewer than large ones.

use std::fmt;

use super::amount::Amount;

/// Maximum number of confirmations that a merchant or the operator may require: over ten hours
/// of blocks.
pub(crate) const CONFIRMATIONS_MAX: u32 = 250;

/// Maximum number of tiers.
pub(crate) const TIERS_MAX: usize = 8;

/// Amounts below `below` need `confirmations`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tier {
    pub(crate) below: Amount,
    pub(crate) confirmations: u32,
}

/// Tiers in the order of their amounts. Larger amounts need at least as many confirmations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ConfirmationTiers(Vec<Tier>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTiers {
    #[error("must have at most {TIERS_MAX} tiers")]
    TooMany,
    #[error("must be between 1 and {CONFIRMATIONS_MAX}")]
    Confirmations,
    #[error("must have rising amounts, greater than 0, and no falling confirmations")]
    Order,
    #[error("must be a number such as 3, or tiers such as 1 below 0.2, 3 below 2")]
    Syntax,
}

impl ConfirmationTiers {
    /// # Errors
    /// If there are too many, or larger amounts would need fewer confirmations.
    pub(crate) fn new(tiers: Vec<Tier>) -> Result<ConfirmationTiers, BadTiers> {
        if tiers.len() > TIERS_MAX {
            return Err(BadTiers::TooMany);
        }
        if tiers.iter().any(|tier| !(1..=CONFIRMATIONS_MAX).contains(&tier.confirmations)) {
            return Err(BadTiers::Confirmations);
        }
        let rises = tiers.windows(2).all(|pair| match pair {
            [a, b] => a.below < b.below && a.confirmations <= b.confirmations,
            _ => true,
        });
        if !rises || tiers.iter().any(|tier| tier.below.is_zero()) {
            return Err(BadTiers::Order);
        }
        Ok(ConfirmationTiers(tiers))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tier> {
        self.0.iter()
    }

    /// The confirmations of an amount; `None` at or above the last tier.
    pub(crate) fn for_amount(&self, amount: Amount) -> Option<u32> {
        self.0.iter().find(|tier| amount < tier.below).map(|tier| tier.confirmations)
    }
}

/// `1 below 0.2, 3 below 2`
impl fmt::Display for ConfirmationTiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tiers = self.0.iter();
        let tiers: Vec<String> =
            tiers.map(|tier| format!("{} below {}", tier.confirmations, tier.below)).collect();
        f.write_str(&tiers.join(", "))
    }
}

/// The confirmations that a merchant asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ConfirmationChoice {
    pub(crate) tiers: ConfirmationTiers,
    /// For amounts above the tiers; `None`: the gateway's default.
    pub(crate) others: Option<u32>,
}

impl ConfirmationChoice {
    /// Parses a number, tiers, or tiers and a number for larger amounts:
    /// `1 below 0.2, 3 below 2, 6`.
    ///
    /// # Errors
    /// If the text is neither, or the tiers are invalid.
    pub(crate) fn parse(text: &str) -> Result<ConfirmationChoice, BadTiers> {
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| BadTiers::Syntax);
        let mut parts: Vec<&str> = text.split(',').collect();
        let last = parts.last().copied().unwrap_or_default();
        let others = if last.contains("below") { None } else { Some(number(last)?) };
        if others.is_some() {
            parts.pop();
        }
        let tier = |part: &&str| {
            let (confirmations, below) = part.split_once("below").ok_or(BadTiers::Syntax)?;
            let below = Amount::parse(below.trim()).map_err(|_| BadTiers::Syntax)?;
            Ok(Tier { below, confirmations: number(confirmations)? })
        };
        let tiers = parts.iter().map(tier).collect::<Result<Vec<Tier>, BadTiers>>()?;
        if others.is_some_and(|others| !(1..=CONFIRMATIONS_MAX).contains(&others)) {
            return Err(BadTiers::Confirmations);
        }
        let highest = tiers.last().map_or(0, |tier| tier.confirmations);
        if others.is_some_and(|others| others < highest) {
            return Err(BadTiers::Order);
        }
        Ok(ConfirmationChoice { tiers: ConfirmationTiers::new(tiers)?, others })
    }
}

impl fmt::Display for ConfirmationChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.tiers.is_empty(), self.others) {
            (true, None) => f.write_str("default"),
            (true, Some(others)) => write!(f, "{others}"),
            (false, None) => write!(f, "{}", self.tiers),
            (false, Some(others)) => write!(f, "{}, {others}", self.tiers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_parsed_and_printed() {
        #[track_caller]
        fn check(text: &str, expected: Result<&str, BadTiers>) {
            let parsed = ConfirmationChoice::parse(text).map(|choice| choice.to_string());
            assert_eq!(parsed, expected.map(str::to_owned), "{text}");
        }
        check("3", Ok("3"));
        check(" 1 below 0.2,3  below 2 ", Ok("1 below 0.2, 3 below 2"));
        check("1 below 0.2, 3 below 2, 6", Ok("1 below 0.2, 3 below 2, 6"));
        check("", Err(BadTiers::Syntax));
        check("three", Err(BadTiers::Syntax));
        check("1 below", Err(BadTiers::Syntax));
        check("below 2", Err(BadTiers::Syntax));
        check("3, 1 below 2", Err(BadTiers::Syntax));
        check("0", Err(BadTiers::Confirmations));
        check("251", Err(BadTiers::Confirmations));
        check("0 below 2", Err(BadTiers::Confirmations));
        check("1 below 0", Err(BadTiers::Order));
        check("3 below 0.2, 1 below 2", Err(BadTiers::Order));
        check("1 below 2, 3 below 2", Err(BadTiers::Order));
        check("3 below 2, 1", Err(BadTiers::Order));
        let many: Vec<String> = (1..=9).map(|n| format!("1 below {n}")).collect();
        check(&many.join(", "), Err(BadTiers::TooMany));
    }

    #[test]
    fn the_first_tier_above_an_amount_counts() {
        let choice = ConfirmationChoice::parse("1 below 0.2, 3 below 2").unwrap();
        let of = |text| choice.tiers.for_amount(Amount::parse(text).unwrap());
        assert_eq!(of("0.19999999"), Some(1));
        assert_eq!(of("0.2"), Some(3));
        assert_eq!(of("2"), None);
    }
}
