//! What the fuzzer drives, driven without it: every seed, and changes of each. So it can't rot.

use std::{collections::BTreeSet, fs, path::Path};

use kernel::ids::uuid_v7;

use crate::dice::{Dice, cases, mutate};

#[path = "../../fuzz/src/lib.rs"]
mod entries;

use entries::TARGETS;

/// How many changed texts each reader gets for one of `cases`.
const SHARE: u32 = 40;

fn names(folder: &str, suffix: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").file_name());
    files.map(|name| name.to_string_lossy().trim_end_matches(suffix).to_owned()).collect()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).expect("a seed")).collect()
}

#[test]
fn every_entry_has_its_target_and_seeds_of_which_one_is_believed() {
    let entries: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets", ".rs"), entries);
    assert_eq!(names("seeds", ""), entries);
    for (name, entry) in TARGETS {
        assert!(seeds(name).iter().any(|seed| entry(seed)), "{name}: no seed gets through");
        assert!(!entry(b""), "{name}");
    }
}

#[test]
fn no_change_of_a_seed_makes_a_reader_panic() {
    let seed = u64::try_from(uuid_v7(testkit::START).as_u128() & 0xFFFF_FFFF).expect("small");
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    for (name, entry) in TARGETS {
        let sound = seeds(name);
        for _ in 0..cases() / SHARE {
            let mut data = sound[dice.roll(sound.len())].clone();
            for _ in 0..=dice.roll(4) {
                mutate(&mut dice, &mut data);
            }
            entry(&data);
        }
    }
}
