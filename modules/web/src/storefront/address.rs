//! An address in a form.

use contracts::Address;

use crate::{Page, forms::Fields};

/// The fields of one address. A form with two of them tells them apart by the prefix of their names.
#[derive(Clone, Copy)]
pub struct AddressForm {
    prefix: &'static str,
    /// What browsers fill in: `shipping` or `billing`.
    purpose: &'static str,
    /// Whether the browser may insist on the fields: not where they are hidden while they are not wanted.
    pub always: bool,
}

/// Where it is sent to.
pub const SHIPPING: AddressForm = AddressForm { prefix: "", purpose: "shipping", always: true };
/// Who pays, in the same form.
pub const BILLING: AddressForm = AddressForm { prefix: "billing_", purpose: "billing", always: false };

const LINES: [&str; 9] =
    ["name", "company", "line1", "line2", "postal_code", "city", "region", "country", "phone"];

impl AddressForm {
    /// A field's name in the form.
    pub fn name(&self, field: &str) -> String {
        format!("{}{field}", self.prefix)
    }

    /// The `autocomplete` token of a field.
    pub fn fill(&self, field: &str) -> String {
        format!("{} {field}", self.purpose)
    }

    /// The address in a form, if it is one; what is wrong is noted at the fields.
    pub fn read(&self, p: &Page, f: &mut Fields) -> Option<Address> {
        for name in ["name", "line1", "postal_code", "city"] {
            f.required(p, &self.name(name));
        }
        let country = f.parsed(p, &self.name("country"));
        let text = |name: &str| f.value(&self.name(name)).to_owned();
        let given = |name: &str| f.given(&self.name(name)).map(ToOwned::to_owned);
        let address = Address {
            name: text("name"),
            company: given("company"),
            line1: text("line1"),
            line2: given("line2"),
            city: text("city"),
            region: given("region"),
            postal_code: text("postal_code"),
            country: country?,
            phone: given("phone"),
        };
        match address.validated() {
            Ok(address) => Some(address),
            Err(error) => {
                for wrong in &error.fields {
                    let name = self.name(wrong.pointer.trim_start_matches('/'));
                    f.fail(&name, p.error(&wrong.code, &wrong.detail));
                }
                None
            }
        }
    }

    /// A form filled with an address.
    pub fn filled(&self, mut f: Fields, address: &Address) -> Fields {
        let value = |name: &str| match name {
            "name" => address.name.clone(),
            "company" => address.company.clone().unwrap_or_default(),
            "line1" => address.line1.clone(),
            "line2" => address.line2.clone().unwrap_or_default(),
            "postal_code" => address.postal_code.clone(),
            "city" => address.city.clone(),
            "region" => address.region.clone().unwrap_or_default(),
            "country" => address.country.code().to_owned(),
            _ => address.phone.clone().unwrap_or_default(),
        };
        for name in LINES {
            f.set(&self.name(name), value(name));
        }
        f
    }
}

impl Page {
    /// A country's name in the page's language.
    pub fn country_name(&self, code: &str) -> String {
        let key = format!("country-{}", code.to_lowercase());
        if self.state.texts.has(self.locale, &key) { self.t(&key) } else { code.to_owned() }
    }

    /// An address as people write it, a line each.
    pub fn address_lines(&self, address: &Address) -> Vec<String> {
        let place = format!("{} {}", address.postal_code, address.city);
        let country = self.country_name(address.country.code());
        let lines = [
            Some(address.name.clone()),
            address.company.clone(),
            Some(address.line1.clone()),
            address.line2.clone(),
        ];
        lines.into_iter().flatten().chain([format!("{place}, {country}")]).collect()
    }
}

/// Where the shop delivers: codes and names, in the order of the alphabet.
pub async fn countries(p: &Page) -> crate::Answer<Vec<(String, String)>> {
    let zones = p.ports().shipping.zones().await?;
    let mut all: Vec<(String, String)> = zones
        .iter()
        .flat_map(|zone| &zone.countries)
        .map(|country| (country.code().to_owned(), p.country_name(country.code())))
        .collect();
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all.dedup();
    Ok(all)
}
