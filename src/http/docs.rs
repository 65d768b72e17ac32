//! `GET /docs`: the integration guide with the gateway's own URL in it.

use warp::http::{HeaderValue, header};
use warp::reply::Response;

use crate::view::Site;

const GUIDE: &str = include_str!("../../static/guide.html");

/// The guide, as a page that loads and runs nothing.
pub(crate) fn guide(site: &Site) -> Response {
    let page = GUIDE.replace("{{public_url}}", &site.public_url);
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
