//! Quality values, as in `accept: a;q=0.5, b` (RFC 9110, 12.4.2).

/// Ranges of a list that are read; further ones are ignored.
const RANGES_MAX: usize = 32;

/// The ranges of a list, each with its weight in thousandths: 1,000 by default, 0 if it is not
/// a number.
pub(super) fn ranges(list: &str) -> impl Iterator<Item = (&str, u32)> {
    list.split(',').take(RANGES_MAX).map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut values = parts.filter_map(|part| part.split_once('='));
        let weight = values.find(|(key, _)| key.trim().eq_ignore_ascii_case("q"));
        (name, weight.map_or(1_000, |(_, weight)| thousandths(weight.trim())))
    })
}

/// A weight such as `0.8` in thousandths. Further decimals are dropped, more than 1 is 1, and
/// 0 stands for text that is not a number.
fn thousandths(weight: &str) -> u32 {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    if !whole.bytes().chain(rest.bytes()).all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let digits = rest.bytes().chain([b'0'; 3]).take(3);
    let number = whole.bytes().chain(digits).take(6).fold(0_u32, |number, digit| {
        number.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
    });
    number.min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_values_are_parsed_as_clients_send_them() {
        #[track_caller]
        fn check(list: &str, expected: &[(&str, u32)]) {
            assert_eq!(ranges(list).collect::<Vec<_>>(), expected, "{list}");
        }
        check("de", &[("de", 1_000)]);
        check("de;q=0.5, en ; Q=1.000 ,*;q=0", &[("de", 500), ("en", 1_000), ("*", 0)]);
        check("a;level=1;q=0.25", &[("a", 250)]);
        check("a;q = 0.3", &[("a", 300)]);
        check("a;q=1", &[("a", 1_000)]);
        check("a;q=1.5", &[("a", 1_000)]);
        check("a;q=.5", &[("a", 500)]);
        check("a;q=0.33333333333333333333", &[("a", 333)]);
        check("a;q=99999999999999999999", &[("a", 1_000)]);
        check("a;q=", &[("a", 0)]);
        check("a;q=nonsense", &[("a", 0)]);
        check("a;q=-1", &[("a", 0)]);
        check("a;q=0.5x", &[("a", 0)]);
        check("", &[("", 1_000)]);
    }
}
