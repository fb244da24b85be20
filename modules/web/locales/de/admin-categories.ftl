# Kategorien
admin-categories = Kategorien
category-add = Kategorie anlegen
category-new = Neue Kategorie
category-delete = Kategorie löschen
category-deleted = { $title } wurde gelöscht.
category-root = Ganz oben
category-picture = Bild
category-picture-choose = Bild auswählen
category-slug-hint = Leer: aus dem Titel gebildet. Kleinbuchstaben, Ziffern und Bindestriche.
label-order = Reihenfolge
label-parent-id = Unter
move-up = { $title } nach oben
move-down = { $title } nach unten
error-cycle = Eine Kategorie kann nicht unter sich selbst stehen.
error-category-not-empty = Darin liegt noch etwas. Verschieben Sie das zuerst.
