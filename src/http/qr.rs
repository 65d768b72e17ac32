//! The QR code of a payment URI, as SVG that wallets read from a screen.
//!
//! Always black on white with a quiet zone of four modules (ISO/IEC 18004), in dark mode too;
//! byte mode, level M, no logo over it.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code.
const QUIET_ZONE: usize = 4;

/// The code as a part of a page, with a label of ours for those who cannot see it; or `None` if the
/// text is too long for a QR code, which no payment URI is.
pub(crate) fn svg(text: &str, label: &str) -> Option<String> {
    drawn(text, &format!("class=\"qr\" role=\"img\" aria-label=\"{label}\""))
}

/// The code as a picture of its own, as large as on our page.
pub(crate) fn picture(text: &str) -> Option<String> {
    drawn(text, "xmlns=\"http://www.w3.org/2000/svg\" width=\"272\" height=\"272\"")
}

fn drawn(text: &str, attributes: &str) -> Option<String> {
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
        "<svg {attributes} viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>"
    ))
}
