# The account
account-overview = Overview
account-orders = Orders
account-addresses = Addresses
account-details = Details
account-hello = Hello, { $name }
account-latest = Latest orders
account-no-orders = You have not ordered anything yet.
account-no-addresses = There is no address yet. The next time you buy it fills in itself.
account-manage = Manage
older-orders = Older orders
units = { $count ->
    [one] { $count } item
   *[other] { $count } items
}
save = Save
cancel = Cancel
verify-pending = Please confirm { $email } by the link in our mail.

# In and out
register-title = New here?
registered = Thank you. We have sent you a mail. Sign in with your new password.
signed-out = You are signed out.
guest-too = Ordered as a guest?
password-forgotten = Forgot your password?
forgot-text = Tell us your e-mail address, and we send you a link for a new password.
forgot-send = Send the link
forgot-sent = Look into your mail
forgot-sent-text = If { $email } has an account, a link is on its way. It works for an hour.
password-current = Current password
password-new = New password
password-hint = At least 8 characters.
password-change = Change password
password-changed = The password is changed. You are signed out everywhere else.
password-set = The new password is set. Sign in with it.
password-set-now = Set password
password-wrong = That is not the current password.
link-used = This link has been used or is too old. Ask for a new one.
verify-title = Confirm your e-mail address
verify-text = One click, and we know that our mail reaches you.
verify-now = Confirm
email-verified = Thank you. Your e-mail address is confirmed.
error-too-short = That is too short.
error-weak-password = Take a password of at least 8 characters that is not easy to guess.

# Addresses
address-new = New address
address-change = Change address
address-saved = The address is saved.
address-deleted = The address is deleted.

# Details
details-you = You
details-saved = Saved.
sessions = Where you are signed in
session-used = Last used { $at }
session-here = This browser
session-ended = That browser is signed out.
session-unknown = Unknown browser
your-data = Your data
your-data-text = Take everything we know about you along, or leave.
data-export = Download as JSON
account-delete = Delete account
account-delete-text = Your name, addresses, sessions and password are erased at once. This cannot be undone.
account-delete-kept = Orders stay without your account, because the law asks shops to keep invoices.
account-delete-now = Delete for good
account-deleted = Your account is deleted.

# Orders
order-title = Order { $number }
order-number = Order number
order-number-hint = It is on the confirmation, such as B-7K2Q-9XM4.
track-text = With the number and your e-mail address you can see any order, also without an account.
track-nothing = We found no order with this number and address.
standing-pending = Not paid yet
standing-cancelled = Cancelled
standing-refunded = Refunded
standing-preparing = In preparation
standing-partly-shipped = Partly on its way
standing-shipped = On its way
standing-delivered = Delivered
standing-returned = Returned
order-progress = How far it is
progress-placed = Ordered
progress-shipped = On its way
progress-delivered = Delivered
cart-lines-bought = What you ordered
line-refunded = { $count ->
    [one] { $count } refunded
   *[other] { $count } refunded
}
parcels = Parcels
order-history = What happened
order-status-placed = Ordered
order-status-cancelled = Cancelled
order-payment-status-captured = Paid
order-payment-status-refunded = Refunded
order-payment-status-partially-refunded = Partly refunded
order-fulfillment-status-partially-shipped = Partly handed to the carrier
order-fulfillment-status-shipped = Handed to the carrier
order-fulfillment-status-delivered = Delivered
order-fulfillment-status-returned = Returned
refunded = Refunded
ships-to = Delivered to
bills-to = Billed to
reorder = Order again
reordered = Everything is in your cart.
reordered-partly = Not available any more: { $titles }
order-cancel = Cancel the order
order-cancelled = The order is cancelled.
order-not-cancellable = This order cannot be cancelled any more.
sessions-end-others = Sign out everywhere else
sessions-ended = You are signed out everywhere else.
verify-again = Send the mail again
verify-sent = The mail is on its way.
order-cancel-pending = The order is being cancelled.
parcel-pending = Packed
parcel-shipped = Handed over
parcel-in-transit = On its way
parcel-delivered = Delivered
payment-waits = The payment waits for your confirmation.
payment-go-on = Confirm it
