//! The operator's branding of the checkout: logo, colour, explorer links, and the sites that
//! may frame it. Built once at start, so that the hashes of the policy are computed once. A
//! colour with too little contrast is refused.
//!
//! Must not know: payments.

use std::sync::LazyLock;

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::{Hash, sha256};

use crate::domain::webhook_url::RedirectUrl;

pub(in crate::http) const STYLE: &str = include_str!("../../../static/checkout.css");

/// The script without comments and indentation: each page contains it.
pub(super) static SCRIPT: LazyLock<String> =
    LazyLock::new(|| without_comments(include_str!("../../../static/checkout.js")));

/// Removes comments, each on a separate line, and indentation. The script must have no string
/// of several lines.
fn without_comments(script: &str) -> String {
    let lines = script.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The largest logo, in bytes: each page contains it.
pub(crate) const LOGO_BYTES_MAX: usize = 1_536;

/// The placeholder for the transaction in an explorer's URL.
const TXID: &str = "{txid}";

/// The least contrast of text (WCAG 2.2, 1.4.3).
const CONTRAST_MIN: f64 = 4.5;

/// The main colour and its background in the style, for the light and the dark theme.
const THEMES: [(&str, &str); 2] = [("1f4fa3", "fff"), ("8fb8ff", "1a212b")];

#[derive(Debug, Clone)]
pub(crate) struct Branding {
    style: String,
    style_hash: String,
    script_hash: String,
    /// The image as a `data:` URL.
    logo: Option<String>,
    explorer_url: Option<String>,
    /// As in a content security policy.
    frame_ancestors: String,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Default for Branding {
    /// The default colours, without logo, explorer and frames.
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
    /// Sets the main colour, such as `#1f4fa3`.
    ///
    /// # Errors
    /// The reason, to follow the key's name: not a colour, or too little contrast.
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
            return Err(format!(
                "has a contrast of {reached:.2} on #{ground}; at least {CONTRAST_MIN} is required"
            ));
        }
        self.style = self.style.replace(&format!("--main:#{ours}"), &format!("--main:#{digits}"));
        self.style_hash = hash(&self.style);
        Ok(())
    }

    /// Sets the logo to the content of a file.
    ///
    /// # Errors
    /// The reason, to follow the key's name: too large, or not SVG, PNG or WebP.
    pub(crate) fn set_logo(&mut self, picture: &[u8]) -> Result<(), String> {
        if picture.len() > LOGO_BYTES_MAX {
            return Err(format!(
                "has {} bytes; at most {LOGO_BYTES_MAX} are allowed, because each page contains it",
                picture.len()
            ));
        }
        let kind = match picture {
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            text if std::str::from_utf8(text).is_ok_and(|text| text.contains("<svg")) => {
                "image/svg+xml"
            }
            _ => return Err("must be an SVG, PNG or WebP image".to_owned()),
        };
        self.logo = Some(format!("data:{kind};base64,{}", STANDARD.encode(picture)));
        Ok(())
    }

    /// Sets the explorer: a URL with `{txid}` in place of the transaction.
    ///
    /// # Errors
    /// The reason, to follow the key's name.
    pub(crate) fn set_explorer(&mut self, url: &str) -> Result<(), String> {
        let wrong = "must be a URL such as \"https://explorer.example/tx/{txid}\"";
        let example = url.replacen(TXID, "0", 1);
        if example == url || RedirectUrl::parse(&example).is_err() {
            return Err(wrong.to_owned());
        }
        self.explorer_url = Some(url.to_owned());
        Ok(())
    }

    /// Sets the sites that may show the page in a frame.
    ///
    /// # Errors
    /// The reason, to follow the key's name.
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

    pub(super) fn explorer_link(&self, txid: &str) -> Option<String> {
        self.explorer_url.as_ref().map(|url| url.replacen(TXID, txid, 1))
    }

    /// The content security policy: only our own style and script run.
    pub(super) fn policy(&self, play_money_url: Option<&str>) -> String {
        let Branding { style_hash, script_hash, frame_ancestors, .. } = self;
        // form-action also covers the redirect after the form, back to this page.
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

/// The hash that allows a style or a script (CSP level 2).
pub(in crate::http) fn hash(text: &str) -> String {
    let digest = sha256::Hash::hash(text.as_bytes()).to_byte_array();
    format!("'sha256-{}'", STANDARD.encode(digest))
}

/// The relative luminance of a colour such as `1f4fa3` (WCAG 2.2).
#[expect(clippy::float_arithmetic, reason = "a contrast of colours; no money is near")]
fn luminance(color: &str) -> f64 {
    let digits: String = match color.len() {
        3 => color.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => color.to_owned(),
    };
    let channel = |at: usize| {
        let value = u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

/// The contrast ratio of two colours (WCAG 2.2), from 1 to 21.
#[expect(clippy::float_arithmetic, reason = "a contrast of colours; no money is near")]
pub(super) fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}
