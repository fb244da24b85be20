//! Who ordered what and when, drawn from the catalogue's profile of its shoppers.

use std::collections::HashMap;

use chrono::{Datelike, Timelike};
use rand::{Rng, RngExt, rngs::StdRng, seq::IndexedRandom};
use shared::{Currency, Error, Result, Time, values::Country};

use super::{
    LOGINS, SHOPPER,
    catalogue::{Archetype, Catalogue, Product, Profile, Spread},
    people::{People, Person},
};
use crate::seed::{generator, quantity};

const DAY: u64 = 86_400;
/// How many days ago the shopper with the login ordered: something is in every state.
const SHOPPERS_OWN: [f64; 5] = [212.3, 96.1, 33.7, 2.6, 0.2];
/// How much busier a peak month is.
const PEAK: f64 = 2.2;
/// How busy Monday to Sunday are.
const WEEKDAYS: [f64; 7] = [1.0, 0.95, 0.95, 1.0, 1.1, 1.25, 1.4];
/// How busy each hour (UTC) is.
const HOURS: [f64; 24] = [
    0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.1, 1.2, 1.2, 1.0, 0.9, 0.9, 1.0, 1.2, 1.5, 1.8, 1.9,
    1.6, 1.0, 0.5,
];
/// How busy the first day was, where today is 1: the shop grows.
const AT_FIRST: f64 = 0.35;

/// A year of orders, oldest first.
pub(super) struct History {
    pub shoppers: Vec<Shopper>,
    pub orders: Vec<Order>,
}

pub(super) struct Shopper {
    pub person: Person,
    /// Has no account.
    pub guest: bool,
    archetype: usize,
    /// Whose taste they share now and then.
    second: Option<usize>,
}

pub(super) struct Order {
    /// Which of the shoppers.
    pub shopper: usize,
    pub items: Vec<Item>,
    /// Seconds before now.
    pub age: u64,
    pub luck: u64,
}

pub(super) struct Item {
    /// Which of the catalogue's products.
    pub product: usize,
    pub sku: String,
    pub quantity: i64,
}

impl History {
    /// The same each time for the same day.
    pub fn draw(catalogue: &Catalogue, shoppers: usize, now: Time, seed: u64) -> Result<Self> {
        let people = People::load()?;
        let taste = Taste::of(catalogue)?;
        let profile = &catalogue.orders_profile;
        let mut history = Self { shoppers: Vec::with_capacity(shoppers), orders: Vec::new() };
        for number in 0..shoppers {
            let mut rng = generator(seed, "shopper", number as u64);
            let mut shopper = shopper(profile, &people, number, &mut rng)?;
            let archetype = &profile.archetypes[shopper.archetype];
            let ages: Vec<u64> = if number == 0 {
                shopper.person = with_login(shopper.person, &people)?;
                SHOPPERS_OWN.iter().map(|days| (days * DAY as f64) as u64).collect()
            } else {
                let orders = spread(&profile.orders_per_shopper, &mut rng);
                (0..orders).map(|_| age(&mut rng, now, profile.months, &archetype.peak_months)).collect()
            };
            shopper.guest = number > 0 && ages.len() == 1 && rng.random_bool(0.3);
            for age in ages {
                let items = taste.basket(&shopper, &mut rng);
                history.orders.push(Order { shopper: number, items, age, luck: rng.random() });
            }
            history.shoppers.push(shopper);
        }
        history.orders.sort_by_key(|order| std::cmp::Reverse(order.age));
        Ok(history)
    }

    /// Units of each of the catalogue's products.
    pub fn units_sold(&self, products: usize) -> Vec<i64> {
        let mut sold = vec![0; products];
        for item in self.orders.iter().flat_map(|order| &order.items) {
            sold[item.product] += item.quantity;
        }
        sold
    }
}

fn shopper(profile: &Profile, people: &People, number: usize, rng: &mut StdRng) -> Result<Shopper> {
    let indices: Vec<usize> = (0..profile.archetypes.len()).collect();
    let any = |rng: &mut StdRng| {
        let chosen = indices.choose_weighted(rng, |&index| profile.archetypes[index].share);
        chosen.copied().map_err(Error::internal)
    };
    let (archetype, second) = (any(rng)?, any(rng)?);
    let countries = &profile.archetypes[archetype].countries;
    let country = *countries.choose(rng).ok_or_else(|| Error::internal("an archetype without countries"))?;
    let person = people.person(country, &number.to_string(), rng);
    Ok(Shopper {
        person,
        guest: false,
        archetype,
        second: Some(second).filter(|&second| second != archetype),
    })
}

/// The person behind the shopper's login: lives where the shop does.
fn with_login(person: Person, people: &People) -> Result<Person> {
    let home: Country = "DE".parse()?;
    let mut person = if person.address.country == home {
        person
    } else {
        people.person(home, "0", &mut generator(0, "login", 0))
    };
    person.email = SHOPPER.parse()?;
    if let Some((_, _, name, _)) = LOGINS.iter().find(|login| login.0 == SHOPPER) {
        person.address.name = (*name).to_owned();
    }
    Ok(person)
}

/// At least 1, at most the maximum, on average about the mean: each further one is as likely as the one before.
fn spread(spread: &Spread, rng: &mut impl Rng) -> usize {
    let further = ((spread.mean - 1.0) / spread.mean).clamp(0.0, 1.0);
    let mut count = 1;
    while count < spread.max && rng.random_bool(further) {
        count += 1;
    }
    count
}

/// When somebody ordered, in seconds before now: later rather than earlier, in the months and at the hours they like.
fn age(rng: &mut impl Rng, now: Time, months: u64, peaks: &[u32]) -> u64 {
    let days = months * 30;
    let most =
        PEAK * WEEKDAYS.iter().copied().fold(0.0, f64::max) * HOURS.iter().copied().fold(0.0, f64::max);
    loop {
        let age = rng.random_range(15 * 60..days * DAY);
        let at = now.before(std::time::Duration::from_secs(age)).utc();
        let growth = 1.0 - (1.0 - AT_FIRST) * (age as f64 / (days * DAY) as f64);
        let month = if peaks.contains(&at.month()) { PEAK } else { 1.0 };
        let weekday = WEEKDAYS[at.weekday().num_days_from_monday() as usize];
        if rng.random::<f64>() * most < growth * month * weekday * HOURS[at.hour() as usize] {
            return age;
        }
    }
}

/// What each archetype thinks of each product.
struct Taste<'a> {
    catalogue: &'a Catalogue,
    /// By archetype, then by product.
    weights: Vec<Vec<f64>>,
    by_slug: HashMap<&'a str, usize>,
}

impl<'a> Taste<'a> {
    fn of(catalogue: &'a Catalogue) -> Result<Self> {
        let products = &catalogue.products;
        let mut prices: Vec<i64> =
            products.iter().map(|product| product.lowest_price(Currency::EUR)).collect();
        prices.sort_unstable();
        let median =
            prices.get(prices.len() / 2).copied().ok_or_else(|| Error::internal("an empty catalogue"))?;
        let weights = |archetype| products.iter().map(|product| weight(archetype, product, median)).collect();
        Ok(Self {
            catalogue,
            weights: catalogue.orders_profile.archetypes.iter().map(weights).collect(),
            by_slug: products
                .iter()
                .enumerate()
                .map(|(index, product)| (product.slug.as_str(), index))
                .collect(),
        })
    }

    fn basket(&self, shopper: &Shopper, rng: &mut StdRng) -> Vec<Item> {
        let archetype = &self.catalogue.orders_profile.archetypes[shopper.archetype];
        let size = spread(&archetype.basket, rng);
        let mut chosen: Vec<usize> = Vec::with_capacity(size);
        // Somebody who likes little of what there is buys less.
        for _ in 0..size * 3 {
            let product = self.product(shopper, &chosen, rng);
            if chosen.len() == size {
                break;
            }
            if !chosen.contains(&product) {
                chosen.push(product);
            }
        }
        let item = |product: usize| Item {
            product,
            sku: variant(&self.catalogue.products[product], &archetype.colours, rng),
            quantity: quantity(rng),
        };
        chosen.into_iter().map(item).collect()
    }

    fn product(&self, shopper: &Shopper, chosen: &[usize], rng: &mut StdRng) -> usize {
        let profile = &self.catalogue.orders_profile;
        if rng.random_bool(profile.random_item_share) {
            return rng.random_range(0..self.catalogue.products.len());
        }
        if let Some(&last) = chosen.last()
            && rng.random_bool(profile.bought_together_share)
            && let Some(slug) = self.catalogue.products[last].bought_together.choose(rng)
            && let Some(&index) = self.by_slug.get(slug.as_str())
        {
            return index;
        }
        let borrows = rng.random_bool(profile.second_archetype_share);
        let archetype = shopper.second.filter(|_| borrows).unwrap_or(shopper.archetype);
        weighted(&self.weights[archetype], rng)
    }
}

/// Likes add up; then the price has its say.
fn weight(archetype: &Archetype, product: &Product, median: i64) -> f64 {
    let likes = &archetype.likes;
    let tags: f64 = product.tags.iter().filter_map(|tag| likes.tags.get(tag)).sum();
    let categories: f64 =
        product.categories.iter().filter_map(|category| likes.categories.get(category)).sum();
    let favourite = if likes.products.contains(&product.slug) { 8.0 } else { 0.0 };
    let price = product.lowest_price(Currency::EUR) as f64 / median as f64;
    (0.05 + tags + categories + favourite) * price.powf(archetype.price_pull - 1.0)
}

/// The SKU of one of its variants, in a colour they like if there is one.
fn variant(product: &Product, colours: &[String], rng: &mut StdRng) -> String {
    let liked = |value: &String| colours.contains(value);
    let weights: Vec<f64> =
        product.variants.iter().map(|v| if v.options.values().any(liked) { 4.0 } else { 1.0 }).collect();
    product.variants[weighted(&weights, rng)].sku.clone()
}

/// An index, as likely as its weight. The weights must be positive.
fn weighted(weights: &[f64], rng: &mut impl Rng) -> usize {
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    let hit = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    hit.unwrap_or(weights.len() - 1)
}
