//! `meridian audit`, as ops run it.

use crate::suite::Suite;

#[tokio::test(flavor = "multi_thread")]
async fn a_breach_is_named_and_fails_the_command() {
    let suite = Suite::prepare(None).await;
    let (sound, said) = suite.audit();
    assert!(sound && said.contains("holds   ledger.chain") && said.contains("invariants hold"), "{said}");

    let unanswered = "insert into idempotency_key (caller, request_id, method, fingerprint, create_time)
                      values ('services/booking', gen_random_uuid(), 'PayOrder', sha256(''), now())";
    suite.execute("payment", unanswered).await;
    let unbooked = "insert into ledger_rollup values ('takings', gen_random_uuid(), 'CNY', 1, 2)";
    suite.execute("payment", unbooked).await;
    let (sound, said) = suite.audit();
    assert!(!sound, "{said}");
    for named in ["BROKEN  request.answered", "request.answered: PayOrder of", "BROKEN  ledger.rolled_up", "1 debited"]
    {
        assert!(said.contains(named), "{named}: {said}");
    }
    assert!(said.contains("holds   ledger.balanced"), "the others are looked at all the same: {said}");
}
