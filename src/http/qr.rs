//! The QR code of a payment URI, as SVG that wallets read from a screen.
//!
//! Always black on white with a quiet zone of four modules (ISO/IEC 18004), in dark mode too;
//! byte mode, level M, no logo over it. Encoding takes far longer than all else that a page needs:
//! what was encoded is kept, by its text.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use hashlink::LruCache;
use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code.
const QUIET_ZONE: usize = 4;

/// Codes that are kept at most, of two to three kilobytes each.
const KEPT_MAX: usize = 2_048;

/// Codes that were encoded, the least recently shown forgotten first.
pub(crate) struct Codes {
    kept: Mutex<LruCache<String, Arc<str>>>,
}

impl Default for Codes {
    fn default() -> Codes {
        Codes { kept: Mutex::new(LruCache::new(KEPT_MAX)) }
    }
}

impl Codes {
    /// The code as a part of a page, with a label of ours for those who cannot see it; or `None` if
    /// the text is too long for a QR code, which no payment URI is.
    pub(crate) fn svg(&self, text: &str, label: &str) -> Option<String> {
        self.drawn(text, &format!("class=\"qr\" role=\"img\" aria-label=\"{label}\""))
    }

    /// The code as a separate picture, as large as on our page.
    pub(crate) fn picture(&self, text: &str) -> Option<String> {
        self.drawn(text, "xmlns=\"http://www.w3.org/2000/svg\" width=\"272\" height=\"272\"")
    }

    fn drawn(&self, text: &str, attributes: &str) -> Option<String> {
        let code = self.code(text)?;
        Some(format!("<svg {attributes} {code}</svg>"))
    }

    /// What a code's element holds, and its last attributes.
    fn code(&self, text: &str) -> Option<Arc<str>> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = kept().get(text) {
            return Some(code.clone());
        }
        let code: Arc<str> = encode(text)?.into(); // Without the lock, for others are shown theirs.
        kept().insert(text.to_owned(), code.clone());
        Some(code)
    }
}

fn encode(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET_ZONE;
    // One path of horizontal runs is a third of the size of a rectangle for each module.
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                let (left, top) = (x + QUIET_ZONE, y + QUIET_ZONE);
                let _ = write!(path, "M{left} {top}h{run}v1h-{run}z"); // A String takes all.
            }
            x += run.max(1);
        }
    }
    Some(format!(
        "viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_image_is_encoded_once_and_the_cache_is_bounded() {
        let codes = Codes::default();
        let first = codes.code("litecoin:a?amount=1").expect("a code");
        let again = codes.code("litecoin:a?amount=1").expect("a code");
        assert!(Arc::ptr_eq(&first, &again), "the same one");
        let other = codes.code("litecoin:a?amount=2").expect("a code");
        assert_ne!(first, other, "another amount is another code");
        assert_eq!(codes.code(&"x".repeat(5_000)), None, "too long for any code");
        codes.kept.lock().unwrap().extend((0..KEPT_MAX).map(|n| (n.to_string(), first.clone())));
        assert_eq!(codes.kept.lock().unwrap().len(), KEPT_MAX);
        codes.code("one more").expect("a code");
        assert_eq!(codes.kept.lock().unwrap().len(), KEPT_MAX);
    }
}
