"""People as their countries write them, by faker: names, streets, birthdays, numbers of documents.

Only under keys that say what they are: whether a language model finds names in prose is measured on texts that
others wrote (presidio-research's synthetic set), not on ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from faker import Faker

from benchmarks.corpus.ids import Ids
from benchmarks.corpus.values import Need, Value

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "hu_HU", "pt_BR", "ja_JP")

KEYS: dict[str, tuple[str, ...]] = {
    "first": ("firstName", "first_name", "given-name", "givenName"),
    "last": ("lastName", "surname", "family_name", "lastname"),
    "full": ("fullName", "full_name", "customerName", "patient_name", "cardholderName", "contactName"),
    "street": ("street", "streetAddress", "address_line_1", "billing_address", "homeAddress"),
    "city": ("city", "shipping_city", "town"),
    "postcode": ("zip", "postalCode", "zip_code", "postcode"),
    "birth": ("dob", "dateOfBirth", "birth_date", "birthday"),
    "passport": ("passport", "passportNumber", "passport_no"),
    "driver": ("driverLicense", "driving_licence_number", "drivers-license"),
    "bank": ("bankAccountNumber", "account_number", "bank_account"),
    "mail": ("email", "contactEmail", "mail"),
    "phone": ("phone", "phone_number", "mobile"),
}


def people(i: Ids) -> Iterator[Value]:
    """Everything about one made-up person of each country."""
    for locale in LOCALES:
        fake = Faker(locale)
        fake.seed_instance(i.getrandbits(32))
        about = {
            "first": ("PERSON", fake.first_name()),
            "last": ("PERSON", fake.last_name()),
            "full": ("PERSON", fake.name()),
            "street": ("LOCATION", fake.street_address()),
            "city": ("LOCATION", fake.city()),
            "postcode": ("LOCATION", fake.postcode()),
            "birth": (
                "DATE_OF_BIRTH",
                fake.date_of_birth(None, 18, 90).strftime(i.choice(["%Y-%m-%d", "%d/%m/%Y"])),
            ),
            "passport": ("PASSPORT", i.of("ABCDEFGHKLMNPRTX", 1) + i.digits(8)),
            "driver": ("DRIVER_LICENSE", i.of("ABCDEFGHKLMNPRTX", 1) + i.digits(7)),
            "bank": ("BANK_ACCOUNT", i.digits(10)),
            "mail": ("EMAIL_ADDRESS", fake.email()),
            "phone": ("PHONE_NUMBER", fake.phone_number()),
        }
        for about_what, (entity, text) in about.items():
            yield Value(entity, f"{about_what} {locale}", text, Need.KEY)
