//! The page on which a customer pays.

use axum::response::Html;
use kernel::{Currency, Money, Timestamp};

use super::charge::{Charge, State};

const FRAME: &str = include_str!("page.html");

const BUTTONS: &str = "<form method=\"post\">\
    <button name=\"outcome\" value=\"succeed\">Pay</button>\
    <button class=\"other\" name=\"outcome\" value=\"fail\">Let it fail</button></form>";

/// A charge as its customer sees it at `now`. Nothing in it comes from outside unchecked: the ids are made here, amount
/// and currency were checked.
pub fn of(charge: &Charge, now: Timestamp) -> Html<String> {
    let amount = amount(charge);
    let below = match charge.state {
        State::Pending if charge.is_payable(now) => {
            let until = charge.expire_time.strftime("%H:%M UTC");
            format!("<p>To be paid until {until}</p>{BUTTONS}")
        }
        State::Pending | State::Expired => {
            "<p class=\"failed\">It is too late to pay this.</p><p>Go back and try again.</p>".to_owned()
        }
        State::Succeeded => "<p class=\"paid\">✓ Paid.</p><p>You can close this page.</p>".to_owned(),
        State::Failed { .. } => "<p class=\"failed\">The payment failed.</p><p>Go back and try again.</p>".to_owned(),
    };
    frame(&amount, &format!("<h1>{amount}</h1>{below}<p class=\"charge\">{}</p>", charge.charge_id))
}

/// What a customer sees whose link leads nowhere.
pub fn of_nothing() -> Html<String> {
    frame("Not found", "<h1>Not found</h1><p>There is no such payment. Go back and try again.</p>")
}

fn amount(charge: &Charge) -> String {
    Currency::parse("currency", &charge.currency)
        .map(|currency| Money::new(charge.amount_minor, currency).to_string())
        .unwrap_or_else(|_| format!("{} minor units of {}", charge.amount_minor, charge.currency))
}

/// A page.
pub(super) fn frame(title: &str, content: &str) -> Html<String> {
    Html(FRAME.replace("{{title}}", title).replace("{{content}}", content))
}
