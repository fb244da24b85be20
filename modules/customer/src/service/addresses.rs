//! The address book.

use contracts::{
    Address,
    customer::{AddressId, CustomerId, SavedAddress},
};
use shared::{Error, Result};

use super::Service;
use crate::repo::{accounts, addresses};

/// Addresses in one book.
const MOST: i64 = 50;

impl Service {
    pub(super) async fn list_addresses(&self, customer: CustomerId) -> Result<Vec<SavedAddress>> {
        addresses::list(&mut self.db.get().await?, customer).await
    }

    pub(super) async fn save_address(&self, customer: CustomerId, address: Address) -> Result<SavedAddress> {
        let saved = SavedAddress { id: AddressId::new(), address: address.validated()? };
        let now = self.clock.now();
        self.db
            .transaction(async move |tx| {
                if !accounts::lock(tx, customer).await? {
                    return Err(CustomerId::not_found());
                }
                if addresses::count(tx, customer).await? >= MOST {
                    return Err(Error::conflict(
                        "too_many_addresses",
                        format!("at most {MOST} addresses are kept"),
                    ));
                }
                addresses::insert(tx, customer, &saved, now).await?;
                Ok(saved.clone())
            })
            .await
    }

    pub(super) async fn replace_address(
        &self,
        customer: CustomerId,
        id: AddressId,
        address: Address,
    ) -> Result<SavedAddress> {
        let address = address.validated()?;
        self.db
            .transaction(async move |tx| match addresses::update(tx, customer, id, &address).await? {
                true => Ok(SavedAddress { id, address: address.clone() }),
                false => Err(AddressId::not_found()),
            })
            .await
    }

    pub(super) async fn remove_address(&self, customer: CustomerId, id: AddressId) -> Result<()> {
        self.db
            .transaction(async move |tx| match addresses::delete(tx, customer, id).await? {
                true => Ok(()),
                false => Err(AddressId::not_found()),
            })
            .await
    }
}
