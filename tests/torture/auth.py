# SPDX-License-Identifier: GPL-2.0-only
"""AUTH (RFC 4954) at the submission port, and that there is none elsewhere."""
import base64
import hashlib
import hmac
import re

from torture.client import CLOSED, GONE, RESET
from torture.registry import ENDED, NotOffered, TURNED_AWAY, case

NO = f"5|4|{GONE}"
# Seconds for what a password is answered with: it is hashed, and servers hold back who has failed before.
PATIENCE = 40


def coded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def submission(talk, secure=True):
    if not talk.target.submission:
        raise NotOffered("a submission port")
    return talk.open(port=talk.target.submission, secure=secure)


def plain_words(talk, user=None, password=None, authorise=""):
    return coded(f"{authorise}\0{talk.target.user if user is None else user}\0{talk.target.password if password is None else password}")


def owner(talk):
    """From the user's own place, where he has logged in before: the failures of strangers must not lock him out."""
    talk.source = talk.target.user_source or talk.source
    return talk


def logged_in(talk):
    made = submission(owner(talk))
    talk.needs(made, "AUTH")
    talk.expect(made.ask(f"AUTH PLAIN {plain_words(talk)}", PATIENCE), "235", "AUTH")
    return made


def mechanism(talk, name):
    made = submission(talk)
    if name not in made.offers.get("AUTH", []):
        raise NotOffered(name)
    return made


@case("auth", "not offered without TLS", "RFC 4954 4; RFC 8314 3.3", "EHLO on the submission port in plaintext", "no AUTH")
def hidden(talk):
    talk.must("AUTH" not in submission(talk, secure=False).offers, "AUTH is offered")


@case("auth", "refused without TLS", "RFC 4954 4, 6", "AUTH PLAIN with a password in plaintext", "538, 530 or 50x")
def in_plaintext(talk):
    made = submission(talk, secure=False)
    talk.expect(made.ask(f"AUTH PLAIN {plain_words(talk)}"), "5(38|30|0.)", "AUTH")
    talk.expect(made.ask(f"MAIL FROM:<{talk.target.user_sender}>"), "5", "MAIL")


@case("auth", "no challenge without TLS", "RFC 4954 4", "AUTH LOGIN in plaintext", "538, 530 or 50x, no 334")
def no_challenge(talk):
    made = submission(talk, secure=False)
    talk.expect(made.ask("AUTH LOGIN"), "5(38|30|0.)", "AUTH")


@case("auth", "not on port 25", "RFC 6409 4.3", "EHLO and AUTH PLAIN inside TLS on the port for mail from anywhere", "not offered; 5xx")
def on_mx(talk):
    made = talk.open(secure=True)
    talk.must("AUTH" not in made.offers, "AUTH is offered")
    talk.expect(made.ask(f"AUTH PLAIN {plain_words(talk)}"), "5", "AUTH")


@case("auth", "mail without AUTH", "RFC 6409 4.3", "MAIL on the submission port inside TLS", "530")
def without(talk):
    reply = talk.expect(submission(talk).ask(f"MAIL FROM:<{talk.target.user_sender}>"), "5", "MAIL")
    talk.strict(reply.startswith("530"), reply)


@case("auth", "PLAIN", "RFC 4616", "AUTH PLAIN with an initial response, and a mail to anybody", "235; the mail is taken", first=True)
def plain(talk):
    made = logged_in(talk)
    talk.expect(made.ask(f"MAIL FROM:<{talk.target.user_sender}>"), "250", "MAIL")
    talk.expect(made.ask("RCPT TO:<anybody@elsewhere.example>"), "250", "RCPT")
    talk.expect(made.ask("RSET"), "250", "RSET")


@case("auth", "PLAIN after a challenge", "RFC 4954 4", "AUTH PLAIN; the response after 334", "334, 235")
def plain_later(talk):
    made = submission(owner(talk))
    talk.expect(made.ask("AUTH PLAIN"), "334", "AUTH")
    talk.expect(made.ask(plain_words(talk), PATIENCE), "235", "response")


@case("auth", "LOGIN", "draft-murchison-sasl-login", "AUTH LOGIN, user, password", "334, 334, 235")
def login(talk):
    made = mechanism(owner(talk), "LOGIN")
    talk.expect(made.ask("AUTH LOGIN"), "334 VXNlcm5hbWU6", "AUTH")
    talk.expect(made.ask(coded(talk.target.user)), "334 UGFzc3dvcmQ6", "user")
    talk.expect(made.ask(coded(talk.target.password), PATIENCE), "235", "password")


def scram(talk, made, password, spoil=None):
    """An exchange of SCRAM-SHA-256 (RFC 5802); the last reply. `spoil` changes the client's last message."""
    first = f"n={talk.target.user},r=torturenonce"
    reply = talk.expect(made.ask(f"AUTH SCRAM-SHA-256 {coded('n,,' + first)}"), "334", "first message")
    server = base64.b64decode(reply[4:]).decode()
    parts = dict(part.split("=", 1) for part in server.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
    mac = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()
    key = mac(salted, b"Client Key")
    last = f"c={coded('n,,')},r={parts['r']}"
    if spoil:
        last = spoil(last)
    proof = mac(hashlib.sha256(key).digest(), f"{first},{server},{last}".encode())
    last += ",p=" + coded(bytes(left ^ right for left, right in zip(key, proof)))
    reply = made.ask(coded(last), PATIENCE)
    return made.ask("") if reply.startswith("334") else reply


@case("auth", "SCRAM-SHA-256", "RFC 7677", "a whole exchange", "235")
def scram_good(talk):
    talk.expect(scram(talk, mechanism(owner(talk), "SCRAM-SHA-256"), talk.target.password), "235", "last message")


@case("auth", "SCRAM-SHA-256, a wrong password", "RFC 7677", "a whole exchange", "535")
def scram_bad(talk):
    talk.expect(scram(talk, mechanism(talk, "SCRAM-SHA-256"), "wrong"), "535", "last message")


SPOILT = {
    "another nonce": lambda last: last.replace("r=torture", "r=tortura"),
    "the nonce cut": lambda last: last[:-4],
    "another channel binding": lambda last: last.replace("c=biws", "c=eSws"),
}
for title, change in SPOILT.items():
    def spoilt(talk, change=change):
        talk.expect(scram(talk, mechanism(talk, "SCRAM-SHA-256"), talk.target.password, change), "5", "last message")
    case("auth", f"SCRAM-SHA-256, {title}", "RFC 5802 5.1", "an exchange whose last message was changed", "5xx")(spoilt)

FIRST = ["", "n", "n,,", "n,,n=,r=x", "n,,r=x", "p=tls-unique,,n=u,r=x", "n,,n=u=2,r=x", "n,,m=ext,n=u,r=x", "n,a=other,n=u,r=x", "n,,n=u,r=" + "x" * 8000,
         "n,,n=\xff,r=x", "n,,n=u,r=a\0b", "y,,n=u", "n,,n=" + "=2C" * 3000 + ",r=x"]
for number, text in enumerate(FIRST):
    def first_message(talk, text=text):
        made = mechanism(talk, "SCRAM-SHA-256")
        reply = talk.expect(made.ask(f"AUTH SCRAM-SHA-256 {coded(text.encode('latin-1')) or '='}"), f"334|{NO}", "first message")
        if reply.startswith("334"):
            talk.expect(made.ask(coded("c=biws,r=x,p=AAAA")), NO, "last message")
    case("auth", f"SCRAM-SHA-256, first message {number}", "RFC 5802 7", f"{text[:50]!r}", "5xx, at the latest after the last message")(first_message)


WRONG = {
    "cancelled": (["AUTH PLAIN", "*"], "501"),
    "LOGIN cancelled at the user": (["AUTH LOGIN", "*"], "501"),
    "LOGIN cancelled at the password": (["AUTH LOGIN", coded("user"), "*"], "501"),
    "'*' as initial response": (["AUTH PLAIN *"], "50[14]|535"),
    "bad base64": (["AUTH PLAIN !!!!"], "501|535"),
    "bad base64 after a challenge": (["AUTH PLAIN", "A"], "501|535"),
    "base64 with a blank": (["AUTH PLAIN AGEA Yg=="], "501|535|504"),
    "base64 with padding in the middle": (["AUTH PLAIN AG==EAYg=="], "501|535"),
    "initial response '='": (["AUTH PLAIN ="], "501|535"),
    "empty response": (["AUTH PLAIN", ""], "501|535"),
    "no mechanism": (["AUTH"], "50[14]"),
    "unknown mechanism": (["AUTH NONE"], "504|534"),
    "a mechanism that was not offered": (["AUTH CRAM-MD5"], "504|534"),
    "ANONYMOUS": (["AUTH ANONYMOUS Zm9v"], "504|534"),
    "EXTERNAL": (["AUTH EXTERNAL ="], "504|534"),
    "a mechanism of 300 octets": (["AUTH " + "A" * 300], "50[0145]"),
    "PLAIN with one NUL": ([f"AUTH PLAIN {coded('user' + chr(0) + 'password')}"], "501|535"),
    "PLAIN with no NUL": ([f"AUTH PLAIN {coded('userpassword')}"], "501|535"),
    "PLAIN with three NULs": ([f"AUTH PLAIN {coded(chr(0) + 'a' + chr(0) + 'b' + chr(0) + 'c')}"], "501|535"),
    "PLAIN with only NULs": ([f"AUTH PLAIN {coded(chr(0) * 2)}"], "501|535"),
    "PLAIN with an empty password": ([f"AUTH PLAIN {coded(chr(0) + 'user' + chr(0))}"], "501|535"),
    "PLAIN with an empty user": ([f"AUTH PLAIN {coded(chr(0) * 2 + 'password')}"], "501|535"),
    "PLAIN that is no UTF-8": ([f"AUTH PLAIN {coded(chr(0) + 'x' + chr(0)) [:4]}//79"], "501|535"),
    "a password of 8,000 octets": ([f"AUTH PLAIN {coded(chr(0) + 'user' + chr(0) + 'p' * 8000)}"], f"500|501|535|{GONE}"),
    "a user of 5,000 octets": ([f"AUTH PLAIN {coded(chr(0) + 'u' * 5000 + chr(0) + 'p')}"], f"500|501|535|{GONE}"),
    "an initial response of 20,000 octets": (["AUTH PLAIN " + "A" * 20000], f"500|501|535|421|{GONE}"),
    "a response of 20,000 octets": (["AUTH PLAIN", "A" * 20000], f"500|501|535|421|{GONE}"),
    "a response of 1 MB": (["AUTH PLAIN", "A" * (1 << 20)], f"500|501|535|421|{GONE}"),
    "LOGIN with an empty user": (["AUTH LOGIN", "", coded("password")], "501|535"),
    "LOGIN with a NUL in the user": (["AUTH LOGIN", coded("us\0er"), coded("password")], "501|535"),
    "a command in place of a response": (["AUTH PLAIN", "QUIT"], "501|535"),
    "SQL in the user": ([f"AUTH PLAIN {coded(chr(0) + chr(39) + ' OR 1=1 --' + chr(0) + 'x')}"], "535|501"),
}
for title, (lines, pattern) in WRONG.items():
    def wrong(talk, lines=lines, pattern=pattern):
        made = submission(talk)
        talk.needs(made, "AUTH")
        if lines[0] == "AUTH LOGIN" and "LOGIN" not in made.offers["AUTH"]:
            raise NotOffered("LOGIN")
        for line in lines[:-1]:
            reply = talk.expect(made.ask(line), f"334|{pattern}", line[:40])
            if not reply.startswith("334"):
                return
        talk.expect(made.ask(lines[-1], PATIENCE), pattern, lines[-1][:40])
        if not made.over:
            talk.expect(made.ask(f"MAIL FROM:<{talk.target.user_sender}>"), f"5|421|{GONE}", "MAIL afterwards")
    case("auth", title, "RFC 4954 4", " / ".join(line[:40] for line in lines), f"one of {pattern}; nobody is logged in")(wrong)


@case("auth", "one answer for all failures", "RFC 4954 6; OWASP", "a wrong password for the user, a user who does not exist", "the same reply")
def same_answer(talk):
    said = []
    for user in (talk.target.user, "nobody." + talk.token):
        made = submission(talk)
        talk.needs(made, "AUTH")
        said.append(talk.expect(made.ask(f"AUTH PLAIN {plain_words(talk, user, 'wrong')}", PATIENCE), "535", "AUTH"))
    said = [re.sub(r" \(lookup id \w+\)", "", reply) for reply in said]  # of the session, so it always differs
    talk.must(said[0] == said[1], "the replies differ")


@case("auth", "nothing is left of a failed try", "CVE-2025-53859, CVE-2026-27651", "LOGIN with a wrong password, then PLAIN with an empty one", "535, 535 or 501")
def left_over(talk):
    made = mechanism(talk, "LOGIN")
    for line in ("AUTH LOGIN", coded(talk.target.user)):
        talk.expect(made.ask(line), "334", line)
    talk.expect(made.ask(coded("wrong"), PATIENCE), "535", "password")
    talk.expect(made.ask(f"AUTH PLAIN {plain_words(talk, '', '')}", PATIENCE), f"501|535|{GONE}", "AUTH")
    if not made.over:
        talk.expect(made.ask("AUTH LOGIN"), f"334|421|{GONE}", "AUTH")
        if not made.over:
            made.ask("")
            talk.expect(made.ask(coded(talk.target.password), PATIENCE), f"5|421|{GONE}", "password without a user")


@case("auth", "too many failures", "RFC 4954 4; OWASP", "wrong passwords, one after the other", "421 or closed after ten at most", alone=True)
def too_many(talk):
    made = submission(talk)
    talk.needs(made, "AUTH")
    for _ in range(11):
        reply = made.ask(f"AUTH PLAIN {plain_words(talk, 'nobody', 'wrong')}", PATIENCE)
        if reply.startswith("421") or made.over:
            return
        talk.expect(reply, "5|4", "AUTH")
    talk.must(False, "eleven tries")


@case("auth", "twice", "RFC 4954 4", "AUTH after AUTH has succeeded", "503")
def twice(talk):
    talk.expect(logged_in(talk).ask(f"AUTH PLAIN {plain_words(talk)}"), "503", "AUTH")


@case("auth", "in a transaction", "RFC 4954 4", "AUTH, MAIL, AUTH; and MAIL, AUTH", "503")
def in_transaction(talk):
    made = logged_in(talk)
    talk.expect(made.ask(f"MAIL FROM:<{talk.target.user_sender}>"), "250", "MAIL")
    talk.expect(made.ask(f"AUTH PLAIN {plain_words(talk)}"), "503", "AUTH")
    talk.expect(made.ask(f"RCPT TO:<{talk.target.rcpt}>"), "250", "RCPT")
    talk.expect(made.ask("RSET"), "250", "RSET")


@case("auth", "as somebody else", "RFC 4616 2", "PLAIN with another authorization identity", "5xx")
def as_other(talk):
    made = submission(talk)
    talk.expect(made.ask(f"AUTH PLAIN {plain_words(talk, authorise='admin')}", PATIENCE), "5", "AUTH")


@case("auth", "a sender that is not the user's", "RFC 6409 6.1", "AUTH; MAIL with an address of somebody else", "553 or 550, at MAIL or RCPT")
def other_sender(talk):
    made = logged_in(talk)
    if made.ask(f"MAIL FROM:<boss@{talk.target.domain}>")[0] == "2":
        talk.expect(made.ask("RCPT TO:<anybody@elsewhere.example>"), TURNED_AWAY, "RCPT")


@case("auth", "commands behind AUTH", "RFC 2920 3.1; RFC 4954 4", "AUTH PLAIN with its response and MAIL in one segment", "554, and closed")
def behind(talk):
    made = submission(talk)
    made.send(f"AUTH PLAIN {plain_words(talk)}\r\nMAIL FROM:<{talk.target.user_sender}>\r\n")
    found = made.replies(1)
    talk.strict(found[-1] in (CLOSED, RESET) and not any(reply.startswith("250") for reply in found), f"both were answered: {found}")


@case("auth", "EHLO after AUTH", "RFC 4954 3", "AUTH, EHLO, MAIL", "the session stays the user's")
def hello_after(talk):
    made = logged_in(talk)
    talk.hello(made)
    talk.expect(made.ask(f"MAIL FROM:<{talk.target.user_sender}>"), "250", "MAIL")


@case("auth", "closed in the exchange", "RFC 4954 4", "AUTH PLAIN, FIN; AUTH PLAIN with a password, FIN", "the server lives")
def closed(talk):
    for line in ("AUTH PLAIN\r\n", f"AUTH PLAIN {plain_words(talk, 'nobody', 'wrong')}\r\n"):
        made = submission(talk)
        made.send(line)
        made.close()
    talk.alive()


@case("auth", "AUTH= in MAIL is not believed", "RFC 4954 5", "MAIL with AUTH=<admin@own> on port 25, RCPT to anybody", "refused")
def parameter(talk):
    made = talk.open()
    talk.expect(made.ask(f"MAIL FROM:<{talk.sender}> AUTH=admin@{talk.target.domain}"), f"2|{ENDED}", "MAIL")
    talk.expect(made.ask("RCPT TO:<anybody@elsewhere.example>"), TURNED_AWAY, "RCPT")
