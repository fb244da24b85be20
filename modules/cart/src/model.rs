//! The stored cart and its rules. No async, no database.

mod offers;
mod terms;

use contracts::{
    cart::{CartId, Destination, LineId},
    customer::CustomerId,
    order::OrderId,
    product::VariantId,
};
use serde::{Deserialize, Serialize};
use shared::{Currency, Error, Result, Time};

pub use offers::{Offers, exhausted};
pub use terms::{code_key, validated_promotion, validated_tax_rate};

/// Most lines of a cart.
pub const MAX_LINES: usize = 100;
/// Most units of a line.
pub const MAX_QUANTITY: i64 = 9_999;
/// Most codes of a cart.
pub const MAX_CODES: usize = 20;

/// A cart as it is kept: what somebody wants, not what it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredCart {
    /// Its key.
    pub id: CartId,
    /// Grows with each change.
    pub version: i64,
    /// What its prices are shown in.
    pub currency: Currency,
    /// Whose it is.
    pub customer_id: Option<CustomerId>,
    /// The one cart the owner finds again.
    pub is_current: bool,
    /// What is wanted, one line for each variant.
    pub lines: Vec<StoredLine>,
    /// As the promotions spell them.
    pub codes: Vec<String>,
    /// Where it goes, as far as it is known: country and region.
    pub destination: Option<Destination>,
    /// The order that took it over.
    pub order_id: Option<OrderId>,
    /// The cart its lines went to.
    pub merged_into: Option<CartId>,
    /// The last change.
    pub updated_at: Time,
}

/// A line as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredLine {
    /// The order keeps it.
    pub id: LineId,
    /// What is wanted.
    pub variant_id: VariantId,
    /// How many.
    pub quantity: i64,
}

impl StoredCart {
    /// An empty one. `owner` makes it theirs, and their current one unless they have one.
    pub fn new(currency: Currency, owner: Option<CustomerId>, now: Time) -> Self {
        Self {
            id: CartId::random(),
            version: 1,
            currency,
            customer_id: owner,
            is_current: owner.is_some(),
            lines: Vec::new(),
            codes: Vec::new(),
            destination: None,
            order_id: None,
            merged_into: None,
            updated_at: now,
        }
    }

    /// `NotFound` for everybody but the owner; a cart without one is open to whoever knows its id.
    pub fn open_to(&self, viewer: Option<CustomerId>) -> Result<()> {
        match self.customer_id {
            Some(owner) if viewer != Some(owner) => Err(CartId::not_found()),
            _ => Ok(()),
        }
    }

    /// `Conflict/cart_completed` once an order has it.
    pub fn changeable(&self) -> Result<()> {
        match self.order_id {
            Some(order_id) => Err(completed(order_id)),
            None => Ok(()),
        }
    }

    /// Adds to the line of the variant, or a line.
    pub fn add(&mut self, variant_id: VariantId, quantity: i64) -> Result<()> {
        in_range(quantity)?;
        if let Some(line) = self.lines.iter_mut().find(|line| line.variant_id == variant_id) {
            in_range(line.quantity + quantity)?;
            line.quantity += quantity;
            return Ok(());
        }
        if self.lines.len() >= MAX_LINES {
            return Err(too_many_lines());
        }
        self.lines.push(StoredLine { id: LineId::new(), variant_id, quantity });
        Ok(())
    }

    /// Sets the quantity of a line; 0 removes it.
    pub fn set(&mut self, line_id: LineId, quantity: i64) -> Result<()> {
        if quantity == 0 {
            return self.remove(line_id);
        }
        in_range(quantity)?;
        let line = self.lines.iter_mut().find(|line| line.id == line_id).ok_or_else(LineId::not_found)?;
        line.quantity = quantity;
        Ok(())
    }

    /// Removes a line.
    pub fn remove(&mut self, line_id: LineId) -> Result<()> {
        let before = self.lines.len();
        self.lines.retain(|line| line.id != line_id);
        if self.lines.len() == before { Err(LineId::not_found()) } else { Ok(()) }
    }

    /// Adds a code, once.
    pub fn add_code(&mut self, code: &str) -> Result<()> {
        if self.has_code(code) {
            return Ok(());
        }
        if self.codes.len() >= MAX_CODES {
            let detail = format!("a cart has at most {MAX_CODES} discount codes");
            return Err(Error::invalid("/code", "too_many_codes", detail));
        }
        self.codes.push(code.to_owned());
        Ok(())
    }

    /// Removes a code, if it is there.
    pub fn remove_code(&mut self, code: &str) {
        self.codes.retain(|other| code_key(other) != code_key(code));
    }

    fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|other| code_key(other) == code_key(code))
    }

    /// The cart the order made of it. Idempotent by order.
    pub fn complete(&mut self, order_id: OrderId, now: Time) -> Result<Changed> {
        match self.order_id {
            Some(other) if other != order_id => return Err(completed(other)),
            Some(_) => return Ok(Changed::No),
            None => {}
        }
        self.order_id = Some(order_id);
        self.is_current = false;
        self.touch(now);
        Ok(Changed::Yes)
    }

    /// Notes a change.
    pub fn touch(&mut self, now: Time) {
        self.version += 1;
        self.updated_at = now;
    }
}

/// Whether there is something to write down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is different now.
    Yes,
    /// It was like that already.
    No,
}

/// Makes `from` the customer's. With a `current` cart its lines and codes join those (the larger quantity wins) and
/// `from` leads there from now on; without one it becomes the current one itself.
/// `NotFound` if it is somebody else's.
pub fn merge(
    from: &mut StoredCart,
    current: Option<&mut StoredCart>,
    customer: CustomerId,
    now: Time,
) -> Result<Changed> {
    from.open_to(Some(customer))?;
    from.changeable()?;
    let Some(current) = current else {
        from.customer_id = Some(customer);
        from.is_current = true;
        from.touch(now);
        return Ok(Changed::Yes);
    };
    if current.id == from.id {
        return Ok(Changed::No);
    }
    for line in &from.lines {
        match current.lines.iter_mut().find(|other| other.variant_id == line.variant_id) {
            Some(other) => other.quantity = other.quantity.max(line.quantity),
            None => current.lines.push(line.clone()),
        }
    }
    if current.lines.len() > MAX_LINES {
        // Neither cart may lose a line, so they stay apart.
        return Err(too_many_lines());
    }
    for code in &from.codes {
        if !current.has_code(code) && current.codes.len() < MAX_CODES {
            current.codes.push(code.clone());
        }
    }
    current.touch(now);
    from.merged_into = Some(current.id);
    from.lines.clear();
    from.codes.clear();
    from.touch(now);
    Ok(Changed::Yes)
}

fn completed(order_id: OrderId) -> Error {
    Error::conflict("cart_completed", "an order has taken this cart over")
        .with("order_id", order_id.to_string())
}

fn too_many_lines() -> Error {
    Error::invalid("/lines", "too_many_lines", format!("a cart has at most {MAX_LINES} lines"))
}

fn in_range(quantity: i64) -> Result<()> {
    if (1..=MAX_QUANTITY).contains(&quantity) {
        return Ok(());
    }
    Err(Error::invalid("/quantity", "out_of_range", format!("must be between 1 and {MAX_QUANTITY}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cart(lines: &[(VariantId, i64)]) -> StoredCart {
        let mut cart = StoredCart::new(Currency::EUR, None, Time::from_micros(0));
        for (variant_id, quantity) in lines {
            cart.add(*variant_id, *quantity).unwrap();
        }
        cart
    }

    fn quantities(cart: &StoredCart) -> Vec<(VariantId, i64)> {
        cart.lines.iter().map(|line| (line.variant_id, line.quantity)).collect()
    }

    #[test]
    fn a_variant_has_one_line_and_a_line_has_1_to_9999_units() {
        let variant = VariantId::new();
        let mut cart = cart(&[(variant, 1)]);
        cart.add(variant, 2).unwrap();
        assert_eq!(quantities(&cart), [(variant, 3)]);
        for wrong in [0, -1, 9_997, 10_000, i64::MAX, i64::MIN] {
            let error = cart.add(variant, wrong).unwrap_err();
            assert_eq!(
                (error.fields[0].pointer.as_str(), &*error.code),
                ("/quantity", "out_of_range"),
                "{wrong}"
            );
        }
        let line = cart.lines[0].id;
        assert_eq!(cart.set(line, -1).unwrap_err().code, "out_of_range");
        cart.set(line, 9_999).unwrap();
        cart.set(line, 0).unwrap();
        assert!(cart.lines.is_empty());
        assert_eq!(cart.set(line, 1).unwrap_err().code, "not_found");
        assert_eq!(cart.remove(line).unwrap_err().code, "not_found");
    }

    #[test]
    fn a_cart_has_at_most_100_lines() {
        let variants: Vec<_> = (0..100).map(|_| (VariantId::new(), 1)).collect();
        let mut full = cart(&variants);
        assert_eq!(full.add(VariantId::new(), 1).unwrap_err().code, "too_many_lines");
        full.add(variants[0].0, 1).unwrap();
        let mut other = cart(&[(VariantId::new(), 1)]);
        let (before, customer) = (full.clone(), CustomerId::new());
        let error = merge(&mut other, Some(&mut full.clone()), customer, Time::from_micros(1)).unwrap_err();
        assert_eq!((&*error.code, full), ("too_many_lines", before));
    }

    #[test]
    fn a_cart_is_open_to_its_owner_only_and_without_one_to_everybody() {
        let (owner, other) = (CustomerId::new(), CustomerId::new());
        let mut cart = cart(&[]);
        assert!(cart.open_to(None).is_ok() && cart.open_to(Some(other)).is_ok());
        cart.customer_id = Some(owner);
        assert!(cart.open_to(Some(owner)).is_ok());
        for stranger in [None, Some(other)] {
            assert_eq!(cart.open_to(stranger).unwrap_err().kind, shared::Kind::NotFound);
        }
    }

    #[test]
    fn merging_unites_lines_and_codes_and_the_larger_quantity_wins() {
        let (a, b, c) = (VariantId::new(), VariantId::new(), VariantId::new());
        let (customer, now) = (CustomerId::new(), Time::from_micros(5));
        let mut current = cart(&[(a, 1), (b, 5)]);
        current.customer_id = Some(customer);
        current.codes = vec!["SUMMER".into()];
        let mut from = cart(&[(a, 3), (b, 2), (c, 7)]);
        from.currency = "USD".parse().unwrap();
        from.codes = vec!["summer ".into(), "OTHER".into()];
        assert_eq!(merge(&mut from, Some(&mut current), customer, now).unwrap(), Changed::Yes);
        assert_eq!(quantities(&current), [(a, 3), (b, 5), (c, 7)]);
        assert_eq!((current.codes.len(), current.currency), (2, Currency::EUR));
        assert_eq!((from.merged_into, from.lines.len()), (Some(current.id), 0));
    }

    #[test]
    fn a_cart_can_be_merged_by_its_owner_only_and_not_after_the_order() {
        let customer = CustomerId::new();
        let mut from = cart(&[]);
        from.customer_id = Some(CustomerId::new());
        let now = Time::from_micros(5);
        assert_eq!(merge(&mut from, None, customer, now).unwrap_err().code, "not_found");
        let mut from = cart(&[]);
        let order = OrderId::new();
        from.complete(order, now).unwrap();
        let error = merge(&mut from, None, customer, now).unwrap_err();
        assert_eq!((&*error.code, &error.extra["order_id"]), ("cart_completed", &order.to_string().into()));
    }

    #[test]
    fn a_cart_is_completed_by_one_order() {
        let (order, now) = (OrderId::new(), Time::from_micros(5));
        let mut cart = cart(&[]);
        assert_eq!(cart.complete(order, now).unwrap(), Changed::Yes);
        assert_eq!(cart.complete(order, now).unwrap(), Changed::No);
        assert_eq!(cart.complete(OrderId::new(), now).unwrap_err().code, "cart_completed");
        assert_eq!(cart.changeable().unwrap_err().code, "cart_completed");
        assert_eq!(cart.version, 2);
    }
}
