# Beschriftungen, die mehrere Formulare teilen.
email = E-Mail
password = Passwort
sign-in = Anmelden

# Was nicht stimmt, nach dem Code des Fehlers.
error-required = Dieses Feld wird gebraucht.
error-invalid-email = Das ist keine E-Mail-Adresse.
error-invalid-credentials = Die E-Mail-Adresse oder das Passwort stimmt nicht.
error-not-staff = Dieses Konto gehört niemandem, der hier arbeitet.
error-rate-limited = Zu viele Versuche. Warten Sie eine Minute und versuchen Sie es noch einmal.
