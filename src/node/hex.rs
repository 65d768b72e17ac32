//! Hexadecimal decoder with a table, because a block has millions of digits.

/// Marks a character that is not a digit.
const NONE: u8 = 0xff;

const DIGITS: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        table[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    table
};

/// Decodes hexadecimal digits. `None` for any other character or an odd length.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut wrong = 0;
    let byte = |[high, low]: &[u8; 2]| {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        wrong |= high | low;
        (high << 4) | (low & 0xf)
    };
    let bytes = pairs.iter().map(byte).collect();
    (rest.is_empty() && wrong < 16).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::DisplayHex;

    #[test]
    fn every_byte_round_trips_through_hex() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = bytes.to_lower_hex_string();
        assert_eq!(decode(&text).as_deref(), Some(&bytes[..]));
        assert_eq!(decode(&text.to_uppercase()).as_deref(), Some(&bytes[..]));
        assert_eq!(decode(""), Some(Vec::new()));
    }

    #[test]
    fn invalid_hex_decodes_to_none() {
        for text in ["0", "000", "0g", "g0", " 0", "0x", "é", "ff\n", "\u{0}0"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
        for character in (0u8..128).filter(|byte| !byte.is_ascii_hexdigit()) {
            let character = char::from(character);
            assert_eq!(decode(&format!("0{character}")), None, "{character:?}");
            assert_eq!(decode(&format!("{character}0")), None, "{character:?}");
        }
    }
}
