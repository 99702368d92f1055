//! The visit.

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use kernel::{Clock as _, SystemClock, Timestamp};
use runtime::Settings;
use serde_json::{Value, json};

use super::api::{Api, Person, money, new_phone, text};
use crate::{
    say,
    seed::{ADMINISTRATOR, PASSWORD, STORES},
    wait::until,
};

/// The item that is booked.
const ITEM: &str = "Swedish massage, 60 min";
/// How many days ahead a free time is looked for.
const DAYS: i64 = 3;

/// Says a step and what came of it.
fn step(what: &str, came: impl AsRef<str>) {
    say::line(format!("{what:<26}{}", came.as_ref()));
}

/// Takes the visit from search to points.
pub async fn take(api: &Api, settings: &Settings) -> Result<()> {
    let place = &STORES[0];
    let visit = Visit { api, settings, phone: new_phone() };
    let store = visit.find("/v1/stores", "stores", place.name).await?;
    let item = visit.find("/v1/items", "items", ITEM).await?;
    let store_name = text(&store, "name")?;
    step("store", format!("{} ({store_name})", place.name));
    step("item", format!("{ITEM} ({}), {}", text(&item, "name")?, money(&item["price"])));

    let member = visit.register(store_name).await?;
    let slot = visit.search(store_name, text(&item, "name")?).await?;
    let booking = visit.hold(&member, store_name, text(&item, "name")?, &slot).await?;
    let name = text(&booking, "name")?;
    let order = visit.pay_deposit(&member, name).await?;
    visit.confirmed(&member, name).await?;

    let desk = api.sign_in_staff(&format!("desk-{}", place.key), PASSWORD).await?;
    let therapist = api.sign_in_staff(&format!("therapist-{}", place.key), PASSWORD).await?;
    for (verb, who, by) in
        [("checkIn", &desk, "front desk"), ("start", &therapist, "therapist"), ("complete", &therapist, "therapist")]
    {
        let booking = api.post(who, &format!("/v1/{name}:{verb}"), json!({})).await?;
        step(verb, format!("by the {by} ({}): {}", who.subject, text(&booking, "state")?));
    }
    let body = json!({"purpose": "PURPOSE_BALANCE", "tender": "TENDER_CASH"});
    let payment = api.post(&desk, &format!("/v1/{order}:pay"), body).await?;
    step(
        "balance",
        format!("{} in cash ({}): {}", money(&payment["amount"]), text(&payment, "name")?, text(&payment, "state")?),
    );

    visit.points(&member, &order).await?;
    visit.figures(store_name, place.zone, text(&booking, "startTime")?).await?;
    say::line("The visit is complete.");
    Ok(())
}

struct Visit<'a> {
    api: &'a Api,
    settings: &'a Settings,
    phone: String,
}

impl Visit<'_> {
    /// The thing of a list with this display name.
    async fn find(&self, path: &str, list: &str, name: &str) -> Result<Value> {
        let found = self.api.get(&Person::default(), path, &[("pageSize", "1000")]).await?;
        let one = found[list].as_array().and_then(|all| all.iter().find(|one| one["displayName"] == name));
        one.cloned().with_context(|| format!("{name} is not in {path}: the demo needs the demo chain (meridian seed)"))
    }

    async fn register(&self, store: &str) -> Result<Person> {
        let policy: membership::Policy = self.settings.membership.policy(runtime::config::Service::Membership)?;
        let member = self.api.register(&self.phone, &policy.terms_version, store).await?;
        step("code", format!("read in the mailbox of {}", self.phone));
        step("registered", &member.subject);
        Ok(member)
    }

    async fn search(&self, store: &str, item: &str) -> Result<Value> {
        let now = SystemClock.now();
        let (from, to) = (now.to_string(), (now + SignedDuration::from_hours(24 * DAYS)).to_string());
        let query = [("item", item), ("startTime", &from), ("endTime", &to), ("pageSize", "5")];
        let found = self.api.get(&Person::default(), &format!("/v1/{store}/slots:search"), &query).await?;
        let slot = found["slots"].as_array().and_then(|slots| slots.first()).cloned();
        let slot = slot.with_context(|| format!("no free time within {DAYS} days"))?;
        step("free time", format!("{} with {}", text(&slot, "startTime")?, text(&slot, "therapist")?));
        Ok(slot)
    }

    async fn hold(&self, member: &Person, store: &str, item: &str, slot: &Value) -> Result<Value> {
        let body = json!({
            "store": store, "item": item, "startTime": slot["startTime"], "therapist": slot["therapist"],
            "channel": "CHANNEL_WEB",
        });
        let booking = self.api.post(member, "/v1/bookings:hold", body).await?;
        let (list, price, deposit) =
            (money(&booking["listPrice"]), money(&booking["price"]), money(&booking["deposit"]));
        step("held", text(&booking, "name")?);
        step("price", format!("{price} instead of {list}, deposit {deposit}"));
        if let Some(quote) = booking["quote"].as_str().filter(|quote| !quote.is_empty()) {
            let quote = self.api.get(member, &format!("/v1/{quote}"), &[]).await?;
            for adjustment in quote["adjustments"].as_array().into_iter().flatten() {
                let applied = if adjustment["applied"] == true { "applied" } else { "not applied" };
                step("  why", format!("{} {applied}: {}", text(adjustment, "code")?, text(adjustment, "explanation")?));
            }
        }
        Ok(booking)
    }

    /// Returns the order.
    async fn pay_deposit(&self, member: &Person, booking: &str) -> Result<String> {
        let order = until("the making of the order", async || {
            let booking = self.api.get(member, &format!("/v1/{booking}"), &[]).await?;
            let order = booking["order"].as_str().filter(|_| booking["state"] == "STATE_AWAITING_PAYMENT");
            Ok(order.map(str::to_owned))
        })
        .await?;
        step("order", &order);
        let body = json!({"purpose": "PURPOSE_DEPOSIT", "tender": "TENDER_SANDBOX"});
        let payment = self.api.post(member, &format!("/v1/{order}:pay"), body).await?;
        let page = text(&payment, "payUri")?;
        step("deposit", format!("{} at {page} ({})", money(&payment["amount"]), text(&payment, "name")?));
        self.api.pay_at(page).await?;
        Ok(order)
    }

    async fn confirmed(&self, member: &Person, booking: &str) -> Result<()> {
        until("the confirmation", async || {
            let booking = self.api.get(member, &format!("/v1/{booking}"), &[]).await?;
            match text(&booking, "state")? {
                "STATE_CONFIRMED" => Ok(Some(())),
                "STATE_HELD" | "STATE_AWAITING_PAYMENT" => Ok(None),
                other => bail!("the booking is {other}"),
            }
        })
        .await?;
        step("confirmed", booking);
        let of_booking = |message: &Value| message["kind"] == "KIND_BOOKING_CONFIRMED";
        let message = self.api.message(&self.phone, of_booking, "the arrival of the confirmation").await?;
        step("message", text(&message, "body")?);
        Ok(())
    }

    async fn points(&self, member: &Person, order: &str) -> Result<()> {
        let me = until("the arrival of points", async || {
            let me = self.api.get(member, "/v1/members/me", &[]).await?;
            Ok(Some(me).filter(|me| points(&me["points"]) > 0))
        })
        .await?;
        let (earned, tier) = (points(&me["points"]), text(&me, "tier")?);
        step("points", format!("{earned} for {order}, tier {tier}, spent {}", money(&me["rollingSpend"])));
        Ok(())
    }

    async fn figures(&self, store: &str, zone: &str, start: &str) -> Result<()> {
        let administrator = self.api.sign_in_staff(ADMINISTRATOR.0, PASSWORD).await?;
        let zone = TimeZone::get(zone)?;
        let today = SystemClock.now().to_zoned(zone.clone()).date();
        let day = start.parse::<Timestamp>()?.to_zoned(zone).date();
        let dates: [(&str, i64, i64, i64); 2] = [
            ("startDate", today.year().into(), today.month().into(), today.day().into()),
            ("endDate", day.year().into(), day.month().into(), day.day().into()),
        ];
        let query: Vec<(String, String)> = dates
            .into_iter()
            .flat_map(|(key, year, month, day)| {
                [("year", year), ("month", month), ("day", day)]
                    .map(|(part, n)| (format!("{key}.{part}"), n.to_string()))
            })
            .collect();
        let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let path = format!("/v1/{store}/dailyFigures");
        let lines = until("the counting of the visit", async || {
            let figures = self.api.get(&administrator, &path, &query).await?;
            let lines = figures["dailyFigures"].as_array().cloned().unwrap_or_default();
            let of = |date: Date| lines.iter().find(|line| date_of(line) == Some(date));
            let visited = of(day).is_some_and(|line| points(&line["bookingsByState"]["STATE_COMPLETED"]) > 0);
            let earned = of(today).is_some_and(|line| points(&line["pointsEarned"]) > 0);
            Ok((visited && earned).then_some(lines))
        })
        .await?;
        for line in lines {
            let date = date_of(&line).map(|date| date.to_string()).unwrap_or_default();
            if date == today.to_string() || date == day.to_string() {
                let came = format!(
                    "{date}: bookings {}, revenue {}, new members {}, points {}",
                    line["bookingsByState"],
                    money(&line["revenue"]),
                    points(&line["newMembers"]),
                    points(&line["pointsEarned"]),
                );
                step("figures", came);
            }
        }
        Ok(())
    }
}

/// A 64-bit number, which is a text in proto3's JSON; nothing is 0.
fn points(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn date_of(line: &Value) -> Option<Date> {
    let part = |key: &str| line["date"][key].as_i64();
    let (year, month, day) = (part("year")?, part("month")?, part("day")?);
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}
