//! A small chain: one store that never closes, therapists who are always on duty, one item.

use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::{
    client::{Client, text},
    suite::Suite,
};

/// The chain, and who works there.
pub struct World {
    pub nobody: Client,
    pub admin: Client,
    pub desk: Client,
    pub store: String,
    pub item: String,
}

const PASSWORD: &str = "correct horse battery";

impl World {
    /// Furnishes the chain through the API.
    pub async fn furnish(suite: &Suite) -> Self {
        let nobody = Client::new(&suite.http);
        crate::suite::first_administrator(suite, "admin", PASSWORD);
        let admin = sign_in(&nobody, "admin").await;
        let always: Vec<Value> = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
            .iter()
            .map(|day| json!({ "day": day, "open_time": {}, "close_time": { "hours": 24 } }))
            .collect();
        let store = json!({
            "display_name": "Jing'an", "time_zone": "Asia/Shanghai", "currency_code": "CNY", "opening_hours": always,
            // A visit of tomorrow is gone through today.
            "policy": { "check_in_minutes": 2_880 },
        });
        let store = text(&admin.create("/v1/stores", store).await, "name").to_owned();
        let item = json!({
            "display_name": "Thai massage", "duration_minutes": 60, "skill": "thai", "room_kind": "massage",
            "price": { "currency_code": "CNY", "units": "200" },
        });
        let item = text(&admin.create("/v1/items", item).await, "name").to_owned();
        for number in 0..2 {
            let room = json!({ "store": store, "display_name": format!("room {number}"), "kind": "massage" });
            admin.create("/v1/rooms", room).await;
            let therapist = json!({
                "store": store, "display_name": format!("therapist {number}"), "grade": 3, "skills": ["thai"],
            });
            let therapist = text(&admin.create("/v1/therapists", therapist).await, "name").to_owned();
            // Four shifts of 16 hours, one after the other.
            for shift in 0..4 {
                let start = whole_hour() + SignedDuration::from_hours(shift * 16);
                let shift = json!({
                    "therapist": therapist, "start_time": start.to_string(),
                    "end_time": (start + SignedDuration::from_hours(16)).to_string(),
                });
                admin.create("/v1/shifts", shift).await;
            }
        }
        let desk = json!({
            "user_name": "desk", "display_name": "Front desk", "password": PASSWORD,
            "roles": ["ROLE_FRONT_DESK"], "store": store,
        });
        admin.post("/v1/staff", desk).await;
        let desk = sign_in(&nobody, "desk").await;
        Self { nobody, admin, desk, store, item }
    }
}

async fn sign_in(nobody: &Client, user_name: &str) -> Client {
    let answer = nobody.post("/v1/auth:signInStaff", json!({ "user_name": user_name, "password": PASSWORD })).await;
    nobody.signed_in(text(&answer, "accessToken"))
}

/// The beginning of this hour.
fn whole_hour() -> Timestamp {
    let now = SystemClock.now().as_second();
    Timestamp::from_second(now - now.rem_euclid(3_600)).expect("in range")
}
