# SPDX-License-Identifier: GPL-2.0-only
"""Commands that are wrong, odd or out of their place: a table. {own}, {rcpt}, {sender} and {token} are filled in."""
import re

from torture.client import GONE, SILENT
from torture.registry import ENDED, REFUSED, TURNED_AWAY, case

HELLO, MAIL, RCPT = "EHLO", "MAIL", "RCPT"
YES, NO = "2", f"5|4|{GONE}"
EITHER = f"2|{NO}"

# (name, reference, what was said before, line, accepted replies)
ROWS = [
    ("MAIL before EHLO", "RFC 5321 4.1.4", "", "MAIL FROM:<{sender}>", "503"),
    ("RCPT before MAIL", "RFC 5321 3.3", HELLO, "RCPT TO:<{rcpt}>", "503"),
    ("DATA before MAIL", "RFC 5321 3.3", HELLO, "DATA", "503"),
    ("DATA before RCPT", "RFC 5321 3.3", MAIL, "DATA", "503|554"),
    ("BDAT before MAIL", "RFC 3030 2", HELLO, "BDAT 0 LAST", "50[023]"),
    ("MAIL twice", "RFC 5321 4.1.4", MAIL, "MAIL FROM:<{sender}>", "503"),
    ("MAIL after RCPT", "RFC 5321 4.1.4", RCPT, "MAIL FROM:<{sender}>", "503"),
    ("DATA with an argument", "RFC 5321 4.3.2", RCPT, "DATA now", "501|554|503"),
    ("RSET with an argument", "RFC 5321 4.1.1.5", HELLO, "RSET now", "250|501"),
    ("QUIT with an argument", "RFC 5321 4.1.1.10", HELLO, "QUIT now", "221|501"),
    ("NOOP with a text", "RFC 5321 4.1.1.9", HELLO, "NOOP a text", "250"),
    ("small letters", "RFC 5321 2.4", HELLO, "mail from:<{sender}>", YES),
    ("mixed letters", "RFC 5321 2.4", HELLO, "MaIl FrOm:<{sender}>", YES),
    ("blanks at the end", "RFC 5321 4.1.1", HELLO, "MAIL FROM:<{sender}>   ", EITHER),
    ("a blank after the colon", "RFC 5321 3.3", HELLO, "MAIL FROM: <{sender}>", EITHER),
    ("a blank before the colon", "RFC 5321 3.3", HELLO, "MAIL FROM :<{sender}>", EITHER),
    ("two blanks in the command", "RFC 5321 3.3", HELLO, "MAIL  FROM:<{sender}>", EITHER),
    ("a tab in the command", "RFC 5321 4.1.1", HELLO, "MAIL\tFROM:<{sender}>", EITHER),
    ("no brackets", "RFC 5321 4.1.2", HELLO, "MAIL FROM:{sender}", EITHER),
    ("no colon", "RFC 5321 4.1.1.2", HELLO, "MAIL FROM <{sender}>", NO),
    ("MAIL alone", "RFC 5321 4.1.1.2", HELLO, "MAIL", NO),
    ("MAIL FROM: alone", "RFC 5321 4.1.1.2", HELLO, "MAIL FROM:", NO),
    ("MAIL TO", "RFC 5321 4.1.1.2", HELLO, "MAIL TO:<{sender}>", NO),
    ("RCPT FROM", "RFC 5321 4.1.1.3", MAIL, "RCPT FROM:<{rcpt}>", NO),
    ("RCPT alone", "RFC 5321 4.1.1.3", MAIL, "RCPT", NO),
    ("RCPT to nobody", "RFC 5321 4.1.1.3", MAIL, "RCPT TO:<>", NO),
    ("RCPT without a domain", "RFC 5321 2.3.5", MAIL, "RCPT TO:<user>", EITHER),
    ("the null sender", "RFC 5321 4.5.5", HELLO, "MAIL FROM:<>", YES),
    ("the null sender with a blank", "RFC 5321 4.1.2", HELLO, "MAIL FROM:< >", EITHER),
    ("postmaster without a domain", "RFC 5321 4.1.1.3, 4.5.1", MAIL, "RCPT TO:<Postmaster>", YES),
    ("postmaster of the domain", "RFC 5321 4.5.1", MAIL, "RCPT TO:<postmaster@{own}>", YES),
    ("abuse of the domain", "RFC 2142 4", MAIL, "RCPT TO:<abuse@{own}>", YES),
    ("two brackets", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<<{sender}>>", NO),
    ("no closing bracket", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<{sender}", NO),
    ("text behind the bracket", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<{sender}>x", NO),
    ("two addresses", "RFC 5321 4.1.2", MAIL, "RCPT TO:<{rcpt}>,<{rcpt}>", NO),
    ("a display name", "RFC 5321 4.1.2", HELLO, "MAIL FROM:Somebody <{sender}>", EITHER),
    ("a comment", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<a(comment)@{sender}>", NO),
    ("no local part", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<@{own}>", NO),
    ("no domain", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<user@>", NO),
    ("two @", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<a@b@{own}>", NO),
    ("two dots in the domain", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<user@sender..example>", NO),
    ("a dot at the end of the domain", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<{sender}.>", EITHER),
    ("a dot at the beginning", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<.{sender}>", EITHER),
    ("a domain of 300 octets", "RFC 5321 4.5.3.1.2", HELLO, "MAIL FROM:<u@" + "a." * 150 + "example>", NO),
    ("a label of 64 octets", "RFC 1035 2.3.4", HELLO, "MAIL FROM:<u@" + "a" * 64 + ".example>", NO),
    ("a local part of 64 octets", "RFC 5321 4.5.3.1.1", HELLO, "MAIL FROM:<" + "a" * 64 + "@{sender_domain}>", YES),
    ("a local part of 400 octets", "RFC 5321 4.5.3.1.1", HELLO, "MAIL FROM:<" + "a" * 400 + "@{sender_domain}>", EITHER),
    ("a quoted local part", "RFC 5321 4.1.2", HELLO, 'MAIL FROM:<"a b"@{sender_domain}>', EITHER),
    ("a quoted local part with brackets", "RFC 5321 4.1.2", HELLO, 'MAIL FROM:<"a>b<c"@{sender_domain}>', EITHER),
    ("a quoted local part that is not ended", "RFC 5321 4.1.2", HELLO, 'MAIL FROM:<"ab@{sender_domain}>', NO),
    ("a source route", "RFC 5321 C", HELLO, "MAIL FROM:<@a.example,@b.example:{sender}>", EITHER),
    ("an address literal", "RFC 5321 4.1.3", HELLO, "MAIL FROM:<user@[192.0.2.1]>", EITHER),
    ("an address literal that is none", "RFC 5321 4.1.3", HELLO, "MAIL FROM:<user@[192.0.2.256]>", NO),
    ("an IPv6 literal that is none", "RFC 5321 4.1.3", HELLO, "MAIL FROM:<user@[IPv6:::zz]>", NO),
    ("a control octet in the address", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<a\x01b@{sender_domain}>", NO),
    ("NUL in the address", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<a\0b@{sender_domain}>", NO),
    ("NUL behind the address", "RFC 5321 4.1.2", MAIL, "RCPT TO:<{rcpt}>\0", NO),
    ("a CR in the address", "RFC 5321 2.3.8", HELLO, "MAIL FROM:<a\rb@{sender_domain}>", NO),
    ("a CR at the end", "RFC 5321 2.3.8", HELLO, "NOOP\r", NO),
    ("UTF-8 without SMTPUTF8", "RFC 6531 3.4", HELLO, "MAIL FROM:<b\xc3\xbccher@{sender_domain}>", NO),
    ("a UTF-8 recipient without SMTPUTF8", "RFC 6531 3.4", MAIL, "RCPT TO:<b\xc3\xbccher@{own}>", NO),
    ("octets that are no UTF-8, with SMTPUTF8", "RFC 6531 3.3", HELLO, "MAIL FROM:<b\xff\xfe@{sender_domain}> SMTPUTF8", NO),
    ("an overlong form of UTF-8", "RFC 3629 3", HELLO, "MAIL FROM:<b\xc0\xaf@{sender_domain}> SMTPUTF8", NO),
    ("an unknown parameter", "RFC 5321 4.1.1.11", HELLO, "MAIL FROM:<{sender}> WRONG=yes", "555|501|504"),
    ("a parameter without a name", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<{sender}> =x", NO),
    ("a parameter of RCPT at MAIL", "RFC 3461 4.1", HELLO, "MAIL FROM:<{sender}> NOTIFY=NEVER", NO),
    ("a parameter of MAIL at RCPT", "RFC 1870 5", MAIL, "RCPT TO:<{rcpt}> SIZE=1", NO),
    ("an unknown parameter of RCPT", "RFC 5321 4.1.1.11", MAIL, "RCPT TO:<{rcpt}> WRONG=yes", NO),
    ("SIZE that is no number", "RFC 1870 5", HELLO, "MAIL FROM:<{sender}> SIZE=ten", NO),
    ("SIZE below zero", "RFC 1870 5", HELLO, "MAIL FROM:<{sender}> SIZE=-1", NO),
    ("SIZE without a value", "RFC 1870 5", HELLO, "MAIL FROM:<{sender}> SIZE=", NO),
    ("SIZE over the limit", "RFC 1870 6.1", HELLO, "MAIL FROM:<{sender}> SIZE=99999999999", "552|452"),
    ("SIZE over 64 bits", "RFC 1870 5", HELLO, "MAIL FROM:<{sender}> SIZE=18446744073709551617", NO),
    ("SIZE of 40 digits", "RFC 1870 5", HELLO, "MAIL FROM:<{sender}> SIZE=" + "9" * 40, NO),
    ("SIZE twice", "RFC 5321 4.1.1.11", HELLO, "MAIL FROM:<{sender}> SIZE=1 SIZE=2", EITHER),
    ("BODY=8BITMIME", "RFC 6152 2", HELLO, "MAIL FROM:<{sender}> BODY=8BITMIME", YES),
    ("BODY=BINARYMIME", "RFC 3030 3", HELLO, "MAIL FROM:<{sender}> BODY=BINARYMIME", NO),
    ("BODY=nonsense", "RFC 6152 2", HELLO, "MAIL FROM:<{sender}> BODY=9BIT", NO),
    ("RET=nonsense", "RFC 3461 4.3", HELLO, "MAIL FROM:<{sender}> RET=ALL-OF-IT", NO),
    ("ENVID that is no xtext", "RFC 3461 4.4", HELLO, "MAIL FROM:<{sender}> ENVID=a+zz", EITHER),
    ("ENVID with a line's end", "RFC 3461 4.4", HELLO, "MAIL FROM:<{sender}> ENVID=a+0D+0Ab", EITHER),
    ("NOTIFY=NEVER,SUCCESS", "RFC 3461 4.1", MAIL, "RCPT TO:<{rcpt}> NOTIFY=NEVER,SUCCESS", NO),
    ("NOTIFY=nonsense", "RFC 3461 4.1", MAIL, "RCPT TO:<{rcpt}> NOTIFY=ALWAYS", NO),
    ("ORCPT without a type", "RFC 3461 4.2", MAIL, "RCPT TO:<{rcpt}> ORCPT=user", EITHER),
    ("parameters of 3,000 octets", "RFC 5321 4.5.3.1.4", HELLO, "MAIL FROM:<{sender}> ENVID=" + "a" * 3000, NO),
    ("an empty line", "RFC 5321 4.2.4", HELLO, "", NO),
    ("blanks alone", "RFC 5321 4.2.4", HELLO, "   ", NO),
    ("an unknown command", "RFC 5321 4.2.4", HELLO, "FROBNICATE", "50[02]"),
    ("a command of one letter", "RFC 5321 4.2.4", HELLO, "Q", "50[02]"),
    ("a command that begins like another", "RFC 5321 4.2.4", HELLO, "DATAX", "50[02]"),
    ("a command cut", "RFC 5321 4.2.4", HELLO, "QUI", "50[02]"),
    ("8-bit octets as a command", "RFC 5321 2.4", HELLO, "\xff\xfe\xfd", NO),
    ("a format string", "RFC 5321 4.2.4", HELLO, "%n%s%x%p", "50[02]|221"),
    ("a format string as a sender", "RFC 5321 4.1.2", HELLO, "MAIL FROM:<%n%s%n@{sender_domain}>", EITHER),
    ("VRFY", "RFC 5321 3.5.3, 7.3", HELLO, "VRFY {rcpt}", "252|502|55.|500"),
    ("VRFY of nobody", "RFC 5321 3.5.3", HELLO, "VRFY nobody.{token}", "252|50[012]|55."),
    ("VRFY without a name", "RFC 5321 4.1.1.6", HELLO, "VRFY", "252|50."),
    ("EXPN", "RFC 5321 7.3", HELLO, "EXPN all", "502|55.|500|252"),
    ("HELP", "RFC 5321 4.1.1.8", HELLO, "HELP", "21[14]|502|500"),
    ("ETRN", "RFC 1985", HELLO, "ETRN elsewhere.example", NO),
    ("TURN", "RFC 5321 F.1", HELLO, "TURN", "50[02]"),
    ("ATRN", "RFC 2645", HELLO, "ATRN {own}", NO),
    ("SEND", "RFC 5321 F.6", HELLO, "SEND FROM:<{sender}>", "50[02]"),
    ("SOML", "RFC 5321 F.6", HELLO, "SOML FROM:<{sender}>", "50[02]"),
    ("DEBUG", "CVE-1999-0095", HELLO, "DEBUG", "50[02]"),
    ("WIZ", "CVE-1999-0145", HELLO, "WIZ", "50[02]"),
    ("BURL", "RFC 4468", RCPT, "BURL imap://elsewhere.example/x LAST", NO),
    ("a program as a recipient", "CVE-1999-0203", MAIL, "RCPT TO:<|/bin/sh>", NO),
    ("a file as a recipient", "CVE-1999-0096", MAIL, "RCPT TO:</etc/passwd>", NO),
    ("a program as a sender", "CVE-1999-0203", HELLO, "MAIL FROM:<|/bin/sh>", NO),
    ("an expansion in the recipient", "CVE-2019-10149", MAIL, "RCPT TO:<${{run{{id}}}}@{own}>", EITHER),
    ("a recipient that is an option", "CVE-2016-10033", MAIL, "RCPT TO:<-oQ/tmp@{own}>", EITHER),
]


def row(name, reference, before, line, pattern):
    def run(talk):
        target = talk.target
        made = talk.open(hello="EHLO" if before else "")
        if before == MAIL:
            talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), "250", "MAIL")
        elif before == RCPT:
            talk.ready(made)
        words = dict(own=target.domain, rcpt=target.rcpt, sender=talk.sender, sender_domain=target.sender, token=talk.token)
        text = line.format(**words) if "{" in line else line
        reply = made.ask(text.encode("latin-1"))
        if reply[0] != "2":  # letting a mistake pass is no crime
            talk.expect(reply, pattern, text[:60])
        talk.must(not any(ord(octet) < 32 or ord(octet) == 127 for octet in reply), "control octets in the reply")
        if not made.over and not reply.startswith(("221", "354")):
            talk.expect(made.ask("QUIT"), f"221|{ENDED}", "QUIT: one answer to one line?")
        talk.strict(re.match(pattern, reply), f"{reply[:100]!r}, not {pattern}")
    shown = line[:60].replace("{{", "{").replace("}}", "}")
    case("dialogue", name, reference, f"{before or 'greeting'}; {shown!r}", f"one of {pattern}; one answer")(run)


for entry in ROWS:
    row(*entry)


@case("dialogue", "8-bit text with BODY=8BITMIME", "RFC 6152 3", "a text of octets from 128 on", "delivered once, octet for octet")
def eight_bit(talk):
    made = talk.open()
    talk.needs(made, "8BITMIME")
    talk.data(made, parameters=" BODY=8BITMIME")
    talk.deliver(made, bytes(range(128, 256)) + b"\r\n")


@case("dialogue", "UTF-8 addresses with SMTPUTF8", "RFC 6531 3.1", "MAIL and RCPT with UTF-8", "delivered once, or the recipient is refused")
def utf8(talk):
    made = talk.open()
    talk.needs(made, "SMTPUTF8")
    talk.expect(made.ask(f"MAIL FROM:<bücher.{talk.sender}> SMTPUTF8 BODY=8BITMIME"), "250", "MAIL")
    if talk.expect(made.ask(f"RCPT TO:<bücher@{talk.target.domain}>"), "250|55", "RCPT")[0] == "5":
        return
    talk.expect(made.ask("DATA"), "354", "DATA")
    talk.deliver(made, b"text\r\n")


@case("dialogue", "parameters after HELO", "RFC 5321 2.2.1, 4.1.1.1", "HELO; MAIL with SIZE", "refused, or taken")
def helo_parameters(talk):
    made = talk.open(hello="HELO")
    talk.expect(made.ask(f"MAIL FROM:<{talk.sender}> SIZE=100"), EITHER, "MAIL")


@case("dialogue", "a mail after HELO", "RFC 5321 2.2.1", "HELO, MAIL, RCPT, DATA", "delivered once")
def helo_mail(talk):
    talk.deliver(talk.data(talk.open(hello="HELO")), b"text\r\n")


@case("dialogue", "commands that end in LF", "RFC 5321 2.3.8", "MAIL LF", "an error, or no answer")
def bare_commands(talk):
    made = talk.open()
    made.send(f"MAIL FROM:<{talk.sender}>\n")
    talk.strict(re.match(f"{REFUSED}|{SILENT}|{GONE}", made.reply(1)), "MAIL with LF was taken")


@case("dialogue", "a LF in a command", "RFC 5321 2.3.8", "NOOP LF MAIL FROM: CRLF as one line", "not two answers with 2xx")
def two_in_one(talk):
    made = talk.open()
    made.send(f"NOOP\nMAIL FROM:<{talk.sender}>\r\n")
    found = [made.reply(1), made.reply(0.3)]
    talk.must(sum(reply[0] == "2" for reply in found) <= 1, f"{found}")


@case("dialogue", "RSET forgets", "RFC 5321 4.1.1.5", "MAIL, RCPT, RSET, DATA", "503")
def rset(talk):
    made = talk.ready(talk.open())
    talk.expect(made.ask("RSET"), "250", "RSET")
    talk.expect(made.ask("DATA"), "503|554", "DATA")


@case("dialogue", "one recipient of three", "RFC 5321 3.3", "a good recipient among two at other domains", "550, 250, 550; delivered once")
def mixed(talk):
    made = talk.open()
    talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), "250", "MAIL")
    for to, code in (("a@elsewhere.example", TURNED_AWAY), (talk.target.rcpt, "250"), ("b@elsewhere.example", TURNED_AWAY)):
        talk.expect(made.ask(f"RCPT TO:<{to}>"), code, to)
    talk.expect(made.ask("DATA"), "354", "DATA")
    talk.deliver(made, b"text\r\n")


@case("dialogue", "QUIT in a transaction", "RFC 5321 4.1.1.10", "MAIL, RCPT, QUIT", "221; nothing arrives")
def quit_early(talk):
    talk.expect(talk.ready(talk.open()).ask("QUIT"), "221", "QUIT")
    talk.arrives(0)
