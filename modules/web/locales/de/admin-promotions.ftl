# Aktionen
promotion = Aktion
promotion-add = Aktion anlegen
promotion-new = Neue Aktion
promotion-unnamed = Ohne Namen
promotion-by-itself = Von selbst, ohne Code
promotion-delete = Aktion löschen
promotion-deleted = Die Aktion wurde gelöscht.
promotion-is-used = Bestellungen nennen diese Aktion. Schalten Sie sie stattdessen aus.
promotions-empty = Hier stehen bald Angebote und Gutscheincodes.
promotion-off = Aus
promotion-ended = Beendet
promotion-scheduled = Geplant
promotion-used-up = Aufgebraucht
promotion-active = Aktiv
promotion-switched-on = Die Aktion ist eingeschaltet.
promotion-switched-off = Die Aktion ist ausgeschaltet.
switch-on = Einschalten
switch-off = Ausschalten
always = Immer
offer-percentage = { $value } % Nachlass
offer-fixed = { $amount } Nachlass
offer-free-shipping = Kostenlose Lieferung
offer-buy-get = { $buy } kaufen, { $get } mit { $value } % Nachlass
kind-percentage = Nachlass in Prozent
kind-fixed = Fester Betrag
kind-free-shipping = Kostenlose Lieferung
kind-buy-x-get-y = Mehr kaufen, weniger zahlen
promotion-offer = Angebot
promotion-scope = Gilt für
promotion-access = Code und Zustand
promotion-limits = Grenzen
promotion-preview = Neu zählen
promotion-reach = { $count ->
    [one] Gilt für { $count } Produkt
   *[other] Gilt für { $count } Produkte
}
promotion-used = { $count ->
    [0] Noch keine Bestellung enthält sie.
    [one] { $count } Bestellung enthält sie.
   *[other] { $count } Bestellungen enthalten sie.
}
promotion-title-hint = Kundinnen und Kunden sehen ihn im Warenkorb.
scope-hint = Ohne Auswahl gilt sie für den ganzen Shop.
products-hint = Adressen einzelner Produkte, durch Kommas getrennt.
code-hint = Leer: Sie gilt von selbst.
combinable-hint = Darf neben anderen Aktionen gelten, die das auch erlauben.
label-offer = Angebot
label-period = Zeitraum
label-used = Benutzt
label-kind = Art
label-percent = Prozent
label-amount = Betrag
label-currency = Währung
label-buy-quantity = Kaufen
label-get-quantity = Dazu
label-minimum = Ab dieser Zwischensumme
label-code = Code
label-enabled = Eingeschaltet
label-combinable = Kombinierbar
label-products = Produkte
label-starts-at = Erster Tag
label-ends-at = Letzter Tag
label-usage-limit = Bestellungen insgesamt
label-usage-limit-per-customer = Bestellungen je E-Mail-Adresse
error-day = Das ist kein Tag.
error-no-product = Es gibt kein Produkt { $slug }.
error-code-taken = Eine andere Aktion hat diesen Code.
