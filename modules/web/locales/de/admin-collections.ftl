# Kollektionen
admin-collections = Kollektionen
collection = Kollektion
collection-add = Kollektion anlegen
collection-new = Neue Kollektion
collection-delete = Kollektion löschen
collection-delete-text = Sie enthält zu viel, um zurückgeholt zu werden: Sie ist endgültig weg. Ihre Produkte bleiben.
collection-deleted = { $title } wurde gelöscht.
collections-empty = Hier stehen Zusammenstellungen von Produkten, quer durch die Kategorien.
collection-empty = Noch sind keine Produkte darin.
collection-slug-hint = Leer: aus dem Titel gebildet. Kleinbuchstaben, Ziffern und Bindestriche. Eine frühere Adresse führt nirgendwohin.
collection-find = Produkte zum Hinzufügen suchen
collection-found = Gefundene Produkte
collection-take = Hinzufügen
collection-added = Ist darin
collection-add-product = { $title } hinzufügen
collection-drop = { $title } entfernen
collection-sort = An diese Plätze setzen
collection-rest = { $count ->
    [one] { $count } weiteres Produkt folgt darauf und bleibt, wo es ist.
   *[other] { $count } weitere Produkte folgen darauf und bleiben, wo sie sind.
}
label-place = Platz
place-of = Platz von { $title }
place-hint = Auch das Speichern setzt sie dorthin.
error-unknown-product = Eines dieser Produkte gibt es nicht mehr.
