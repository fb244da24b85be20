use contracts::product::{Image, ProductStatus};
use shared::Money;

use super::*;

fn eur(amount: i64) -> Vec<Money> {
    vec![Money::new(amount, Currency::EUR)]
}

#[tokio::test]
async fn shopifys_sample_becomes_products() {
    let (shop, report) = import(&fixture("apparel.csv")).await;
    assert_eq!(report.errors, []);
    assert_eq!((report.rows, report.products, report.created), (11, 5, 5));
    assert_eq!(report.images_skipped, 5);

    let shirt = shop.of("ocean-blue-shirt");
    assert_eq!(shirt.category_paths, [["Apparel & Accessories", "Clothing", "Shirts & Tops"]]);
    let shirt = shirt.product;
    assert_eq!((shirt.title.as_str(), shirt.brand.as_deref()), ("Ocean Blue Shirt", Some("partners-demo")));
    assert!(shirt.description.contains("\n<li>100% cotton, \"slub\" weave</li>\n"), "{}", shirt.description);
    assert_eq!(shirt.tags, ["men", "summer", "button-down"]);
    assert_eq!(shirt.attributes["type"], "Shirt");
    assert_eq!((shirt.status, shirt.options.len(), shirt.variants.len()), (ProductStatus::Published, 0, 1));
    let only = &shirt.variants[0];
    assert_eq!((only.sku.as_str(), &only.prices, &only.compare_at_prices), ("OBS-1", &eur(5_000), &vec![]));
    assert_eq!(
        (only.barcode.as_deref(), only.stock, only.weight_grams),
        (Some("0840012345678"), Some(1), 200)
    );
    assert_eq!(shirt.seo_title.as_deref(), Some("Ocean Blue Shirt | Demo"));

    let top = shop.of("classic-varsity-top").product;
    let values = |i: usize| top.options[i].values.iter().map(|v| v.value.as_str()).collect::<Vec<_>>();
    assert_eq!((top.options[0].name.as_str(), values(0)), ("Size", vec!["Small", "Medium"]));
    assert_eq!((top.options[1].name.as_str(), values(1)), ("Color", vec!["Grey", "Black"]));
    let prices: Vec<_> =
        top.variants.iter().map(|v| (v.prices.clone(), v.compare_at_prices.clone())).collect();
    assert_eq!(
        prices,
        [(eur(6_000), eur(7_500)), (eur(6_000), eur(7_500)), (eur(6_000), vec![]), (eur(6_550), vec![])]
    );
    assert_eq!(top.variants[1].stock, Some(0), "what was sold before it was there");
}

#[tokio::test]
async fn what_shopify_leaves_out_is_made_up_safely() {
    let (shop, _) = import(&fixture("apparel.csv")).await;
    let jumper = shop.of("yellow-wool-jumper");
    assert_eq!(jumper.category_paths, [["Jumper"]]);
    assert_eq!((jumper.product.status, jumper.product.attributes.len()), (ProductStatus::Draft, 0));
    assert_eq!(
        (jumper.product.variants[0].sku.as_str(), jumper.product.variants[0].tracked),
        ("yellow-wool-jumper", false)
    );

    let shoes = shop.of("led-high-tops-2");
    assert_eq!(shoes.category_paths, [["Shoes"]]);
    let skus: Vec<_> = shoes.product.variants.iter().map(|v| (v.sku.as_str(), v.tracked)).collect();
    assert_eq!(skus, [("led-high-tops-2-42", false), ("led-high-tops-2-43", true)]);

    let scarf = shop.of("old-scarf");
    assert!(scarf.category_paths.is_empty(), "Shopify's numbers say nothing");
    assert_eq!((scarf.product.status, scarf.product.tax_class.as_str()), (ProductStatus::Archived, "zero"));
    assert_eq!(scarf.product.variants[0].prices, eur(999));
}

#[tokio::test]
async fn the_new_column_names_mean_the_same() {
    let (old, _) = import(&fixture("apparel.csv")).await;
    let (new, report) = import(&fixture("apparel-new-headers.csv")).await;
    assert_eq!((report.errors.as_slice(), report.created), ([].as_slice(), 5));
    let json = |shop: &Shop| serde_json::to_value(&*shop.products.lock().unwrap()).unwrap();
    assert_eq!(json(&old), json(&new));
}

#[tokio::test]
async fn each_wrong_row_is_named_and_the_others_are_taken() {
    let (shop, report) = import(&fixture("awkward.csv")).await;
    assert_eq!(
        codes(&report),
        [
            (3, "required"),
            (5, "price"),
            (6, "price"),
            (6, "number"),
            (8, "option_value_missing"),
            (9, "handle_repeated"),
            (10, "handle_missing"),
            (12, "gift_card"),
            (13, "required"),
            (14, "option_name_missing"),
            (15, "boolean"),
            (15, "status"),
            (19, "sku_taken"),
        ]
    );
    let price = &report.errors[1];
    assert_eq!((price.handle.as_str(), price.column.as_str()), ("bad-price", "Variant Price"));
    assert!(price.message.contains("5,00 €"), "{}", price.message);
    assert_eq!(report.errors[12].column, "/variants/1/sku");
    assert_eq!(shop.products.lock().unwrap().keys().collect::<Vec<_>>(), ["good-one", "good-two"]);
    assert_eq!((report.rows, report.products, report.created, report.failed), (16, 11, 2, 10));
    assert_eq!(shop.of("good-two").product.variants[0].prices, eur(10));
    assert_eq!(shop.of("good-one").product.variants.len(), 1, "a later row of the handle changes nothing");
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let shop = Arc::new(Shop::default());
    let ports = double::ports(&shop);
    let dry = import_into(&ports, &fixture("awkward.csv"), true).await;
    assert!(dry.dry_run && shop.products.lock().unwrap().is_empty() && shop.media.lock().unwrap().is_empty());
    let wet = import_into(&ports, &fixture("awkward.csv"), false).await;
    assert_eq!((dry.created, &dry.errors), (wet.created, &wet.errors));
}

#[tokio::test]
async fn the_same_file_twice_changes_nothing() {
    let shop = Arc::new(Shop::default());
    let ports = double::ports(&shop);
    import_into(&ports, &fixture("apparel.csv"), false).await;
    let again = import_into(&ports, &fixture("apparel.csv"), false).await;
    assert_eq!((again.created, again.updated, again.unchanged, again.failed), (0, 0, 5, 0));
}

#[tokio::test]
async fn pictures_beside_the_file_are_stored_and_shown_for_their_variants() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("products.csv");
    std::fs::copy(fixture("apparel.csv"), &file).unwrap();
    std::fs::create_dir(folder.path().join("images")).unwrap();
    let gif = b"GIF89a\x02\x00\x03\x00\x00\x00\x00;";
    std::fs::write(folder.path().join("varsity-black.jpg"), gif).unwrap();
    std::fs::write(folder.path().join("images/casual-fashion-woman_925x.jpg"), gif).unwrap();
    std::fs::write(folder.path().join("images/casual-fashion-woman-detail_925x.jpg"), b"").unwrap();

    let (shop, report) = import(&file).await;
    assert_eq!(report.failed, 0);
    assert_eq!(codes(&report), [(11, "media_type")], "the product is taken without it");
    assert_eq!(report.images_skipped, 3, "two are not there, one is no picture");
    assert_eq!(
        shop.media.lock().unwrap().keys().collect::<Vec<_>>(),
        ["casual-fashion-woman_925x.jpg", "varsity-black.jpg"]
    );
    let image = |file: &str, alt: &str, options: &[(&str, &str)]| Image {
        file: file.into(),
        alt: alt.into(),
        width: 2,
        height: 3,
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Image::default()
    };
    assert_eq!(
        shop.of("classic-varsity-top").product.images,
        [
            image("casual-fashion-woman_925x.jpg", "", &[("Color", "Grey")]),
            image("varsity-black.jpg", "In black", &[("Color", "Black")]),
        ]
    );
}

#[tokio::test]
async fn options_may_share_values_and_skus_are_made_of_all_choices() {
    let text = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price\n\
        tee,Tee,Body,Red,Trim,Red,5\ntee,,,Red,,Blue,5\ntee,,,Blue,,Red,5\n";
    let (shop, report) = import_text(text).await;
    assert_eq!(report.errors, []);
    let variants = shop.of("tee").product.variants;
    let chosen: Vec<_> =
        variants.iter().map(|v| (v.options["Body"].as_str(), v.options["Trim"].as_str())).collect();
    assert_eq!(chosen, [("Red", "Red"), ("Red", "Blue"), ("Blue", "Red")]);
    assert_eq!(variants[1].sku, "tee-red-blue");
    let long = format!("Handle,Title,Variant Price\n{},T,5\n", "very-long-handle-".repeat(9));
    let (shop, _) = import_text(long).await;
    let sku = shop.products.lock().unwrap().values().next().unwrap().product.variants[0].sku.clone();
    assert_eq!(sku.len(), 64);
}
