//! Every page there is, one after the other.

use crate::{
    driver::Browser,
    shop::{DemoShop, OWNER, SHOPPER},
    steps,
    webdriver::Key,
};

/// Opens every page for shoppers as somebody would who has a reason to. `look` gets the name of each.
pub async fn storefront(shop: &DemoShop, b: &Browser, look: impl AsyncFn(&str)) {
    let product = steps::several(shop).await;
    let category = shop.app.ports.products.categories().await.unwrap().remove(0).category.slug;
    let category = format!("/categories/{category}");
    let product_page = format!("/products/{}", product.slug);
    let reviews = format!("{product_page}/reviews");
    for (name, path) in [
        ("home", "/"),
        ("categories", "/categories"),
        ("category", &category),
        ("collection", "/collections/small-spaces"),
        ("search", "/search?q=mug"),
        ("search-nothing", "/search?q=qqqqqq"),
        ("product", &product_page),
        ("reviews", &reviews),
        ("recent", "/recent"),
        ("wishlist", "/wishlist"),
        ("cart-empty", "/cart"),
        ("sign-in", "/account/sign-in"),
        ("register", "/account/register"),
        ("forgot", "/account/forgot"),
        ("track", "/track"),
        ("not-found", "/nothing/here"),
        ("home-german", "/de"),
        ("content", "/pages/delivery"),
        ("journal", "/journal"),
    ] {
        b.open(path).await;
        look(name).await;
    }
    follow(b, "/journal").await;
    look("journal-post").await;
    b.open("/").await;
    b.click("[data-opens=menu]").await;
    b.see("#menu[open] .menu-list").await;
    look("menu").await;
    b.open("/search?q=lamp").await;
    b.click(".chip[data-filters]").await;
    b.see(".facets.open").await;
    look("search-filters").await;
    steps::add(b, &product).await;
    look("cart-drawer").await;
    b.open("/cart").await;
    look("cart").await;
    checkout(b, &look).await;
    steps::sign_in(b, "/account/sign-in", SHOPPER).await;
    let review = format!("{reviews}/new");
    for (name, path) in [
        ("account", "/account"),
        ("account-orders", "/account/orders"),
        ("account-addresses", "/account/addresses"),
        ("account-address", "/account/addresses/new"),
        ("account-details", "/account/details"),
        ("account-delete", "/account/delete"),
        ("review-new", &review),
    ] {
        b.open(path).await;
        look(name).await;
    }
}

async fn checkout(b: &Browser, look: &impl AsyncFn(&str)) {
    b.open("/checkout").await;
    look("checkout-contact").await;
    b.fill("#f-email", "not an address").await;
    b.js("document.querySelector('.step.on form').noValidate = true").await;
    b.click(".step.on .btn.lg").await;
    b.see("[aria-invalid=true]").await;
    look("checkout-contact-wrong").await;
    steps::address(b, Some("ada@example.com")).await;
    look("checkout-payment").await;
    for (name, path) in
        [("checkout-address", "/checkout/address"), ("checkout-delivery", "/checkout/delivery")]
    {
        b.open(path).await;
        look(name).await;
    }
    b.open("/checkout/payment").await;
    b.click("[name=card][value=tok_3ds]").await;
    b.click(".step.on .btn.lg").await;
    b.arrives("/checkout/review").await;
    look("checkout-review").await;
    b.click(".step.on .btn.lg").await;
    b.arrives("/checkout/pay/").await;
    look("bank").await;
    b.click("[name=accept][value=true]").await;
    b.see(".thanks .done-mark").await;
    look("thanks").await;
    b.click(".thanks a.btn").await;
    b.arrives("/orders/").await;
    look("order").await;
}

/// Opens every page for staff.
pub async fn admin(b: &Browser, look: impl AsyncFn(&str)) {
    b.open("/admin/sign-in").await;
    look("admin-sign-in").await;
    steps::sign_in(b, "/admin/sign-in", OWNER).await;
    for (name, path) in [
        ("admin", "/admin"),
        ("admin-orders", "/admin/orders"),
        ("admin-customers", "/admin/customers"),
        ("admin-system", "/admin/system"),
        ("admin-products", "/admin/products"),
        ("admin-products-new", "/admin/products/new"),
        ("admin-categories", "/admin/categories"),
        ("admin-categories-new", "/admin/categories/new"),
        ("admin-collections-new", "/admin/collections/new"),
        ("admin-inventory", "/admin/inventory"),
        ("admin-promotions", "/admin/promotions"),
        ("admin-promotions-new", "/admin/promotions/new"),
        ("admin-reviews", "/admin/reviews"),
        ("admin-shipping", "/admin/shipping"),
        ("admin-shipping-new", "/admin/shipping/new"),
        ("admin-taxes", "/admin/taxes"),
        ("admin-staff", "/admin/staff"),
        ("admin-settings", "/admin/settings"),
        ("admin-content", "/admin/content"),
        ("admin-content-new", "/admin/content/new"),
        ("admin-fields", "/admin/fields"),
        ("admin-fields-new", "/admin/fields/new"),
        ("admin-settings-shop", "/admin/settings/shop"),
        ("admin-more", "/admin/more"),
        ("admin-search", "/admin/search"),
    ] {
        b.open(path).await;
        look(name).await;
    }
    for (name, list) in [
        ("admin-customer", "/admin/customers"),
        ("admin-product", "/admin/products"),
        ("admin-category", "/admin/categories"),
        ("admin-promotion", "/admin/promotions"),
        ("admin-shipping-zone", "/admin/shipping"),
        ("admin-content-page", "/admin/content"),
        ("admin-order", "/admin/orders"),
    ] {
        b.open(list).await;
        follow(b, list).await;
        look(name).await;
    }
    let slip = b.attribute("main a[href$='packing-slip']", "href").await;
    collection(b, &look).await;
    b.open("/admin").await;
    for (keys, dialog) in [("?", "keys"), ("/", "palette")] {
        b.press(keys).await;
        b.see(&format!("#{dialog}[open] > *")).await;
        look(&format!("admin-{dialog}")).await;
        b.press(Key::Escape.typed()).await;
        b.gone("dialog[open]").await;
    }
    b.open(&slip).await;
    look("admin-packing-slip").await;
}

/// Puts a collection together.
async fn collection(b: &Browser, look: &impl AsyncFn(&str)) {
    b.open("/admin/collections/new").await;
    b.fill("#f-title", "Gifts").await;
    b.fill("#f-find", "mug").await;
    b.click("[value=find]").await;
    b.click("[value^='add:']").await;
    b.see("[value^='drop:']").await;
    look("admin-collection").await;
    b.click("[name=do][value=save]").await;
    b.arrives("/admin/collections/col_").await;
    b.open("/admin/collections").await;
    look("admin-collections").await;
}

/// Opens the first that a list leads to.
async fn follow(b: &Browser, list: &str) {
    let first = format!("main a[href^='{list}/']:not([href$='/new'])");
    let path = b.attribute(&first, "href").await;
    b.open(&path).await;
}
