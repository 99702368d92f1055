"""Checks of ledger.py itself: the documented example, and that it finds what was planted. Run by run.sh; needs nothing."""

import copy
import hashlib
import unittest

import ledger

EXAMPLE = {
    "xid": "745",
    "position": "12",
    "name": "ledgerTransactions/00000000-0000-0000-0000-000000000001",
    "kind": "capture",
    "source": "00000000-0000-0000-0000-000000000002",
    "order": "orders/00000000-0000-0000-0000-000000000003",
    "create_time": "2027-03-01T01:00:00.123456Z",
    "entries": [
        {
            "position": 0,
            "account": "provider_receivable",
            "store": "stores/00000000-0000-0000-0000-000000000007",
            "party": "providers/sandbox",
            "currency_code": "CNY",
            "amount_minor": "6000",
        },
        {
            "position": 1,
            "account": "customer_deposits",
            "store": "stores/00000000-0000-0000-0000-000000000007",
            "party": "members/00000000-0000-0000-0000-000000000009",
            "currency_code": "CNY",
            "amount_minor": "-6000",
        },
    ],
}
# The same as in services/payment/src/domain/ledger/record.rs.
EXAMPLE_HASH = "f81c782cd3270b2f985f8dc7d6f9e6e835dd0431c3491edf598338de798697b3"


def page():
    """Three transactions under two seals, and one that is not sealed yet."""
    transactions = []
    for number in range(4):
        transaction = copy.deepcopy(EXAMPLE)
        transaction["position"] = str(12 + number)
        transactions.append(transaction)
    seals, head = [], bytes(32)
    for number, covered in enumerate((transactions[:2], transactions[2:3]), 1):
        leaves = [hashlib.sha256(ledger.record(one)).digest() for one in covered]
        head = hashlib.sha256(head + b"".join(leaves)).digest()
        until = covered[-1]
        seals.append({
            "number": str(number),
            "until_xid": until["xid"],
            "until_position": until["position"],
            "transactions": str(len(covered)),
            "hash": head.hex(),
        })
    return {"transactions": transactions, "seals": seals}


def lower_first(pages):
    """A smaller sale than there was, and still balanced."""
    for entry, amount in zip(pages["transactions"][0]["entries"], ("5999", "-5999")):
        entry["amount_minor"] = amount


PLANTED = {
    "an amount was changed": (lower_first, "seal 1: a transaction or a seal was changed"),
    "a transaction was removed": (lambda p: p["transactions"].pop(0), "removed or slipped in"),
    "the end of a seal was removed": (lambda p: p["transactions"].pop(2), "removed or slipped in"),
    "a transaction came twice": (lambda p: p["transactions"].insert(0, p["transactions"][0]), "out of order"),
    "a seal was removed": (lambda p: p["seals"].pop(0), "seal 1 is missing"),
    "a seal was changed": (lambda p: p["seals"][1].update(hash="00" * 32), "seal 2: a transaction or a seal was changed"),
    "an entry does not balance": (
        lambda p: p["transactions"][3]["entries"][0].update(amount_minor="1"), "does not balance"),
    "everything was removed": (lambda p: p["transactions"].clear(), "not there"),
}


class LedgerTest(unittest.TestCase):
    """What the verifier says."""

    def test_example(self):
        """The documented bytes hash to the documented hash."""
        self.assertEqual(hashlib.sha256(ledger.record(EXAMPLE)).hexdigest(), EXAMPLE_HASH)

    def test_intact(self):
        """Nothing was changed."""
        verifier = ledger.Verifier()
        verifier.page(page())
        self.assertEqual((verifier.seals, verifier.transactions, len(verifier.waiting)), (2, 4, 1))
        self.assertEqual(verifier.head.hex(), page()["seals"][1]["hash"])

    def test_pages(self):
        """A seal may cover transactions of two pages."""
        whole = page()
        verifier = ledger.Verifier()
        verifier.page({"transactions": whole["transactions"][:1]})
        verifier.page({"transactions": whole["transactions"][1:], "seals": whole["seals"]})
        self.assertEqual(verifier.seals, 2)

    def test_planted(self):
        """Everything that was planted is found."""
        for what, (plant, found) in PLANTED.items():
            with self.subTest(what):
                spoiled = page()
                plant(spoiled)
                with self.assertRaisesRegex(ledger.Broken, found):
                    ledger.Verifier().page(spoiled)


if __name__ == "__main__":
    unittest.main()
