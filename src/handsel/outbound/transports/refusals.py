"""What a mail server's refusals mean: for good or for now, about one mail or about us."""

import smtplib
import socket
import ssl

# "Log in first" and its kin (RFC 4954, 6): about us, whoever the mail is for.
_ABOUT_LOG_IN = frozenset({530, 534, 535, 538})
# Gmail's "daily sending limit" comes as 550 and passes within a day.
_QUOTA = "5.4.5"


def reply(error: Exception) -> tuple[int, str]:
    """Give the server's code and words; code 0 when it did not speak."""
    said: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    else:
        return 0, str(error) or type(error).__name__
    return code, said.decode(errors="replace") if isinstance(said, bytes) else said


def is_for_good(error: Exception) -> bool:
    """Say whether the server will never take this mail, or never for this recipient."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return False
    code, words = reply(error)
    return 500 <= code <= 599 and not is_about_us(error) and _QUOTA not in words


def is_about_one(error: Exception) -> bool:
    """Say whether others may still be taken: 421 means that the server leaves."""
    about = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
    return about and reply(error)[0] != 421 and not is_about_us(error)


def is_about_us(error: Exception) -> bool:
    """Say whether the seller's configuration is refused, not this buyer's mail."""
    code, _ = reply(error)
    return code in _ABOUT_LOG_IN or (
        isinstance(error, smtplib.SMTPSenderRefused) and code >= 500
    )


def what_to_check(error: Exception) -> str:
    """Say which setting to look at."""
    code, _ = reply(error)
    if isinstance(error, smtplib.SMTPAuthenticationError) or code in _ABOUT_LOG_IN:
        return (
            "Check mail.user and mail.password; many providers want a password made "
            "for apps, not the one you log in with."
        )
    if isinstance(error, smtplib.SMTPSenderRefused):
        return (
            "Check mail.from, and mail.bounces if it is set: the server must know both "
            "as addresses of mail.user."
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "Check mail.host: it must be the name in the server's certificate. For a "
            "certificate of your own authority, set SSL_CERT_FILE."
        )
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return "Check mail.security and mail.port: 587 is for starttls, 465 for tls."
    if isinstance(error, socket.gaierror | UnicodeError):
        return "Check mail.host: there is no machine of that name."
    return (
        "Check mail.host, mail.port and mail.security (587 is for starttls, 465 for "
        "tls), and that this machine may call out."
    )
