//! Table of resources: path, methods and access of each.
//!
//! It is evaluated before any route, so that unknown paths, wrong methods and CORS preflights
//! are answered in one place.

use std::borrow::Cow;

use warp::http::{HeaderValue, Method, StatusCode, header};
use warp::reply::{Reply, Response};

use super::error::{ApiError, Code};

/// Who may use a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everyone, including pages of any origin (CORS).
    Public,
    /// Holders of an API key. No CORS, so that keys stay out of browsers.
    Keyed,
    /// A page for browsers. No CORS.
    Page,
}

/// A resource, or a family of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// The path; `*` stands for any one segment.
    pub(super) path: &'static str,
    /// As in the `allow` header.
    methods: &'static str,
    pub(super) access: Access,
}

const READ: &str = "GET, HEAD, OPTIONS";

const RESOURCES: [Resource; 16] = [
    resource("/", READ, Access::Page),
    resource("/api/payments", "GET, HEAD, POST, OPTIONS", Access::Keyed),
    resource("/api/payments/*", READ, Access::Public),
    resource("/api/payments/*/events", READ, Access::Public),
    resource("/api/payments/*/accept", "POST, OPTIONS", Access::Keyed),
    resource("/api/payments/*/cancel", "POST, OPTIONS", Access::Keyed),
    resource("/api/account", READ, Access::Keyed),
    resource("/api/export", READ, Access::Keyed),
    resource("/api/payouts", READ, Access::Keyed),
    resource("/api/webhooks", READ, Access::Keyed),
    resource("/api/webhooks/*/attempts", READ, Access::Keyed),
    resource("/api/webhooks/*/resend", "POST, OPTIONS", Access::Keyed),
    resource("/pay/*", READ, Access::Page),
    resource("/pay/*/qr.svg", READ, Access::Public),
    resource("/docs", READ, Access::Page),
    resource("/openapi.json", READ, Access::Public),
];

const fn resource(path: &'static str, methods: &'static str, access: Access) -> Resource {
    Resource { path, methods, access }
}

#[cfg(test)]
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    RESOURCES.iter().map(|resource| resource.path)
}

/// Normalises a path. Double slashes and a final one are removed, because shops append paths
/// to a base URL that ends with a slash. `prefix` is the path of the public URL, which a proxy
/// may pass on or remove: it is removed if the rest is a resource, or the whole path is none.
pub(super) fn normal_path<'p>(path: &'p str, prefix: &str) -> Cow<'p, str> {
    if !path.starts_with('/') {
        return Cow::Borrowed(path); // `OPTIONS *`
    }
    let is_normal = !path.contains("//") && (path.len() == 1 || !path.ends_with('/'));
    if is_normal && prefix.is_empty() {
        return Cow::Borrowed(path);
    }
    let whole = joined(path);
    let inner = whole.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    match inner.map(joined) {
        Some(inner) if at(&inner).is_some() || at(&whole).is_none() => Cow::Owned(inner),
        Some(_) | None => Cow::Owned(whole),
    }
}

/// The path without empty segments.
fn joined(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    format!("/{}", segments.join("/"))
}

/// The resource at a path of [`normal_path`].
pub(super) fn at(path: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| {
        let mut asked = path.split('/');
        let fits = resource.path.split('/').all(|segment| {
            asked.next().is_some_and(|part| part == segment || (segment == "*" && !part.is_empty()))
        });
        fits && asked.next().is_none()
    })
}

/// The response to an unknown path, a method that is not allowed, or a preflight; `None` for a
/// request that a route answers.
pub(super) fn answer(resource: Option<&'static Resource>, method: &Method) -> Option<Response> {
    let Some(resource) = resource else { return Some(ApiError::not_found().into_response()) };
    let allowed = resource.methods.split(", ").any(|name| name == method.as_str());
    if allowed && *method != Method::OPTIONS {
        return None;
    }
    let mut response = if allowed {
        let mut response = warp::reply().into_response();
        *response.status_mut() = StatusCode::NO_CONTENT;
        if resource.access == Access::Public {
            allow_pages(resource, &mut response);
        }
        response
    } else {
        let message = format!("allowed methods: {}", resource.methods);
        ApiError::new(Code::MethodNotAllowed, message).into_response()
    };
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(resource.methods));
    Some(response)
}

/// Adds the headers of a CORS preflight (Fetch, 3.2).
fn allow_pages(resource: &Resource, response: &mut Response) {
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static(resource.methods);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    let asked = HeaderValue::from_static("accept, cache-control, if-none-match, last-event-id");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
}

/// Adds the CORS headers of public responses, and of errors for unknown paths.
pub(super) fn share(resource: Option<&'static Resource>, response: &mut Response) {
    match resource.map(|resource| resource.access) {
        Some(Access::Keyed | Access::Page) => {}
        Some(Access::Public) | None => {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            let exposed = HeaderValue::from_static("x-request-id, etag, retry-after");
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_map_to_their_resources() {
        #[track_caller]
        fn check(path: &str, expected: Option<&str>) {
            assert_eq!(at(path).map(|resource| resource.path), expected, "{path}");
        }
        check("/api/payments", Some("/api/payments"));
        check("/api/payments/x", Some("/api/payments/*"));
        check("/api/payments/x/events", Some("/api/payments/*/events"));
        check("/api/payments//events", None);
        check("/api/payments/x/events/y", None);
        check("/api", None);
        check("/", Some("/"));
        check("/api/payments/", None);
        check("", None);
        check("*", None);
        check("//", None);
    }

    #[test]
    fn slashes_and_the_prefix_make_no_difference() {
        #[track_caller]
        fn check(path: &str, prefix: &str, expected: &str) {
            assert_eq!(normal_path(path, prefix), expected, "{path} below {prefix:?}");
        }
        for (path, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/docs/", "/docs"),
            ("/docs//", "/docs"),
            ("//api/payments", "/api/payments"),
            ("/api//payments/", "/api/payments"),
            ("/api/payments//x", "/api/payments/x"),
            ("/nowhere//at/all/", "/nowhere/at/all"),
            ("/api/payments/%2F/", "/api/payments/%2F"),
            ("*", "*"),
        ] {
            check(path, "", expected);
        }
        // A proxy that passes the prefix on, and one that removes it.
        for (path, expected) in [
            ("/pay-gw", "/"),
            ("/pay-gw/", "/"),
            ("/pay-gw/api/payments", "/api/payments"),
            ("/api/payments", "/api/payments"),
            ("/pay-gw//pay/x", "/pay/x"),
            ("/pay/x", "/pay/x"),
            ("/pay-gwx/docs", "/pay-gwx/docs"),
            ("/pay-gw/nowhere", "/nowhere"),
        ] {
            check(path, "/pay-gw", expected);
        }
        // Prefixes that are also paths of resources.
        check("/pay/docs", "/pay", "/docs");
        check("/pay/pay/x", "/pay", "/pay/x");
        check("/pay/x", "/pay", "/pay/x");
        check("/api/payments", "/api", "/api/payments");
        check("/api/api/payments", "/api", "/api/payments");
    }
}
