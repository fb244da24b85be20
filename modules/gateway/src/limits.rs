//! Whose allowance a request counts against.

use std::net::IpAddr;

use actix_web::{HttpRequest, web};
use shared::limits::client_address;

use crate::app::State;

/// The client's address: the peer's, unless that is a proxy of ours that names another.
pub fn address(request: &HttpRequest) -> IpAddr {
    let state = request.app_data::<web::Data<State>>().expect("the gateway sets its state");
    let forwarded = request.headers().get("x-forwarded-for").and_then(|v| v.to_str().ok());
    client_address(request.peer_addr().map(|a| a.ip()), forwarded, &state.settings.trusted_proxies)
}
