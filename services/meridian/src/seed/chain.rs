//! The demo chain: what does not depend on chance.

use proto::access::v1::Role;

/// A store.
#[derive(Debug)]
pub struct Store {
    /// The published name.
    pub name: &'static str,
    /// In user names of its staff.
    pub key: &'static str,
    /// Street address.
    pub address: &'static str,
    /// IANA zone.
    pub zone: &'static str,
    /// Latitude and longitude in degrees.
    pub position: (f64, f64),
}

/// The stores, in two time zones.
pub const STORES: [Store; 3] = [
    Store {
        name: "Meridian Jing'an",
        key: "jingan",
        address: "88 Nanjing West Road, Jing'an, Shanghai",
        zone: "Asia/Shanghai",
        position: (31.2304, 121.4561),
    },
    Store {
        name: "Meridian Chaoyang",
        key: "chaoyang",
        address: "12 Sanlitun Road, Chaoyang, Beijing",
        zone: "Asia/Shanghai",
        position: (39.9334, 116.4551),
    },
    Store {
        name: "Meridian Tianshan",
        key: "tianshan",
        address: "6 Jiefang North Road, Tianshan, Urumqi",
        zone: "Asia/Urumqi",
        position: (43.7980, 87.6236),
    },
];

/// Local hours at which every store opens and closes, every day.
pub const OPEN: (i8, i8) = (10, 22);

/// An item of the menu.
#[derive(Debug)]
pub struct Item {
    /// The published name.
    pub name: &'static str,
    /// What it does for one.
    pub description: &'static str,
    /// Group in the menu.
    pub category: &'static str,
    /// Minutes of preparation, treatment and cleaning.
    pub minutes: (i32, i32, i32),
    /// Price in whole yuan.
    pub yuan: i64,
    /// What the therapist must be able to do.
    pub skill: &'static str,
    /// Where it is given.
    pub room: &'static str,
    /// The machine that it takes; empty for none.
    pub equipment: &'static str,
}

const fn item(
    (name, description, category): (&'static str, &'static str, &'static str),
    minutes: (i32, i32, i32),
    yuan: i64,
    (skill, room, equipment): (&'static str, &'static str, &'static str),
) -> Item {
    Item { name, description, category, minutes, yuan, skill, room, equipment }
}

/// The menu.
pub const ITEMS: [Item; 14] = [
    item(
        ("Tui na, 60 min", "Pressing and kneading along the meridians.", "massage"),
        (5, 60, 10),
        258,
        ("tuina", "massage", ""),
    ),
    item(
        ("Swedish massage, 60 min", "Long strokes that calm.", "massage"),
        (5, 60, 10),
        298,
        ("swedish", "massage", ""),
    ),
    item(
        ("Swedish massage, 90 min", "Long strokes that calm, for the whole body.", "massage"),
        (5, 90, 10),
        418,
        ("swedish", "massage", ""),
    ),
    item(
        ("Thai massage, 90 min", "Stretching and pressure on a mat.", "massage"),
        (5, 90, 10),
        398,
        ("thai", "massage", ""),
    ),
    item(
        ("Thai massage, 120 min", "Stretching and pressure on a mat, without hurry.", "massage"),
        (5, 120, 10),
        498,
        ("thai", "massage", ""),
    ),
    item(
        ("Deep tissue, 60 min", "Firm work on tight muscles.", "massage"),
        (5, 60, 10),
        358,
        ("deep-tissue", "massage", ""),
    ),
    item(("Aromatherapy, 90 min", "Warm oil and scent.", "massage"), (10, 90, 15), 438, ("aroma", "massage", "")),
    item(
        ("Hot stones, 90 min", "Warm basalt along the back.", "massage"),
        (15, 90, 15),
        468,
        ("hot-stone", "massage", "stone-heater"),
    ),
    item(
        ("Cupping, 30 min", "Cups on back and shoulders.", "traditional"),
        (5, 30, 10),
        128,
        ("cupping", "massage", ""),
    ),
    item(("Gua sha, 45 min", "Scraping with a jade edge.", "traditional"), (5, 45, 10), 158, ("tuina", "massage", "")),
    item(
        ("Foot reflexology, 60 min", "Herbal bath, then the feet.", "foot care"),
        (5, 60, 5),
        168,
        ("foot", "foot", ""),
    ),
    item(
        ("Foot and shoulders, 90 min", "Herbal bath, feet, neck and shoulders.", "foot care"),
        (5, 90, 5),
        228,
        ("foot", "foot", ""),
    ),
    item(
        ("Clear skin facial, 60 min", "Cleansing, peeling, mask.", "facial"),
        (5, 60, 10),
        328,
        ("facial", "facial", ""),
    ),
    item(
        ("Firming facial, 90 min", "Radio frequency and mask.", "facial"),
        (10, 90, 10),
        688,
        ("facial", "facial", "radio-frequency"),
    ),
];

/// What is new on the menu today; with it the seeding is complete.
pub const NEW_ITEM: Item = item(
    ("Stretch and balance, 60 min", "Assisted stretching, new on the menu.", "massage"),
    (5, 60, 10),
    318,
    ("thai", "massage", ""),
);

/// Rooms and machines of every store: kind, published name, how many.
pub const ROOMS: [(&str, &str, usize); 5] = [
    ("massage", "Room", 6),
    ("foot", "Foot bay", 4),
    ("facial", "Facial room", 2),
    ("stone-heater", "Stone heater", 1),
    ("radio-frequency", "Radio frequency device", 1),
];

/// Therapists of every store.
pub const THERAPISTS: usize = 8;

/// What the therapists of a store can do, so that every skill is there at least twice.
pub const SKILLS: [&[&str]; THERAPISTS] = [
    &["tuina", "swedish", "deep-tissue", "cupping"],
    &["thai", "swedish", "aroma", "foot"],
    &["tuina", "foot", "cupping"],
    &["facial", "aroma", "hot-stone"],
    &["thai", "deep-tissue", "hot-stone", "tuina"],
    &["foot", "tuina", "swedish"],
    &["facial", "foot", "aroma"],
    &["thai", "swedish", "deep-tissue", "tuina", "cupping"],
];

/// Family names, the most frequent ones.
pub const FAMILY_NAMES: [&str; 20] = [
    "Wang", "Li", "Zhang", "Liu", "Chen", "Yang", "Zhao", "Huang", "Zhou", "Wu", "Xu", "Sun", "Hu", "Zhu", "Gao",
    "Lin", "He", "Guo", "Ma", "Luo",
];

/// Given names.
pub const GIVEN_NAMES: [&str; 24] = [
    "Wei", "Fang", "Na", "Min", "Jing", "Lei", "Qiang", "Yan", "Jie", "Tao", "Ming", "Chao", "Xia", "Ping", "Gang",
    "Ying", "Hua", "Mei", "Lan", "Bo", "Hui", "Jun", "Xin", "Yu",
];

/// The password of every account of the demo chain.
pub const PASSWORD: &str = "meridian-demo";

/// An account that is not bound to a store.
pub const CENTRAL_STAFF: [(&str, &str, Role); 3] = [
    ("finance", "Finance", Role::Finance),
    ("auditor", "Auditor", Role::Auditor),
    ("marketing", "Marketing", Role::Marketing),
];

/// The account that may do everything.
pub const ADMINISTRATOR: (&str, &str, Role) = ("administrator", "Administrator", Role::Administrator);

/// The accounts of every store: what comes before its key in the user name, the title, the role.
pub const STORE_STAFF: [(&str, &str, Role); 3] = [
    ("manager", "Manager", Role::StoreManager),
    ("desk", "Front desk", Role::FrontDesk),
    ("therapist", "Therapist", Role::Therapist),
];

/// User names and what they may do, for people.
pub fn sign_ins() -> impl Iterator<Item = (String, String)> {
    let central = std::iter::once(ADMINISTRATOR).chain(CENTRAL_STAFF);
    let central = central.map(|(user, title, _)| (user.to_owned(), title.to_owned()));
    let stores = STORES.iter().flat_map(|store| {
        STORE_STAFF.map(|(user, title, _)| (format!("{user}-{}", store.key), format!("{title} of {}", store.name)))
    });
    central.chain(stores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_can_be_given_somewhere_by_somebody() {
        for item in &ITEMS {
            assert!(SKILLS.iter().filter(|skills| skills.contains(&item.skill)).count() >= 2, "{}", item.name);
            assert!(ROOMS.iter().any(|(kind, ..)| *kind == item.room), "{}", item.name);
            let machine = item.equipment.is_empty() || ROOMS.iter().any(|(kind, ..)| *kind == item.equipment);
            assert!(machine, "{}", item.name);
        }
    }
}
