//! `LedgerService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, ledger_service_server::LedgerService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert::ledger as convert;
use crate::{
    App,
    flows::ledger::{
        chain::{export_entries, verify_chain},
        get_balance_sheet::get_balance_sheet,
        get_statement::get_statement,
        get_transfer::get_transfer,
        list_accounts::list_accounts,
    },
};

pub(super) struct Ledger(pub(super) Arc<App>);

#[async_trait]
impl LedgerService for Ledger {
    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Result<Response<pb::ListAccountsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (accounts, next_page_token) = list_accounts(&self.0, ctx, message).await?;
            let accounts = accounts.iter().map(|(account, balances)| convert::account(*account, balances)).collect();
            Ok(pb::ListAccountsResponse { accounts, next_page_token })
        })
        .await
    }

    async fn get_balance_sheet(
        &self,
        request: Request<pb::GetBalanceSheetRequest>,
    ) -> Result<Response<pb::BalanceSheet>, Status> {
        unary(request, |ctx, message| async { Ok(convert::sheet(&get_balance_sheet(&self.0, ctx, message).await?)) })
            .await
    }

    async fn get_statement(
        &self,
        request: Request<pb::GetStatementRequest>,
    ) -> Result<Response<pb::Statement>, Status> {
        unary(request, |ctx, message| async { Ok(convert::statement(get_statement(&self.0, ctx, message).await?)) })
            .await
    }

    async fn get_transfer(
        &self,
        request: Request<pb::GetTransferRequest>,
    ) -> Result<Response<pb::LedgerTransfer>, Status> {
        unary(request, |ctx, message| async { Ok(convert::transfer(&get_transfer(&self.0, ctx, message).await?)) })
            .await
    }

    async fn verify_chain(
        &self,
        request: Request<pb::VerifyChainRequest>,
    ) -> Result<Response<pb::VerifyChainResponse>, Status> {
        unary(request, |ctx, message| verify_chain(&self.0, ctx, message)).await
    }

    async fn export_entries(
        &self,
        request: Request<pb::ExportEntriesRequest>,
    ) -> Result<Response<pb::ExportEntriesResponse>, Status> {
        unary(request, |ctx, message| async { Ok(convert::export(export_entries(&self.0, ctx, message).await?)) }).await
    }
}
