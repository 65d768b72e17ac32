//! `GET /` and `GET /docs`: the home page and the integration guide, with the gateway's URL.

use std::sync::Arc;

use warp::Filter;
use warp::http::{HeaderValue, header};
use warp::reply::Response;

use crate::view::Site;

use super::api::Api;
use super::error::ApiError;
use super::filters::{Route, get, public, respond, with_api};

const GUIDE: &str = include_str!("../../static/guide.html");

const HOME: &str = include_str!("../../static/home.html");

/// `GET /` also answers the default health checks of load balancers.
pub(super) fn route(api: &Arc<Api>) -> Route {
    let show = |template: &'static str| {
        move |allowed: Result<(), ApiError>, api: Arc<Api>| {
            respond(allowed.map(|()| page(template, &api.site)))
        }
    };
    let home = warp::path::end().and(get()).and(public(api)).and(with_api(api)).map(show(HOME));
    let guide = warp::path!("docs").and(get()).and(public(api)).and(with_api(api)).map(show(GUIDE));
    guide.or(home).unify().boxed()
}

/// A page without scripts and external resources.
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
