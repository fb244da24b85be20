checkout = Checkout
back-to-cart = Back to cart
change = Change
step-contact = Contact
step-address = Address
step-delivery = Delivery
step-payment = Payment
step-review = Review and buy
email-hint = For the confirmation and news of your parcel. Nothing else.
have-account = Have an account?
go-on-address = Continue to address
go-on-delivery = Continue to delivery
go-on-payment = Continue to payment
go-on-review = Continue to review
saved-addresses = Saved addresses
billing-same = Bill to the same address
billing-address = Billing address
no-delivery = We do not deliver to this address yet.
change-address = Change address
choose-delivery = Choose a delivery.
choose-card = Choose how to pay.
cart-needs-you = Something in your cart needs your attention before you can buy.
agree-before = With this order you agree to our
agree-between = and have read the
agree-after = .
buy-now = Place order for

# The test provider's cards
test-payment = This shop takes test cards: no money moves.
card-ok = Card that works
card-ok-text = Pays at once.
card-declined = Card that is declined
card-declined-text = The bank says no.
card-insufficient-funds = Card without cover
card-insufficient-funds-text = There is not enough money on it.
card-3ds = Card with a question
card-3ds-text = The bank asks you to confirm.
card-timeout = Slow card
card-timeout-text = The bank takes longer than we wait.
card-lost-reply = Card with a lost answer
card-lost-reply-text = The bank pays, but its answer never arrives.

# The bank's question
bank-name = Test bank
bank-title = Confirm your payment
bank-text = { $shop } asks for { $amount }.
bank-accept = Confirm
bank-refuse = Refuse
bank-note = A bank would ask you for a code here. This one only asks.

# Afterwards
waiting-title = One moment
waiting-text = We are waiting for the bank’s answer. Nothing is charged twice.
ask-again = Ask again
ask-again-text = It is safe to ask again: the same order is never placed twice.
thanks-title = Thank you
thanks-text = Your order { $number } is in. We have sent the confirmation to { $email }.
see-order = See the order
shop-on = Keep looking around
account-offer = Keep this order in one place
account-offer-text = With an account you see all orders, save addresses and reorder with one click.
account-create = Create an account
