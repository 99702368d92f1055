"""A foreign client of the suite. It knows the addresses and nothing else: messages and methods come from reflection.

It registers over REST, books and pays over gRPC, sees the errors that it must see, and gives the booking up again.
Every step is printed; the first one that fails ends it with exit code 1.
"""

import argparse
import os
import random
import re
import sys
import time
import urllib.parse
import uuid
from datetime import datetime, timedelta, timezone

import gateway
import icalendar
import ledger
from reflected import Refused, Server

SERVICES = {
    "booking": ["BookingService", "CalendarService", "CatalogService"],
    "membership": ["AuthService", "MemberService", "StaffService"],
    "payment": ["LedgerService", "PaymentService", "ReconciliationService"],
    "marketing": ["MessageService", "PromotionService"],
    "analytics": ["ReportService"],
}
PORTS = {"booking": 50051, "membership": 50052, "payment": 50053, "marketing": 50054, "analytics": 50055}

# How far ahead a time is looked for.
SEARCH_DAYS = 14

# Times that others take in the meantime are no failure; a shop without any is.
HOLD_TRIES = 10


class Failed(Exception):
    """The suite did something else than it promises."""


def expect(condition, text):
    """Fails with `text` unless the condition holds."""
    if not condition:
        raise Failed(text)


def request_id():
    """A new one."""
    return str(uuid.uuid4())


def rfc3339(moment):
    """An instant in JSON."""
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_time(text):
    """An instant from JSON, to the second."""
    return datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc)


def date_of(moment):
    """The UTC day of an instant as google.type.Date."""
    return {"year": moment.year, "month": moment.month, "day": moment.day}


class Client:
    """One customer's way through the suite."""

    def __init__(self, options):
        self.options = options
        self.gateway = gateway.Gateway(options.http, options.timeout)
        self.servers = {name: Server(getattr(options, name), options.timeout) for name in SERVICES}
        self.phone = f"+86139{random.randrange(10**8):08}"
        self.token = self.staff = self.booking = self.wanted = None
        self.confirmed_before = 0

    def call(self, service, method, request, token=None):
        """Calls `Service/Method` of a service of the suite."""
        return self.servers[service].call(f"meridian.{service}.v1.{method}", request, token)

    def wait(self, what, attempt):
        """Asks until `attempt` gives something, or fails after the patience of the options."""
        deadline = time.monotonic() + self.options.patience
        while True:
            found = attempt()
            if found:
                return found
            if time.monotonic() >= deadline:
                raise Failed(f"{what}: not within {self.options.patience:g} s")
            time.sleep(0.2)

    def refused(self, what, code, reason, fields, service, method, request, token=None):
        """A call that must be refused, with these details and no others."""
        try:
            self.call(service, method, request, token)
        except Refused as refusal:
            seen = (refusal.code, refusal.reason, sorted(refusal.fields), refusal.domain)
            wanted = (code, reason, sorted(fields), "meridian")
            expect(seen == wanted, f"{what}: expected {wanted}, got {seen} ({refusal})")
            named = f" {', '.join(fields)}" if fields else ""
            print(f"     {what}: {code} {reason}{named}")
            return
        raise Failed(f"{what}: was taken, but must be refused with {code} {reason}")

    def reach(self):
        """Everything answers."""

        def answers():
            try:
                return self.gateway.get("/v1/stores")
            except OSError:
                return None

        self.wait(f"the gateway at {self.options.http} answers", answers)
        for server in self.servers.values():
            server.ready(self.options.patience)
        return f"gateway and {len(self.servers)} gRPC servers"

    def discover(self):
        """Every server describes its services, down to the last message."""
        methods = 0
        for name, wanted in SERVICES.items():
            server = self.servers[name]
            served = server.services()
            for service in [f"meridian.{name}.v1.{short}" for short in wanted] + ["meridian.feed.v1.EventFeedService"]:
                expect(service in served, f"{name} does not list {service} but {served}")
                for method in server.methods(service):
                    expect(method.input_type.full_name and method.output_type.full_name, f"{method.full_name} is vague")
                    methods += 1
        return f"{methods} methods"

    def mailbox(self):
        """The messages of the customer's phone, newest first."""
        phone = urllib.parse.quote(self.phone, safe="")
        return self.gateway.get(f"/v1/mailbox/{phone}/messages").get("messages", [])

    def register(self):
        """A new member, over REST, with the code from the demo mailbox."""
        self.gateway.post("/v1/auth:sendCode", {"phone": self.phone, "requestId": request_id()})

        def code():
            sent = [one for one in self.mailbox() if one.get("kind") == "KIND_VERIFICATION_CODE"]
            found = re.search(r"(?<!\d)\d{6}(?!\d)", sent[0].get("body", "")) if sent else None
            return found and found.group()

        member = {
            "phone": self.phone,
            "code": self.wait("a code comes to the mailbox", code),
            "displayName": "Conformance",
            "termsVersion": "2026-01",
            "requestId": request_id(),
        }
        reply = self.gateway.post("/v1/auth:register", member)
        self.token = reply["accessToken"]
        again = self.gateway.post("/v1/auth:register", member)
        expect(again == reply, "registering with the same request id did not give the same answer")
        return reply["subject"]

    def search(self):
        """Times that can be had, far enough ahead to be given up again for free."""
        start = datetime.now(timezone.utc) + timedelta(hours=3)
        window = {"start_time": rfc3339(start), "end_time": rfc3339(start + timedelta(days=SEARCH_DAYS))}
        stores = self.call("booking", "CatalogService/ListStores", {})["stores"]
        items = self.call("booking", "CatalogService/ListItems", {})["items"]
        expect(stores and items, "the chain has no stores or no items; seed it first")
        for store in stores:
            for item in items:
                place = {"store": store["name"], "item": item["name"]}
                try:
                    slots = self.call("booking", "BookingService/SearchSlots", {**place, **window, "page_size": 20})["slots"]
                except Refused as refusal:
                    # An item that this store can't charge for.
                    expect(refusal.reason == "CURRENCY_MISMATCH", f"search: {refusal}")
                    continue
                if slots:
                    self.wanted = (place, slots)
                    return f"{len(slots)} times for {item['display_name']} at {store['display_name']}"
        raise Failed(f"no time is free in any store within {SEARCH_DAYS} days")

    def hold(self):
        """Keeps one of the times; the same request again changes nothing."""
        place, slots = self.wanted
        for slot in slots[:HOLD_TRIES]:
            request = {
                **place,
                "start_time": slot["start_time"],
                "therapist": slot["therapist"],
                "channel": "CHANNEL_APP",
                "request_id": request_id(),
            }
            try:
                self.booking = self.call("booking", "BookingService/HoldSlot", request, self.token)
            except Refused as refusal:
                expect(refusal.reason == "SLOT_TAKEN", f"hold: {refusal}")
                continue
            again = self.call("booking", "BookingService/HoldSlot", request, self.token)
            expect(again == self.booking, "the same request id did not give the same answer")
            expect(self.booking["start_time"] == slot["start_time"], "another time was kept than was asked for")
            self.wanted = (place, request)
            return f"{self.booking['name']} at {self.booking['start_time']}"
        raise Failed(f"{HOLD_TRIES} times that were offered are all taken")

    def read(self):
        """The booking as it is now."""
        return self.call("booking", "BookingService/GetBooking", {"name": self.booking["name"]}, self.token)

    def reach_state(self, wanted, on_the_way):
        """Waits until the booking has a state; any other than those on the way there is a failure."""

        def reached():
            state = self.read()["state"]
            expect(state == wanted or state in on_the_way, f"the booking became {state} instead of {wanted}")
            return state == wanted

        self.wait(f"the booking becomes {wanted}", reached)

    def pay(self):
        """Pays the deposit at the sandbox provider."""
        self.reach_state("STATE_AWAITING_PAYMENT", ["STATE_HELD"])
        self.booking = self.read()
        request = {
            "order": self.booking["order"],
            "purpose": "PURPOSE_DEPOSIT",
            "tender": "TENDER_SANDBOX",
            "request_id": request_id(),
        }
        payment = self.call("payment", "PaymentService/PayOrder", request, self.token)
        expect(payment["pay_uri"], "the payment has no address to pay at")
        expect(payment["amount"] == self.booking["deposit"], "another amount is asked for than the deposit")
        form = urllib.parse.urlencode({"outcome": "succeed"}).encode()
        gateway.send(
            "POST", payment["pay_uri"], self.options.timeout, form, "application/x-www-form-urlencoded"
        )
        return f"{money(payment['amount'])} for {self.booking['order']}"

    def confirmed(self):
        """The provider's notice has travelled through payment to booking, and on to marketing."""
        self.reach_state("STATE_CONFIRMED", ["STATE_AWAITING_PAYMENT"])
        self.booking = self.read()
        order = self.call("payment", "PaymentService/GetOrder", {"name": self.booking["order"]}, self.token)
        expect(order["paid"] == self.booking["deposit"], f"the order has {order['paid']} paid")
        self.wait(
            "a confirmation comes to the mailbox",
            lambda: any(one.get("kind") == "KIND_BOOKING_CONFIRMED" for one in self.mailbox()),
        )
        states = [step["state"] for step in self.booking["history"]]
        return " → ".join(state.removeprefix("STATE_") for state in states)

    def calendar(self):
        """A calendar program reads the booking as it is."""
        url = f"{self.gateway.base}/v1/{self.booking['name']}:calendar"
        text = gateway.send("GET", url, self.options.timeout, token=self.token)
        expect(all(len(line) <= 75 for line in text.encode().split(b"\r\n")), "a line is longer than 75 octets")
        document = icalendar.Calendar.from_ical(text)
        expect(document["METHOD"] == "PUBLISH" and not document.errors, f"a strange calendar: {document.errors}")
        (event,) = document.walk("VEVENT")
        expect(not event.errors, f"the entry has errors: {event.errors}")
        expect(event["UID"] == self.booking["name"].removeprefix("bookings/"), f"another UID: {event['UID']}")
        expect(event["STATUS"] == "CONFIRMED", f"the entry is {event['STATUS']}")
        seen = (rfc3339(event["DTSTART"].dt), rfc3339(event["DTEND"].dt))
        wanted = tuple(rfc3339(parse_time(self.booking[name])) for name in ("start_time", "end_time"))
        expect(seen == wanted, f"the entry is of {seen}, not {wanted}")
        (alarm,) = event.walk("VALARM")
        expect(alarm["TRIGGER"].dt == timedelta(hours=-1), f"the alarm is at {alarm['TRIGGER'].dt}")
        return str(event["SUMMARY"])

    def errors(self):
        """What is wrong is refused, and the details say what and why."""
        place, held = self.wanted
        hold, get = "BookingService/HoldSlot", "BookingService/GetBooking"
        search = "BookingService/SearchSlots"
        start = parse_time(held["start_time"])
        window = {**place, "start_time": rfc3339(start), "end_time": rfc3339(start + timedelta(days=1))}

        def anew(**changes):
            return {**held, "request_id": request_id(), **changes}

        def wrong(what, fields, method, request, token=None):
            self.refused(what, "INVALID_ARGUMENT", "INVALID_ARGUMENT", fields, "booking", method, request, token)

        wrong("a request id that is none", ["request_id"], hold, anew(request_id="twelve"), self.token)
        wrong("no start and no request id", ["start_time", "request_id"], hold, place, self.token)
        wrong("a time that is past", ["start_time"], hold, anew(start_time="2020-01-01T00:00:00Z"), self.token)
        off_grid = rfc3339(start + timedelta(minutes=1))
        wrong("a time off the grid", ["start_time"], hold, anew(start_time=off_grid), self.token)
        wrong("a store that is no name", ["store"], search, {**window, "store": "stores/nowhere"})
        wrong("a negative page", ["page_size"], search, {**window, "page_size": -1})
        wrong("a huge page", ["page_size"], search, {**window, "page_size": 1_000_000})
        wrong("a page token of another making", ["page_token"], search, {**window, "page_token": "bm9uc2Vuc2U"})

        def refused(what, code, reason, fields, request, token, method=get):
            self.refused(what, code, reason, fields, "booking", method, request, token)

        reused = {**held, "channel": "CHANNEL_WEB"}
        refused(
            "a request id reused", "INVALID_ARGUMENT", "REQUEST_ID_REUSED", ["request_id"], reused, self.token, hold
        )
        refused("a time that is taken", "FAILED_PRECONDITION", "SLOT_TAKEN", [], anew(), self.token, hold)
        mine = {"name": self.booking["name"]}
        stranger = {"name": f"bookings/{request_id()}"}
        refused("a booking that does not exist", "NOT_FOUND", "NOT_FOUND", [], stranger, self.token)
        refused("nobody signed in", "UNAUTHENTICATED", "TOKEN_MISSING", [], mine, None)
        refused("a token that is none", "UNAUTHENTICATED", "TOKEN_INVALID", [], mine, "a.b.c")
        forged = self.token[:-8] + "".join("A" if letter != "A" else "B" for letter in self.token[-8:])
        refused("a forged token", "UNAUTHENTICATED", "TOKEN_INVALID", [], mine, forged)
        self.refused(
            "a member asks for figures", "PERMISSION_DENIED", "ROLE_NOT_ALLOWED", [], "analytics",
            "ReportService/ListFeedPositions", {}, self.token,
        )
        self.errors_over_rest(stranger["name"])
        return "refused as promised"

    def errors_over_rest(self, stranger):
        """The same details come through the gateway as JSON."""
        try:
            self.gateway.get(f"/v1/{stranger}", self.token)
        except gateway.HttpRefused as refusal:
            seen = (refusal.status, refusal.detail("ErrorInfo").get("reason"))
            expect(seen == (404, "NOT_FOUND"), f"over REST: expected 404 NOT_FOUND, got {seen} ({refusal})")
            print("     the same over REST: 404 NOT_FOUND")
            return
        raise Failed("a booking that does not exist was found over REST")

    def sign_in_staff(self):
        """Staff, who see the figures; the account comes by environment."""
        user, password = (os.environ.get(f"MERIDIAN_DEMO_STAFF_{name}") for name in ("USER", "PASSWORD"))
        if not (user and password):
            missing = "MERIDIAN_DEMO_STAFF_USER and MERIDIAN_DEMO_STAFF_PASSWORD are not set"
            expect(os.environ.get("CI") != "true", f"figures: {missing}")
            return f"skipped: {missing}"
        sign_in = {"user_name": user, "password": password, "request_id": request_id()}
        self.staff = self.call("membership", "AuthService/SignInStaff", sign_in)["access_token"]
        self.confirmed_before = self.confirmed_visits()
        return f"{self.confirmed_before} confirmed visits to come at the store"

    def figures_request(self):
        """The figures of all days on which a time can lie that was offered, whatever the store's zone."""
        place, _ = self.wanted
        today = datetime.now(timezone.utc)
        days = (today - timedelta(days=1), today + timedelta(days=SEARCH_DAYS + 2))
        return {"store": place["store"], "start_date": date_of(days[0]), "end_date": date_of(days[1])}

    def confirmed_visits(self):
        """How many visits are confirmed in those figures."""
        reply = self.call("analytics", "ReportService/ListDailyFigures", self.figures_request(), self.staff)
        days = reply["daily_figures"]
        expect(len(days) == SEARCH_DAYS + 4, f"{SEARCH_DAYS + 4} days were asked for, {len(days)} came")
        return sum(int(day["bookings_by_state"].get("STATE_CONFIRMED", 0)) for day in days)

    def figures(self):
        """The visit has come into the store's figures."""
        if not self.staff:
            return "skipped: nobody of the staff is signed in"
        self.wait("one more visit is in the figures", lambda: self.confirmed_visits() > self.confirmed_before)
        bad = {**self.figures_request(), "start_date": {"year": 2026, "month": 2, "day": 30}}
        self.refused(
            "a day that is none", "INVALID_ARGUMENT", "INVALID_ARGUMENT", ["start_date"], "analytics",
            "ReportService/ListDailyFigures", bad, self.staff,
        )
        return "one more confirmed visit"

    def give_up(self):
        """Cancels in time, and has the deposit back."""
        request = {"name": self.booking["name"], "request_id": request_id()}
        state = self.call("booking", "BookingService/CancelBooking", request, self.token)["state"]
        expect(state == "STATE_CANCELLED", f"the booking became {state}")

        def refunded():
            order = self.call("payment", "PaymentService/GetOrder", {"name": self.booking["order"]}, self.token)
            return order["refunded"] == self.booking["deposit"] and order

        order = self.wait("the deposit comes back", refunded)
        return f"{money(order['refunded'])} back"

    def export(self):
        """All of the ledger, verified here; fails if the chain does not hold."""
        verifier, booked, token = ledger.Verifier(), [], ""
        while True:
            request = {"page_size": 500, "page_token": token}
            page = self.call("payment", "LedgerService/ExportEntries", request, self.staff)
            try:
                verifier.page(page)
            except ledger.Broken as fault:
                raise Failed(f"the ledger's chain is broken: {fault}") from None
            booked += [(one["order"], one["kind"]) for one in page["transactions"]]
            token = page["next_page_token"]
            if not token:
                return verifier, booked[: len(booked) - len(verifier.waiting)]

    def verdict(self):
        """The newest seal and its hash as the suite itself recomputes them."""
        seal, more = 0, True
        while more:
            request = {"after_seal": seal, "max_seals": 200}
            reply = self.call("payment", "LedgerService/VerifyChain", request, self.staff)
            expect(reply["intact"], f"the suite finds its own chain broken: {reply}")
            seal, more, digest = int(reply["seal"]), reply["more"], reply["hash"]
        return seal, digest

    def ledger(self):
        """The way of the deposit is in the ledger, whose chain holds by a reckoning of our own."""
        if not self.staff:
            return "skipped: nobody of the staff is signed in"
        way = {"capture", "refund_decided", "refund_done"}

        def sealed():
            verifier, booked = self.export()
            return way <= {kind for order, kind in booked if order == self.booking["order"]} and verifier

        verifier = self.wait("the way of the deposit is sealed", sealed)
        seal, digest = self.verdict()
        expect(seal >= verifier.seals > 0, f"{verifier.seals} seals were exported, {seal} are there")
        if seal == verifier.seals:
            expect(digest == verifier.head.hex(), f"the newest seal is {digest}, recomputed {verifier.head.hex()}")
        self.refused(
            "a member asks for the ledger", "PERMISSION_DENIED", "ROLE_NOT_ALLOWED", [], "payment",
            "LedgerService/ExportEntries", {}, self.token,
        )
        return f"{verifier.seals} seals over {verifier.transactions - len(verifier.waiting)} transactions hold"

    def run(self):
        """All steps in order."""
        steps = [
            self.reach, self.discover, self.register, self.search, self.sign_in_staff, self.hold, self.pay,
            self.confirmed, self.calendar, self.figures, self.errors, self.give_up, self.ledger,
        ]
        for number, step in enumerate(steps, 1):
            began = time.monotonic()
            result = step()
            print(f"{number:>2}/{len(steps)} {step.__name__}: {result} ({time.monotonic() - began:.2f} s)", flush=True)


def money(amount):
    """An amount as people write it."""
    return f"{int(amount['units'])}.{amount['nanos'] // 10**7:02} {amount['currency_code']}"


def options(arguments):
    """The addresses and how long to wait."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])

    def add(name, default, text):
        variable = f"CONFORMANCE_{name.upper()}"
        value = os.environ.get(variable) or default
        parser.add_argument(f"--{name}", default=value, help=f"{text}; {variable}, else {default}")

    add("http", "http://127.0.0.1:8080", "base address of the gateway")
    for service, port in PORTS.items():
        add(service, f"127.0.0.1:{port}", f"gRPC address of {service}")
    parser.add_argument("--timeout", type=float, default=10, help="seconds that a call may take; 10")
    parser.add_argument("--patience", type=float, default=30, help="seconds to wait for what must happen; 30")
    chosen = parser.parse_args(arguments)
    if "://" not in chosen.http:
        chosen.http = f"http://{chosen.http}"
    return chosen


def main():
    """Runs the steps; 0 if all went well."""
    try:
        Client(options(sys.argv[1:])).run()
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # whatever goes wrong, a sentence says what
        kind = "" if isinstance(error, Failed) else f"{type(error).__name__}: "
        print(f"FAILED {kind}{error}", file=sys.stderr)
        return 1
    print("conformance: passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
