//! The texts of messages, by kind and language.
//!
//! A template names its variables in braces. It is filled strictly: one that is missing is an error, and so is one that
//! the template does not have.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use kernel::{Error, Result, Timestamp};
use serde::Deserialize;

use super::{message::Kind, visit::Visit};

/// The values of a template's variables.
pub type Values = BTreeMap<String, String>;

/// A language that there are templates in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Language {
    /// Chinese as written in China.
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Language {
    /// The language nearest to a BCP 47 tag that came in as `field`, by its primary subtag (RFC 4647, lookup): English
    /// for `en-GB`, and `default` for languages that there are no templates in and for an empty tag.
    pub fn lookup(field: &str, tag: &str, default: Self) -> Result<Self> {
        if tag.is_empty() {
            return Ok(default);
        }
        let subtag =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !tag.split('-').all(subtag) {
            return Err(Error::invalid(field, "must be a BCP 47 language tag such as zh-CN or en"));
        }
        let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        Ok(match primary.as_str() {
            "zh" => Self::ZhCn,
            "en" => Self::En,
            _ => default,
        })
    }
}

const fn text(kind: Kind, language: Language) -> &'static str {
    match (kind, language) {
        (Kind::VerificationCode, Language::ZhCn) => "您的验证码是 {code}，请勿告诉他人。",
        (Kind::VerificationCode, Language::En) => "Your code is {code}. Do not share it with anybody.",
        (Kind::BookingConfirmed, Language::ZhCn) => {
            "预约成功：{time}，{store}，{item}，由 {therapist} 为您服务。期待您的光临！"
        }
        (Kind::BookingConfirmed, Language::En) => {
            "Your visit is confirmed: {item} with {therapist} at {store}, {time}. We look forward to seeing you."
        }
        (Kind::BookingReminder, Language::ZhCn) => {
            "温馨提醒：您预约了 {time} 在{store}的{item}，由 {therapist} 为您服务。"
        }
        (Kind::BookingReminder, Language::En) => {
            "A reminder of your visit: {item} with {therapist} at {store}, {time}."
        }
        (Kind::BookingCancelled, Language::ZhCn) => "您 {time} 在{store}的{item}（{therapist}）预约已取消。",
        (Kind::BookingCancelled, Language::En) => {
            "Your visit is cancelled: {item} with {therapist} at {store}, {time}."
        }
        (Kind::BookingRescheduled, Language::ZhCn) => {
            "改约成功：{time}，{store}，{item}，由 {therapist} 为您服务。期待您的光临！"
        }
        (Kind::BookingRescheduled, Language::En) => {
            "Your visit is rescheduled: {item} with {therapist} at {store}, now {time}. We look forward to seeing you."
        }
        (Kind::BookingMoved, Language::ZhCn) => {
            "很抱歉，门店调整了您的预约：现为 {time}，{store}，{item}，由 {therapist} 为您服务。如不方便，请联系门店。"
        }
        (Kind::BookingMoved, Language::En) => {
            "We had to change your visit, and are sorry: {item} with {therapist} at {store}, now {time}. \
             If that does not suit you, please tell the store."
        }
        (Kind::WaitlistOffer, Language::ZhCn) => {
            "您等候的时间有了：{time}，{store}，{item}，由 {therapist} 为您服务。已为您保留至 {until}，请在此之前接受。"
        }
        (Kind::WaitlistOffer, Language::En) => {
            "A time that you wait for is free: {item} with {therapist} at {store}, {time}. \
             It is kept for you until {until}; please accept it by then."
        }
    }
}

/// Fills a template.
///
/// # Errors
/// `InvalidArgument` on `variables`, naming each one that is missing and each one that the template does not have.
pub fn render(kind: Kind, language: Language, values: &Values) -> Result<String> {
    let mut body = String::new();
    let (mut wanted, mut missing) = (Vec::new(), Vec::new());
    for piece in Pieces(text(kind, language)) {
        match piece {
            Piece::Text(text) => body.push_str(text),
            Piece::Variable(name) => {
                wanted.push(name);
                match values.get(name) {
                    Some(value) => body.push_str(value),
                    None => missing.push(name),
                }
            }
        }
    }
    let unknown: Vec<_> = values.keys().map(String::as_str).filter(|name| !wanted.contains(name)).collect();
    match (missing.is_empty(), unknown.is_empty()) {
        (true, true) => Ok(body),
        (false, _) => Err(Error::invalid("variables", format!("must also have {}", missing.join(", ")))),
        (true, false) => Err(Error::invalid("variables", format!("may only have {}", wanted.join(", ")))),
    }
}

/// The values for a message about a visit. The time is that of the clocks at the store.
///
/// # Errors
/// Internal, if the store's time zone does not exist.
pub fn visit_values(visit: &Visit, language: Language) -> Result<Values> {
    let zone = TimeZone::get(&visit.time_zone).map_err(Error::internal)?;
    let values = [
        ("time", local_time(visit.start_time, zone, language)),
        ("store", one_line(&visit.store_name)),
        ("item", one_line(&visit.item_name)),
        ("therapist", one_line(&visit.therapist_name)),
    ];
    Ok(values.map(|(name, value)| (name.to_owned(), value)).into())
}

/// The values for a message that offers a visit until `until`.
///
/// # Errors
/// As of [`visit_values`].
pub fn offer_values(visit: &Visit, until: Timestamp, language: Language) -> Result<Values> {
    let zone = TimeZone::get(&visit.time_zone).map_err(Error::internal)?;
    let mut values = visit_values(visit, language)?;
    values.insert("until".to_owned(), until.to_zoned(zone).strftime("%H:%M").to_string());
    Ok(values)
}

fn local_time(at: Timestamp, zone: TimeZone, language: Language) -> String {
    let local = at.to_zoned(zone);
    match language {
        Language::ZhCn => {
            const DAYS: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];
            let index = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
            let day = DAYS.get(index).copied().unwrap_or_default();
            format!("{}月{}日（周{day}）{}", local.month(), local.day(), local.strftime("%H:%M"))
        }
        Language::En => local.strftime("%A, %-d %B, %H:%M").to_string(),
    }
}

/// Published names are one line, whatever was typed.
fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

enum Piece {
    Text(&'static str),
    Variable(&'static str),
}

/// The pieces of a template; what is left of it.
struct Pieces(&'static str);

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if let Some((name, rest)) = self.0.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            self.0 = rest;
            return Some(Piece::Variable(name));
        }
        let end = self.0.find('{').unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        (!text.is_empty()).then_some(Piece::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use kernel::{
        Uuid,
        ids::{BookingId, MemberId, StoreId, TherapistId},
    };

    use super::*;
    use crate::domain::visit::State;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn visit(start: &str, time_zone: &str) -> Visit {
        Visit {
            booking: BookingId::from_uuid(Uuid::from_u128(1)),
            customer: MemberId::from_uuid(Uuid::from_u128(2)),
            store: StoreId::from_uuid(Uuid::from_u128(3)),
            therapist: TherapistId::from_uuid(Uuid::from_u128(4)),
            quote: None,
            state: State::Confirmed,
            start_time: start.parse().expect("a timestamp"),
            time_zone: time_zone.to_owned(),
            store_name: "静安店".to_owned(),
            item_name: "Swedish\nmassage".to_owned(),
            therapist_name: "Lin {code}".to_owned(),
        }
    }

    #[test]
    fn every_template_about_a_visit_has_the_same_variables() {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::VerificationCode) {
            for language in [Language::ZhCn, Language::En] {
                let visit = visit("2027-03-01T06:30:00Z", "Asia/Shanghai");
                let values = match kind {
                    Kind::WaitlistOffer => offer_values(&visit, visit.start_time, language),
                    _ => visit_values(&visit, language),
                };
                let body = render(kind, language, &values.expect("values")).expect("rendered");
                assert!(body.contains("Swedish massage") && body.contains("14:30"), "{body}");
                assert!(body.contains("Lin {code}"), "a value is not read as a template: {body}");
            }
        }
    }

    #[test]
    fn a_missing_or_unknown_variable_is_an_error() {
        let of = |values: &Values| render(Kind::VerificationCode, Language::En, values);
        let told = |values: &Values| of(values).err().map(|error| error.violations()[0].description.clone());
        assert_eq!(
            of(&values(&[("code", "123456")])).ok().as_deref(),
            Some("Your code is 123456. Do not share it with anybody.")
        );
        assert_eq!(told(&values(&[])).as_deref(), Some("must also have code"));
        assert_eq!(told(&values(&[("code", "1"), ("name", "x")])).as_deref(), Some("may only have code"));
    }

    #[test]
    fn the_time_is_that_of_the_store() {
        let time = |start, zone, language| visit_values(&visit(start, zone), language).expect("values")["time"].clone();
        assert_eq!(time("2027-03-01T06:30:00Z", "Asia/Shanghai", Language::ZhCn), "3月1日（周一）14:30");
        assert_eq!(time("2027-03-01T18:30:00Z", "Asia/Shanghai", Language::ZhCn), "3月2日（周二）02:30");
        assert_eq!(time("2027-03-01T06:30:00Z", "Asia/Urumqi", Language::En), "Monday, 1 March, 12:30");
        // An hour before and an hour after the clocks of London go forward.
        assert_eq!(time("2027-03-28T00:30:00Z", "Europe/London", Language::En), "Sunday, 28 March, 00:30");
        assert_eq!(time("2027-03-28T01:30:00Z", "Europe/London", Language::En), "Sunday, 28 March, 02:30");
        assert!(visit_values(&visit("2027-03-01T06:30:00Z", "Asia/Atlantis"), Language::En).is_err());
    }

    #[test]
    fn a_language_is_found_by_its_first_subtag() {
        let of = |tag| Language::lookup("language_code", tag, Language::ZhCn).ok();
        assert_eq!(of(""), Some(Language::ZhCn));
        assert_eq!(of("EN-gb"), Some(Language::En));
        assert_eq!(of("zh-Hant-TW"), Some(Language::ZhCn));
        assert_eq!(of("fr"), Some(Language::ZhCn));
        assert_eq!(of("english please"), None);
        assert_eq!(of("en-"), None);
    }
}
