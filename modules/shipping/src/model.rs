//! Which methods fit, when a parcel arrives, and how it moves. No async, no database.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use contracts::shipping::{
    DeliveryWindow, Method, NewShipment, NewZone, RateRequest, RateTier, ShipmentLine, ShipmentStatus,
    ShipmentUpdate, ShippingOption,
};
use shared::{Error, Money, Result, money::MAX_AMOUNT, values};

/// Most days a method may take.
const MAX_DAYS: i64 = 90;
/// Most units of a line.
const MAX_QUANTITY: i64 = 9_999;

/// The ways that fit the request, cheapest first; the same price by name.
pub fn options(
    methods: &[Method],
    request: &RateRequest,
    today: NaiveDate,
    handling_days: i64,
) -> Vec<ShippingOption> {
    let mut options: Vec<ShippingOption> = methods
        .iter()
        .filter_map(|method| {
            let price = price(method, request)?;
            Some(ShippingOption {
                id: method.id,
                name: method.name.clone(),
                carrier: method.carrier.clone(),
                price,
                delivery: DeliveryWindow {
                    from: working_days_after(today, handling_days + method.min_days).to_string(),
                    to: working_days_after(today, handling_days + method.max_days).to_string(),
                },
            })
        })
        .collect();
    options.sort_by(|a, b| (a.price.amount, &a.name, a.id).cmp(&(b.price.amount, &b.name, b.id)));
    options
}

/// What the method costs for the request; none if it is not offered.
fn price(method: &Method, request: &RateRequest) -> Option<Money> {
    let takes = |class: &String| method.classes.is_empty() || method.classes.contains(class);
    let tier =
        method.tiers.iter().find(|tier| fits(tier, request)).filter(|_| request.classes.iter().all(takes))?;
    let free = method
        .free_above
        .iter()
        .any(|from| from.currency == request.subtotal.currency && request.subtotal.amount >= from.amount);
    Some(if free { Money::zero(request.subtotal.currency) } else { tier.price })
}

fn fits(tier: &RateTier, request: &RateRequest) -> bool {
    tier.price.currency == request.subtotal.currency
        && tier.max_weight_grams.is_none_or(|max| request.weight_grams <= max)
        && tier.min_subtotal.is_none_or(|min| request.subtotal.amount >= min)
}

/// The day `days` working days after `day`. Nothing arrives at a weekend, so 0 days on a Saturday is the Monday.
fn working_days_after(day: NaiveDate, days: i64) -> NaiveDate {
    let next = |day: NaiveDate| day.checked_add_days(Days::new(1)).unwrap_or(day);
    let mut day = day;
    let mut left = days;
    while left > 0 {
        day = next(day);
        left -= i64::from(!is_weekend(day));
    }
    while is_weekend(day) {
        day = next(day);
    }
    day
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Checks and tidies a zone: trimmed names, each country once.
pub fn validated(zone: NewZone) -> Result<NewZone> {
    let name = values::text("/name", &zone.name, 100)?;
    if zone.countries.is_empty() {
        return Err(Error::invalid("/countries", "required", "a zone needs a country"));
    }
    let mut countries = zone.countries;
    countries.sort();
    countries.dedup();
    if zone.methods.len() > 100 {
        return Err(Error::invalid("/methods", "too_many", "a zone has at most 100 methods"));
    }
    let mut methods: Vec<Method> = Vec::with_capacity(zone.methods.len());
    for (i, method) in zone.methods.into_iter().enumerate() {
        let method = validated_method(method).map_err(|error| error.under(&format!("/methods/{i}")))?;
        if methods.iter().any(|other| other.id == method.id) {
            let detail = "two methods have this id";
            return Err(Error::invalid(format!("/methods/{i}/id"), "duplicate", detail));
        }
        methods.push(method);
    }
    Ok(NewZone { name, countries, methods })
}

fn validated_method(method: Method) -> Result<Method> {
    let name = values::text("/name", &method.name, 100)?;
    let carrier = match method.carrier.trim() {
        "" => String::new(),
        carrier => values::text("/carrier", carrier, 100)?,
    };
    let mut classes = Vec::with_capacity(method.classes.len());
    for (i, class) in method.classes.iter().enumerate() {
        classes.push(values::text(&format!("/classes/{i}"), class, 64)?);
    }
    if method.tiers.is_empty() {
        return Err(Error::invalid("/tiers", "required", "a method needs a tier"));
    }
    for (i, tier) in method.tiers.iter().enumerate() {
        in_range(&format!("/tiers/{i}/price/amount"), tier.price.amount, 0, MAX_AMOUNT)?;
        in_range(&format!("/tiers/{i}/max_weight_grams"), tier.max_weight_grams.unwrap_or(0), 0, i64::MAX)?;
        in_range(&format!("/tiers/{i}/min_subtotal"), tier.min_subtotal.unwrap_or(0), 0, MAX_AMOUNT)?;
    }
    for (i, from) in method.free_above.iter().enumerate() {
        in_range(&format!("/free_above/{i}/amount"), from.amount, 0, MAX_AMOUNT)?;
        if method.free_above[..i].iter().any(|other| other.currency == from.currency) {
            let detail = "there is one amount for each currency";
            return Err(Error::invalid(format!("/free_above/{i}/currency"), "duplicate", detail));
        }
    }
    in_range("/min_days", method.min_days, 0, MAX_DAYS)?;
    in_range("/max_days", method.max_days, method.min_days, MAX_DAYS)?;
    Ok(Method { name, carrier, classes, ..method })
}

fn in_range(pointer: &str, value: i64, min: i64, max: i64) -> Result<()> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(pointer, "out_of_range", format!("must be between {min} and {max}")))
}

/// Checks and tidies a shipment: trimmed texts, each line once.
pub fn validated_shipment(new: NewShipment) -> Result<NewShipment> {
    if new.lines.is_empty() {
        return Err(Error::invalid("/lines", "required", "a shipment needs a line"));
    }
    let mut lines: Vec<ShipmentLine> = Vec::with_capacity(new.lines.len());
    for (i, line) in new.lines.into_iter().enumerate() {
        let pointer = format!("/lines/{i}/quantity");
        in_range(&pointer, line.quantity, 1, MAX_QUANTITY)?;
        match lines.iter_mut().find(|other| other.line_id == line.line_id) {
            Some(other) => {
                other.quantity += line.quantity;
                in_range(&pointer, other.quantity, 1, MAX_QUANTITY)?;
            }
            None => lines.push(line),
        }
    }
    Ok(NewShipment {
        lines,
        carrier: optional("/carrier", new.carrier)?,
        tracking_number: optional("/tracking_number", new.tracking_number)?,
        ..new
    })
}

/// Checks and tidies news of a parcel.
pub fn validated_update(update: ShipmentUpdate) -> Result<ShipmentUpdate> {
    let description = update.description.filter(|text| !text.trim().is_empty());
    Ok(ShipmentUpdate {
        status: update.status,
        carrier: optional("/carrier", update.carrier)?,
        tracking_number: optional("/tracking_number", update.tracking_number)?,
        description: description.map(|text| values::text("/description", &text, 500)).transpose()?,
    })
}

fn optional(pointer: &str, value: Option<String>) -> Result<Option<String>> {
    value.filter(|text| !text.trim().is_empty()).map(|text| values::text(pointer, &text, 100)).transpose()
}

/// Whether a parcel may move: forward, steps may be skipped. False for the status it has.
pub fn may_move(from: ShipmentStatus, to: ShipmentStatus) -> Result<bool> {
    if to < from {
        return Err(Error::illegal_transition("a shipment", status_name(from), status_name(to)));
    }
    Ok(to > from)
}

/// As in JSON and in the database.
pub fn status_name(status: ShipmentStatus) -> &'static str {
    match status {
        ShipmentStatus::Pending => "pending",
        ShipmentStatus::Shipped => "shipped",
        ShipmentStatus::InTransit => "in_transit",
        ShipmentStatus::Delivered => "delivered",
    }
}

/// The reverse of [`status_name`].
pub fn status(name: &str) -> Result<ShipmentStatus> {
    use ShipmentStatus::{Delivered, InTransit, Pending, Shipped};
    [Pending, Shipped, InTransit, Delivered]
        .into_iter()
        .find(|status| status_name(*status) == name)
        .ok_or_else(|| Error::internal(format!("unknown shipment status {name:?}")))
}

/// Where the carrier shows the parcel; none for carriers we do not know.
pub fn tracking_url(carrier: Option<&str>, number: Option<&str>) -> Option<String> {
    let carrier = carrier?.to_lowercase();
    let mut words = carrier.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let base = match (words.next()?, words.next()) {
        ("dhl", _) => "https://www.dhl.com/global-en/home/tracking.html?tracking-id=",
        ("dpd", _) => "https://tracking.dpd.de/status/en_US/parcel/",
        ("ups", _) => "https://www.ups.com/track?tracknum=",
        ("fedex", _) => "https://www.fedex.com/fedextrack/?trknbr=",
        ("gls", _) => "https://gls-group.com/track/",
        ("usps", _) => "https://tools.usps.com/go/TrackConfirmAction?tLabels=",
        ("royal", Some("mail")) | ("royalmail", _) => {
            "https://www.royalmail.com/track-your-item#/tracking-results/"
        }
        _ => return None,
    };
    // People type numbers with spaces; carriers want them without.
    let number: String = number?.chars().filter(|c| !c.is_whitespace()).collect();
    let encoded: String = number.bytes().map(percent_encoded).collect();
    Some(format!("{base}{encoded}"))
}

fn percent_encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use contracts::{cart::Destination, shipping::MethodId};
    use proptest::prelude::*;
    use shared::Currency;

    use super::*;

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    fn tier(max_weight_grams: Option<i64>, min_subtotal: Option<i64>, price: Money) -> RateTier {
        RateTier { max_weight_grams, min_subtotal, price }
    }

    fn method(name: &str, tiers: Vec<RateTier>) -> Method {
        Method {
            id: MethodId::new(),
            name: name.into(),
            carrier: "DHL".into(),
            classes: Vec::new(),
            tiers,
            free_above: Vec::new(),
            min_days: 1,
            max_days: 3,
        }
    }

    fn request(subtotal: Money, weight_grams: i64, classes: &[&str]) -> RateRequest {
        RateRequest {
            destination: Destination { country: "DE".parse().unwrap(), region: None, postal_code: None },
            subtotal,
            weight_grams,
            classes: classes.iter().map(|c| (*c).to_owned()).collect(),
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn offered(methods: &[Method], request: &RateRequest) -> Vec<(String, i64)> {
        options(methods, request, day("2026-11-23"), 0)
            .into_iter()
            .map(|o| (o.name, o.price.amount))
            .collect()
    }

    #[test]
    fn the_first_tier_that_fits_weight_subtotal_and_currency_is_the_price() {
        let usd = Money::new(900, "USD".parse().unwrap());
        let methods = [method(
            "Post",
            vec![
                tier(None, None, usd),
                tier(Some(1_000), None, eur(490)),
                tier(Some(5_000), Some(10_000), eur(0)),
                tier(Some(5_000), None, eur(990)),
            ],
        )];
        assert_eq!(offered(&methods, &request(eur(1), 1_000, &[])), [("Post".into(), 490)]);
        assert_eq!(offered(&methods, &request(eur(1), 1_001, &[])), [("Post".into(), 990)]);
        assert_eq!(offered(&methods, &request(eur(10_000), 1_001, &[])), [("Post".into(), 0)]);
        assert_eq!(offered(&methods, &request(usd, 90_000, &[])), [("Post".into(), 900)]);
        assert!(offered(&methods, &request(eur(1), 5_001, &[])).is_empty());
    }

    #[test]
    fn a_method_must_take_every_class_of_the_cart() {
        let mut parcel = method("Parcel", vec![tier(None, None, eur(490))]);
        parcel.classes = vec!["parcel".into()];
        let freight = method("Freight", vec![tier(None, None, eur(4_900))]);
        let methods = [freight, parcel];
        let all = offered(&methods, &request(eur(1), 1, &["parcel"]));
        assert_eq!(all, [("Parcel".into(), 490), ("Freight".into(), 4_900)]);
        assert_eq!(offered(&methods, &request(eur(1), 1, &["parcel", "bulky"])), [("Freight".into(), 4_900)]);
    }

    #[test]
    fn shipping_is_free_from_the_subtotal_of_its_currency_on() {
        let mut post = method("Post", vec![tier(None, None, eur(490))]);
        post.free_above = vec![Money::new(1, "USD".parse().unwrap()), eur(5_000)];
        let methods = [post];
        assert_eq!(offered(&methods, &request(eur(4_999), 1, &[])), [("Post".into(), 490)]);
        assert_eq!(offered(&methods, &request(eur(5_000), 1, &[])), [("Post".into(), 0)]);
    }

    #[test]
    fn the_same_price_is_sorted_by_name() {
        let methods = ["B", "C", "A"].map(|name| method(name, vec![tier(None, None, eur(490))]));
        let names: Vec<String> =
            offered(&methods, &request(eur(1), 1, &[])).into_iter().map(|o| o.0).collect();
        assert_eq!(names, ["A", "B", "C"]);
    }

    #[test]
    fn weekends_are_left_out_of_the_delivery_window() {
        let thursday = day("2026-11-26");
        assert_eq!(working_days_after(thursday, 0), thursday);
        assert_eq!(working_days_after(thursday, 1), day("2026-11-27"));
        assert_eq!(working_days_after(thursday, 2), day("2026-11-30"));
        assert_eq!(working_days_after(day("2026-11-28"), 0), day("2026-11-30"));
        assert_eq!(working_days_after(day("2026-11-28"), 1), day("2026-11-30"));
        assert_eq!(working_days_after(thursday, 5), day("2026-12-03"));
    }

    #[test]
    fn a_zone_that_cannot_be_is_refused_with_a_pointer() {
        let good = || NewZone {
            name: " Germany ".into(),
            countries: vec!["DE".parse().unwrap(), "DE".parse().unwrap()],
            methods: vec![method("Post", vec![tier(None, None, eur(490))])],
        };
        let zone = validated(good()).unwrap();
        assert_eq!((zone.name.as_str(), zone.countries.len()), ("Germany", 1));
        type Change = fn(&mut NewZone);
        let wrong: [(&str, Change); 9] = [
            ("/name", |z| z.name = " ".into()),
            ("/countries", |z| z.countries.clear()),
            ("/methods/0/name", |z| z.methods[0].name.clear()),
            ("/methods/0/tiers", |z| z.methods[0].tiers.clear()),
            ("/methods/0/tiers/0/price/amount", |z| z.methods[0].tiers[0].price.amount = -1),
            ("/methods/0/min_days", |z| z.methods[0].min_days = -1),
            ("/methods/0/max_days", |z| z.methods[0].max_days = 0),
            ("/methods/0/max_days", |z| z.methods[0].max_days = 91),
            ("/methods/1/id", |z| z.methods.push(z.methods[0].clone())),
        ];
        for (pointer, change) in wrong {
            let mut zone = good();
            change(&mut zone);
            assert_eq!(validated(zone).unwrap_err().fields[0].pointer, pointer);
        }
    }

    #[test]
    fn known_carriers_have_a_tracking_link() {
        let url = |carrier, number| tracking_url(Some(carrier), Some(number));
        let dhl = "https://www.dhl.com/global-en/home/tracking.html?tracking-id=0034043";
        assert_eq!(url("DHL Express", "0034 043").as_deref(), Some(dhl));
        assert_eq!(url("ups", "1Z/9").as_deref(), Some("https://www.ups.com/track?tracknum=1Z%2F9"));
        for known in ["DPD", "FedEx", "GLS", "USPS", "Royal Mail", "royalmail"] {
            assert!(url(known, "X1").is_some_and(|url| url.ends_with("X1")), "{known}");
        }
        assert_eq!(url("Brieftaube", "1"), None);
        assert_eq!(url("upside", "1"), None);
        assert_eq!(tracking_url(Some("DHL"), None), None);
        assert_eq!(tracking_url(None, Some("1")), None);
    }

    proptest! {
        #[test]
        fn a_delivery_day_is_a_working_day_and_never_earlier_for_more_days(start in 0_u64..800, days in 0_i64..90) {
            let start = day("2026-01-01") + Days::new(start);
            let (sooner, later) = (working_days_after(start, days), working_days_after(start, days + 1));
            prop_assert!(!is_weekend(sooner) && sooner >= start && later >= sooner);
        }

        #[test]
        fn a_parcel_never_moves_backwards(from in 0_usize..4, to in 0_usize..4) {
            let all = ["pending", "shipped", "in_transit", "delivered"].map(|name| status(name).unwrap());
            match may_move(all[from], all[to]) {
                Ok(moved) => prop_assert_eq!(moved, to > from),
                Err(error) => prop_assert!(to < from && error.code == "illegal_transition"),
            }
        }
    }
}
