# Labels that several forms share.
email = E-mail
password = Password
sign-in = Sign in

# What is wrong, by the code of the error.
error-required = This is needed.
error-invalid-credentials = The e-mail address or the password is wrong.
error-not-staff = This account does not belong to a member of staff.
error-rate-limited = Too many tries. Wait a minute and try again.
error-too-long = That is too long.
error-out-of-stock = That is sold out.
error-too-many-lines = The cart is full.
error-coupon-expired = This code has expired.
error-coupon-exhausted = This code has been used up.
error-coupon-not-applicable = This code does not apply to this cart.
error-price-changed = A price has changed. Please check the new total.
error-cart-completed = This cart has already been ordered.
error-cart-empty = Your cart is empty.
error-payment-declined = The card was declined. Try another one.
error-insufficient-funds = There is not enough money on the card. Try another one.
error-email = That is not an e-mail address.
error-country = Choose a country.
error-characters = Some characters cannot be used here.
error-out-of-range = That number is not possible.
error-amount-too-large = That is more than one order can hold.
error-unknown-variant = This product is not sold any more.
error-line-unavailable = Something in your cart is not sold any more.
error-not-shippable = We do not deliver to this country yet.
error-shipping-option = This delivery is not offered any more. Choose another one.
error-coupon-unknown = We do not know this code.
error-coupon-minimum = This code needs a larger cart.
error-coupon-not-combinable = This code cannot be combined with the other one.
error-too-many-codes = There are too many codes in this cart.
error-declined = The card was declined. Try another one.
error-authentication-failed = The payment was not confirmed. Try again or take another card.
