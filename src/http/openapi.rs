//! `GET /openapi.json` and `litegate openapi`: the OpenAPI 3.1 document.
//!
//! It is written by hand. Unit tests compare it with the error codes and the resources,
//! `tests/it` with the running server.

use std::sync::Arc;

use warp::Filter;
use warp::http::{HeaderValue, header};
use warp::reply::Response;

use super::api::Api;
use super::error::ApiError;
use super::filters::{Route, get, public, respond, with_api};

const DOCUMENT: &str = include_str!("../../static/openapi.json");

pub(super) fn route(api: &Arc<Api>) -> Route {
    warp::path!("openapi.json")
        .and(get())
        .and(public(api))
        .and(with_api(api))
        .map(|allowed: Result<(), ApiError>, api: Arc<Api>| {
            respond(allowed.map(|()| serve(&api.site.public_url)))
        })
        .boxed()
}

/// The document for a public URL.
pub(crate) fn document(public_url: &str) -> String {
    // A parsed URL contains no character that ends a JSON string.
    let document = DOCUMENT.replace("{{public_url}}", public_url);
    document.replace("{{version}}", env!("CARGO_PKG_VERSION"))
}

fn serve(public_url: &str) -> Response {
    let mut response = Response::new(document(public_url).into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::http::error::Code;
    use crate::http::resource;

    fn parsed() -> Value {
        serde_json::from_str(&document("https://pay.example.com")).expect("JSON")
    }

    #[test]
    fn the_openapi_document_lists_exactly_our_error_codes() {
        let document = parsed();
        let listed = &document["components"]["schemas"]["ErrorCode"]["enum"];
        let listed: BTreeSet<&str> =
            listed.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let ours: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(listed, ours);
        let mut shown = BTreeSet::new();
        let responses = document["components"]["responses"].as_object().expect("responses");
        for response in responses.values() {
            let examples = &response["content"]["application/problem+json"]["examples"];
            for (code, example) in examples.as_object().expect("examples") {
                let known = Code::ALL.iter().find(|known| known.as_str() == code).expect("a code");
                assert_eq!(example["value"]["status"], known.status().as_u16(), "{code}");
                shown.insert(code.as_str());
            }
        }
        assert_eq!(shown, ours, "each has an example");
    }

    #[test]
    fn the_documented_paths_match_the_router() {
        let document = parsed();
        let paths = document["paths"].as_object().expect("paths");
        let documented: BTreeSet<String> = paths
            .keys()
            .map(|path| path.replace("{paymentId}", "*").replace("{eventId}", "*"))
            .collect();
        for path in resource::paths().filter(|path| path.starts_with("/api/")) {
            assert!(documented.contains(path), "{path} is not documented");
        }
        for (path, operations) in paths {
            let path = path.replace(['{', '}'], "x");
            let resource =
                resource::at(&path).unwrap_or_else(|| panic!("{path} is not a resource"));
            for method in ["get", "post", "put", "patch", "delete"] {
                let documented = operations.get(method).is_some();
                let name = method.to_uppercase().parse().expect("a method");
                let taken = resource::answer(Some(resource), &name).is_none();
                assert_eq!(documented, taken, "{method} {path}");
            }
        }
    }
}
