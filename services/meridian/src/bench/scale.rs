//! How much of everything.

use std::time::Duration;

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Scale {
    /// How many hold at once, here and in pgbench; and how many connections both have to Postgres.
    pub clients: usize,
    /// Shops of the chain.
    pub shops: usize,
    /// Therapists of a shop; it has as many rooms.
    pub therapists: usize,
    /// Days for which the times of the chain are sold.
    pub days: i64,
    /// How often competitors take turns, so that a moment in which the machine is slow hits all of them.
    pub rounds: u32,
    /// How long one turn takes.
    pub round: Duration,
    /// How long a competitor runs before its first turn.
    pub warm_up: Duration,
    /// How many searches one client makes.
    pub searches: u64,
    /// How many groups are held.
    pub groups: u64,
    /// How many bookings are read through the gateway.
    pub bookings: usize,
    /// How many holds are made under light load.
    pub light_holds: u32,
    /// How many refunds are quoted.
    pub quotes: u32,
    /// How long the idle suite is watched.
    pub idle: Duration,
    /// How many bookings are stored when it is watched at work.
    pub stored: i64,
    /// How long it is watched at work.
    pub busy: Duration,
    /// How many entries the ledger has that is audited.
    pub entries: i64,
    /// How many payments are matched against a bill.
    pub bill_lines: i64,
}

impl Scale {
    /// The scale of a real run or, `quick`, of one that only shows that everything works.
    pub fn new(quick: bool) -> Self {
        if quick {
            return Self {
                clients: 4,
                shops: 4,
                therapists: 4,
                days: 14,
                rounds: 1,
                round: Duration::from_secs(2),
                warm_up: Duration::from_secs(1),
                searches: 20,
                groups: 20,
                bookings: 20,
                light_holds: 50,
                quotes: 1_000,
                idle: Duration::from_secs(2),
                stored: 50_000,
                busy: Duration::from_secs(3),
                entries: 20_000,
                bill_lines: 20_000,
            };
        }
        Self {
            clients: 16,
            shops: 16,
            therapists: 8,
            days: 90,
            rounds: 2,
            round: Duration::from_secs(8),
            warm_up: Duration::from_secs(2),
            searches: 1_000,
            groups: 600,
            bookings: 500,
            light_holds: 500,
            quotes: 100_000,
            idle: Duration::from_secs(10),
            stored: 1_000_000,
            busy: Duration::from_secs(15),
            entries: 1_000_000,
            bill_lines: 1_000_000,
        }
    }
}
