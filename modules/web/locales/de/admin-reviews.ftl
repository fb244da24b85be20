# Die Prüfung der Bewertungen.
admin-reviews = Bewertungen
reviews-view-pending = Wartend
reviews-view-reported = Gemeldet
reviews-view-approved = Veröffentlicht
reviews-view-rejected = Abgelehnt
reviews-queue-empty = Hier gibt es nichts zu prüfen.
reviews-keys = J und K blättern, A veröffentlicht, R lehnt ab.
reviews-reports = { $count ->
    [one] { $count } Meldung
   *[other] { $count } Meldungen
}
reviews-approve = Veröffentlichen
reviews-keep = Behalten
reviews-reject = Ablehnen
reviews-reason = Grund
reviews-reason-label = Grund (wird der Verfasserin oder dem Verfasser gezeigt)
reviews-reason-off-topic = Es geht nicht um das Produkt.
reviews-reason-abuse = Die Bewertung ist beleidigend.
reviews-reason-advertising = Die Bewertung ist Werbung.
reviews-reason-personal = Die Bewertung verrät zu viel über eine Person.
reviews-reply = Antworten
reviews-reply-label = Öffentliche Antwort (leer: zurücknehmen)
reviews-approved = Die Bewertung ist veröffentlicht.
reviews-rejected = Die Bewertung ist nicht öffentlich.
reviews-reopened = Die Bewertung wartet wieder.
reviews-replied = Die Antwort ist veröffentlicht.
reviews-reply-removed = Die Antwort wurde zurückgenommen.
reviews-hold-links = Führt woandershin
reviews-hold-shouting = Überwiegend Großbuchstaben
reviews-hold-rate = Viele an einem Tag
