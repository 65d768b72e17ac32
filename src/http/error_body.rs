//! JSON bodies of errors: our own format, or RFC 9457 problems for clients that accept them.

use serde::Serialize;
use warp::http::{HeaderMap, HeaderValue, header};
use warp::reply::Response;

use super::error::ApiError;
use super::weights::ranges;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `{"error": {…}}`
    Usual,
    /// RFC 9457.
    Problem,
}

impl Shape {
    /// By the `accept` header: problems if they are accepted with at least the weight of JSON.
    pub(super) fn wanted(headers: &HeaderMap) -> Shape {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
        let mut problem = 0;
        let mut json = 0;
        for (kind, weight) in accepted.flat_map(ranges) {
            if kind.eq_ignore_ascii_case("application/problem+json") {
                problem = weight;
            } else if kind.eq_ignore_ascii_case("application/json") {
                json = weight;
            }
        }
        if problem > 0 && problem >= json { Shape::Problem } else { Shape::Usual }
    }

    fn media_type(self) -> &'static str {
        match self {
            Shape::Usual => "application/json",
            Shape::Problem => "application/problem+json",
        }
    }
}

#[derive(Serialize)]
struct Body<'e> {
    error: Inner<'e>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inner<'e> {
    code: &'static str,
    message: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'static str>,
    doc_url: String,
    request_id: &'e str,
}

/// A problem of RFC 9457, with our fields as extension members.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'e> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'e str,
    /// The request id.
    instance: &'e str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'static str>,
    request_id: &'e str,
}

pub(super) fn text(error: &ApiError, shape: Shape, public_url: &str, request_id: &str) -> String {
    let (code, message, param) = (error.code().as_str(), error.message(), error.param());
    let doc_url = format!("{public_url}/docs#{code}");
    let text = match shape {
        Shape::Usual => {
            let error = Inner { code, message, param, doc_url, request_id };
            serde_json::to_string(&Body { error })
        }
        Shape::Problem => serde_json::to_string(&Problem {
            kind: doc_url,
            title: error.status().canonical_reason().unwrap_or(code),
            status: error.status().as_u16(),
            detail: message,
            instance: request_id,
            code,
            param,
            request_id,
        }),
    };
    text.expect("strings are always JSON")
}

/// Writes the body of a response that carries an [`ApiError`], and returns others unchanged.
pub(super) fn write(
    response: Response,
    shape: Shape,
    public_url: &str,
    request_id: &str,
) -> Response {
    let (mut parts, body) = response.into_parts();
    let Some(error) = parts.extensions.remove::<ApiError>() else {
        return Response::from_parts(parts, body);
    };
    let kind = HeaderValue::from_static(shape.media_type());
    parts.headers.insert(header::CONTENT_TYPE, kind);
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    parts.headers.append(header::VARY, HeaderValue::from_static("accept"));
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(seconds) = error.retry_after_seconds() {
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Response::from_parts(parts, text(&error, shape, public_url, request_id).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_json_is_sent_only_to_clients_that_accept_it() {
        #[track_caller]
        fn check(accept: &[&str], expected: Shape) {
            let mut headers = HeaderMap::new();
            for value in accept {
                headers.append(header::ACCEPT, value.parse().unwrap());
            }
            assert_eq!(Shape::wanted(&headers), expected, "{accept:?}");
        }
        check(&[], Shape::Usual);
        check(&["*/*"], Shape::Usual);
        check(&["application/json, text/plain, */*"], Shape::Usual);
        check(&["application/problem+json"], Shape::Problem);
        check(&["text/html", "Application/Problem+JSON; q=0.5"], Shape::Problem);
        check(&["application/json, application/problem+json"], Shape::Problem);
        check(&["application/json, application/problem+json;q=0.9"], Shape::Usual);
        check(&["application/json;q=0.8, application/problem+json;q=0.9"], Shape::Problem);
        check(&["application/problem+json;q=0"], Shape::Usual);
        check(&["application/problem+json;q=x"], Shape::Usual);
    }

    #[test]
    fn both_error_formats_carry_the_same_information() {
        let error = ApiError::invalid("limit", "must be a number");
        let usual = text(&error, Shape::Usual, "https://pay.example", "req_1");
        assert_eq!(
            usual,
            r#"{"error":{"code":"invalid_request","message":"limit must be a number","param":"limit","docUrl":"https://pay.example/docs#invalid_request","requestId":"req_1"}}"#
        );
        let problem = text(&error, Shape::Problem, "https://pay.example", "req_1");
        assert_eq!(
            problem,
            r#"{"type":"https://pay.example/docs#invalid_request","title":"Bad Request","status":400,"detail":"limit must be a number","instance":"req_1","code":"invalid_request","param":"limit","requestId":"req_1"}"#
        );
    }
}
