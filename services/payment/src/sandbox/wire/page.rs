//! The page on which a customer pays a trade.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use kernel::{Currency, Money, Result};

use super::{Stage, Trade};
use crate::sandbox::page::frame;

/// A trade as its customer sees it. Nothing of what the merchant has written is in it.
pub fn of(trade: Option<&Trade>) -> Response {
    let Some(trade) = trade else {
        return (StatusCode::NOT_FOUND, frame("Not found", "<h1>Not found</h1><p>There is no such payment.</p>"))
            .into_response();
    };
    let amount = Money::new(trade.total, Currency::CNY).to_string();
    let below = match trade.stage {
        Stage::Waiting => "<form method=\"post\"><button>Pay</button></form>",
        Stage::Paid => "<p class=\"paid\">✓ Paid.</p><p>You can close this page.</p>",
        Stage::Closed => "<p class=\"failed\">It is too late to pay this.</p><p>Go back and try again.</p>",
    };
    frame(&amount, &format!("<h1>{amount}</h1>{below}<p class=\"charge\">{}</p>", trade.id)).into_response()
}

/// The page after the customer has pressed the button.
pub fn after(paid: Result<()>, trade: Option<&Trade>) -> Response {
    let mut page = of(trade);
    if paid.is_err() && page.status() == StatusCode::OK {
        *page.status_mut() = StatusCode::CONFLICT;
    }
    page
}

/// Sends the customer's browser to the page of a trade at `url`.
pub fn at(url: &str, number: &str) -> Html<String> {
    frame("Pay", &format!("<p><a href=\"{url}/sandbox/pay/{number}\">Pay</a></p>"))
}
