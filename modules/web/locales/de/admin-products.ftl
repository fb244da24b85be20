# Produkte
product-add = Produkt anlegen
product-new = Neues Produkt
products-search = Titel, Adresse oder Artikelnummer
products-empty = Hier stehen bald Ihre Produkte.
products-none-found = Kein Produkt passt dazu.
every-category = Alle Kategorien
no-categories = Es gibt noch keine Kategorien.
choose-all = Alle auswählen
choose-product = { $title } auswählen
variants-count = { $count ->
    [one] { $count } Variante
   *[other] { $count } Varianten
}
not-counted = nicht gezählt
status-draft = Entwurf
status-published = Veröffentlicht
status-archived = Archiviert
bulk-title = Ausgewählte Produkte
bulk-publish = Veröffentlichen
bulk-draft = Zu Entwürfen machen
bulk-archive = Archivieren
bulk-tag = Schlagwort ergänzen
bulk-category = In Kategorie aufnehmen
bulk-percent = Änderung in Prozent
bulk-price = Preise ändern
bulk-none = Wählen Sie zuerst Produkte aus.
bulk-value = Geben Sie an, was ergänzt oder geändert werden soll.
bulk-done = { $count ->
    [one] { $count } Produkt geändert.
   *[other] { $count } Produkte geändert.
}
bulk-failed = { $done } geändert, { $failed } ließen sich nicht ändern.
undone = Das wurde zurückgenommen.
page-next = Weiter
product-details = Angaben
product-media = Bilder
product-options = Optionen
product-variants = Varianten und Preise
product-seo = In Suchmaschinen
product-facts = Merkmale und Klassen
product-created = Das Produkt ist angelegt.
product-status-now = Das Produkt ist jetzt: { $status }.
saved = Gespeichert.
unsaved = Noch nicht gespeichert
discard-changes = Verwerfen
view-in-shop = Im Shop ansehen
edit-product = Produkt
created = Angelegt
changed = Geändert
subtitle-hint = Eine Zeile für Listen, etwa das Material.
description-hint = Text mit Leerzeilen zwischen den Absätzen oder HTML.
pictures-add = Bilder hinzufügen
pictures-hint = JPEG, PNG, WebP oder GIF, je höchstens 8 MB
pictures-upload = Hochladen
picture-up = Bild { $n } nach oben
picture-down = Bild { $n } nach unten
picture-remove = Bild { $n } entfernen
picture-removed = Das Bild wurde entfernt.
every-variant = Alle Varianten
options-hint = Werte durch Kommas getrennt. Hinter einem Namen darf die Farbe stehen, etwa #c4532d. Neue Werte werden beim Speichern zu Varianten.
option-example = Farbe
values-example = Salbei #8a9a7b, Terrakotta #c4532d
variant-remove = Variante { $sku } entfernen
seo-title-hint = Leer: der Titel.
seo-description-hint = Leer: der Untertitel. Etwa 150 Zeichen werden gezeigt.
slug-hint = Kleinbuchstaben, Ziffern und Bindestriche. Die alte Adresse führt weiter hierher.
tags-hint = Durch Kommas getrennt.
attributes-hint = Eines je Zeile, etwa Material: Steinzeug
tax-class-hint = Etwa standard oder reduced
shipping-class-hint = Etwa parcel oder bulky

# Ein Konflikt
conflict-title = Inzwischen hat jemand anderes dies geändert
conflict-body = Nichts ist verloren: Das Formular enthält noch Ihre Eingaben. Speichern Sie erneut, um den jetzigen Stand zu ersetzen.
conflict-field = Feld
conflict-theirs = Jetzt gespeichert
conflict-yours = Ihre Eingabe
conflict-reload = Meine Eingaben verwerfen und den gespeicherten Stand zeigen

# Felder
label-product = Produkt
label-status = Status
label-visible = Wer es sieht
label-stock = Bestand
label-price = Preis
label-was = Vorher
label-category = Kategorie
label-title = Titel
label-subtitle = Untertitel
label-description = Beschreibung
label-brand = Marke
label-slug = Adresse
label-tag = Schlagwort
label-tags = Schlagwörter
label-attributes = Merkmale
label-tax-class = Steuerklasse
label-shipping-class = Versandklasse
label-seo-title = Titel in Suchmaschinen
label-seo-description = Beschreibung in Suchmaschinen
label-option = Option
label-values = Werte
label-file = Bild
label-alt = Was es zeigt
label-shows = Für
label-id = Variante
label-variant = Variante
label-sku = Artikelnummer
label-barcode = Strichcode
label-weight = Gewicht in g
label-tracked = Gezählt
label-drop = Entfernen

# Was falsch sein kann
error-fact-line = Schreiben Sie jede Zeile als Name: Wert.
error-sku-taken = Diese Artikelnummer gehört zu einem anderen Produkt.
error-slug-taken = Diese Adresse ist bereits vergeben.
error-slug = Nur Kleinbuchstaben, Ziffern und einzelne Bindestriche.
error-duplicate = Das kommt doppelt vor.
error-duplicate-options = Zwei Varianten haben dieselben Optionen.
error-too-many = Das sind zu viele.
error-colour = Schreiben Sie Farben als #c4532d.
error-class = Ein kurzes Wort in Kleinbuchstaben.
error-media-type = Das ist kein Bild, das verwendet werden kann.
error-too-large = Das ist zu groß.
error-unknown-category = Diese Kategorie gibt es nicht mehr.
