"""An independent check of the ledger's chain: from an export alone, by the documented byte format.

The format is in services/payment/src/domain/ledger/record.rs; nothing of that code is used here. An export is what
LedgerService.ExportEntries answers, page by page, as JSON. Alone it reads such pages from files, one JSON object a line:

    python3 ledger.py PAGES.jsonl [--head HEX]

It exits with 1 and names the first fault if something was changed, removed or slipped in, if a transaction does not
balance, or if the newest seal is not the one that was noted outside (`--head`).
"""

import argparse
import hashlib
import json
import struct
import sys
import uuid
from collections import defaultdict
from datetime import datetime, timezone

FORMAT = "meridian.ledger.v1"
NOBODY = uuid.UUID(int=0)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Broken(Exception):
    """The chain does not hold."""


def text(value):
    """A text with its length before it."""
    encoded = value.encode()
    return struct.pack(">Q", len(encoded)) + encoded


def identity(name):
    """The UUID at the end of a resource name; zeros if there is none."""
    return uuid.UUID(name.rsplit("/", maxsplit=1)[-1]) if name else NOBODY


def microseconds(time):
    """An RFC 3339 time in UTC, as whole microseconds since 1970."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc) - EPOCH
    return (seconds.days * 86_400 + seconds.seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def record(transaction):
    """The bytes of a transaction."""
    entries = transaction["entries"]
    parts = [
        text(FORMAT),
        struct.pack(">Qq", int(transaction["xid"]), int(transaction["position"])),
        identity(transaction["name"]).bytes,
        text(transaction["kind"]),
        uuid.UUID(transaction["source"]).bytes,
        identity(transaction.get("order", "")).bytes,
        struct.pack(">qQ", microseconds(transaction["create_time"]), len(entries)),
    ]
    for entry in entries:
        parts += [
            struct.pack(">q", int(entry.get("position", 0))),
            text(entry["account"]),
            identity(entry.get("store", "")).bytes,
            text(entry.get("party", "")),
            text(entry["currency_code"]),
            struct.pack(">q", int(entry["amount_minor"])),
        ]
    return b"".join(parts)


def unbalanced(transaction):
    """The store and currency in which debits are not credits, if there is one."""
    sums = defaultdict(int)
    for entry in transaction["entries"]:
        sums[entry.get("store", ""), entry["currency_code"]] += int(entry["amount_minor"])
    return next((key for key, amount in sums.items() if amount), None)


class Verifier:
    """Takes in the pages of an export in order."""

    def __init__(self):
        self.head = bytes(32)
        self.seals = self.transactions = self.entries = 0
        self.place = (0, 0)
        self.waiting = []

    def page(self, page):
        """Checks one page; what no seal covers yet waits for the next."""
        seals = list(page.get("seals", []))
        for transaction in page.get("transactions", []):
            self.take(transaction)
            while seals and self.place >= end(seals[0]):
                self.close(seals.pop(0))
        if seals:
            raise Broken(f"seal {seals[0]['number']} ends at a transaction that is not there")

    def take(self, transaction):
        """Notes a transaction for the seal that covers it."""
        place = (int(transaction["xid"]), int(transaction["position"]))
        if place <= self.place:
            raise Broken(f"{transaction['name']} is out of order")
        if wrong := unbalanced(transaction):
            raise Broken(f"{transaction['name']} does not balance in {wrong}")
        self.place = place
        self.waiting.append(hashlib.sha256(record(transaction)).digest())
        self.transactions += 1
        self.entries += len(transaction["entries"])

    def close(self, seal):
        """Recomputes a seal."""
        if int(seal["number"]) != self.seals + 1:
            raise Broken(f"seal {self.seals + 1} is missing")
        if end(seal) != self.place or int(seal["transactions"]) != len(self.waiting):
            raise Broken(f"seal {seal['number']}: a transaction was removed or slipped in")
        self.head = hashlib.sha256(self.head + b"".join(self.waiting)).digest()
        if self.head.hex() != seal["hash"]:
            raise Broken(f"seal {seal['number']}: a transaction or a seal was changed")
        self.seals += 1
        self.waiting = []


def end(seal):
    """Where a seal ends."""
    return int(seal["until_xid"]), int(seal["until_position"])


def main():
    """Verifies files; 0 if the chain holds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("pages", help="pages of an export, one JSON object a line")
    parser.add_argument("--head", default="", help="hash of the newest seal, as it was noted elsewhere")
    options = parser.parse_args()
    verifier = Verifier()
    try:
        with open(options.pages, encoding="utf-8") as pages:
            for page in pages:
                verifier.page(json.loads(page))
        if options.head and options.head != verifier.head.hex():
            raise Broken(f"the newest seal is {verifier.head.hex()}, not the one noted")
    except Broken as fault:
        print(f"BROKEN {fault}", file=sys.stderr)
        return 1
    print(f"intact: {verifier.seals} seals, {verifier.transactions} transactions, {verifier.entries} entries, "
          f"{len(verifier.waiting)} not sealed yet; head {verifier.head.hex()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
