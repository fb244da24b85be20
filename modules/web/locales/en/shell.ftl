# The frame around every page.
skip-to-content = Skip to content
announcement = Announcement
menu = Menu
close = Close
main-navigation = Main
search-label = Search products
search-placeholder = Search mugs, lamps, stools
account = Account
wishlist = Wishlist
cart = Cart
cart-link = { $count ->
    [0] Cart, empty
    [one] Cart, { $count } item
   *[other] Cart, { $count } items
}
home = Home
breadcrumb = Breadcrumb
apply = Apply
optional = (optional)
currency = Currency
theme = Theme
theme-system = System
theme-light = Light
theme-dark = Dark
preferences = Preferences
check-fields = Please check these fields:
stars-of-five = { $stars } out of 5 stars

# Footer
foot-shop = Shop
foot-help = Help
new-arrivals = New arrivals
best-sellers = Best sellers
all-categories = All categories
delivery = Delivery
returns = Returns
track-order = Track an order
contact = Contact
terms = Terms
privacy = Privacy
imprint = Imprint

# Error pages
missing-title = We could not find that page
missing-body = It may have moved, or it was never here. Search, or start from a category.
missing-search = Search again
forbidden-title = Not for this account
forbidden-body = Your role does not allow this. Ask the owner of the shop.
foreign-form-title = That form came from somewhere else
foreign-form-body = For your safety we only take forms from our own pages. Go back and try again.
refused-title = That did not work
refused-body = The request could not be understood. Go back and try again.
broken-title = Something broke on our side
broken-body = It has been noted. Try again in a moment; your cart is safe.
unavailable-title = We will be right back
unavailable-body = The shop is busy right now. Try again in a moment; your cart is safe.
back-home = Back to the shop
request-id = Request
