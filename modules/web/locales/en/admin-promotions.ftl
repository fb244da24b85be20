# Promotions
promotion = Promotion
promotion-add = Add promotion
promotion-new = New promotion
promotion-unnamed = Without a name
promotion-by-itself = By itself, without a code
promotion-delete = Delete promotion
promotion-deleted = The promotion was deleted.
promotion-is-used = Orders name this promotion. Switch it off instead.
promotions-empty = Offers and coupon codes will be here.
promotion-off = Off
promotion-ended = Ended
promotion-scheduled = Scheduled
promotion-used-up = Used up
promotion-active = Active
promotion-switched-on = The promotion is on.
promotion-switched-off = The promotion is off.
switch-on = Switch on
switch-off = Switch off
always = Always
offer-percentage = { $value } % off
offer-fixed = { $amount } off
offer-free-shipping = Free delivery
offer-buy-get = Buy { $buy }, get { $get } at { $value } % off
kind-percentage = Percent off
kind-fixed = Amount off
kind-free-shipping = Free delivery
kind-buy-x-get-y = Buy some, get some
promotion-offer = Offer
promotion-scope = Applies to
promotion-access = Code and state
promotion-limits = Limits
promotion-preview = Count again
promotion-reach = { $count ->
    [one] Applies to { $count } product
   *[other] Applies to { $count } products
}
promotion-used = { $count ->
    [0] No order holds it yet.
    [one] { $count } order holds it.
   *[other] { $count } orders hold it.
}
promotion-title-hint = Shoppers see it in the cart.
scope-hint = Choose nothing for the whole shop.
products-hint = Addresses of single products, with commas between them.
code-hint = Empty: it applies by itself.
combinable-hint = May stand beside other promotions that also allow it.
label-offer = Offer
label-period = Period
label-used = Used
label-kind = Kind
label-percent = Percent
label-amount = Amount
label-currency = Currency
label-buy-quantity = Buy
label-get-quantity = Get
label-minimum = From this subtotal
label-code = Code
label-enabled = On
label-combinable = Combinable
label-products = Products
label-starts-at = First day
label-ends-at = Last day
label-usage-limit = Orders in all
label-usage-limit-per-customer = Orders per e-mail address
error-day = That is not a day.
error-no-product = There is no product { $slug }.
error-code-taken = Another promotion has this code.
