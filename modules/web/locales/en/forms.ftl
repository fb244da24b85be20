# Labels that several forms share.
email = E-mail
password = Password
sign-in = Sign in

# What is wrong, by the code of the error.
error-required = This is needed.
error-invalid-email = That is not an e-mail address.
error-invalid-credentials = The e-mail address or the password is wrong.
error-not-staff = This account does not belong to a member of staff.
error-rate-limited = Too many tries. Wait a minute and try again.
