//! Somebody who keeps what pays a part of an order, as membership keeps points.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use kernel::{
    Error, Result,
    ids::{PaymentId, RefundId},
};
use payment::{
    domain::peer_tender::{GivenBack, Kept},
    peers::{PeerTender, tender::Hold},
};

/// What became of something set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Reserved,
    Committed,
    Voided,
}

#[derive(Debug, Clone)]
struct Entry {
    minor: i64,
    fate: Fate,
    back: BTreeMap<RefundId, GivenBack>,
}

/// Keeps a purse, may be away, may be deaf, and counts what it is told.
#[derive(Debug, Default)]
pub struct Keeper {
    purse: Mutex<i64>,
    entries: Mutex<BTreeMap<PaymentId, Entry>>,
    down: AtomicBool,
    /// Does what it is told and fails to say so.
    deaf: AtomicBool,
    /// Loses what is set aside.
    forgetful: AtomicBool,
    calls: AtomicUsize,
}

impl Keeper {
    pub fn fill(&self, minor: i64) {
        *self.purse.lock().expect("not poisoned") += minor;
    }

    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub fn set_deaf(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::SeqCst);
    }

    pub fn set_forgetful(&self, forgetful: bool) {
        self.forgetful.store(forgetful, Ordering::SeqCst);
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// What is in the purse.
    pub fn purse(&self) -> i64 {
        *self.purse.lock().expect("not poisoned")
    }

    /// What became of all that it was told of.
    pub fn fates(&self) -> Vec<Fate> {
        self.entries.lock().expect("not poisoned").values().map(|entry| entry.fate).collect()
    }

    /// What came back, each amount with whether that was all, the smallest first.
    pub fn back(&self) -> Vec<(i64, bool)> {
        let entries = self.entries.lock().expect("not poisoned");
        let back = entries.values().flat_map(|entry| entry.back.values());
        let mut back: Vec<_> = back.map(|back| (back.amount.minor(), back.whole)).collect();
        back.sort_unstable();
        back
    }

    /// What became of the only thing that it was told of.
    pub fn fate(&self) -> Fate {
        let fates = self.fates();
        assert_eq!(fates.len(), 1, "{fates:?}");
        fates[0]
    }

    /// All that is set aside comes to nothing, without anybody having said so.
    pub fn void_all(&self) {
        for entry in self.entries.lock().expect("not poisoned").values_mut() {
            *self.purse.lock().expect("not poisoned") += entry.minor;
            entry.fate = Fate::Voided;
        }
    }

    fn call<T>(&self, effect: impl FnOnce(&mut i64, &mut BTreeMap<PaymentId, Entry>) -> Result<T>) -> Result<T> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(Error::unavailable("keeper"));
        }
        let (mut purse, mut entries) =
            (self.purse.lock().expect("not poisoned"), self.entries.lock().expect("not poisoned"));
        let answer = effect(&mut purse, &mut entries);
        if self.deaf.load(Ordering::SeqCst) { Err(Error::unavailable("keeper")) } else { answer }
    }

    fn known<'a>(&self, entries: &'a mut BTreeMap<PaymentId, Entry>, of: &Kept) -> Result<&'a mut Entry> {
        if self.forgetful.load(Ordering::SeqCst) {
            return Err(Error::precondition("REDEMPTION_ENDED", "nobody knows of it any more"));
        }
        entries.get_mut(&of.payment).ok_or_else(|| Error::not_found(of.payment))
    }
}

fn ended() -> Error {
    Error::precondition("REDEMPTION_ENDED", "it is over")
}

#[async_trait]
impl PeerTender for Keeper {
    async fn reserve(&self, hold: &Hold) -> Result<()> {
        self.call(|purse, entries| {
            let minor = hold.amount.minor();
            if let Some(known) = entries.get(&hold.of.payment) {
                assert!(known.minor == minor || known.fate == Fate::Voided, "another amount for the same payment");
                return if known.fate == Fate::Voided { Err(ended()) } else { Ok(()) };
            }
            if *purse < minor {
                return Err(Error::precondition("INSUFFICIENT_POINTS", "there are not so many"));
            }
            *purse -= minor;
            entries.insert(hold.of.payment, Entry { minor, fate: Fate::Reserved, back: BTreeMap::new() });
            Ok(())
        })
    }

    async fn commit(&self, of: &Kept) -> Result<()> {
        self.call(|_, entries| {
            let entry = self.known(entries, of)?;
            if entry.fate == Fate::Voided {
                return Err(ended());
            }
            entry.fate = Fate::Committed;
            Ok(())
        })
    }

    async fn void(&self, of: &Kept) -> Result<()> {
        self.call(|purse, entries| {
            let unknown = Entry { minor: 0, fate: Fate::Voided, back: BTreeMap::new() };
            let entry = entries.entry(of.payment).or_insert(unknown);
            match entry.fate {
                Fate::Reserved => {
                    *purse += entry.minor;
                    entry.fate = Fate::Voided;
                    Ok(())
                }
                Fate::Voided => Ok(()),
                Fate::Committed => Err(Error::precondition("REDEMPTION_COMMITTED", "it is spent")),
            }
        })
    }

    async fn give_back(&self, of: &Kept, back: &GivenBack) -> Result<()> {
        self.call(|purse, entries| {
            let entry = self.known(entries, of)?;
            if entry.fate != Fate::Committed {
                return Err(Error::precondition("REDEMPTION_NOT_COMMITTED", "it is not spent"));
            }
            if entry.back.insert(back.refund, *back).is_none() {
                *purse += back.amount.minor();
            }
            let sum: i64 = entry.back.values().map(|back| back.amount.minor()).sum();
            assert!(sum <= entry.minor, "no more comes back than was spent");
            Ok(())
        })
    }
}
