//! How the operator wants the checkout to look: logo, colour, links to an explorer, and which
//! sites may frame it. Made once, at start, so that the hashes of the policy are counted once.
//!
//! A colour that could not be read on the page is refused here. Must not know: payments.

use std::sync::LazyLock;

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::{Hash, sha256};

use crate::domain::webhook_url::RedirectUrl;

pub(in crate::http) const STYLE: &str = include_str!("../../../static/checkout.css");

/// The script without its comments and indentation, for it travels with each page.
pub(super) static SCRIPT: LazyLock<String> =
    LazyLock::new(|| without_comments(include_str!("../../../static/checkout.js")));

/// A script whose comments have lines of their own, and that has no text of several lines.
fn without_comments(script: &str) -> String {
    let lines = script.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The largest logo, in bytes: it travels inside of the page, which is to stay small.
pub(crate) const LOGO_BYTES_MAX: usize = 1_536;

/// What stands in an explorer's address for the transaction.
const TXID: &str = "{txid}";

/// The least contrast of text, times 100 (WCAG 2.2, 1.4.3).
const CONTRAST_MIN: u64 = 450;

/// The main colour and what it is read on, for the light and for the dark page: as in the style.
const THEMES: [(&str, &str); 2] = [("1f4fa3", "fff"), ("8fb8ff", "1a212b")];

/// The looks of every page.
#[derive(Debug, Clone)]
pub(crate) struct Branding {
    style: String,
    style_hash: String,
    script_hash: String,
    /// The picture as an address of the scheme `data:`.
    logo: Option<String>,
    explorer_url: Option<String>,
    /// In the words of a content security policy.
    frame_ancestors: String,
}

/// Which of the two pages a colour is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Default for Branding {
    /// Our own colours, no logo, no explorer, no frames.
    fn default() -> Branding {
        Branding {
            style_hash: hash(STYLE),
            script_hash: hash(&SCRIPT),
            style: STYLE.to_owned(),
            logo: None,
            explorer_url: None,
            frame_ancestors: "'none'".to_owned(),
        }
    }
}

impl Branding {
    /// Takes another main colour, such as `#1f4fa3`.
    ///
    /// # Errors
    /// A sentence without its subject: no colour, or one that is too hard to read on the page.
    pub(crate) fn set_color(&mut self, theme: Theme, color: &str) -> Result<(), String> {
        let digits = color.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.chars().all(|digit| digit.is_ascii_hexdigit())
        });
        let digits = digits.ok_or("must be a colour such as \"#1f4fa3\"")?;
        let (ours, ground) = match theme {
            Theme::Light => THEMES[0],
            Theme::Dark => THEMES[1],
        };
        let reached = contrast(digits, ground);
        if reached < CONTRAST_MIN {
            let (whole, part) = (reached / 100, reached % 100);
            return Err(format!(
                "has a contrast of {whole}.{part:02} on #{ground}; 4.5 is needed to be read"
            ));
        }
        self.style = self.style.replace(&format!("--main:#{ours}"), &format!("--main:#{digits}"));
        self.style_hash = hash(&self.style);
        Ok(())
    }

    /// Takes a logo, by what its file holds.
    ///
    /// # Errors
    /// A sentence without its subject: too large, or none of the kinds that browsers know.
    pub(crate) fn set_logo(&mut self, picture: &[u8]) -> Result<(), String> {
        if picture.len() > LOGO_BYTES_MAX {
            return Err(format!(
                "has {} bytes; {LOGO_BYTES_MAX} are allowed, for it travels with each page",
                picture.len()
            ));
        }
        let kind = match picture {
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            text if std::str::from_utf8(text).is_ok_and(|text| text.contains("<svg")) => {
                "image/svg+xml"
            }
            _ => return Err("must be a picture: SVG, PNG or WebP".to_owned()),
        };
        self.logo = Some(format!("data:{kind};base64,{}", STANDARD.encode(picture)));
        Ok(())
    }

    /// Takes an explorer, whose address has `{txid}` where the transaction belongs.
    ///
    /// # Errors
    /// A sentence without its subject.
    pub(crate) fn set_explorer(&mut self, url: &str) -> Result<(), String> {
        let wrong = "must be a URL such as \"https://explorer.example/tx/{txid}\"";
        let example = url.replacen(TXID, "0", 1);
        if example == url || RedirectUrl::parse(&example).is_err() {
            return Err(wrong.to_owned());
        }
        self.explorer_url = Some(url.to_owned());
        Ok(())
    }

    /// Lets these sites show the page in a frame.
    ///
    /// # Errors
    /// A sentence without its subject.
    pub(crate) fn set_frame_ancestors(&mut self, sites: &[String]) -> Result<(), String> {
        let origins: Option<Vec<String>> = sites
            .iter()
            .map(|site| {
                let url = RedirectUrl::parse(site).ok()?;
                let origin = url.origin();
                (url.as_str().trim_end_matches('/') == origin).then_some(origin)
            })
            .collect();
        let origins = origins.ok_or("must be a list of sites such as \"https://shop.example\"")?;
        if !origins.is_empty() {
            self.frame_ancestors = origins.join(" ");
        }
        Ok(())
    }

    pub(super) fn style(&self) -> &str {
        &self.style
    }

    pub(super) fn logo(&self) -> Option<&str> {
        self.logo.as_deref()
    }

    /// Where the explorer shows a transaction.
    pub(super) fn explorer_link(&self, txid: &str) -> Option<String> {
        self.explorer_url.as_ref().map(|url| url.replacen(TXID, txid, 1))
    }

    /// The policy that lets our own style and script run, and nothing else.
    pub(super) fn policy(&self, play_money_url: Option<&str>) -> String {
        let Branding { style_hash, script_hash, frame_ancestors, .. } = self;
        // A browser asks for leave again where the answer to a form leads: back to this page.
        let form = match play_money_url.and_then(|url| RedirectUrl::parse(url).ok()) {
            Some(url) => format!("{} 'self'", url.origin()),
            None => "'none'".to_owned(),
        };
        format!(
            "default-src 'none'; connect-src 'self'; style-src {style_hash}; \
             script-src {script_hash}; img-src data:; \
             base-uri 'none'; form-action {form}; frame-ancestors {frame_ancestors}"
        )
    }
}

/// The hash by which a style or a script is allowed (CSP level 2).
pub(in crate::http) fn hash(text: &str) -> String {
    let digest = sha256::Hash::hash(text.as_bytes()).to_byte_array();
    format!("'sha256-{}'", STANDARD.encode(digest))
}

/// The relative luminance of a colour such as `1f4fa3` (WCAG 2.2), times 10^9. Whole numbers: the
/// channel's power of 2.4 is looked up by halving.
fn luminance(color: &str) -> u64 {
    let digits: String = match color.len() {
        3 => color.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => color.to_owned(),
    };
    let channel = |at: usize| {
        let value = u64::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
        if value <= 10 {
            return value * 1_000_000_000 / 255 * 100 / 1292;
        }
        // y = x^(12/5), so the largest y with y^5 <= x^12, both below 1 and in millionths.
        let x = (value * 1_000_000 / 255 + 55_000) * 1_000 / 1_055;
        let power = |base: u64, exponent: u32| {
            (0..exponent).fold(10_u128.pow(15), |product, _| product * u128::from(base) / 1_000_000)
        };
        let (mut low, mut high) = (0_u64, 1_000_000);
        while low < high {
            let middle = (low + high).div_ceil(2);
            if power(middle, 5) <= power(x, 12) { low = middle } else { high = middle - 1 }
        }
        low * 1_000
    };
    (channel(0) * 2_126 + channel(2) * 7_152 + channel(4) * 722) / 10_000
}

/// The contrast of two colours, times 100, as WCAG 2.2 counts it.
pub(super) fn contrast(one: &str, other: &str) -> u64 {
    let (one, other) = (luminance(one) + 50_000_000, luminance(other) + 50_000_000);
    one.max(other) * 100 / one.min(other)
}
