# Anmeldung für Mitarbeitende.
admin-sign-in = Anmeldung für Mitarbeitende

# Navigation
admin = Verwaltung
admin-overview = Übersicht
admin-orders = Bestellungen
admin-products = Produkte
admin-inventory = Bestand
admin-customers = Kundschaft
admin-grow = Wachsen
admin-promotions = Aktionen
admin-shop = Shop
admin-shipping = Versand
admin-taxes = Steuern
admin-staff = Team
admin-settings = Einstellungen
admin-system = System
admin-more = Mehr
admin-sections = Bereiche
admin-view-store = Shop ansehen
admin-command = Suchen oder Befehl ausführen
admin-keys = Tastatur
sign-out = Abmelden
