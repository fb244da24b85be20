use super::*;

async fn list(shop: &Shop, variant: VariantId, group: Option<&str>, prices: &[(i64, i64)]) -> PriceList {
    let prices: Vec<Value> = prices
        .iter()
        .map(|(quantity, amount)| json!({"variant_id": variant, "min_quantity": quantity, "amount": amount}))
        .collect();
    let new = json!({"name": "List", "currency": "EUR", "group": group, "prices": prices});
    shop.products().create_price_list(parse(new)).await.unwrap()
}

async fn quoted(shop: &Shop, variant: VariantId, quantity: i64, group: Option<&str>) -> i64 {
    let context = PriceContext { group: group.map(str::to_owned), ..euros() };
    let line = QuoteLine { variant_id: variant, quantity };
    shop.products().quote(vec![line], context).await.unwrap()[0].unit_price.amount
}

#[tokio::test]
async fn a_quote_goes_by_group_quantity_and_then_the_lowest() {
    let shop = Shop::open().await;
    let (product, variant) = shop.simple("A", 1).await;
    list(&shop, variant, None, &[(1, 900), (10, 700)]).await;
    list(&shop, variant, Some("trade"), &[(1, 800)]).await;
    assert_eq!(quoted(&shop, variant, 1, None).await, 900);
    assert_eq!(quoted(&shop, variant, 10, None).await, 700);
    assert_eq!(quoted(&shop, variant, 10, Some("trade")).await, 800);
    let view = shop.products().view(product.slug, euros()).await.unwrap();
    assert_eq!(view.variants[0].price.amount, 900);
    let steps: Vec<_> =
        view.variants[0].quantity_prices.iter().map(|s| (s.min_quantity, s.price.amount)).collect();
    assert_eq!(steps, [(10, 700)]);
    let dollars = PriceContext { currency: usd(), group: None };
    let line = QuoteLine { variant_id: variant, quantity: 1 };
    assert!(shop.products().quote(vec![line], dollars).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_quote_keeps_the_order_and_leaves_out_the_unknown_and_unpublished() {
    let shop = Shop::open().await;
    let (_, a) = shop.simple("A", 1).await;
    let (_, b) = shop.simple("B", 1).await;
    let mut draft = simple("C", 1);
    draft["status"] = json!("draft");
    let c = shop.create(draft).await.variants[0].id;
    let lines = [b, VariantId::new(), a, c].map(|variant_id| QuoteLine { variant_id, quantity: 1 });
    let quotes = shop.products().quote(lines.into(), euros()).await.unwrap();
    assert_eq!(quotes.iter().map(|q| q.variant_id).collect::<Vec<_>>(), [b, a]);
    assert_eq!(quotes[0].available, 1);
}

#[tokio::test]
async fn lists_show_the_price_of_the_group_and_of_the_day() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 1).await;
    let lists = list(&shop, variant, None, &[(1, 900)]).await;
    list(&shop, variant, Some("trade"), &[(1, 500)]).await;
    shop.service.search_idle().await.unwrap();
    let card = |q: SearchQuery| {
        let service = shop.service.clone();
        async move { service.search(q).await.unwrap().data[0].price.amount }
    };
    assert_eq!(card(query("thing")).await, 900);
    let trade = PriceContext { group: Some("trade".into()), ..euros() };
    assert_eq!(card(SearchQuery { context: trade, ..query("thing") }).await, 500);
    // The list ends tomorrow: then search must know without anybody writing anything.
    let end = shop.clock.now().after(std::time::Duration::from_secs(86_400));
    let until = NewPriceList {
        name: lists.name,
        currency: lists.currency,
        group: None,
        starts_at: None,
        ends_at: Some(end),
        prices: lists.prices,
    };
    shop.products().update_price_list(lists.id, until).await.unwrap();
    shop.service.turn_prices().await.unwrap();
    shop.clock.advance(std::time::Duration::from_secs(86_400));
    shop.service.turn_prices().await.unwrap();
    shop.service.search_idle().await.unwrap();
    assert_eq!(card(query("thing")).await, 1000);
    shop.products().delete_price_list(lists.id).await.unwrap();
    assert_eq!(shop.products().price_lists().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_price_list_names_what_is_wrong_with_it() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 1).await;
    let mut new = json!({"name": "L", "currency": "EUR", "prices": [{"variant_id": variant, "amount": -1}]});
    let refused = async |new: &Value| {
        let error = shop.products().create_price_list(parse(new.clone())).await.unwrap_err();
        error.fields[0].pointer.clone()
    };
    assert_eq!(refused(&new).await, "/prices/0/amount");
    new["prices"] = json!([{"variant_id": VariantId::new(), "amount": 1}]);
    assert_eq!(refused(&new).await, "/prices/0/variant_id");
}
