//! Price lists as staff write them.

use std::collections::HashSet;

use contracts::product::{NewPriceList, PriceList, PriceListId};
use shared::{Result, money::MAX_AMOUNT};

use super::Service;
use crate::model::{faults::Faults, shelf::MAX_UNITS};

impl Service {
    /// A new list, or the one with this id.
    pub(super) async fn write_price_list(
        &self,
        id: Option<PriceListId>,
        new: NewPriceList,
    ) -> Result<PriceList> {
        let list = checked(id.unwrap_or_else(PriceListId::new), new)?;
        self.catalogue.save_price_list(list.clone(), id.is_none()).await?;
        Ok(list)
    }
}

fn checked(id: PriceListId, new: NewPriceList) -> Result<PriceList> {
    let mut faults = Faults::default();
    let name = faults.text("/name", &new.name, 200);
    let group = faults.optional("/group", new.group.as_deref(), 100);
    let ordered = new.starts_at.zip(new.ends_at).is_none_or(|(start, end)| start < end);
    faults.check(ordered, "/ends_at", "out_of_range", "must be after the start");
    let few = new.prices.len() <= 10_000;
    faults.check(few, "/prices", "too_many", "a price list may have at most 10,000 prices");
    let mut seen = HashSet::new();
    for (i, price) in new.prices.iter().enumerate() {
        let at = format!("/prices/{i}");
        let amount = (0..=MAX_AMOUNT).contains(&price.amount);
        faults.check(amount, format!("{at}/amount"), "out_of_range", "must be 0 to 1,000,000,000,000");
        let quantity = (1..=MAX_UNITS).contains(&price.min_quantity);
        faults.check(quantity, format!("{at}/min_quantity"), "out_of_range", "must be 1 to 1,000,000");
        let is_new = seen.insert((price.variant_id, price.min_quantity));
        faults.check(is_new, at, "duplicate", "there is another price from this quantity on");
    }
    faults.done()?;
    let NewPriceList { currency, starts_at, ends_at, prices, .. } = new;
    Ok(PriceList { id, name, currency, group, starts_at, ends_at, prices })
}
