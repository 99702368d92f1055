//! The payment service through gRPC, behind the real server layer, over a real Postgres and the real sandbox.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod alipay;
mod amending;
mod audit;
mod checkout;
mod closing;
mod commission;
mod dice;
mod drawer;
mod fuzz;
mod house;
mod interrupted;
mod invoices;
mod ledger;
mod money_in;
mod notices;
mod odd_answers;
mod orders;
mod prepaid;
mod races;
mod reconciliation;
mod roles;
mod sandbox;
mod seeds;
mod shop;
mod simulation;
mod stored_value;
mod subjects;
mod tips;
mod wechat;
mod wire;
mod wiring;
