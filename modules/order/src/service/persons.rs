//! Orders follow their people: a guest's orders into the account, and out of sight with it.

use contracts::{
    Actor, Address,
    customer::{CustomerDeleted, CustomerId, EmailVerified},
};
use shared::{
    Result,
    events::{self, Envelope, inbox},
    values::Email,
};

use super::{Change, Service};
use crate::{repo, rows::Word};

impl Service {
    /// The address belongs to an account: what a guest bought with it does too.
    pub(crate) async fn email_verified(&self, consumer: &'static str, event: &Envelope) -> Result<()> {
        let (id, now) = (event.id, self.clock.now());
        let EmailVerified { customer_id, email } = event.parse()?;
        self.db
            .transaction(async move |tx| {
                if inbox::first(tx, consumer, id).await? {
                    repo::adopt(tx, &email, customer_id, now).await?;
                }
                Ok(())
            })
            .await
    }

    /// Forgets who bought; what was bought, and for how much, stays.
    pub(crate) async fn customer_deleted(&self, consumer: &'static str, event: &Envelope) -> Result<()> {
        let (id, now) = (event.id, self.clock.now());
        let CustomerDeleted { customer_id } = event.parse()?;
        let email = pseudonym(customer_id)?;
        self.db
            .transaction(async move |tx| {
                if !inbox::first(tx, consumer, id).await? {
                    return Ok(());
                }
                repo::idempotency::forget(tx, &customer_id.to_string()).await?;
                for order in repo::ids_of_customer(tx, customer_id).await? {
                    let mut change = Change::open(tx, order, Actor::System, now).await?;
                    // Notes speak of people.
                    for word in [change.row.email.0.to_string(), change.row.name.clone()] {
                        if !word.is_empty() {
                            repo::parts::strike_out(tx, order, &word, ERASED).await?;
                        }
                    }
                    events::forget(tx, &order.to_string()).await?;
                    change.row.email = Word(email.clone());
                    change.row.name = ERASED.to_owned();
                    let addresses = &mut change.row.addresses.0;
                    addresses.shipping = erased(&addresses.shipping);
                    addresses.billing = erased(&addresses.billing);
                    change.touch();
                    change.save(tx).await?;
                }
                Ok(())
            })
            .await
    }
}

const ERASED: &str = "erased";

/// One for all orders of the person, and nobody's mailbox.
fn pseudonym(id: CustomerId) -> Result<Email> {
    format!("{id}@erased.invalid").parse()
}

/// The country stays, because the tax was paid there.
fn erased(address: &Address) -> Address {
    let gone = || ERASED.to_owned();
    Address {
        name: gone(),
        company: None,
        line1: gone(),
        line2: None,
        city: gone(),
        region: None,
        postal_code: gone(),
        country: address.country,
        phone: None,
    }
}
