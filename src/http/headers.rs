//! Limits on request headers: size, and fields that may appear only once.
//!
//! hyper's own limit on its read buffer is coarser than the documented one.

use warp::http::{HeaderMap, Method, Uri};

use super::error::{ApiError, Code};

/// The largest head of a request, in bytes: the request line and all header fields.
pub(super) const HEAD_BYTES_MAX: usize = 32 * 1024;

/// The most header fields of a request. hyper refuses further ones.
pub(super) const FIELDS_MAX: usize = 100;

/// Fields that may appear once. Of two, the gateway and a proxy could each use another value.
const SINGLE_FIELDS: [&str; 6] =
    ["x-api-key", "content-type", "content-encoding", "idempotency-key", "last-event-id", "host"];

/// Bytes around a field (": " and CRLF), and of the request line without method and target (a
/// space, " HTTP/1.1" and CRLF).
const FIELD_EXTRA: usize = 4;
const LINE_EXTRA: usize = 12;

/// Checks the head of a request.
///
/// # Errors
/// 431 if it is too large, 400 if a field of [`SINGLE_FIELDS`] appears twice.
pub(super) fn check(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = method.as_str().len() + target + LINE_EXTRA;
    let fields =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_EXTRA);
    if line + fields.sum::<usize>() > HEAD_BYTES_MAX {
        return Err(too_large());
    }
    match SINGLE_FIELDS.into_iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        Some(name) => Err(ApiError::invalid(name, "must not be sent twice")),
        None => Ok(()),
    }
}

pub(super) fn too_large() -> ApiError {
    let message = format!(
        "a request may have at most {FIELDS_MAX} headers, and at most {HEAD_BYTES_MAX} bytes in its \
         request line and headers together"
    );
    ApiError::new(Code::HeadersTooLarge, message)
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;

    #[test]
    fn the_header_size_limit_is_exact_to_the_byte() {
        let uri: Uri = "/docs".parse().unwrap();
        let with = |note: usize| {
            let mut headers = HeaderMap::new();
            headers.insert("note", HeaderValue::from_bytes(&vec![b'x'; note]).unwrap());
            check(&Method::GET, &uri, &headers)
        };
        // "GET /docs HTTP/1.1\r\n" and "note: \r\n".
        let most = HEAD_BYTES_MAX - 20 - 8;
        assert!(with(most).is_ok());
        assert_eq!(with(most + 1), Err(too_large()));
    }

    #[test]
    fn a_decisive_header_must_not_be_repeated() {
        for name in SINGLE_FIELDS {
            let mut headers = HeaderMap::new();
            headers.append(name, HeaderValue::from_static("a"));
            assert!(check(&Method::GET, &Uri::default(), &headers).is_ok(), "{name}");
            headers.append(name, HeaderValue::from_static("a"));
            let refused = check(&Method::GET, &Uri::default(), &headers).expect_err(name);
            assert_eq!(refused.message(), format!("{name} must not be sent twice"));
        }
        let mut headers = HeaderMap::new();
        headers.append("accept", HeaderValue::from_static("a"));
        headers.append("accept", HeaderValue::from_static("b"));
        assert!(check(&Method::GET, &Uri::default(), &headers).is_ok(), "a list may be split");
    }
}
