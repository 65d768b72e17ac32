//! QR codes of payment URIs as SVG, with a cache.
//!
//! Black on white with a quiet zone of four modules (ISO/IEC 18004), also in dark mode; byte
//! mode, level M, no logo. Encoding is the slowest part of a page, so codes are cached by
//! their text.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use hashlink::LruCache;
use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code.
const QUIET_ZONE: usize = 4;

/// The most cached codes, of two to three kilobytes each.
const CACHED_MAX: usize = 2_048;

/// The cache. The least recently shown code is evicted first.
pub(crate) struct Codes {
    cached: Mutex<LruCache<String, Arc<str>>>,
}

impl Default for Codes {
    fn default() -> Codes {
        Codes { cached: Mutex::new(LruCache::new(CACHED_MAX)) }
    }
}

impl Codes {
    /// The code as an element of a page, with a label for screen readers. `None` if the text
    /// is too long for a QR code, which no payment URI is.
    pub(crate) fn svg(&self, text: &str, label: &str) -> Option<String> {
        self.drawn(text, &format!("class=\"qr\" role=\"img\" aria-label=\"{label}\""))
    }

    /// The code as a separate SVG file, as large as on the checkout.
    pub(crate) fn picture(&self, text: &str) -> Option<String> {
        self.drawn(text, "xmlns=\"http://www.w3.org/2000/svg\" width=\"272\" height=\"272\"")
    }

    fn drawn(&self, text: &str, attributes: &str) -> Option<String> {
        let code = self.code(text)?;
        Some(format!("<svg {attributes} {code}</svg>"))
    }

    /// The last attributes and the content of the `svg` element.
    fn code(&self, text: &str) -> Option<Arc<str>> {
        let cached = || self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = cached().get(text) {
            return Some(code.clone());
        }
        let code: Arc<str> = encode(text)?.into(); // Not under the lock.
        cached().insert(text.to_owned(), code.clone());
        Some(code)
    }
}

fn encode(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET_ZONE;
    // One path of horizontal runs has a third of the size of a rectangle per module.
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                let (left, top) = (x + QUIET_ZONE, y + QUIET_ZONE);
                let _ = write!(path, "M{left} {top}h{run}v1h-{run}z"); // Writing to a String cannot fail.
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
        codes
            .cached
            .lock()
            .unwrap()
            .extend((0..CACHED_MAX).map(|n| (n.to_string(), first.clone())));
        assert_eq!(codes.cached.lock().unwrap().len(), CACHED_MAX);
        codes.code("one more").expect("a code");
        assert_eq!(codes.cached.lock().unwrap().len(), CACHED_MAX);
    }
}
