# Bewertungen von Produkten.
reviews = Bewertungen
reviews-of = Bewertungen zu { $title }
reviews-read = { $count ->
    [one] Bewertung lesen
   *[other] { $count } Bewertungen lesen
}
reviews-none = Noch hat niemand dieses Produkt bewertet. Schreiben Sie die erste Bewertung.
reviews-write = Bewertung schreiben
reviews-newest = Neueste
reviews-helpful = Hilfreichste
reviews-highest = Beste
reviews-lowest = Schlechteste
reviews-with-stars = { $stars ->
    [one] { $count } mit 1 Stern
   *[other] { $count } mit { $stars } Sternen
}
reviews-at-least = { $stars ->
    [5] 5 Sterne
   *[other] Ab { $stars } Sternen
}
reviews-show-all = alle anzeigen
reviews-more = Weitere Bewertungen
reviews-verified = Verifizierter Kauf
reviews-nobody = Ehemalige Kundschaft
reviews-picture = Bild { $number } aus der Bewertung
reviews-reply-of = Antwort von { $shop }
reviews-find-helpful = Hilfreich
reviews-report = Melden
reviews-new-one = Gerade ist eine neue Bewertung erschienen.
reviews-voted = Vielen Dank für Ihre Stimme.
reviews-vote-taken-back = Ihre Stimme wurde zurückgenommen.

# Eine schreiben.
reviews-your = Ihre Bewertung zu { $title }
reviews-your-short = Ihre Bewertung
reviews-stars = Wie gefällt es Ihnen?
reviews-stars-given = { $stars ->
    [one] 1 Stern
   *[other] { $stars } Sterne
}
reviews-choose-stars = Wählen Sie einen bis fünf Sterne.
reviews-title = In wenigen Worten
reviews-body = Was sollten andere wissen?
reviews-body-hint = Wie fühlt es sich an, wie nutzen Sie es, was würden Sie ändern?
reviews-send = Bewertung senden
reviews-pending-hint = Wir lesen jede Bewertung, bevor sie erscheint. Gezeigt werden Ihr Vorname und eine Initiale.
reviews-thanks = Vielen Dank. Ihre Bewertung ist jetzt für alle sichtbar.
reviews-thanks-pending = Vielen Dank. Ihre Bewertung erscheint, sobald wir sie gelesen haben.
reviews-delete = Meine Bewertung löschen
reviews-deleted = Ihre Bewertung wurde gelöscht.
reviews-is-pending = Wartet
reviews-is-approved = Veröffentlicht
reviews-is-rejected = Nicht veröffentlicht

# Eine melden.
reviews-report-title = Bewertung melden
reviews-report-reason = Was ist daran nicht in Ordnung?
reviews-report-send = Meldung senden
reviews-reported = Vielen Dank. Wir sehen uns das an.

error-own-review = Das ist Ihre eigene Bewertung.
error-review-exists = Sie haben dieses Produkt bereits bewertet.
