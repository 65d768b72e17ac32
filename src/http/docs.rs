//! `GET /` and `GET /docs`: a page that says what this is, and the integration guide, each with the
//! gateway's own URL in it.

use warp::http::{HeaderValue, header};
use warp::reply::Response;

use crate::view::Site;

const GUIDE: &str = include_str!("../../static/guide.html");

const HOME: &str = include_str!("../../static/home.html");

/// What this is, for people and for default health checks, which ask for `/`.
pub(crate) fn home(site: &Site) -> Response {
    page(HOME, site)
}

/// The guide.
pub(crate) fn guide(site: &Site) -> Response {
    page(GUIDE, site)
}

/// A page that loads and runs nothing.
fn page(template: &str, site: &Site) -> Response {
    // A parsed URL has no quotes or angle brackets.
    let page = template.replace("{{public_url}}", &site.public_url);
    let mut response = Response::new(page.into());
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error::Code;

    #[test]
    fn every_error_code_is_explained() {
        for code in Code::ALL {
            let anchor = format!("id=\"{}\"", code.as_str());
            assert!(GUIDE.contains(&anchor), "{anchor} is missing in static/guide.html");
        }
    }
}
