# Der Rahmen um jede Seite.
skip-to-content = Zum Inhalt springen
announcement = Hinweis
menu = Menü
close = Schließen
main-navigation = Hauptnavigation
search-label = Produkte suchen
search-placeholder = Tassen, Lampen, Hocker suchen
account = Konto
wishlist = Merkzettel
cart = Warenkorb
cart-link = { $count ->
    [0] Warenkorb, leer
    [one] Warenkorb, { $count } Artikel
   *[other] Warenkorb, { $count } Artikel
}
home = Startseite
breadcrumb = Brotkrumen
apply = Anwenden
optional = (freiwillig)
currency = Währung
theme = Darstellung
theme-system = System
theme-light = Hell
theme-dark = Dunkel
preferences = Einstellungen
check-fields = Bitte prüfen Sie diese Felder:
stars-of-five = { $stars } von 5 Sternen

# Fußzeile
foot-shop = Sortiment
foot-help = Hilfe
new-arrivals = Neuheiten
best-sellers = Beliebt
all-categories = Alle Kategorien
delivery = Versand
returns = Rückgabe
track-order = Bestellung verfolgen
contact = Kontakt
terms = AGB
privacy = Datenschutz
imprint = Impressum

# Fehlerseiten
missing-title = Diese Seite gibt es nicht
missing-body = Vielleicht ist sie umgezogen, vielleicht war sie nie hier. Suchen Sie, oder beginnen Sie bei einer Kategorie.
missing-search = Erneut suchen
forbidden-title = Nicht für dieses Konto
forbidden-body = Ihre Rolle erlaubt das nicht. Fragen Sie die Inhaberin oder den Inhaber des Shops.
foreign-form-title = Dieses Formular kam von woanders
foreign-form-body = Zu Ihrer Sicherheit nehmen wir nur Formulare von unseren eigenen Seiten an. Gehen Sie zurück und versuchen Sie es noch einmal.
refused-title = Das hat nicht geklappt
refused-body = Die Anfrage war nicht zu verstehen. Gehen Sie zurück und versuchen Sie es noch einmal.
broken-title = Bei uns ist etwas schiefgegangen
broken-body = Wir haben es vermerkt. Versuchen Sie es gleich noch einmal; Ihr Warenkorb ist sicher.
unavailable-title = Wir sind gleich wieder da
unavailable-body = Der Shop ist gerade überlastet. Versuchen Sie es gleich noch einmal; Ihr Warenkorb ist sicher.
back-home = Zurück zum Shop
request-id = Anfrage
