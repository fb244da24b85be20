# Das Konto
account-overview = Übersicht
account-orders = Bestellungen
account-addresses = Adressen
account-details = Angaben
account-hello = Guten Tag, { $name }
account-latest = Letzte Bestellungen
account-no-orders = Sie haben noch nichts bestellt.
account-no-addresses = Noch ist keine Adresse gespeichert. Beim nächsten Kauf füllt sie sich von selbst.
account-manage = Verwalten
older-orders = Ältere Bestellungen
units = { $count ->
    [one] { $count } Artikel
   *[other] { $count } Artikel
}
save = Speichern
cancel = Abbrechen
verify-pending = Bitte bestätigen Sie { $email } über den Link in unserer E-Mail.

# Anmelden und abmelden
register-title = Neu hier?
registered = Vielen Dank. Wir haben Ihnen eine E-Mail geschickt. Melden Sie sich mit Ihrem neuen Passwort an.
signed-out = Sie sind abgemeldet.
guest-too = Als Gast bestellt?
password-forgotten = Passwort vergessen?
forgot-text = Nennen Sie uns Ihre E-Mail-Adresse, und wir schicken Ihnen einen Link für ein neues Passwort.
forgot-send = Link schicken
forgot-sent = Sehen Sie in Ihr Postfach
forgot-sent-text = Wenn es zu { $email } ein Konto gibt, ist ein Link unterwegs. Er gilt eine Stunde.
password-current = Derzeitiges Passwort
password-new = Neues Passwort
password-hint = Mindestens 8 Zeichen.
password-change = Passwort ändern
password-changed = Das Passwort ist geändert. Überall sonst sind Sie abgemeldet.
password-set = Das neue Passwort gilt. Melden Sie sich damit an.
password-set-now = Passwort festlegen
password-wrong = Das ist nicht das derzeitige Passwort.
link-used = Dieser Link wurde schon benutzt oder ist zu alt. Fordern Sie einen neuen an.
verify-title = E-Mail-Adresse bestätigen
verify-text = Ein Klick, und wir wissen, dass unsere E-Mails Sie erreichen.
verify-now = Bestätigen
email-verified = Vielen Dank. Ihre E-Mail-Adresse ist bestätigt.
error-too-short = Das ist zu kurz.
error-weak-password = Nehmen Sie ein Passwort mit mindestens 8 Zeichen, das nicht leicht zu erraten ist.

# Adressen
address-new = Neue Adresse
address-change = Adresse ändern
address-saved = Die Adresse ist gespeichert.
address-deleted = Die Adresse ist gelöscht.

# Angaben
details-you = Sie
details-saved = Gespeichert.
sessions = Wo Sie angemeldet sind
session-used = Zuletzt benutzt { $at }
session-here = Dieser Browser
session-ended = Dieser Browser ist abgemeldet.
session-unknown = Unbekannter Browser
your-data = Ihre Daten
your-data-text = Nehmen Sie alles mit, was wir von Ihnen wissen, oder gehen Sie.
data-export = Als JSON herunterladen
account-delete = Konto löschen
account-delete-text = Name, Adressen, Anmeldungen und Passwort werden sofort gelöscht. Das lässt sich nicht rückgängig machen.
account-delete-kept = Bestellungen bleiben ohne Ihr Konto bestehen, weil das Gesetz die Aufbewahrung von Rechnungen verlangt.
account-delete-now = Endgültig löschen
account-deleted = Ihr Konto ist gelöscht.

# Bestellungen
order-title = Bestellung { $number }
order-number = Bestellnummer
order-number-hint = Sie steht in der Bestätigung, zum Beispiel B-7K2Q-9XM4.
track-text = Mit der Nummer und Ihrer E-Mail-Adresse sehen Sie jede Bestellung, auch ohne Konto.
track-nothing = Zu dieser Nummer und Adresse haben wir keine Bestellung gefunden.
standing-pending = Noch nicht bezahlt
standing-cancelled = Storniert
standing-refunded = Erstattet
standing-preparing = In Vorbereitung
standing-partly-shipped = Teilweise unterwegs
standing-shipped = Unterwegs
standing-delivered = Zugestellt
standing-returned = Zurückgegeben
order-progress = Stand der Bestellung
progress-placed = Bestellt
progress-shipped = Unterwegs
progress-delivered = Zugestellt
cart-lines-bought = Was Sie bestellt haben
line-refunded = { $count ->
    [one] { $count } erstattet
   *[other] { $count } erstattet
}
parcels = Pakete
order-history = Verlauf
order-status-placed = Bestellt
order-status-cancelled = Storniert
order-payment-status-captured = Bezahlt
order-payment-status-refunded = Erstattet
order-payment-status-partially-refunded = Teilweise erstattet
order-fulfillment-status-partially-shipped = Teilweise an den Zusteller übergeben
order-fulfillment-status-shipped = An den Zusteller übergeben
order-fulfillment-status-delivered = Zugestellt
order-fulfillment-status-returned = Zurückgegeben
refunded = Erstattet
ships-to = Geliefert an
bills-to = Rechnung an
reorder = Noch einmal bestellen
reordered = Alles liegt in Ihrem Warenkorb.
reordered-partly = Nicht mehr erhältlich: { $titles }
order-cancel = Bestellung stornieren
order-cancelled = Die Bestellung ist storniert.
order-not-cancellable = Diese Bestellung kann nicht mehr storniert werden.
sessions-end-others = Überall sonst abmelden
sessions-ended = Überall sonst sind Sie abgemeldet.
verify-again = E-Mail erneut senden
verify-sent = Die E-Mail ist unterwegs.
order-cancel-pending = Die Bestellung wird storniert.
parcel-pending = Gepackt
parcel-shipped = Übergeben
parcel-in-transit = Unterwegs
parcel-delivered = Zugestellt
payment-waits = Die Zahlung wartet auf Ihre Bestätigung.
payment-go-on = Bestätigen
