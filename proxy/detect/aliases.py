"""The names of keys whose values are personal, as words in lower case without accents, in many languages.

Data alone. How a key is split into words and compared is said in proxy/detect/keys.py; what a value must look
like for each kind, in proxy/detect/plausible/. One line is one language, or one family of them; the first is
English. A name that several kinds claim belongs to the first.
"""

# ruff: noqa: SIM905 - words are easier to read than lists of them

from __future__ import annotations

# Never personal, whatever they end with: the longest name that fits decides.
HARMLESS = """
token type, max tokens, tokens, next token, page token, next page token, continuation token, sync token,
skip token,
nexttoken, previous token, pagination token, start token, resume token, cancellation token, stop token, eos token,
bos token, pad token, unk token, special token, token name, token count, token symbol, client token, request token,
public key, cursor token, text token, token address, token id, connection token,
progress token, work done token, partial result token, state token, change token, fencing token, lock token,
concurrency token, upload token, input token, output token, prompt token, completion token,
wallet address, contract address, memory address, host address, server address, web address, base address,
virtual address, node address, validator address, from address, to address, signer address, pool address,
token contract address, url address, bus address, register address, modbus address, i2c address, account address,
address type, service address, bind address, listen address, proxy address, load address, start address,
deposit address, return address pointer, multicast address, broadcast address, eth address, btc address
mailbox name, host name, file name, event name, room name, channel name, product name, company name, business name,
brand name, domain name, model name, device name, server name, service name, app name, application name, tag name,
project name, team name, group name, bank name, field name, class name, function name, method name, tool name,
street name view, city id, city code, airport name, airline name, school name, university name, hotel name,
street view, mail server, mail provider, phone country code, phone code, phone model, phone type, phone os,
secret name, secret version, password policy, cookie name, cookie policy, session name, ip version, mail type
"""

KINDS = {
    "given name": """
first name, given name, forename, middle name, second given name, christian name, preferred name, fname, mname,
name first, name given, name middle, first names, given names, middle names
vorname, vornamen, rufname, prenom, prenoms, primer nombre, segundo nombre, nombres, nome proprio,
primeiro nome, voornaam, voornamen, roepnaam, voorletters, imie, imiona, drugie imie, fornamn, fornavn, etunimi,
krestni jmeno, keresztnev, utonev, prenume, отчество
""",
    "family name": """
last name, surname, family name, maiden name, birth name, mothers maiden name, mother maiden name, lname,
name last, name family, last names, surnames
nachname, familienname, geburtsname, zuname, nom famille, nom de famille, nom naissance, nom de naissance,
nom jeune fille, nom usage, patronyme, apellido, apellidos, primer apellido, segundo apellido, apellido paterno,
apellido materno, cognome, sobrenome, ultimo nome, achternaam, familienaam, geboortenaam, tussenvoegsel, nazwisko,
nazwisko panienskie, nazwisko rodowe, efternamn, etternavn, efternavn, sukunimi, prijmeni, vezeteknev,
nume familie,
nume de familie, soyad, soyadi, фамилия, прізвище, επωνυμο, 姓
""",
    "full name": """
full name, legal name, real name, complete name, name full, name on card, card holder name, cardholder name,
cardholder, card holder, account holder, account holder name, holder name, next of kin, name of holder, fullname
vollstandiger name, vollstaendiger name, vor und nachname, kontoinhaber, karteninhaber, ansprechpartner,
nom complet, nom et prenom,
nom prenom, titulaire, titulaire compte, titulaire du compte, nombre completo, nombre y apellidos,
nombre apellidos, nome completo, nome e cognome, nome cognome, nominativo, intestatario, nome da mae, nome do pai,
nome mae, volledige naam, rekeninghouder, imie i nazwisko, imie nazwisko, имя и фамилия, фио, 氏名, 姓名, 성명
""",
    # of a person only under or after one of PERSONS; else of a thing
    "name": """
name, display name, names, formatted name, pretty name
nom, nombre, nome, naam, nazwa, jmeno, nev, nume, imya, имя, όνομα, ονομα, 名前, 名字, 이름
""",
    # mostly handles, roles and ids, and personal where they are written like a name
    "somebody": """
user, username, user name, login name, account name, author, owner, sender, recipient, addressee, customer, client,
patient, employee, contact, contact person, assignee, assigned to, reporter, creator, created by, updated by,
modified by, owned by, approved by, requested by, signed by, submitted by, manager, supervisor, member,
participant,
attendee, passenger, guest, student, teacher, doctor, physician, nurse, beneficiary, payee, payer, signatory,
applicant, candidate, tenant name, landlord, buyer, seller, caller, attn, attention, care of, spouse, mother,
father,
screen name, insured, policyholder, policy holder, subscriber, witness, defendant, plaintiff, lawyer, accountant
benutzer, benutzername, kunde, kundin, mitarbeiter, absender, empfanger, empfaenger,
auteur, expediteur, destinataire, cliente,
usuario, remitente, destinatario, autor, utente, mittente, gebruiker, klant, afzender, ontvanger, uzytkownik,
klient,
nadawca, odbiorca, paziente, paciente, pacjent
""",
    "street": """
street, street address, street name, street line, street number, address line, address line one, address line two,
house number, house no, building number, building no, apartment, apartment number, apt, apt number, suite number,
po box, post box, address street, address1, address2
strasse, strassenname, hausnummer, hausnr, adresszusatz, postfach, rue, voie, numero rue, nom rue,
complement adresse, calle, numero exterior, numero interior, civico, numero civico, rua, logradouro,
straat, straatnaam, huisnummer, ulica, numer domu, numer mieszkania, gata, gatuadress, gade, gateadresse,
katuosoite, ulice, utca, strada, улица, дом, квартира
""",
    "road": "avenue, road, lane, alley, boulevard, thoroughfare, drive",
    "address": """
address, addr, home address, postal address, mailing address, residential address, residence, billing address,
shipping address, delivery address, permanent address, current address, full address, formatted address,
work address, contact address, birth place, birthplace, place of birth, hometown
adresse, anschrift, wohnadresse, lieferadresse, rechnungsadresse, postanschrift, geburtsort, meldeadresse,
adresse postale, lieu naissance, lieu de naissance, domicile, direccion, domicilio, lugar nacimiento,
lugar de nacimiento, indirizzo, residenza, luogo nascita, luogo di nascita, endereco, morada, local de nascimento,
adres, bezorgadres, factuuradres, geboorteplaats, adres zamieszkania, miejsce urodzenia, adress, osoite, adresa,
bydliste, lakcim, адрес, место рождения, διευθυνση, 住所, 地址, 주소
""",
    "city": """
city, town, municipality, suburb, village, neighborhood, neighbourhood, urban area, city name, city of birth,
home city, locality, address city, town city, city town
ort, wohnort, stadt, ortsteil, ville, commune, localite, ciudad, localidad, municipio, citta, comune,
localita, cidade, localidade, bairro, municipio, woonplaats, plaats, plaatsnaam, stad, miasto, miejscowosc,
postort,
kaupunki, paikkakunta, mesto, obec, varos, oras, город, πολη, 市区町村, 城市
""",
    "postcode": """
zip, zip code, zipcode, postal code, post code, postcode, postal, zip postal code, postal zip, zip plus four, zip4
plz, postleitzahl, code postal, codigo postal, cp, cod postal, codice postale, cep, postnummer, postnr,
kod pocztowy, postinumero, psc, iranyitoszam, почтовый индекс, 郵便番号, 邮编, 邮政编码, 우편번호
""",
    # places of things, and of persons where an address stands there
    "place": """
place, venue, location, spot, facility, site, work, home, office, origin, destination, pickup, dropoff, pick up,
drop off, delivery, whereabouts, lieu, lugar, luogo, lugar, plek, miejsce
""",
    "birth date": """
date of birth, birth date, birthdate, birthday, birth day, dob, born, born on, bday, date birth
geburtsdatum, geburtstag, geb datum, gebdatum, geboren, geboren am, date naissance, date de naissance, naissance,
fecha nacimiento, fecha de nacimiento, nacimiento, data nascita, data di nascita, nascita, data nascimento,
data de nascimento, nascimento, geboortedatum, data urodzenia, urodziny, fodelsedatum, fodselsdato, syntymaaika,
datum narozeni, szuletesi datum, data nasterii, dogum tarihi, дата рождения, 生年月日, 出生日期, 생년월일
""",
    "ssn": """
ssn, social security, social security number, social security no, soc sec, us ssn, ssn number, ss number
""",
    "itin": "itin, individual taxpayer identification number, individual tax id",
    "tax id": """
tax id, tax identification, tax identification number, taxpayer id, taxpayer identification, tax payer id,
taxpayer identification number, tin number, tax number, tax file number, tfn, tax payer identification number
steuer id, steuerid, steueridentifikationsnummer, steuernummer, numero fiscal, identifiant fiscal, fiscal code,
codigo fiscal, identificacion fiscal, fiscaal nummer
""",
    "national id": """
national id, national identity, national identity number, national identification number, national insurance,
national insurance number, nino, id card, identity card, id card number, id number, identity number,
identity document, identification number, identification document, citizen id, citizenship number, personal number,
personal id, personal identification number, personal code, government id, gov id, state id
personalausweis, personalausweisnummer, ausweisnummer, ausweis, sozialversicherungsnummer, svnr, sv nummer,
rentenversicherungsnummer, ahv, ahv nummer, numero securite sociale, securite sociale, nir, insee, numero cni,
carte identite, dni, nie, nif, cedula, curp, cpf, codice fiscale, carta identita, documento identita,
numero utente,
cartao cidadao, bsn, burgerservicenummer, rijksregisternummer, pesel, dowod osobisty, numer dowodu, personnummer,
cpr, cpr nummer, fodselsnummer, henkilotunnus, hetu, rodne cislo, cnp, oib, emso, egn, aadhaar, aadhar,
aadhaar number, pan card, nric, hkid, my number, снилс, инн, паспортные данные, 身份证,
身份证号, 주민등록번호, 個人番号
""",
    "passport": """
passport, passport number, passport no, passport id, travel document, travel document number, document number
reisepass, reisepassnummer, passnummer, passeport, numero passeport, numero de passeport, pasaporte,
numero pasaporte, numero de pasaporte, passaporto, numero passaporto, passaporte, numero passaporte, paspoort,
paspoortnummer, paszport, numer paszportu, pass nummer, passi, паспорт, номер паспорта, 护照, 旅券番号, 여권번호
""",
    "driver license": """
driver license, drivers license, driver licence, drivers licence, driving license, driving licence, dl number,
driver license number, drivers license number, driving licence number, licence driver
fuhrerschein, fuhrerscheinnummer, fuehrerschein, fuehrerscheinnummer, permis conduire, permis de conduire,
numero permis, carnet de conducir,
carnet conducir, licencia de conducir, licencia conducir, patente guida, patente di guida, numero patente,
rijbewijs,
rijbewijsnummer, prawo jazdy, numer prawa jazdy, carta de conducao, carta conducao, cnh, korkort, korkortsnummer,
kjorekort, ajokortti, ridicsky prukaz, водительское удостоверение, 運転免許証, 驾驶证
""",
    "plate": """
license plate, licence plate, number plate, plate number, lic plate, registration plate, vehicle registration,
license plate number, car plate, plate no, vehicle registration number
kennzeichen, kfz kennzeichen, plaque immatriculation, immatriculation, matricula, targa, numero targa, kenteken,
numer rejestracyjny, placa, registreringsnummer, номерной знак, 车牌, 车牌号
""",
    "iban": "iban, iban code, iban number, international bank account number, iban nummer, numero iban",
    "bank account": """
bank account, bank account number, account number, account no, acct number, acct no, acct num, account num, bban,
bank acct, bank number, routing number, routing transit number, aba, aba routing, aba number, aba routing number,
sort code, bsb number, checking account, savings account, bank routing
kontonummer, kontonr, bankverbindung, bankleitzahl, blz, numero compte, numero de compte, compte bancaire, rib,
numero cuenta, numero de cuenta, cuenta bancaria, clabe, conto corrente, numero conto, conto bancario,
numero de conta, numero conta, conta bancaria, nib, rekeningnummer, bankrekening, bankrekeningnummer, numer konta,
numer rachunku, konto bankowe, bankkonto, tilinumero, cislo uctu, bankszamlaszam, 口座番号, 银行账号, 계좌번호
""",
    "card": """
card number, credit card, credit card number, debit card, debit card number, cc number, cc num, card no, card num,
payment card, payment card number, pan, primary account number, visa, master card, mastercard, american express,
amex, discover card, maestro, bank card, bank card number
kreditkarte, kreditkartennummer, kartennummer, numero carte, numero de carte, carte bancaire, carte credit,
carte de credit, numero tarjeta, numero de tarjeta, tarjeta, tarjeta credito, tarjeta de credito, carta credito,
carta di credito, numero carta, cartao, cartao de credito, numero cartao, numero do cartao, creditcard,
creditcardnummer, kaartnummer, numer karty, karta kredytowa, kortnummer, kreditkort,
номер карты, カード番号, 银行卡号
""",
    "cvv": """
cvv, cvc, cvv2, cvc2, csc, cvn, card code, card verification, card verification value, card verification code,
card security code, security code, cvv code, cvc code
prufnummer, kartenprufnummer, pruefnummer, kartenpruefnummer, cryptogramme, codigo seguridad,
codigo de seguridad, codice sicurezza,
codigo de seguranca, beveiligingscode, kod cvv
""",
    "phone": """
phone, phone number, telephone, telephone number, tel, tel no, tel number, mobile, mobile number, mobile phone,
mobile no, cell, cell phone, cellphone, cell number, home phone, work phone, fax, fax number, contact number,
contact phone, msisdn, whatsapp, whatsapp number, caller number, callee number, calling number, called number,
phone no, landline, sms number, caller id number
telefon, telefonnummer, handy, handynummer, mobilnummer, mobiltelefon, festnetz, rufnummer, faxnummer,
numero telephone, numero de telephone, portable, telephone portable, telefono, numero telefono, numero de telefono,
movil, celular, cellulare, telemovel, telefone, numero de telefone, telefoon, telefoonnummer, mobiel, gsm nummer,
numer telefonu, telefon komorkowy, komorka, tlf, mobil, puhelin, puhelinnumero, mobilni telefon, telefonszam,
телефон, номер телефона, мобильный, τηλεφωνο, 電話, 電話番号, 携帯, 电话, 电话号码, 手机, 手机号, 전화번호
""",
    "email": """
email, e mail, mail, email address, e mail address, mail address, email id, email addr, contact email, reply to,
courriel, adresse mail, adresse email, adresse courriel, mel, emailadresse, mailadresse, correo,
correo electronico, posta elettronica, indirizzo email, endereco de email, emailadres, adres email, poczta, epost,
e post, e postadress, sahkoposti, e posta, электронная почта, почта, メール, メールアドレス, 邮箱, 电子邮件, 이메일
""",
    "ip": """
ip, ip address, ip addr, ipaddr, ipv4, ipv6, ipv4 address, ipv6 address, remote ip, client ip, source ip,
remote addr,
remote address, client addr, client address, peer addr, peer address, forwarded for, x forwarded for, real ip,
ip adresse, adresse ip, direccion ip, indirizzo ip, endereco ip, ip adres, adres ip
""",
    "mac": """
mac, mac address, mac addr, hw addr, hw address, hardware address, bssid, wifi mac, ethernet address,
bluetooth address, device mac, mac adresse, adresse mac, direccion mac, indirizzo mac, mac adres, adres mac
""",
    "imei": """
imei, imei number, imei2, international mobile equipment identity, meid, imsi, iccid, sim number, sim card number
""",
    "medical id": """
nhs, nhs number, nhs no, health insurance, health insurance number, health insurance id, insurance number,
insurance id, insurance member id, insurance policy number, medicare, medicare number, medicare id, medicaid id,
medicaid number, medicare beneficiary identifier, mbi, medical record number, medical record, mrn, patient number,
patient id, health card, health card number, health id, health plan number, medical id
krankenversicherungsnummer, versichertennummer, krankenversichertennummer, versicherungsnummer,
krankenkassennummer,
carte vitale, numero carte vitale, tarjeta sanitaria, tessera sanitaria, cartao saude, zorgverzekeringsnummer, ehic
""",
    "password": """
password, passwd, pwd, pass word, user password, db password, passcode, password hash, kennwort, passwort
mot de passe, motdepasse, mdp, contrasena, contrasenya, senha, palavra passe, wachtwoord, haslo, losenord,
adgangskode, passord, salasana, heslo, jelszo, parola, sifre, пароль, パスワード, 密码, 비밀번호
""",
    "passphrase": "passphrase, pass phrase, mnemonic, seed phrase, recovery phrase, secret phrase",
    "code": """
otp, totp, one time password, one time code, verification code, mfa code, two factor code, 2fa code, recovery code,
backup code, sms code, auth code, pin code, card pin, access code,
tan, bestatigungscode, bestaetigungscode
""",
    "some token": "token, secret, pass, session secret, authentication, jeton, geheimnis",
    "token": """
access token, auth token, refresh token, id token, bearer token, session token, csrf token, xsrf token,
security token, oauth token, api token, jwt, jwt token, client secret, api secret, app secret, secret key,
shared secret, signing secret, webhook secret, consumer secret, api key, apikey, access key, secret access key,
access key id, private key, signing key, encryption key, master key, ssh key, rsa key, account key, storage key,
service key, session key, authorization, proxy authorization, x api key, x auth token, credential,
auth key, connection string, token secret, secret token, deploy key, personal access token,
jsessionid, phpsessid, session cookie, device token, push token, registration token
zugriffstoken, zugangstoken, cle api, cle secrete, clave secreta, clave privada, clave api,
chiave segreta, chiave privata, chave secreta, chave privada, chave api, geheime sleutel, klucz api, klucz prywatny
""",
    "cookie": "cookie, set cookie, cookies, cookie header",
}

PERSONS = frozenset(
    """
    user person people customer client patient contact author owner sender recipient employee member participant
    attendee passenger guest student teacher doctor physician nurse beneficiary payee payer applicant candidate
    buyer
    seller caller callee spouse mother father parent child sibling subscriber holder individual human
    assignee reporter creator driver signer signatory visitor resident landlord worker staff colleague friend
    manager supervisor traveler traveller cardholder policyholder insured shopper donor volunteer
    referrer emergency relative kin husband wife son daughter witness lawyer attorney accountant
    benutzer kunde kunden kundin patienten mitarbeiter absender empfanger empfaenger ansprechpartner inhaber
    versicherter fahrer schuler lehrer
    utilisateur auteur expediteur destinataire salarie employe eleve conducteur
    cliente usuario remitente destinatario autor empleado paciente persona contacto conductor alumno
    utente mittente paziente contatto dipendente conducente
    gebruiker klant afzender ontvanger medewerker persoon
    uzytkownik klient nadawca odbiorca pracownik osoba pacjent
    pessoa funcionario contato contacto aluno motorista
    пользователь клиент пациент сотрудник отправитель получатель
    """.split()
)
"""Words after or under which a `name` is somebody's."""

ROLES = frozenset("account billing shipping tenant lead player agent host vendor supplier organizer".split())
"""Words after or under which a `name` may be somebody's or something's; the value must tell."""

ENDINGS = frozenset(
    """
    male female nonbinary value raw text str string field input primary secondary main formatted original plain
    plaintext one two three encrypted hash
    """.split()
)
"""Words at the end of a key that do not change its kind; digits too."""

HOLDERS = frozenset(
    "info information detail details data object record dto entity entry item profile list".split()
)
"""Words after one for a person that leave it one: `customer_info`, `userDetails`."""

NUMBERS = frozenset("number no nr num nbr nummer numero numer n".split())
"""Words that may follow any kind: `passport_no`."""

ABOVE = frozenset(
    """
    account acct address bank bankaccount birth card creditcard debitcard credit debit driver drivers driving
    driverlicense driverslicense license licence plate phone mobile cell email mail passport tax social national
    identity insurance medical health postal street house name iban routing ip mac api access private secret
    adresse strasse konto karte steuer nom carte compte nombre tarjeta cuenta nome carta conto cartao conta adres
    """.split()
)
"""Words that may stand in the key above the rest of a name: `{"card": {"number": ...}}`."""

HOT = {
    "PHONE_NUMBER": "phone tel telephone mobile cell call caller dial sms whatsapp contact telefon handy movil",
    "CREDIT_CARD": "card cards credit debit pan payment visa mastercard amex karte carte tarjeta carta",
    "IBAN_CODE": "iban bank account payout konto",
    "BANK_ACCOUNT": "bank account acct payout iban konto compte cuenta conto conta rekening routing",
    "US_SSN": "ssn social security taxpayer identity",
    "US_ITIN": "itin tax taxpayer",
    "TAX_ID": "tax fiscal vat steuer",
    "NATIONAL_ID": "identity national citizen id government ident",
    "PASSPORT": "passport travel document visa",
    "DRIVER_LICENSE": "license licence driver driving dl",
    "LICENSE_PLATE": "plate vehicle car registration",
    "MEDICAL_ID": "patient medical health insurance nhs medicare policy member",
    "DATE_OF_BIRTH": "birth born dob birthday age",
    "IMEI": "imei device handset sim",
    "IP_ADDRESS": "ip host addr remote peer client server forwarded",
    "MAC_ADDRESS": "mac bssid ethernet wifi hardware hw",
    "LOCATION": "address location street city shipping delivery home residence",
    "PERSON": "name person user customer patient contact author sender recipient",
    "SECRET": "secret password token key credential auth authorization cookie",
}
"""Entity -> words, one of which in the last two keys of a path makes a weak pattern of it believable."""

LEADS = frozenset(
    """
    home work billing shipping delivery mailing bank device target source current new old temp temporary my your
    his
    her their admin root db database keystore key store smtp ftp ssh wifi alt alternate business personal private
    office emergency day night evening company legal local remote default primary secondary from to associate
    associated related person persons other extra additional last used registered verified unverified confirm
    confirmation repeat origin destination start end pickup dropoff invoice order payment card holder family house
    the of and is has get set
    """.split()
)
"""Words that keys put before a name, which must be known to split `targetusername`."""
