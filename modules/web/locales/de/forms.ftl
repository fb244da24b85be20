# Beschriftungen, die mehrere Formulare teilen.
email = E-Mail
password = Passwort
sign-in = Anmelden

# Was nicht stimmt, nach dem Code des Fehlers.
error-required = Dieses Feld wird gebraucht.
error-invalid-credentials = Die E-Mail-Adresse oder das Passwort stimmt nicht.
error-not-staff = Dieses Konto gehört niemandem, der hier arbeitet.
error-rate-limited = Zu viele Versuche. Warten Sie eine Minute und versuchen Sie es noch einmal.
error-too-long = Das ist zu lang.
error-out-of-stock = Das ist ausverkauft.
error-too-many-lines = Der Warenkorb ist voll.
error-coupon-expired = Dieser Code ist abgelaufen.
error-coupon-exhausted = Dieser Code ist aufgebraucht.
error-coupon-not-applicable = Dieser Code gilt nicht für diesen Warenkorb.
error-price-changed = Ein Preis hat sich geändert. Bitte prüfen Sie die neue Summe.
error-cart-completed = Dieser Warenkorb wurde bereits bestellt.
error-cart-empty = Ihr Warenkorb ist leer.
error-payment-declined = Die Karte wurde abgelehnt. Versuchen Sie eine andere.
error-insufficient-funds = Das Guthaben der Karte reicht nicht. Versuchen Sie eine andere.
error-email = Das ist keine E-Mail-Adresse.
error-country = Wählen Sie ein Land.
error-characters = Einige Zeichen sind hier nicht möglich.
error-out-of-range = Diese Zahl ist nicht möglich.
error-amount-too-large = Das ist mehr, als eine Bestellung fassen kann.
error-unknown-variant = Dieses Produkt wird nicht mehr verkauft.
error-line-unavailable = Etwas in Ihrem Warenkorb wird nicht mehr verkauft.
error-not-shippable = In dieses Land liefern wir noch nicht.
error-shipping-option = Diese Lieferung wird nicht mehr angeboten. Wählen Sie eine andere.
error-coupon-unknown = Diesen Code kennen wir nicht.
error-coupon-minimum = Für diesen Code muss der Warenkorb größer sein.
error-coupon-not-combinable = Dieser Code lässt sich nicht mit dem anderen verbinden.
error-too-many-codes = In diesem Warenkorb sind zu viele Codes.
error-declined = Die Karte wurde abgelehnt. Versuchen Sie eine andere.
error-authentication-failed = Die Zahlung wurde nicht bestätigt. Versuchen Sie es erneut oder nehmen Sie eine andere Karte.
