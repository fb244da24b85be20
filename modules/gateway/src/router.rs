//! Routes as data: every path knows its methods, so that the wrong one is a 405 with `Allow`.

use actix_web::{
    FromRequest, Handler, Responder, Route, guard,
    http::{Method, StatusCode, header},
    web,
};

use crate::problem::{Answer, Problem};

/// A method with its handler.
pub type Entry = (Method, Route);

fn entry<F, Args>(method: Method, handler: F) -> Entry
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let route = if method == Method::GET {
        web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
    } else {
        web::method(method.clone())
    };
    (method, route.to(handler))
}

/// Answers GET and HEAD.
pub fn get<F, Args>(handler: F) -> Entry
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    entry(Method::GET, handler)
}

/// Answers POST.
pub fn post<F, Args>(handler: F) -> Entry
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    entry(Method::POST, handler)
}

/// Answers PATCH.
pub fn patch<F, Args>(handler: F) -> Entry
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    entry(Method::PATCH, handler)
}

/// Answers PUT.
pub fn put<F, Args>(handler: F) -> Entry
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    entry(Method::PUT, handler)
}

/// Answers DELETE.
pub fn delete<F, Args>(handler: F) -> Entry
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    entry(Method::DELETE, handler)
}

/// Registers `path` with its methods.
pub fn at(config: &mut web::ServiceConfig, path: &str, entries: impl IntoIterator<Item = Entry>) {
    at_limited(config, path, crate::body::Limit::default(), entries);
}

/// Registers `path` with its methods and a body limit of its own.
pub fn at_limited(
    config: &mut web::ServiceConfig,
    path: &str,
    limit: crate::body::Limit,
    entries: impl IntoIterator<Item = Entry>,
) {
    let mut allow = Vec::new();
    let mut resource = web::resource(path).app_data(limit);
    for (method, route) in entries {
        if method == Method::GET {
            allow.push("HEAD".to_owned());
        }
        allow.push(method.to_string());
        resource = resource.route(route);
    }
    let allow = allow.join(", ");
    config.service(resource.default_service(web::to(move || {
        let allow = allow.clone();
        async move { method_not_allowed(allow) }
    })));
}

fn method_not_allowed(allow: String) -> Answer {
    let detail = format!("this address answers {allow}");
    Err(Problem::http(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        .header(header::ALLOW, allow))
}
