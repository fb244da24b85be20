use contracts::product::NewProduct;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn draft(value: serde_json::Value) -> NewProduct {
    serde_json::from_value(value).unwrap()
}

fn mug() -> serde_json::Value {
    json!({
        "title": "Mug",
        "options": [{"name": "Colour", "values": ["red", {"value": "blue", "label": "Deep blue"}]}, {"name": "Size", "values": ["S", "L"]}],
        "variants": [
            {"sku": "M-RS", "options": {"Colour": "red", "Size": "S"}, "prices": [{"amount": 1000, "currency": "EUR"}], "stock": 3},
            {"sku": "M-BL", "options": {"Colour": "blue", "Size": "L"}, "prices": [{"amount": 1200, "currency": "EUR"}]},
        ],
    })
}

fn composed(value: serde_json::Value) -> Result<Composed> {
    let frame = Frame { before: None, slug: "mug", tree: &Tree::default(), now: Time::from_micros(1) };
    compose(draft(value), &frame)
}

fn fault(value: serde_json::Value) -> (String, String) {
    let error = composed(value).unwrap_err();
    (error.code.to_string(), error.fields[0].pointer.clone())
}

/// The mug with one member set to something else.
fn with(pointer: &str, value: serde_json::Value) -> serde_json::Value {
    let mut mug = mug();
    *mug.pointer_mut(pointer).unwrap() = value;
    mug
}

#[test]
fn a_variant_names_one_value_of_each_option() {
    let product = composed(mug()).unwrap().product;
    assert_eq!(product.variants[1].title, "Deep blue / L");
    for (options, code, at) in [
        (json!({"Colour": "red"}), "required", "Size"),
        (json!({"Colour": "green", "Size": "S"}), "unknown_value", "Colour"),
        (json!({"Colour": "red", "Size": "S", "A/B": "x"}), "unknown_option", "A~1B"),
    ] {
        assert_eq!(
            fault(with("/variants/0/options", options)),
            (code.into(), format!("/variants/0/options/{at}"))
        );
    }
}

#[test]
fn two_variants_cannot_have_the_same_options_or_sku() {
    let same = fault(with("/variants/1/options", json!({"Colour": "red", "Size": "S"})));
    assert_eq!(same, ("duplicate_options".into(), "/variants/1/options".into()));
    let error = composed(with("/variants/1/sku", json!("M-RS"))).unwrap_err();
    assert_eq!((error.kind, error.fields[0].pointer.as_str()), (shared::Kind::Conflict, "/variants/1/sku"));
}

#[test]
fn prices_are_in_range_and_one_per_currency() {
    let money = |amount: i64| json!([{"amount": amount, "currency": "EUR"}]);
    let at = "/variants/0/prices";
    assert_eq!(fault(with(at, money(-1))).1, "/variants/0/prices/0/amount");
    assert_eq!(fault(with(at, money(shared::money::MAX_AMOUNT + 1))).1, "/variants/0/prices/0/amount");
    assert_eq!(fault(with(at, json!([]))), ("required".into(), at.into()));
    let twice = json!([{"amount": 1, "currency": "EUR"}, {"amount": 2, "currency": "EUR"}]);
    assert_eq!(fault(with(at, twice)).0, "duplicate_currency");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let mut mug = with("/title", json!(" "));
    mug["variants"][1]["sku"] = json!("");
    let fields = composed(mug).unwrap_err().fields;
    assert_eq!(fields.iter().map(|f| f.pointer.as_str()).collect::<Vec<_>>(), ["/title", "/variants/1/sku"]);
}

#[test]
fn a_description_loses_whatever_could_act() {
    let clean = |text: &str| description(&mut Faults::default(), text);
    assert_eq!(clean("<p onclick=x()>Hi <script>alert(1)</script><b>you</b></p>"), "<p>Hi <b>you</b></p>");
    assert_eq!(clean("5 < 6 & 7 > 3\n\nStill text"), "5 < 6 & 7 > 3\n\nStill text");
    assert!(!clean("<a href=\"javascript:alert(1)\">x</a>").contains("javascript"));
}

#[test]
fn only_new_variants_bring_stock_and_known_ones_keep_their_ids() {
    let first = composed(mug()).unwrap();
    assert_eq!(first.stock, [(first.product.variants[0].id, 3)]);
    let mut next = draft(mug());
    next.variants[1].sku = "M-NEW".into();
    next.variants[1].stock = Some(5);
    let frame = Frame {
        before: Some(&first.product),
        slug: "mug",
        tree: &Tree::default(),
        now: Time::from_micros(2),
    };
    let second = compose(next, &frame).unwrap();
    assert_eq!(second.product.variants[0].id, first.product.variants[0].id);
    assert_eq!(second.stock, [(second.product.variants[1].id, 5)]);
    assert_eq!((second.product.version, second.product.id), (2, first.product.id));
}

#[test]
fn a_redraft_is_the_same_product() {
    let first = composed(mug()).unwrap().product;
    let tree = Tree::default();
    let frame = Frame { before: Some(&first), slug: &first.slug, tree: &tree, now: Time::from_micros(9) };
    let again = compose(redraft(&first, &tree), &frame).unwrap().product;
    assert!(same(&first, &again) && again.version == 2);
}

#[test]
fn a_generated_slug_steps_aside() {
    assert_eq!(made_slug("Čajník & Šálek!", "product"), "cajnik-salek");
    assert_eq!(made_slug("!!!", "product"), "product");
    let taken = ["mug".to_owned(), "mug-2".to_owned()];
    assert_eq!(free_slug("mug", &taken), "mug-3");
    assert_eq!(given_slug("Mug").unwrap_err().code, "slug");
}

proptest! {
    #[test]
    fn cleaning_twice_is_cleaning_once(text in ".{0,200}") {
        let clean = |text: &str| description(&mut Faults::default(), text);
        let once = clean(&text);
        prop_assert_eq!(clean(&once), once);
    }
}
