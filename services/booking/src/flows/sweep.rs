//! Doing what is due: batch after batch, each by itself.

use kernel::Result;

/// Does `one` to all that is `due`, and to no more than it takes until about a `batch` is done; returns how many those
/// were. What fails does not hold up what comes behind it: it stays due and is among the first of the next sweep too, so a
/// sweep goes on behind it. The first error is given back when all were tried.
///
/// `due` finds the next batch after one that it gave; `one` says whether there was still something to do.
pub async fn sweep<T, D, O>(batch: usize, due: impl Fn(Option<T>) -> D, one: impl Fn(T) -> O) -> Result<usize>
where
    T: Copy,
    D: Future<Output = Result<Vec<T>>>,
    O: Future<Output = Result<bool>>,
{
    let (mut done, mut failed, mut after) = (0, None, None);
    loop {
        let found = due(after).await?;
        done += each(&found, &one, &mut failed).await;
        if found.len() < batch || done >= batch {
            return failed.map_or(Ok(done), Err);
        }
        after = found.last().copied();
    }
}

/// The same to all of these, which is no more than can be done in one go.
pub async fn sweep_all<T, O>(all: Vec<T>, one: impl Fn(T) -> O) -> Result<usize>
where
    T: Clone,
    O: Future<Output = Result<bool>>,
{
    let mut failed = None;
    let done = each(&all, one, &mut failed).await;
    failed.map_or(Ok(done), Err)
}

async fn each<T, O>(all: &[T], one: impl Fn(T) -> O, failed: &mut Option<kernel::Error>) -> usize
where
    T: Clone,
    O: Future<Output = Result<bool>>,
{
    let mut done = 0;
    for each in all {
        match one(each.clone()).await {
            Ok(was_due) => done += usize::from(was_due),
            Err(error) => *failed = failed.take().or(Some(error)),
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use kernel::Error;

    use super::*;

    /// Numbers up to 7, three at a time; those from `fails` fail.
    async fn run(fails: std::ops::Range<u32>) -> (Result<usize>, Vec<u32>) {
        let tried = RefCell::new(Vec::new());
        let due =
            async |after: Option<u32>| Ok((0..8).filter(|n| after.is_none_or(|last| *n > last)).take(3).collect());
        let one = async |n: u32| {
            tried.borrow_mut().push(n);
            if fails.contains(&n) { Err(Error::internal(format!("{n} is broken"))) } else { Ok(n != 7) }
        };
        let swept = sweep(3, due, one).await;
        (swept, tried.into_inner())
    }

    #[tokio::test]
    async fn a_sweep_ends_when_a_batch_is_done_and_goes_on_behind_what_fails() {
        let (swept, tried) = run(0..0).await;
        assert_eq!((swept.ok(), tried), (Some(3), vec![0, 1, 2]));
        let (swept, tried) = run(0..5).await;
        assert_eq!(tried, (0..8).collect::<Vec<_>>());
        assert!(swept.is_err_and(|error| error.chain().contains("0 is broken")));
        let (swept, tried) = run(1..2).await;
        assert_eq!((swept.is_err(), tried), (true, (0..6).collect::<Vec<_>>()));
    }
}
