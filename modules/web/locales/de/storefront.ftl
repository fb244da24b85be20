# Startseite
home-title = Dinge mit Raum zum Atmen
home-lead = Steinzeug, Leinen, Eiche und Licht für den Alltag. In kleinen Werkstätten gefertigt, sorgsam verschickt.
home-action = Zu den Lieblingsstücken
home-categories = Nach Raum und Zweck
see-all = Alle ansehen
promises = Darauf können Sie sich verlassen
promise-delivery = Ein Datum statt einer Schätzung
promise-delivery-text = Sie sehen den Liefertag, bevor Sie bezahlen.
promise-returns = { $days ->
    [one] Ein Tag Bedenkzeit
   *[other] { $days } Tage Bedenkzeit
}
promise-returns-text = So lange nach der Lieferung nehmen wir alles zurück.
promise-payment = Sicher bezahlt
promise-payment-text = Deine Karte sieht nur der Zahlungsdienst, niemals wir.

# Produkte
products = Produkte
in-stock = Auf Lager
sold-out = Ausverkauft
only-few-left = { $count ->
    [one] Nur noch { $count } Stück
   *[other] Nur noch { $count } Stück
}
only-left = { $count ->
    [one] Nur noch { $count } Stück verfügbar
   *[other] Nur noch { $count } Stück verfügbar
}
price-from-word = ab
price-was = vorher
incl-vat = inkl. MwSt.
save-product = { $title } merken
colours-count = { $count ->
    [one] { $count } Farbe
   *[other] { $count } Farben
}
pictures = Bilder
quantity = Menge
one-fewer = Eins weniger
one-more = Eins mehr
buy = Kaufen
add-to-cart = In den Warenkorb
arrives-on = Ankunft { $day }
arrives-between = Ankunft { $from } bis { $to }
free = kostenlos
description = Beschreibung
details = Einzelheiten
delivery-and-returns = Lieferung und Rückgabe
delivery-and-returns-text = Den Versand wählen Sie an der Kasse und sehen dort das Lieferdatum. Gefällt etwas nicht, schicken Sie es innerhalb von dreißig Tagen zurück.
goes-well-with = Passt gut dazu

# Angaben zu Produkten und Namen der Filter
fact-in-stock = Verfügbarkeit
fact-rating = Bewertung
fact-brand = Marke
fact-colour = Farbe
fact-size = Größe
fact-finish = Oberfläche
fact-glass = Glas
fact-cord-set = Kabelset
fact-pages = Seiten
fact-material = Material
fact-care = Pflege
fact-sku = Artikelnummer
fact-weight = Gewicht
fact-capacity = Inhalt
fact-dimensions = Maße
fact-inner-diameter = Innendurchmesser
fact-candle-max = Kerzen bis
fact-storage = Stauraum
fact-max-load = Trägt bis
fact-burn-time = Brenndauer
fact-power = Leistung
fact-cord = Kabel
fact-battery = Akku
fact-bulb = Leuchtmittel
fact-hooks = Haken
fact-pieces = Teile
fact-speeds = Stufen

# Listen
all = Alle
collections = Kollektionen
sub-categories = In dieser Kategorie
all-products = Alle Produkte
filters = Filter
apply-filters = Filter anwenden
price = Preis
price-min = Niedrigster Preis
price-max = Höchster Preis
price-from = ab { $price }
price-to = bis { $price }
applied-filters = Gewählte Filter
remove-filter = Entfernen
clear-all = Alle entfernen
nothing-matches = Zu diesen Filtern passt nichts.
show-products = { $count ->
    [one] { $count } Produkt zeigen
   *[other] { $count } Produkte zeigen
}
showing = { $shown } von { $total }
show-more = Mehr zeigen
sort-by = Sortieren nach
sort-relevance = Beste Treffer
sort-popular = Beliebteste
sort-newest = Neueste
sort-price = Preis aufsteigend
sort-descending-price = Preis absteigend
sort-rating = Am besten bewertet

# Suche
search-title = Ergebnisse für „{ $q }“
search-all = Alle Ergebnisse für „{ $q }“
search-nothing = Nichts gefunden. Prüfen Sie die Schreibweise, versuchen Sie ein allgemeineres Wort oder beginnen Sie mit einer Kategorie.
search-did-you-mean = Meinten Sie

# Merkzettel und zuletzt Gesehenes
wishlist-shared = Ein geteilter Merkzettel
wishlist-share = Teilen
wishlist-empty = Merken Sie sich mit dem Herz, was Ihnen gefällt. Hier finden Sie es wieder.
link-copied = Link kopiert
recently-viewed = Zuletzt angesehen
recently-viewed-empty = Was Sie ansehen, finden Sie hier wieder.

# Warenkorb
cart-lines = Inhalt Ihres Warenkorbs
cart-empty = Ihr Warenkorb ist leer
cart-empty-text = Das gefällt anderen.
added-to-cart = Liegt in Ihrem Warenkorb.
removed-from-cart = { $title } wurde entfernt.
undo = Rückgängig
update = Ändern
remove = Entfernen
save-for-later = Merken
saved-for-later = { $title } ist auf Ihrem Merkzettel.
quantity-of = Menge von { $title }
take-left = { $count ->
    [one] Das letzte Stück nehmen
   *[other] Die letzten { $count } nehmen
}
summary = Übersicht
subtotal = Zwischensumme
at-checkout = an der Kasse
total = Gesamt
tax = Steuer
including-tax = Enthält { $amount } MwSt.
plus-tax = Zuzüglich Steuer
to-checkout = Zur Kasse
see-cart = Zum Warenkorb
have-code = Haben Sie einen Code?
code = Code
code-applied = Der Code gilt.
free-delivery = Kostenlose Lieferung
free-delivery-missing = Noch { $amount } bis zur kostenlosen Lieferung
free-delivery-reached = Die Lieferung ist kostenlos
