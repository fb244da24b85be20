//! Made-up people: names, streets and towns that go together.

use std::collections::BTreeMap;

use contracts::Address;
use rand::{Rng, RngExt, seq::IndexedRandom};
use serde::Deserialize;
use shared::{
    Currency, Result,
    values::{Country, Email},
};

/// Where people come from, and what they are called there.
pub(crate) struct People(BTreeMap<Country, Place>);

#[derive(Deserialize)]
struct Place {
    currency: Currency,
    /// `12 Mill Lane` rather than `Gartenstraße 12`.
    number_first: bool,
    first: Vec<String>,
    last: Vec<String>,
    streets: Vec<String>,
    cities: Vec<City>,
}

/// Town, postal code and, where addresses have one, the region.
#[derive(Deserialize)]
#[serde(untagged)]
enum City {
    InCountry(String, String),
    InRegion(String, String, String),
}

/// Somebody who orders.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub email: Email,
    pub address: Address,
    /// What they pay in.
    pub currency: Currency,
}

impl People {
    pub fn load() -> Result<Self> {
        Ok(Self(serde_json::from_str(include_str!("people.json"))?))
    }

    /// Any of the countries.
    pub fn any_country(&self, rng: &mut impl Rng) -> Country {
        let countries: Vec<Country> = self.0.keys().copied().collect();
        countries[rng.random_range(0..countries.len())]
    }

    /// Somebody from `country`, which must be one of ours. `unique` tells namesakes apart.
    pub fn person(&self, country: Country, unique: &str, rng: &mut impl Rng) -> Person {
        let place = self.0.get(&country).expect("there are people for every country; a test reads them all");
        let (first, last) = (pick(&place.first, rng), pick(&place.last, rng));
        let street = pick(&place.streets, rng);
        let number: u32 = rng.random_range(1..=120);
        let line1 =
            if place.number_first { format!("{number} {street}") } else { format!("{street} {number}") };
        let (city, postal_code, region) = match pick(&place.cities, rng) {
            City::InCountry(city, postal_code) => (city, postal_code, None),
            City::InRegion(city, postal_code, region) => (city, postal_code, Some(region.clone())),
        };
        let email = format!("{}.{}.{unique}@example.com", slug::slugify(first), slug::slugify(last));
        Person {
            email: email.parse().expect("letters, digits, hyphens and dots between them"),
            address: Address {
                name: format!("{first} {last}"),
                company: None,
                line1,
                line2: None,
                city: city.clone(),
                region,
                postal_code: postal_code.clone(),
                country,
                phone: None,
            },
            currency: place.currency,
        }
    }
}

fn pick<'a, T>(list: &'a [T], rng: &mut impl Rng) -> &'a T {
    list.choose(rng).expect("no list of people.json is empty; a test reads them all")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{demo::Catalogue, seed::generator};

    #[test]
    fn everybody_has_an_address_that_can_be_delivered_to() {
        let people = People::load().unwrap();
        let mut rng = generator(1, "people", 0);
        for (country, place) in &people.0 {
            for list in [&place.first, &place.last, &place.streets] {
                assert!(list.len() >= 4, "{country}");
            }
            for n in 0..200 {
                let person = people.person(*country, &n.to_string(), &mut rng);
                assert_eq!(person.address.clone().validated().unwrap(), person.address);
            }
        }
    }

    #[test]
    fn there_are_people_in_every_country_that_the_history_names() {
        let people = People::load().unwrap();
        for country in Catalogue::load().unwrap().orders_profile.archetypes.iter().flat_map(|a| &a.countries)
        {
            assert!(people.0.contains_key(country), "{country}");
        }
    }
}
