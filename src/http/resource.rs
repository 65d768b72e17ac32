//! What is where: each address of the public interface, the methods that it takes, and who asks.
//!
//! Judged before any route, so that an address answers a wrong method, a preflight and an unknown
//! path in one way, whatever its handler does.

use warp::http::{HeaderValue, Method, StatusCode, header};
use warp::reply::{Reply, Response};

use super::error::{ApiError, Code};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody, from a page of any origin too.
    Public,
    /// Who has an API key; never a page, so that keys stay out of browsers.
    Keyed,
    /// A person with a browser; no other page may read it.
    Page,
}

/// An address, or a family of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// The path; a segment `*` stands for any one.
    pub(super) path: &'static str,
    /// As the header `allow` lists them.
    methods: &'static str,
    pub(super) access: Access,
}

const READ: &str = "GET, HEAD";
const READ_PUBLIC: &str = "GET, HEAD, OPTIONS";

/// All of them.
const RESOURCES: [Resource; 12] = [
    resource("/api/payments", "GET, HEAD, POST", Access::Keyed),
    resource("/api/payments/*", READ_PUBLIC, Access::Public),
    resource("/api/payments/*/events", "GET, OPTIONS", Access::Public),
    resource("/api/account", READ, Access::Keyed),
    resource("/api/payouts", READ, Access::Keyed),
    resource("/api/webhooks", READ, Access::Keyed),
    resource("/api/webhooks/*/attempts", READ, Access::Keyed),
    resource("/api/webhooks/*/resend", "POST", Access::Keyed),
    resource("/pay/*", READ, Access::Page),
    resource("/pay/*/qr.svg", READ_PUBLIC, Access::Public),
    resource("/docs", READ, Access::Page),
    resource("/openapi.json", READ_PUBLIC, Access::Public),
];

const fn resource(path: &'static str, methods: &'static str, access: Access) -> Resource {
    Resource { path, methods, access }
}

/// The paths, for tests.
#[cfg(test)]
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    RESOURCES.iter().map(|resource| resource.path)
}

/// What there is under this path; a slash at its end makes no difference.
pub(super) fn at(path: &str) -> Option<&'static Resource> {
    let path = path.strip_suffix('/').unwrap_or(path);
    RESOURCES.iter().find(|resource| {
        let mut asked = path.split('/');
        let fits = resource.path.split('/').all(|segment| {
            asked.next().is_some_and(|part| part == segment || (segment == "*" && !part.is_empty()))
        });
        fits && asked.next().is_none()
    })
}

/// The answer that needs no route: to an unknown path, a method that is not taken, a preflight.
pub(super) fn answer(resource: Option<&'static Resource>, method: &Method) -> Option<Response> {
    let Some(resource) = resource else { return Some(ApiError::not_found().into_response()) };
    let takes = resource.methods.split(", ").any(|name| name == method.as_str());
    if takes && *method != Method::OPTIONS {
        return None;
    }
    let mut response = if takes {
        let mut response = warp::reply().into_response();
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let methods = HeaderValue::from_static(resource.methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let asked = HeaderValue::from_static("accept, cache-control, if-none-match, last-event-id");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        response
    } else {
        let message = format!("this address takes {}", resource.methods);
        ApiError::new(Code::MethodNotAllowed, message).into_response()
    };
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(resource.methods));
    Some(response)
}

/// Lets any page read an answer that is everybody's. Keyed ones stay out of browsers. An unknown
/// path says nothing that anybody may not know.
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
    fn paths_find_their_resource() {
        #[track_caller]
        fn check(path: &str, expected: Option<&str>) {
            assert_eq!(at(path).map(|resource| resource.path), expected, "{path}");
        }
        check("/api/payments", Some("/api/payments"));
        check("/api/payments/", Some("/api/payments"));
        check("/api/payments/x", Some("/api/payments/*"));
        check("/api/payments/x/events", Some("/api/payments/*/events"));
        check("/api/payments//events", None);
        check("/api/payments/x/events/y", None);
        check("/api", None);
        check("/", None);
        check("", None);
        check("*", None);
        check("/docs/", Some("/docs"));
        check("/docs//", None);
    }
}
