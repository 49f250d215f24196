"""Keys say what their values are: in many spellings and languages, and only where the value may be it."""

# ruff: noqa: RUF001

from __future__ import annotations

import json
import re
import timeit
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codecs.jsontext import Json
from proxy.core.message import Leaf
from proxy.detect.aliases import ABOVE, ENDINGS, LEADS, NUMBERS, PERSONS
from proxy.detect.keys import ENTITIES, KeyFinder, Keys
from proxy.detect.keytriggers import TRIGGERS
from proxy.detect.keywords import NAMES, words
from proxy.detect.recognizer import FLOOR
from tests.detect.clean_payloads import PAYLOADS
from tests.detect.looking import detector

DATA = Path(__file__).parents[3] / "shared" / "data"
finder = KeyFinder()


def entity(path: str, value: str) -> str | None:
    found = finder.find(Leaf(path, value, 0, len(value), 1))
    return found[0].entity if found else None


def found_in(payload: str) -> Iterator[tuple[str, str, str]]:
    for leaf in Json().read(payload.encode()):
        for finding in finder.find(leaf):
            yield finding.entity, leaf.path, leaf.text[finding.start : finding.end]


FOUND = {
    "PERSON": [
        ("$.firstName", "Anna"),
        ("$.first_name", "ANNA"),
        ("$.FirstName", "Jean-Luc"),
        ("$.user.name", "Anna Schmidt"),
        ("$.user.name", "anna schmidt"),
        ("$.customer.name.first", "Anna"),
        ("$.lastname", "O'Neill"),
        ("$.LAST_NAME", "van der Berg"),
        ("$.data.contactName", "Maria Anders"),
        ("$.customerName", "Ana Trujillo"),
        ("$.patientFullName", "Li Wei"),
        ("$.billing_details.name", "Jenny Rosen"),
        ("$.shipping.name", "Jenny Rosen"),
        ("$.cardholderName", "J. R. Smith"),
        ("$.account_holder", "Jane Roe"),
        ("$.emergencyContact.name", "Bob Roe"),
        ("$.vorname", "Jürgen"),
        ("$.nachname", "Müller-Lüdenscheidt"),
        ("$.Familienname", "Özdemir"),
        ("$.kundenVorname", "Uwe"),
        ('$["prénom"]', "Zoé"),
        ("$.prenom", "Zoé"),
        ("$.nom_de_famille", "Dupont"),
        ("$.client.nom", "Dupont"),
        ("$.nomComplet", "Zoé Dupont"),
        ("$.apellidos", "García Márquez"),
        ("$.nombre_completo", "Gabriel García"),
        ("$.usuario.nombre", "Gabriel"),
        ("$.primerApellido", "García"),
        ("$.cognome", "D'Annunzio"),
        ("$.utente.nome", "Gabriele"),
        ("$.sobrenome", "Gonçalves"),
        ("$.nomeCompleto", "João Gonçalves"),
        ("$.achternaam", "de Vries"),
        ("$.voornaam", "Sanne"),
        ("$.nazwisko", "Łukasiewicz"),
        ('$["imię"]', "Łukasz"),
        ("$.imie", "Łukasz"),
        ('$["фамилия"]', "Иванова"),
        ('$["氏名"]', "山田太郎"),
        ('$["姓名"]', "王小明"),
        ("$.efternamn", "Åkesson"),
        ("$.author", "Jane Doe"),
        ("$.assignee", "Jane Doe"),
        ("$.createdBy", "Jane Doe"),
        ("$.participants[1]", "Jane Doe"),
        ("$.passengers[0].name", "Jane Doe"),
        ("$.kundenname", "Uwe Seeler"),
        ("$.patient[0].name[0].family", "Chalmers"),
    ],
    "LOCATION": [
        ("$.street", "221B Baker Street"),
        ("$.address.line1", "1 Hacker Way"),
        ("$.address1", "1 Hacker Way"),
        ("$.billing_address.street_address", "1 Hacker Way"),
        ("$.shippingAddress", "1 Hacker Way, Menlo Park"),
        ("$.addr", "5 rue de la Paix"),
        ("$.city", "Saint-Denis"),
        ("$.address.city", "London"),
        ("$.homeCity", "Łódź"),
        ("$.postal_code", "SW1A 1AA"),
        ("$.zip", "94105-1234"),
        ("$.address.postcode", "1012 AB"),
        ("$.zipCode", "94105"),
        ("$.strasse", "Hauptstraße 5"),
        ('$["straße"]', "Hauptstraße 5"),
        ("$.hausnummer", "12a"),
        ("$.plz", "10115"),
        ("$.wohnort", "Berlin"),
        ("$.ort", "Köln"),
        ("$.anschrift", "Hauptstr. 5, 10115 Berlin"),
        ("$.lieferadresse", "Hauptstr. 5"),
        ("$.adresse", "5 rue de la Paix, Paris"),
        ("$.code_postal", "75002"),
        ("$.ville", "Lyon"),
        ("$.rue", "rue de la Paix"),
        ("$.direccion", "Calle Mayor 3"),
        ("$.codigoPostal", "28013"),
        ("$.ciudad", "Sevilla"),
        ("$.indirizzo", "Via Roma 1"),
        ("$.citta", "Torino"),
        ('$["città"]', "Torino"),
        ("$.endereco", "Rua Augusta 10"),
        ("$.cep", "01310-100"),
        ("$.cidade", "Recife"),
        ("$.woonplaats", "Utrecht"),
        ("$.straatnaam", "Kerkstraat"),
        ("$.kod_pocztowy", "00-950"),
        ("$.miasto", "Gdańsk"),
        ("$.ulica", "ul. Długa 4"),
    ],
    "DATE_OF_BIRTH": [
        ("$.dob", "1980-02-29"),
        ("$.dateOfBirth", "29.02.1980"),
        ("$.date_of_birth", "02/29/1980"),
        ("$.birthDate", "1980-02-29T00:00:00Z"),
        ("$.birthday", "March 5, 1980"),
        ("$.geburtsdatum", "5. März 1980"),
        ("$.dateNaissance", "05/03/1980"),
        ("$.fecha_nacimiento", "05-03-1980"),
        ("$.dataDiNascita", "05/03/1980"),
        ("$.data_nascimento", "1980-03-05"),
        ("$.geboortedatum", "05-03-1980"),
        ("$.data_urodzenia", "1980-03-05"),
        ("$.dob", "19800305"),
        ("$.user.birth.date", "1980-03-05"),
    ],
    "US_SSN": [
        ("$.ssn", "078051120"),
        ("$.socialSecurityNumber", "078-05-1120"),
        ("$.applicant.social_security_number", "078 05 1120"),
    ],
    "NATIONAL_ID": [
        ("$.nationalInsuranceNumber", "QQ123456C"),
        ("$.dni", "12345678Z"),
        ("$.codice_fiscale", "RSSMRA85T10A562S"),
        ("$.codicefiscale", "RSSMRA85T10A562S"),
        ("$.bsn", "123456782"),
        ("$.pesel", "44051401359"),
        ("$.cpf", "123.456.789-09"),
        ("$.personnummer", "811228-9874"),
        ("$.aadhaarNumber", "2341 2341 2346"),
        ("$.numero_securite_sociale", "1 85 05 78 006 084 91"),
        ("$.ausweisnummer", "L01X00T47"),
        ("$.nationalId", "784-1980-1234567-1"),
    ],
    "TAX_ID": [("$.steuerId", "86095742719"), ("$.taxId", "12-3456789")],
    "PASSPORT": [
        ("$.passportNumber", "C01X00T47"),
        ("$.passport.number", "123456789"),
        ("$.reisepassnummer", "C01X00T47"),
        ("$.passport_no", "K1234567"),
    ],
    "DRIVER_LICENSE": [
        ("$.driversLicense", "D1234567"),
        ("$.driver_license_number", "S530-4600-1234"),
        ("$.rijbewijsnummer", "5123456789"),
        ("$.fuehrerscheinnummer", "B072RRE2I55"),
    ],
    "LICENSE_PLATE": [
        ("$.licensePlate", "B-AB 1234"),
        ("$.kennzeichen", "B-AB 1234"),
        ("$.vehicle.license_plate", "7ABC123"),
    ],
    "IBAN_CODE": [("$.iban", "DE89 3704 0044 0532 0130 00")],
    "BANK_ACCOUNT": [
        ("$.bankAccountNumber", "000123456789"),
        ("$.account_number", "12345678"),
        ("$.routingNumber", "021000021"),
        ("$.sort_code", "20-00-00"),
        ("$.kontonummer", "0532013000"),
        ("$.bank.account.number", "12345678"),
    ],
    "CREDIT_CARD": [
        ("$.cardNumber", "4111 1111 1111 1111"),
        ("$.card.number", "4111111111111112"),
        ("$.card-number", "4111111111111112"),
        ("$.pan", "4111111111111112"),
        ("$.kreditkartennummer", "4111111111111112"),
    ],
    "CARD_CODE": [("$.cvv", "123"), ("$.card.cvc", "1234")],
    "PHONE_NUMBER": [
        ("$.phone", "5551234567"),
        ("$.phoneNumber", "(555) 123-4567 ext. 12"),
        ("$.mobile_phone", "+49 170 1234567"),
        ("$.telefon", "030 1234567"),
        ("$.phones[0].number", "5551234567"),
        ("$.contact.phones[0]", "5551234567"),
        ("$.numeroTelephone", "01 23 45 67 89"),
        ("$.celular", "11 91234-5678"),
        ("$.tel", "020 7946 0958"),
        ("$.homePhone", "555-0142-33"),
        ("$.msisdn", "447700900123"),
    ],
    "EMAIL_ADDRESS": [
        ("$.email", "bob@localhost"),
        ("$.emailAddress", "bob@example.org"),
        ("$.emails[1]", "bob@example.org"),
        ("$.emails[1].value", "bob@example.org"),
        ("$.correo_electronico", "bob@example.org"),
    ],
    "IP_ADDRESS": [
        ("$.ip", "192.0.2.1"),
        ("$.clientIp", "192.0.2.1:8080"),
        ("$.remote_addr", "::1"),
        ("$.x-forwarded-for", "192.0.2.1, 10.0.0.1"),
        ("$.ipAddress", "2001:db8::1"),
    ],
    "MAC_ADDRESS": [("$.macAddress", "00-00-5E-00-53-01"), ("$.mac", "00005E005301")],
    "IMEI": [("$.imei", "490154203237518")],
    "MEDICAL_ID": [
        ("$.nhsNumber", "943 476 5919"),
        ("$.insuranceNumber", "A123456780"),
        ("$.medical_record_number", "MRN-0012345"),
        ("$.krankenversichertennummer", "A123456780"),
    ],
    "SECRET": [
        ("$.password", "hunter2!"),
        ("$.userPassword", "correcthorse"),
        ("$.passwd", "letmein1"),
        ("$.passwort", "geheim1"),
        ("$.mot_de_passe", "azerty12"),
        ("$.client_secret", "9f8c7b6a5d4e3f2a1b0c"),
        ("$.apiKey", "k3yAbc9f8c7b6a5d"),
        ("$.api_key", "sk_test_4eC39HqLyjWDarjtT1zdp7dc"),
        ("$.headers.Authorization", "Bearer abc123def456"),
        ("$.headers.authorization", "Basic Ym9iOmh1bnRlcjI="),
        ("$.accessToken", "ya29.a0AfH6SMBx7Q"),
        ("$.access_token", "gho_16C7e42F292c6912E7710c838347Ae178B4a"),
        ("$.refresh_token", "1//0gabcDEF123-xyz"),
        ("$.token", "MTIzNDU2.abcdEFGH.12345xyz"),
        ("$.headers.cookie", "theme=dark; sid=9f8c7b6a5d4e3f2a"),
        ("$.privateKey", "-----BEGIN PRIVATE KEY-----\nMIIEv"),
        ("$.X-Api-Key", "9f8c7b6a5d4e3f2a1b0c"),
        ("$.otp", "482913"),
        ("$.verification_code", "482913"),
        ("$.secret", "JBSWY3DPEHPK3PXP"),
        ("$.db_password", "S3cr3t"),
        ("$.seedPhrase", "abandon ability able about above absent"),
    ],
}


@pytest.mark.parametrize(
    ("expected", "path", "value"), [(name, *case) for name, cases in FOUND.items() for case in cases]
)
def test_a_key_tells_what_its_value_is(expected: str, path: str, value: str) -> None:
    assert entity(path, value) == expected


def test_every_entity_a_key_can_say_is_shown_above() -> None:
    assert ENTITIES - set(FOUND) == {"US_ITIN"}
    assert entity("$.itin", "912-70-1234") == "US_ITIN"


SPELLINGS = """
date_of_birth dateOfBirth DateOfBirth date-of-birth DATE_OF_BIRTH DATE-OF-BIRTH dateofbirth date__of__birth
customerDateOfBirth customer_date_of_birth_1
"""


@pytest.mark.parametrize("key", [*SPELLINGS.split(), "date of birth"])
def test_spelling_does_not_matter(key: str) -> None:
    payload = json.dumps({key: "1980-02-29"})
    assert [found[0] for found in found_in(payload)] == ["DATE_OF_BIRTH"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("clientIPv4Address", ["client", "ipv", "4", "address"]),
        ("HTTPServer2Name", ["http", "server", "2", "name"]),
        ("targetusername", ["target", "username"]),
        ("familynamemale", ["familyname", "male"]),
        ("driver's__license", ["drivers", "license"]),
        ("kundenvorname", ["kunden", "vorname"]),
        ("Prénom", ["prenom"]),
        ("straße", ["strasse"]),
        ("pаssword", ["password"]),
        ("first\u200bname", ["firstname"]),
        ("qwxzkjv", ["qwxzkjv"]),
        ("", []),
    ],
)
def test_keys_are_split_into_words(key: str, expected: list[str]) -> None:
    assert [word.text for word in words(key)] == expected


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_payloads_without_personal_data_are_left_alone(payload: object) -> None:
    assert list(found_in(json.dumps(payload, ensure_ascii=False))) == []


# One or two values for each kind; more of them in tests/detect/plausible.
IMPOSSIBLE = [
    ("$.first_name", "admin"),
    ("$.first_name", "can't be blank"),
    ("$.first_name", "First name"),
    ("$.name", "Anna Schmidt"),
    ("$.product.name", "Mary Jane"),
    ("$.user.name", "darkwolf"),
    ("$.username", "jane_doe99"),
    ("$.author", "Engineering Team"),
    ("$.dob", "2199-01-01"),
    ("$.zip", "gzip"),
    ("$.address", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"),
    ("$.address", "db-1.internal:5432"),
    ("$.server.address", "Main Street 5"),
    ("$.wallet.address", "bc1q ar0s"),
    ("$.host_address", "Main Street 5"),
    ("$.street", "${STREET}"),
    ("$.ssn", "000000000"),
    ("$.card.number", "3"),
    ("$.phone", "iPhone 15"),
    ("$.email", "enabled"),
    ("$.ip", "dynamic"),
    ("$.mac", "Intel"),
    ("$.cvv", "12"),
    ("$.password", "required"),
    ("$.password", "********"),
    ("$.token", "string"),
    ("$.token", "7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13"),
    ("$.token_type", "Bearer"),
    ("$.next_token", "AAAAAG1sdGVzdDEyMzQ1Njc4"),
    ("$.max_tokens", "4096"),
    ("$.authorization", "none"),
    ("$.public_key", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"),
    ("$.city", "is required"),
    ("$.state", "RUN"),
    ("$.country_code", "US"),
    ("$.title", "John Smith"),
    ("$.filename", "John Smith"),
    ("$.event_name", "John Smith"),
    ("$", "John Smith"),
    ("", "John Smith"),
    ("$.first_name~", "Anna"),
]


@pytest.mark.parametrize(("path", "value"), IMPOSSIBLE)
def test_a_value_that_cannot_be_it_is_left_alone(path: str, value: str) -> None:
    assert entity(path, value) is None


def test_white_space_at_the_ends_is_no_part_of_a_value() -> None:
    (found,) = finder.find(Leaf("$.first_name", "  Anna\n", 0, 7, 1))
    assert (found.start, found.end, found.score, found.recognizer) == (2, 6, 0.9, "keys")


def test_a_weak_pattern_is_believed_where_the_key_speaks_of_it() -> None:
    assert "BANK_ACCOUNT" in Keys.hot("$.payout.account")
    assert "CREDIT_CARD" in Keys.hot("$.cards[0].value")
    assert "PHONE_NUMBER" in Keys.hot("$.smsRecipient")
    assert Keys.hot("$.temperature") == frozenset()


PART = st.sampled_from(
    sorted({word for name in NAMES.values() for word in name.words} | PERSONS | ENDINGS | NUMBERS | LEADS)
)
SEPARATOR = st.sampled_from(["", "_", "-", " ", "__", ".", "'s ", "\u00e9"])
CASES = st.sampled_from([str.lower, str.upper, str.title])


@st.composite
def keys(draw: st.DrawFn) -> str:
    parts = draw(
        st.one_of(
            st.lists(PART, min_size=1, max_size=4).map(tuple),
            st.sampled_from(sorted(NAMES)).map(lambda name: NAMES[name].words),
            st.sampled_from(sorted(ABOVE)).map(lambda word: (word,)),
            st.tuples(st.sampled_from(["number", "value", "1", "codes", "name", "names"])),
        )
    )
    change, glue = draw(CASES), draw(SEPARATOR)
    return glue.join(map(change, parts)) + draw(st.sampled_from(["", "s", "es", "_1", "Number", "_value", " no."]))


VALUES = st.sampled_from([case[1] for cases in FOUND.values() for case in cases])
INNER = st.one_of(VALUES, st.lists(VALUES, max_size=2), st.dictionaries(keys(), VALUES, max_size=2))
PATTERNS = [re.compile(trigger, re.IGNORECASE) for trigger in TRIGGERS]


@given(st.dictionaries(keys(), INNER, min_size=1, max_size=3), st.sampled_from([(",", ":"), (", ", " : ")]))
def test_what_keys_say_is_triggered(document: dict[str, object], separators: tuple[str, str]) -> None:
    payload = json.dumps(document, ensure_ascii=False, separators=separators)
    if any(Keys.entity(leaf.path) for leaf in Json().read(payload.encode())):
        assert any(pattern.search(payload) for pattern in PATTERNS)


@given(st.text(max_size=30), st.text(max_size=40), st.text(max_size=40))
def test_no_key_and_no_value_is_too_odd(above: str, key: str, value: str) -> None:
    payload = json.dumps({above: {key: value, "email": value}})
    for leaf in Json().read(payload.encode("utf-8", "replace")):
        for found in finder.find(leaf):
            assert 0 <= found.start < found.end <= len(leaf.text)


def test_a_path_that_was_seen_costs_next_to_nothing() -> None:
    leaf = Leaf("$.data.items[3].price", "12.50", 0, 5, 1)
    finder.find(leaf)
    best = min(timeit.repeat(lambda: finder.find(leaf), number=2_000, repeat=20)) / 2_000
    assert best < 2e-6  # 0.1 us on a quiet machine


HOSTILE = ["<", "1.1.1.1,", "a=1;", "Ab1;x=", "A ", "A-", "1 ", "- ", "{", "a.", "@", "x ext "]


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_value_takes_long_to_be_judged(unit: str) -> None:
    for hint in {Keys.entity(f"$.{'_'.join(name.words)}") for name in NAMES.values()} - {None}:
        assert hint is not None
        value = (unit * hint.longest)[: hint.longest]
        assert min(timeit.repeat(lambda: hint.check(value), number=1, repeat=3)) < 0.02  # noqa: B023


MEANT = {
    "DATE_OF_BIRTH": {"DOB"},
    "TAX_ID": {"US_ITIN"},
    "NATIONAL_ID": {"US_SSN", "US_PASSPORT"},
    "PASSPORT": {"US_PASSPORT"},
    "DRIVER_LICENSE": {"US_DRIVER_LICENSE"},
    "BANK_ACCOUNT": {"US_BANK_NUMBER", "ABA"},
}


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the evaluation data beside the project folder")
def test_on_generated_payloads_keys_find_most_and_little_else() -> None:
    wanted = hit = said = right = 0
    for line in (DATA / "privy_json_payloads.jsonl").read_text().splitlines():
        row = json.loads(line)
        text = row["text"].replace("\n", " ")  # some rows have line breaks in their strings, and are no JSON
        found = [(leaf, f.entity) for leaf in Json().read(text.encode()) for f in finder.find(leaf)]
        gold = [(start, end, kind) for start, end, kind in row["spans"]]
        for start, end, kind in gold:
            wanted += kind is not None
            hit += kind is not None and any(leaf.start <= start and end <= leaf.end for leaf, _ in found)
        for leaf, name in found:
            kinds = {kind for start, end, kind in gold if start < leaf.end and leaf.start < end}
            said += kinds != {None} and name != "SECRET"  # the rows do not mark all secrets
            right += name != "SECRET" and bool(kinds & (MEANT.get(name, {name})))
    assert hit / wanted > 0.95
    assert right / said > 0.98


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the evaluation data beside the project folder")
def test_clean_messages_are_left_alone() -> None:
    lines = (DATA / "clean_frames.jsonl").read_text().splitlines()
    assert [found for line in lines for found in found_in(json.loads(line)["text"])] == []


def test_the_code_of_a_card_is_found_in_a_bare_number_of_three_digits() -> None:
    leaves = Json().read(b'{"cvv": 123, "n": 123}')
    found = detector().find(leaves, frozenset({"CARD_CODE"}), FLOOR)
    assert [leaf.path for leaf, some in zip(leaves, found, strict=True) if some] == ["$.cvv"]
