"""English short names of countries and territories (ISO 3166-1), as people write them. They end addresses."""

from __future__ import annotations

import re

_NAMES = """
Afghanistan|Åland|Albania|Algeria|American Samoa|Andorra|Angola|Anguilla|Antigua and Barbuda|Argentina
|Armenia|Aruba|Australia|Austria|Azerbaijan|Bahamas|Bahrain|Bangladesh|Barbados|Belarus|Belgium|Belize|Benin
|Bermuda|Bhutan|Bolivia|Bosnia and Herzegovina|Bosnia|Botswana|Brazil|Brunei|Bulgaria|Burkina Faso|Burundi
|Cabo Verde|Cape Verde|Cambodia|Cameroon|Canada|Cayman Islands|Central African Republic|Chad|Chile|China
|Colombia|Comoros|Congo|Cook Islands|Costa Rica|Côte d'Ivoire|Ivory Coast|Croatia|Cuba|Curaçao|Cyprus
|Czechia|Czech Republic|Denmark|Djibouti|Dominica|Dominican Republic|Ecuador|Egypt|El Salvador|England
|Equatorial Guinea|Eritrea|Estonia|Eswatini|Ethiopia|Falkland Islands|Faroe Islands|Fiji|Finland|France
|French Guiana|French Polynesia|Gabon|Gambia|Germany|Ghana|Gibraltar|Great Britain|Greece|Greenland|Grenada
|Guadeloupe|Guam|Guatemala|Guernsey|Guinea-Bissau|Guinea|Guyana|Haiti|Holland|Honduras|Hong Kong|Hungary
|Iceland|India|Indonesia|Iran|Iraq|Ireland|Isle of Man|Israel|Italy|Jamaica|Japan|Kazakhstan|Kenya|Kiribati
|Kosovo|Kuwait|Kyrgyzstan|Laos|Latvia|Lebanon|Lesotho|Liberia|Libya|Liechtenstein|Lithuania|Luxembourg|Macao
|Macau|Madagascar|Malawi|Malaysia|Maldives|Mali|Malta|Marshall Islands|Martinique|Mauritania|Mauritius
|Mayotte|Mexico|Micronesia|Moldova|Monaco|Mongolia|Montenegro|Montserrat|Morocco|Mozambique|Myanmar|Namibia
|Nauru|Nepal|Netherlands|New Caledonia|New Zealand|Nicaragua|Nigeria|Niger|North Korea|North Macedonia
|Northern Ireland|Norway|Oman|Pakistan|Palau|Palestine|Panama|Papua New Guinea|Paraguay|Peru|Philippines
|Poland|Portugal|Puerto Rico|Qatar|Réunion|Romania|Russia|Russian Federation|Rwanda|Samoa|San Marino
|Saudi Arabia|Scotland|Senegal|Serbia|Seychelles|Sierra Leone|Singapore|Slovakia|Slovenia|Solomon Islands
|Somalia|South Africa|South Korea|South Sudan|Spain|Sri Lanka|Sudan|Suriname|Sweden|Switzerland|Syria|Taiwan
|Tajikistan|Tanzania|Thailand|Timor-Leste|Togo|Tonga|Trinidad and Tobago|Tunisia|Türkiye|Turkey|Turkmenistan
|Tuvalu|Uganda|Ukraine|United Arab Emirates|United Kingdom|United States of America|United States|Uruguay
|Uzbekistan|Vanuatu|Vatican|Venezuela|Vietnam|Viet Nam|Wales|Yemen|Zambia|Zimbabwe|USA|UK|UAE
"""

COUNTRY = (
    r"\b(?:"
    + "|".join(
        re.escape(name.strip()) for name in sorted(_NAMES.replace("\n", "").split("|"), key=len, reverse=True)
    )
    + r")\b(?:[ ]\([A-Z][a-z]{1,20}\))?"
)
"""A regex; to be compiled with IGNORECASE. Escaped, so it may stand in a verbose one as well."""
