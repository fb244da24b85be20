# Home
home-title = Objects with room to breathe
home-lead = Stoneware, linen, oak and light for everyday rooms. Made in small workshops, sent with care.
home-action = See what sells best
home-categories = Shop by room and purpose
see-all = See all
promises = What you can count on
promise-delivery = A date, not a guess
promise-delivery-text = You see the day your parcel arrives before you pay.
promise-returns = { $days ->
    [one] One day to decide
   *[other] { $days } days to decide
}
promise-returns-text = Send it back within that time of its delivery.
promise-payment = Paid safely
promise-payment-text = Your card goes to the payment provider and never to us.

# Products
products = Products
in-stock = In stock
sold-out = Sold out
only-few-left = { $count ->
    [one] Only { $count } left
   *[other] Only { $count } left
}
only-left = { $count ->
    [one] Only { $count } left
   *[other] Only { $count } left
}
price-from-word = from
price-was = before
incl-vat = incl. VAT
save-product = Save { $title }
colours-count = { $count ->
    [one] { $count } colour
   *[other] { $count } colours
}
pictures = Pictures
quantity = Quantity
one-fewer = One fewer
one-more = One more
buy = Buy
add-to-cart = Add to cart
arrives-on = Arrives { $day }
arrives-between = Arrives { $from } to { $to }
free = free
description = Description
details = Details
delivery-and-returns = Delivery and returns
delivery-and-returns-text = You choose the delivery at checkout and see its date there. If it is not right, send it back within thirty days.
goes-well-with = Goes well with

# Facts about products and names of filters
fact-in-stock = Availability
fact-rating = Rating
fact-brand = Brand
fact-colour = Colour
fact-size = Size
fact-finish = Finish
fact-glass = Glass
fact-cord-set = Cord set
fact-pages = Pages
fact-material = Material
fact-care = Care
fact-sku = Item number
fact-weight = Weight
fact-capacity = Holds
fact-dimensions = Dimensions
fact-inner-diameter = Inner diameter
fact-candle-max = Candle up to
fact-storage = Storage
fact-max-load = Carries up to
fact-burn-time = Burns for
fact-power = Power
fact-cord = Cord
fact-battery = Battery
fact-bulb = Bulb
fact-hooks = Hooks
fact-pieces = Pieces
fact-speeds = Speeds

# Lists
all = All
collections = Collections
sub-categories = Within this category
all-products = All products
filters = Filters
apply-filters = Apply filters
price = Price
price-min = Lowest price
price-max = Highest price
price-from = from { $price }
price-to = up to { $price }
applied-filters = Filters in force
remove-filter = Remove
clear-all = Clear all
nothing-matches = Nothing matches these filters.
show-products = { $count ->
    [one] Show { $count } product
   *[other] Show { $count } products
}
showing = { $shown } of { $total }
show-more = Show more
sort-by = Sort by
sort-relevance = Best match
sort-popular = Best sellers
sort-newest = Newest
sort-price = Price, low to high
sort-descending-price = Price, high to low
sort-rating = Best rated

# Search
search-title = Results for “{ $q }”
search-all = All results for “{ $q }”
search-nothing = Nothing found. Check the spelling, try a broader word, or start from a category.
search-did-you-mean = Did you mean

# Wishlist and recently viewed
wishlist-shared = A shared wishlist
wishlist-share = Share
wishlist-empty = Save what you like with the heart and find it here again.
link-copied = Link copied
recently-viewed = Recently viewed
recently-viewed-empty = What you look at will be here.

# Cart
cart-lines = What is in your cart
cart-empty = Your cart is empty
cart-empty-text = Here is what others like.
added-to-cart = Added to your cart.
removed-from-cart = { $title } was removed.
undo = Undo
update = Update
remove = Remove
save-for-later = Save for later
saved-for-later = { $title } is on your wishlist.
quantity-of = Quantity of { $title }
take-left = { $count ->
    [one] Take the last one
   *[other] Take the last { $count }
}
summary = Summary
subtotal = Subtotal
at-checkout = at checkout
total = Total
tax = Tax
including-tax = Including { $amount } VAT
plus-tax = Plus tax
to-checkout = Go to checkout
see-cart = See cart
have-code = Have a code?
code = Code
code-applied = The code is in force.
free-delivery = Free delivery
free-delivery-missing = { $amount } more for free delivery
free-delivery-reached = Delivery is free
