//! Every rule, through the consumer and the port, each on its own database.

mod indexes;
mod mails;
mod sending;

use std::sync::Arc;

use contracts::{
    Actor, Address,
    cart::{CartId, LineId, PricedLine},
    customer::{CustomerId, TokenId, TokenIssued, TokenPurpose},
    notification::{Mail, Notifications},
    order::{
        FulfillmentStatus, Order, OrderId, OrderLine, OrderPayment, OrderPaymentStatus, OrderStatus, Refund,
    },
    payment::{PaymentState, RefundId},
    product::{ProductId, VariantId},
    shipping::{
        DeliveryWindow, MethodId, Shipment, ShipmentId, ShipmentLine, ShipmentStatus, ShippingOption,
    },
};
use shared::{
    Currency, Database, Money, PageRequest, Time,
    db::Options,
    events::{self, Consumer, Envelope, Event, EventId},
    signer::Signer,
    time::ManualClock,
};
use tempfile::TempDir;

use super::Service;
use crate::{MIGRATIONS, SCHEMA, Settings};

/// A module on its own database and folder, with a clock to turn.
struct Office {
    service: Arc<Service>,
    db: Database,
    url: String,
    clock: Arc<ManualClock>,
    signer: Signer,
    folder: TempDir,
}

impl Office {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = shared::testing::documents(folder.path(), "metadata").unwrap();
        let db = Database::open(&url, &Options::default()).await.unwrap();
        db.migrate(&[events::MIGRATIONS, MIGRATIONS], &[events::SCHEMA, SCHEMA]).await.unwrap();
        let clock = ManualClock::at(now());
        let signer = Signer::new(b"a secret of the shop");
        let mut settings = Settings {
            folder: folder.path().join("mail"),
            public_url: "https://shop.example.com/".into(),
            ..Settings::default()
        };
        change(&mut settings);
        let service = Service::new(db.clone(), clock.clone(), signer.clone(), settings).await.unwrap();
        Self { service, db, url, clock, signer, folder }
    }

    async fn hear(&self, event: &impl Event) -> Envelope {
        let envelope = envelope(event);
        self.deliver(&envelope).await;
        envelope
    }

    async fn deliver(&self, envelope: &Envelope) {
        let ears: Vec<Arc<dyn Consumer>> = self.service.consumers();
        assert!(ears[0].hears().kinds.contains(&envelope.kind.as_str()));
        ears[0].handle(envelope).await.unwrap();
    }

    async fn mails(&self) -> Vec<Mail> {
        self.service.mails(None, PageRequest::default()).await.unwrap().data
    }

    /// The one mail that there is.
    async fn mail(&self) -> Mail {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1);
        mails.remove(0)
    }

    fn files(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.folder.path().join("mail")) else { return Vec::new() };
        folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

fn now() -> Time {
    Time::from_micros(1_800_000_000_000_000)
}

fn envelope<E: Event>(event: &E) -> Envelope {
    Envelope {
        id: EventId::new(),
        kind: E::TYPE.into(),
        version: E::VERSION,
        module: "test".into(),
        occurred_at: now(),
        aggregate_id: "thing".into(),
        sequence: 1,
        traceparent: None,
        data: serde_json::to_value(event).unwrap(),
    }
}

fn token_issued(customer_id: CustomerId, purpose: TokenPurpose, name: &str) -> TokenIssued {
    TokenIssued {
        customer_id,
        email: "ada@example.com".parse().unwrap(),
        name: name.into(),
        purpose,
        token_id: TokenId::new(),
        expires_at: now().after(std::time::Duration::from_secs(1800)),
    }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn order() -> Order {
    let address = Address {
        name: "Ada Lovelace".into(),
        company: None,
        line1: "1 Engine <Row>".into(),
        line2: None,
        city: "London".into(),
        region: None,
        postal_code: "N1".into(),
        country: "GB".parse().unwrap(),
        phone: None,
    };
    Order {
        id: OrderId::new(),
        number: "B-7K2Q-9XM4".into(),
        token: "secret.of.the.order".into(),
        cart_id: CartId::random(),
        customer_id: Some(CustomerId::new()),
        email: "ada@example.com".parse().unwrap(),
        status: OrderStatus::Placed,
        payment_status: OrderPaymentStatus::Captured,
        fulfillment_status: FulfillmentStatus::Unfulfilled,
        currency: Currency::EUR,
        lines: vec![OrderLine { line: line(), shipped_quantity: 0, refunded_quantity: 0 }],
        shipping_address: address.clone(),
        billing_address: address,
        shipping: ShippingOption {
            id: MethodId::new(),
            name: "Parcel".into(),
            carrier: "table".into(),
            price: eur(490),
            delivery: DeliveryWindow { from: "2027-01-18".into(), to: "2027-01-20".into() },
        },
        discounts: Vec::new(),
        subtotal: eur(4000),
        discount_total: eur(400),
        shipping_total: eur(490),
        tax_total: eur(653),
        total: eur(4090),
        prices_include_tax: true,
        tax_lines: Vec::new(),
        captured_total: eur(4090),
        refunded_total: eur(0),
        payment: OrderPayment {
            provider: "test".into(),
            status: PaymentState::Captured,
            next_action: None,
            decline_code: None,
        },
        shipments: Vec::new(),
        refunds: Vec::new(),
        timeline: Vec::new(),
        cancel_reason: None,
        created_at: now(),
        placed_at: Some(now()),
        updated_at: now(),
        version: 3,
    }
}

fn line() -> PricedLine {
    PricedLine {
        id: LineId::new(),
        variant_id: VariantId::new(),
        product_id: ProductId::new(),
        slug: "shirt".into(),
        sku: "SHIRT-M".into(),
        title: "Shirt & <Tie>".into(),
        variant_title: "M".into(),
        image: None,
        quantity: 2,
        unit_price: eur(2000),
        subtotal: eur(4000),
        discount: eur(400),
        tax: eur(575),
        total: eur(3600),
        tax_rate_basis_points: 1900,
        weight_grams: 300,
    }
}

fn shipment(order: &Order, tracking_url: &str) -> Shipment {
    Shipment {
        id: ShipmentId::new(),
        order_id: order.id,
        status: ShipmentStatus::Shipped,
        carrier: Some("Owl Post".into()),
        tracking_number: Some("OWL-42".into()),
        tracking_url: Some(tracking_url.into()),
        lines: vec![ShipmentLine { line_id: order.lines[0].line.id, quantity: 1 }],
        events: Vec::new(),
        created_at: now(),
    }
}

fn refund(amount: Money) -> Refund {
    Refund {
        id: RefundId::new(),
        amount,
        lines: Vec::new(),
        reason: "broken".into(),
        status: "succeeded".into(),
        actor: Actor::System,
        created_at: now(),
    }
}
