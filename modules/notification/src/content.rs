//! What mails say: words, links and tables, before they are rendered.

use askama::Template;
use contracts::{
    Address,
    customer::{CustomerId, RegistrationRepeated, TokenIssued, TokenPurpose},
    order::{Order, OrderPlaced, OrderRefunded, OrderShipped},
};
use shared::{Error, Money, Result, signer::Signer, values::Email};

use crate::{Settings, mail::greeting_name};

/// A mail in words.
pub struct Content {
    /// What it is about: `order_placed`.
    pub template: &'static str,
    pub to: Email,
    /// The person's name, as they typed it.
    pub name: String,
    pub customer_id: Option<CustomerId>,
    pub subject: String,
    paragraphs: Vec<String>,
    button: Option<Button>,
    order: Option<OrderTable>,
    /// Small print.
    note: String,
}

/// A link that is the point of the mail.
struct Button {
    label: &'static str,
    url: String,
}

/// An order's lines, sums and where it goes.
struct OrderTable {
    lines: Vec<Line>,
    sums: Vec<(&'static str, String)>,
    address: Vec<String>,
}

struct Line {
    title: String,
    quantity: i64,
    total: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    shop: &'a Shop<'a>,
    mail: &'a Content,
    greeting: Option<String>,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    shop: &'a Shop<'a>,
    mail: &'a Content,
    greeting: Option<String>,
}

struct Shop<'a> {
    name: &'a str,
    url: &'a str,
}

impl Content {
    /// As text and as HTML.
    pub fn render(&self, settings: &Settings) -> Result<(String, String)> {
        let shop = Shop { name: &settings.shop_name, url: settings.public_url.trim_end_matches('/') };
        let greeting = greeting_name(&self.name);
        let text =
            Text { shop: &shop, mail: self, greeting: greeting.clone() }.render().map_err(Error::internal)?;
        let html = Html { shop: &shop, mail: self, greeting }.render().map_err(Error::internal)?;
        Ok((text, html))
    }
}

/// Finds the words for events.
pub struct Writer<'a> {
    pub settings: &'a Settings,
    pub signer: &'a Signer,
}

impl Writer<'_> {
    /// A link that confirms an address or sets a password.
    pub fn token_issued(&self, event: TokenIssued) -> Content {
        let shop = &self.settings.shop_name;
        let token = self.signer.token(event.purpose.as_str(), event.token_id);
        let until = event.expires_at.utc().format("%H:%M UTC on %-d %B %Y");
        let (path, label, subject, words, note) = match event.purpose {
            TokenPurpose::VerifyEmail => (
                "verify-email",
                "Confirm my address",
                format!("Confirm your e-mail address for {shop}"),
                format!("Welcome to {shop}. Please confirm that this address is yours."),
                "If you did not open an account, somebody mistyped their address. You need not do anything.",
            ),
            TokenPurpose::ResetPassword => (
                "reset-password",
                "Choose a new password",
                format!("Choose a new password for {shop}"),
                "Somebody, hopefully you, asked for a new password for your account.".into(),
                "If it was not you, you need not do anything: your password stays as it is.",
            ),
        };
        Content {
            template: event.purpose.as_str(),
            to: event.email,
            name: event.name,
            customer_id: Some(event.customer_id),
            subject,
            paragraphs: vec![words, format!("The link works once, until {until}.")],
            button: Some(Button { label, url: self.url(&format!("/{path}?token={token}")) }),
            order: None,
            note: note.into(),
        }
    }

    /// Their address was used to register again.
    pub fn registration_repeated(&self, event: RegistrationRepeated) -> Content {
        let shop = &self.settings.shop_name;
        Content {
            template: "registration_repeated",
            to: event.email,
            name: event.name,
            customer_id: None,
            subject: format!("You already have an account at {shop}"),
            paragraphs: vec![
                format!("Somebody, hopefully you, tried to open an account at {shop} with this address."),
                "You have one already, and nothing about it was changed. Log in as usual, or choose a new password if \
                 you have forgotten it."
                    .into(),
            ],
            button: Some(Button { label: "Log in", url: self.url("/login") }),
            order: None,
            note: "If it was not you, you need not do anything.".into(),
        }
    }

    /// Thank you.
    pub fn order_placed(&self, OrderPlaced { order }: OrderPlaced) -> Content {
        let words = vec![
            format!("Thank you for your order {}.", order.number),
            "We will write again when it is on its way.".into(),
        ];
        let table = self.table(&order);
        self.about(order, "order_placed", "Your order", words, Some(table))
    }

    /// It will not be.
    pub fn order_cancelled(&self, order: Order) -> Content {
        let mut words = vec![format!("Your order {} was cancelled.", order.number)];
        if order.captured_total.is_zero() {
            words.push("You were not charged.".into());
        } else {
            words.push(format!("What you have paid, {}, goes back to you.", order.captured_total));
        }
        let table = self.table(&order);
        self.about(order, "order_cancelled", "Cancelled: your order", words, Some(table))
    }

    /// It is on its way.
    pub fn order_shipped(&self, OrderShipped { order, shipment }: OrderShipped) -> Content {
        let mut words = vec![format!("A parcel of your order {} is on its way.", order.number)];
        match (&shipment.carrier, &shipment.tracking_number) {
            (Some(carrier), Some(number)) => {
                words.push(format!("{carrier} carries it under the number {number}."))
            }
            (None, Some(number)) => words.push(format!("Its tracking number is {number}.")),
            (Some(carrier), None) => words.push(format!("{carrier} carries it.")),
            (None, None) => {}
        }
        let packed = shipment.lines.iter().filter_map(|packed| {
            let line = order.lines.iter().find(|line| line.line.id == packed.line_id)?;
            Some(Line { title: title(&line.line), quantity: packed.quantity, total: String::new() })
        });
        let address = address_lines(&order.shipping_address);
        let table = OrderTable { lines: packed.collect(), sums: Vec::new(), address };
        let mut content = self.about(order, "order_shipped", "On its way: your order", words, Some(table));
        // Carriers give these links: only those that open in a browser are passed on.
        if let Some(url) =
            shipment.tracking_url.filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        {
            content.button = Some(Button { label: "Follow the parcel", url });
        }
        content
    }

    /// Money went back.
    pub fn order_refunded(&self, OrderRefunded { order, refund }: OrderRefunded) -> Content {
        let words = vec![
            format!("We have sent {} of your order {} back to you.", refund.amount, order.number),
            "It arrives the way you paid, within a few days.".into(),
        ];
        self.about(order, "order_refunded", "Refund for your order", words, None)
    }

    fn about(
        &self,
        order: Order,
        template: &'static str,
        subject: &str,
        paragraphs: Vec<String>,
        table: Option<OrderTable>,
    ) -> Content {
        let url = self.url(&format!("/orders/{}?token={}", order.id, order.token));
        Content {
            template,
            to: order.email,
            name: order.billing_address.name,
            customer_id: order.customer_id,
            subject: format!("{subject} {} at {}", order.number, self.settings.shop_name),
            paragraphs,
            button: Some(Button { label: "See your order", url }),
            order: table,
            note: "Who has this mail can see the order: pass it on only to people you trust.".into(),
        }
    }

    fn table(&self, order: &Order) -> OrderTable {
        let lines = order.lines.iter().map(|line| Line {
            title: title(&line.line),
            quantity: line.line.quantity,
            total: line.line.subtotal.to_string(),
        });
        let mut sums = vec![("Subtotal", order.subtotal.to_string())];
        if !order.discount_total.is_zero() {
            let discount = Money::new(-order.discount_total.amount, order.discount_total.currency);
            sums.push(("Discount", discount.to_string()));
        }
        sums.push(("Shipping", order.shipping_total.to_string()));
        let tax = if order.prices_include_tax { "Tax (included)" } else { "Tax" };
        sums.push((tax, order.tax_total.to_string()));
        sums.push(("Total", order.total.to_string()));
        OrderTable { lines: lines.collect(), sums, address: address_lines(&order.shipping_address) }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.public_url.trim_end_matches('/'))
    }
}

fn title(line: &contracts::cart::PricedLine) -> String {
    match line.variant_title.as_str() {
        "" => line.title.clone(),
        variant => format!("{} ({variant})", line.title),
    }
}

fn address_lines(address: &Address) -> Vec<String> {
    let town = format!("{} {}", address.postal_code, address.city);
    let lines = [
        Some(&address.name),
        address.company.as_ref(),
        Some(&address.line1),
        address.line2.as_ref(),
        Some(&town),
        address.region.as_ref(),
    ];
    let mut lines: Vec<String> = lines.into_iter().flatten().cloned().collect();
    lines.push(address.country.to_string());
    lines
}
