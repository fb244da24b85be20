checkout = Kasse
back-to-cart = Zurück zum Warenkorb
change = Ändern
step-contact = Kontakt
step-address = Adresse
step-delivery = Lieferung
step-payment = Zahlung
step-review = Prüfen und kaufen
email-hint = Für die Bestätigung und Nachrichten zu Ihrem Paket. Für nichts anderes.
have-account = Haben Sie ein Konto?
go-on-address = Weiter zur Adresse
go-on-delivery = Weiter zur Lieferung
go-on-payment = Weiter zur Zahlung
go-on-review = Weiter zur Prüfung
saved-addresses = Gespeicherte Adressen
billing-same = Rechnung an dieselbe Adresse
billing-address = Rechnungsadresse
no-delivery = An diese Adresse liefern wir noch nicht.
change-address = Adresse ändern
choose-delivery = Wählen Sie eine Lieferung.
choose-card = Wählen Sie eine Zahlungsart.
cart-needs-you = Etwas in Ihrem Warenkorb braucht Ihre Aufmerksamkeit, bevor Sie kaufen können.
agree-before = Mit Ihrer Bestellung stimmen Sie unseren
agree-between = zu und haben die Hinweise zum
agree-after = {" "}gelesen.
buy-now = Zahlungspflichtig bestellen für

# Karten des Testanbieters
test-payment = Dieser Shop nimmt Testkarten: Es fließt kein Geld.
card-ok = Karte, die funktioniert
card-ok-text = Zahlt sofort.
card-declined = Karte, die abgelehnt wird
card-declined-text = Die Bank sagt Nein.
card-insufficient-funds = Karte ohne Deckung
card-insufficient-funds-text = Das Guthaben reicht nicht.
card-3ds = Karte mit Rückfrage
card-3ds-text = Die Bank bittet um Bestätigung.
card-timeout = Langsame Karte
card-timeout-text = Die Bank braucht länger, als wir warten.
card-lost-reply = Karte mit verlorener Antwort
card-lost-reply-text = Die Bank zahlt, aber ihre Antwort kommt nie an.

# Die Frage der Bank
bank-name = Testbank
bank-title = Zahlung bestätigen
bank-text = { $shop } bittet um { $amount }.
bank-accept = Bestätigen
bank-refuse = Ablehnen
bank-note = Eine Bank würde hier nach einem Code fragen. Diese fragt nur so.

# Danach
waiting-title = Einen Augenblick
waiting-text = Wir warten auf die Antwort der Bank. Nichts wird doppelt abgebucht.
ask-again = Erneut fragen
ask-again-text = Erneut zu fragen ist sicher: Dieselbe Bestellung entsteht nie zweimal.
thanks-title = Vielen Dank
thanks-text = Ihre Bestellung { $number } ist eingegangen. Die Bestätigung haben wir an { $email } geschickt.
see-order = Zur Bestellung
shop-on = Weiter stöbern
account-offer = Diese Bestellung wiederfinden
account-offer-text = Mit einem Konto sehen Sie alle Bestellungen, speichern Adressen und bestellen mit einem Klick nach.
account-create = Konto anlegen
