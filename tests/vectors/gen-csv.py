#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""usage: gen-csv.py DIR [COUNT [RUNS]]

Exports of events as 'Get-WinEvent | Export-Csv' writes them, for the tests of
diagnose --from-csv.  The messages are in the manner of Windows in three
languages: event ids, parameters and codes are as they are documented, the
words are ours, since no Windows wrote them.  With COUNT as many files as a
fleet has, each with so many RUNS."""
import pathlib
import sys

TEXT = {  # language: level names, contexts, and (source, id): words
    "en": {
        "levels": {2: "Error", 3: "Warning", 4: "Information"}, "local": "Local system",
        ("AE", 2): "Automatic certificate enrollment for {w} started.",
        ("AE", 3): "Automatic certificate enrollment for {w} completed.",
        ("AE", 4): "Automatic certificate enrollment for {w} is calling the enrollment API.",
        ("AE", 5): "Automatic certificate enrollment for {w} came back from the enrollment API.",
        ("AE", 6): "Automatic certificate enrollment for {w} failed ({c}) {m}.",
        ("AE", 15): "Automatic certificate enrollment for {w} failed to contact the active directory ({c}). {m}",
        ("CSC", 1): "Certificate Services Client has been started successfully.",
        ("CSC", 2): "Certificate Services Client has been stopped.",
        ("CE", 64): "Certificate enrollment for {w} loaded policy from policy server ldap:",
        ("CE", 65): "Certificate enrollment for {w} was authenticated by policy server ldap: (Kerberos)",
        ("CE", 13): "Certificate enrollment for {w} failed to enroll for a {t} certificate with request ID {r} from "
                    "ca1.example.com\\Example CA ({m}. {c}).",
        ("CE", 19): "Certificate enrollment for {w} successfully received a {t} certificate with request ID {r} from "
                    "ca1.example.com\\Example CA.",
        ("CE", 47): "Certificate enrollment for {w} could not enroll for a {t} certificate. A valid certification authority "
                    "cannot be located.",
        ("CE", 57): 'The "Microsoft Platform Crypto Provider" provider was not loaded for {w} because initialization failed.',
        ("CE", 82): "Certificate enrollment for {w} failed in authentication to all urls for enrollment server associated with "
                    "policy id: x for template: {t} ({m}. {c}).",
        ("CE", 21): "Certificate enrollment for {w} is pending for a {t} certificate with request ID {r}.",
    },
    "fr": {
        "levels": {2: "Erreur", 3: "Avertissement", 4: "Information"}, "local": "Système local",
        ("AE", 2): "L’inscription automatique de certificats pour {w} a démarré.",
        ("AE", 3): "L’inscription automatique de certificats pour {w} est terminée.",
        ("AE", 4): "L’inscription automatique de certificats pour {w} appelle l’API d’inscription.",
        ("AE", 5): "L’inscription automatique de certificats pour {w} est revenue de l’API d’inscription.",
        ("AE", 6): "L’inscription automatique de certificats pour {w} a échoué ({c}) {m}.",
        ("AE", 15): "L’inscription automatique de certificats pour {w} n’a pas pu contacter Active Directory ({c}). {m}",
        ("CSC", 1): "Le client des services de certificats a démarré.",
        ("CSC", 2): "Le client des services de certificats a été arrêté.",
        ("CE", 64): "L’inscription de certificats pour {w} a chargé la stratégie du serveur ldap:",
        ("CE", 65): "L’inscription de certificats pour {w} a été authentifiée par le serveur ldap: (Kerberos)",
        ("CE", 13): "L’inscription de certificats pour {w} n’a pas pu obtenir un certificat {t} avec l’ID de demande {r} auprès de "
                    "ca1.example.com\\Example CA ({m}. {c}).",
        ("CE", 19): "L’inscription de certificats pour {w} a reçu un certificat {t} avec l’ID de demande {r}.",
        ("CE", 47): "L’inscription de certificats pour {w} n’a pas pu obtenir un certificat {t} : aucune autorité reconnue.",
    },
    "de": {
        "levels": {2: "Fehler", 3: "Warnung", 4: "Informationen"}, "local": "Lokales System",
        ("AE", 2): "Automatische Zertifikatregistrierung für {w} wurde gestartet.",
        ("AE", 3): "Automatische Zertifikatregistrierung für {w} wurde abgeschlossen.",
        ("AE", 4): "Automatische Zertifikatregistrierung für {w} ruft die Registrierungs-API auf.",
        ("AE", 5): "Automatische Zertifikatregistrierung für {w} ist von der API zurück.",
        ("AE", 6): "Automatische Zertifikatregistrierung für {w} ist fehlgeschlagen ({c}) {m}.",
        ("AE", 15): "Automatische Zertifikatregistrierung für {w} konnte Active Directory nicht erreichen ({c}). {m}",
        ("CSC", 1): "Der Zertifikatdienstclient wurde gestartet.",
        ("CSC", 2): "Der Zertifikatdienstclient wurde beendet.",
        ("CE", 64): "Zertifikatregistrierung für {w}: Richtlinie vom Server ldap: geladen",
        ("CE", 65): "Zertifikatregistrierung für {w} wurde vom Server ldap: authentifiziert (Kerberos)",
        ("CE", 13): "Die Zertifikatregistrierung für {w} konnte kein Zertifikat \"{t}\" mit der Anforderungs-ID {r} von "
                    "ca1.example.com\\Example CA bekommen ({m}. {c}).",
        ("CE", 19): "Die Zertifikatregistrierung für {w} hat ein Zertifikat \"{t}\" mit der Anforderungs-ID {r} erhalten.",
        ("CE", 47): "Die Zertifikatregistrierung für {w} konnte kein Zertifikat \"{t}\" bekommen: keine Zertifizierungsstelle.",
    },
}
CODES = {"0x800706ba": "(WIN32: 1722 RPC_S_SERVER_UNAVAILABLE)", "0x80094012": "(-2146877422 CERTSRV_E_TEMPLATE_DENIED)",
         "0x8007054b": "(WIN32: 1355 ERROR_NO_SUCH_DOMAIN)", "0x80094800": "(-2146875392 CERTSRV_E_UNSUPPORTED_CERT_TYPE)",
         "0x8009480f": "(-2146875377 CERTSRV_E_SUBJECT_DNS_REQUIRED)", "0x80094812": "(-2146875374 CERTSRV_E_SUBJECT_EMAIL_REQUIRED)"}
BEGIN, END = [("AE", 2, 4), ("AE", 4, 4), ("CSC", 1, 4), ("CE", 65, 4), ("CE", 64, 4)], [("AE", 5, 4), ("AE", 3, 4), ("CSC", 2, 4)]
CASES = {  # name: language, day-month-year form, delimiter, encoding, events between, code, newest first
    "unreachable": ("en", "us", ",", "utf-16-le", [("CE", 82, 3), ("CE", 13, 2)], "0x800706ba", True),
    "denied": ("de", "de", ";", "utf-16-le", [("CE", 13, 2)], "0x80094012", True),
    "email": ("fr", "fr", ";", "utf-8-sig", [("CE", 13, 2)], "0x80094812", True),
    "dns": ("en", "us", ",", "utf-16-be", [("CE", 13, 2)], "0x8009480f", False),
    "unpublished": ("fr", "fr", ",", "utf-8", [("CE", 47, 3)], None, True),
    "quiet": ("en", "us", ",", "utf-16-le", [], None, True),
    "quiet-de": ("de", "de", ";", "utf-16-le", [], None, False),
    "pending": ("en", "us", ",", "utf-8", [("CE", 21, 4)], None, True),
    "healthy": ("fr", "fr", ";", "utf-16-le", [("CE", 19, 4)], None, True),
}


def stamp(form, n):
    h, m, s = 8 + n // 3600, n // 60 % 60, n % 60
    if form == "us":
        return f"11/{3 + n // 7200:d}/2026 {h % 12 or 12}:{m:02}:{s:02} {'AM' if h < 12 else 'PM'}"
    return f"0{3 + n // 7200}{'.11.' if form == 'de' else '/11/'}2026 {h:02}:{m:02}:{s:02}"


def message(lang, source, number, code):
    words = TEXT[lang][source, number]
    return words.format(w=TEXT[lang]["local"], t="Workstation", r=17, c=f"{code} {CODES.get(code, '')}", m="-\r\nfailed")


def rows(case, runs):
    lang, form, _, _, between, code, newest_first = case
    out, n = [], 0
    for _ in range(runs):
        for source, number, level in BEGIN + between + END:
            out.append((stamp(form, n), number, TEXT[lang]["levels"][level], message(lang, source, number, code)))
            n += 1
        n += 1800 // runs
    return out[::-1] if newest_first else out


def write(path, case, runs=3):
    delimiter, encoding = case[2], case[3]
    lines = [("TimeCreated", "Id", "LevelDisplayName", "Message"), *rows(case, runs)]
    text = "".join(delimiter.join('"' + str(f).replace('"', '""') + '"' for f in line) + "\r\n" for line in lines)
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    path.write_bytes(mark + text.encode(encoding))


def main():
    where, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    where.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        if not count:
            write(where / f"{name}_ClientEvents.csv", case)
    for i in range(count):
        write(where / f"PC{i:05}_ClientEvents.csv", list(CASES.values())[i % len(CASES)], runs)


if __name__ == "__main__":
    main()
