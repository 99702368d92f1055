//! A call of each RPC, for whoever tries all roles on it.

use proto::payment::v1::{
    self as pb,
    drawer_movement::{Counterpart, Direction},
    drawer_policy::CashDrawer,
};

use super::{client, close, closing, counting, open, opening, paying, policy};
use crate::{
    house::House,
    roles::{reason, sent},
    wire::fresh,
};

/// The RPCs that [`call`] knows.
pub const RPCS: [&str; 9] = [
    "GetDrawerPolicy",
    "UpdateDrawerPolicy",
    "OpenDrawer",
    "GetDrawer",
    "ListDrawers",
    "PayInOut",
    "CountDrawer",
    "CloseDrawer",
    "GetDrawerReport",
];

/// The reason for which a call is refused; empty if it isn't. A drawer with nothing in it is opened for it.
pub async fn call(house: &House, rpc: &str, token: Option<&str>) -> String {
    let mut client = client(house);
    let drawer = open(house, &fresh().to_string(), 0).await.expect("open");
    let name = drawer.name.clone();
    match rpc {
        "GetDrawerPolicy" => {
            let request = pb::GetDrawerPolicyRequest { name: format!("{}/drawerPolicy", house.store.name()) };
            reason(client.get_drawer_policy(sent(request, token)).await)
        }
        "UpdateDrawerPolicy" => {
            reason(client.update_drawer_policy(sent(policy(house, CashDrawer::Optional), token)).await)
        }
        "OpenDrawer" => reason(client.open_drawer(sent(opening(house, &fresh().to_string(), 0), token)).await),
        "GetDrawer" => reason(client.get_drawer(sent(pb::GetDrawerRequest { name }, token)).await),
        "ListDrawers" => reason(client.list_drawers(sent(pb::ListDrawersRequest::default(), token)).await),
        "PayInOut" => {
            // It is put in and taken out again, for the books to stay empty.
            let paid = paying(&drawer, Direction::In, Counterpart::Bank, 1);
            let reason = reason(client.pay_in_out(sent(paid, token)).await);
            if reason.is_empty() {
                let back = paying(&drawer, Direction::Out, Counterpart::Bank, 1);
                super::pay_in_out(house, back).await.expect("out");
            }
            reason
        }
        "CountDrawer" => reason(client.count_drawer(sent(counting(&drawer, 0), token)).await),
        "CloseDrawer" => reason(client.close_drawer(sent(closing(&drawer, 0, None), token)).await),
        "GetDrawerReport" => {
            close(house, closing(&drawer, 0, None)).await.expect("closed");
            reason(client.get_drawer_report(sent(pb::GetDrawerReportRequest { name }, token)).await)
        }
        other => format!("no call of {other} is known here"),
    }
}
