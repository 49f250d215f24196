"""Telephone numbers as people in some forty countries write them, and the digits that are none."""

from __future__ import annotations

import json
import random
import re
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.detect.deadline import Deadline
from proxy.detect.recognizers.hotwords import words_to_phone
from proxy.detect.recognizers.numbering import judged
from proxy.detect.recognizers.phone import Phone
from proxy.detect.recognizers.phone_forms import WEAK, form_of, score
from proxy.detect.recognizers.phone_rows import Run, runs
from tests.detect.recognizers.looking import look, look_everywhere, values
from tests.detect.recognizers.samples import CARDS, NOTHING, PLACES

PHONE = Phone()
ABROAD = [
    *("+1 212-555-0142", "+12125550142", "+1 (212) 555-0142", "+1.2125550142", "\uff0b1 212 555 0142"),
    *("+44 20 7946 0958", "+44 (0)20 7946 0958", "(+49) 30 901820", "+49 1512 3456789", "+33 6 12 34 56 78"),
    *(
        "+39 06 6982",
        "+34 612 34 56 78",
        "+31 6 12345678",
        "+32 470 12 34 56",
        "+41 44 668 18 00",
        "+43 664 1234567",
    ),
    *(
        "+46 70 123 45 67",
        "+47 406 12 345",
        "+45 32 12 34 56",
        "+358 40 1234567",
        "+48 512 345 678",
        "+420 601 123 456",
    ),
    *(
        "+36 30 123 4567",
        "+30 694 123 4567",
        "+351 912 345 678",
        "+7 912 345-67-89",
        "+380 67 123 4567",
        "+90 532 123 45 67",
    ),
    *(
        "+972 50-234-5678",
        "+971 50 123 4567",
        "+91 98765 43210",
        "+86 138 1234 5678",
        "+81 90-1234-5678",
        "+82 10-1234-5678",
    ),
    *(
        "+65 9123 4567",
        "+852 5123 4567",
        "+61 412 345 678",
        "+64 21 123 4567",
        "+55 11 91234-5678",
        "+52 55 1234 5678",
    ),
    *("+27 82 123 4567", "+234 803 123 4567", "+254 712 345678", "+20 100 123 4567", "+62 812-3456-7890"),
]
AT_HOME = [
    *("(212) 555-0142", "212-555-0142", "212.555.0142", "212 555 0142", "1-800-555-0199", "1 (212) 555-0142"),
    *(
        "345-899-3560x4587",
        "212-555-0142 ext. 12",
        "0044 20 7946 0958",
        "001-518-640-0854",
        "011"[:0] + "604.555.0199",
    ),
    *(
        "020 7946 0958",
        "07700 900123",
        "07700 900 123",
        "0171 1234567",
        "030/1234567",
        "(030) 123456",
        "030 12 34 56 78",
    ),
    *("06 12 34 56 78", "01.84.17.61.18", "0470 12 34 56", "06-12345678", "044 668 18 00", "0664 123 45 67"),
    *(
        "070-123 45 67",
        "08-74 01 24",
        "(08) 8747 6301",
        "0412 345 678",
        "021 123 4567",
        "010-1234-5678",
        "090-1234-5678",
    ),
    *("(37) 788-063", "06-30/123-4567", "0532 123 45 67", "050-123-4567", "8 (912) 345-67-89", "138 1234 5678"),
    *(
        "(11) 91234-5678",
        "11 91234-5678",
        "91 123 45 67",
        "612 34 56 78",
        "0393 1144137",
        "082 490 1693",
        "0490 75 40 81",
    ),
    *(
        "\uff10\uff12\uff10 \uff17\uff19\uff14\uff16 \uff10\uff19\uff15\uff18",
        "\u0660\u0662\u0660 \u0667\u0669\u0664\u0666 \u0660\u0669\u0665\u0668",
    ),
]
ANNOUNCED = [
    "60-56-85-91",
    "699 956 915",
    "78 651 450",
    "467 3395",
    "9472 7916",
    "416 60 039",
    "9498777106",
    "07700900123",
    "13812345678",
    "006645551234",
]
ANNOUNCEMENTS = [
    "Phone: {}",
    "tel. {}",
    "Fax:\n{}",
    "call me on {} please",
    "my mobile is {}",
    "homePhone={}",
    "mobile_no: {}",
    "WhatsApp {}",
    "Telefon {}",
    "Handy: {}",
    "T\u00e9l : {}",
    "tel\u00e9fono: {}",
    "\u0442\u0435\u043b. {}",
    "\u7535\u8bdd{}",
    "\u092b\u094b\u0928 {}",
    '{{"phoneNumber": "{}"}}',
]
NO_NUMBERS = [
    *NOTHING,
    *(
        "91342.10000",
        "1,249.99",
        "$1 249 999",
        "1 249 999,50",
        "12.345.678",
        "-220.5",
        "138211.44382111",
        "+12.50%",
        "+1763859724",
    ),
    *(
        "2026-11-22 08:15",
        "22.11.2026 08:15",
        "22/11/2026 0815",
        "22-11-26",
        "2026.11.22",
        "20261122",
        "08:15:30.123",
        "11/22/2026 08:15 PM",
    ),
    *(
        "order 7301284653",
        "call id 9812734650",
        "7301284653",
        "SKU-10023847",
        "INV-2026-00042",
        "ORD-0042-001234",
        "ABC-123-456-7890",
    ),
    *(
        "94105-1234",
        "219-09-9999",
        "012-34-5678",
        "10.0.0.1",
        "192.168.100.101:8080",
        "v2026.2.9",
        "3.11.4.1024",
        "1.2.840.113549.1.1.11",
    ),
    *(
        "1920x1080",
        "10 20 30 40",
        "pp. 211-227 (1999) 42",
        "(1999) 428 493",
        "0228 3789 6708 8327",
        "212-555-0142-A",
        "x212-555-0142",
    ),
    *(
        "phone 1763859724",
        "tel 20261122",
        "fax 1763859724123",
        "call 12345",
        "phone order 7301284653",
        "60-56-85-91",
        "699 956 915",
    ),
]


@pytest.mark.parametrize("place", [*PLACES, "tel:{}", "x={}"])
@pytest.mark.parametrize("number", [*ABROAD, *AT_HOME])
def test_a_number_is_found_whole_wherever_it_stands(number: str, place: str) -> None:
    assert values(PHONE, place.format(number)) == {number}


@pytest.mark.parametrize("announcement", ANNOUNCEMENTS)
@pytest.mark.parametrize("number", ANNOUNCED)
def test_digits_that_could_be_anything_are_a_number_when_a_word_says_so(number: str, announcement: str) -> None:
    text = announcement.format(number)
    start = text.index(number)
    found = look(PHONE, text)
    covered = {at for finding in found for at in range(finding.start, finding.end)}
    assert covered == set(range(start, start + len(number)))
    assert look(PHONE, f"so {number} it is") == set()


def test_digits_before_a_number_belong_to_it_when_a_word_speaks_of_all() -> None:
    (long, short) = sorted(look(PHONE, "Phone: 21 284 698 2548"), key=lambda finding: finding.score)
    assert (long.start, long.end) == (7, 22)
    assert short.start == 10
    assert values(PHONE, "Unit 21 284 698 2548") == {"284 698 2548"}


@pytest.mark.parametrize("text", ["781 1704 office", "(579) 88 305 fax", "9472 7916 (mobile)"])
def test_the_word_may_follow(text: str) -> None:
    assert len(values(PHONE, text)) == 1


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_nothing_is_found_in_other_digits(text: str) -> None:
    assert values(PHONE, text) == set()
    assert values(PHONE, f"so {text} it is") == set()


@pytest.mark.parametrize(
    ("text", "score"),
    [
        *((number, 0.85) for number in ABROAD),
        ("+1-984-182-0190", 0.7),
        ("212-555-0142", 0.7),
        ("0044 20 7946 0958", 0.7),
        ("Phone: 60-56-85-91", 0.6),
        ("Phone: 2125550142", 0.6),
        ("2125550142", 0.4),
        ("60-56-85-91", 0.4),
    ],
)
def test_scores_say_how_it_was_told(text: str, score: float) -> None:
    assert [finding.score for finding in look_everywhere(PHONE, text, 0.3)] == [score]


def test_several_numbers_of_one_line_are_told_apart() -> None:
    assert values(PHONE, "555-000-1111 555-222-3333") == {"555-000-1111", "555-222-3333"}
    assert values(PHONE, "212-555-0142/020 7946 0958") == {"212-555-0142", "020 7946 0958"}
    assert values(PHONE, "2026-11-22 0171 1234567") == {"0171 1234567"}


def noise(draw: random.Random) -> str:
    """One of the things that JSON is full of."""
    n, when = draw.randrange, time.gmtime(draw.randrange(1_500_000_000, 1_800_000_000))
    forms = (
        *(
            str(n(10**9, 2 * 10**9)),
            str(n(15 * 10**11, 18 * 10**11)),
            f"{n(10**9, 2 * 10**9)}.{n(10**6):06}",
            str(n(2**60)),
        ),
        *(
            time.strftime(form, when)
            for form in ("%Y-%m-%dT%H:%M:%S.123Z", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y")
        ),
        *(
            time.strftime(form, when)
            for form in ("%d-%m-%y", "%m/%d/%Y %I:%M %p", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S+02:00")
        ),
        *(
            str(uuid.UUID(int=draw.getrandbits(128))),
            f"{draw.getrandbits(128):032x}",
            f"{draw.getrandbits(160):040x}",
        ),
        *(
            str(n(10**6, 10**10)),
            f"{n(10**6):,}.{n(100):02}",
            f"{n(1, 999)} {n(1000):03} {n(1000):03}",
            f"$ {n(10**4)}.{n(100):02}",
        ),
        *(f"{n(1, 99)}.{n(1000):03}.{n(1000):03},{n(100):02}", f"{n(256)}.{n(256)}.{n(256)}.{n(256)}:{n(65536)}"),
        *(
            f"v{n(20)}.{n(30)}.{n(1000)}",
            f"{n(20)}.{n(30)}.{n(1000)}.{n(10000)}",
            f"{draw.random() * 10 ** n(6)!r}",
        ),
        *(
            f"{draw.uniform(-90, 90):.6f}, {draw.uniform(-180, 180):.6f}",
            f"{draw.uniform(-90, 90):.4f} {draw.uniform(-180, 180):.4f}",
        ),
        *(
            f"ORD-{n(10**4):04}-{n(10**6):06}",
            f"SKU-{n(10**8):08}",
            f"{n(10**5):05}-{n(10**4):04}",
            f"978-{n(10)}-{n(999)}-{n(9999)}-{n(9)}",
        ),
        *(
            f"{n(100, 900)}-{n(10, 99)}-{n(1000, 9999)}",
            f"{n(1000, 4000)}x{n(1000, 4000)}",
            f"+{n(100)}.{n(100):02}%",
            f"+{n(10**6)}",
        ),
        *(
            " ".join(f"{n(10**4):04}" for _ in range(4)),
            f"{n(10**9, 10**10)}:{n(10**9, 10**10)}",
            f"pp. {n(999)}-{n(999)} ({n(1950, 2026)}) {n(99)}",
        ),
        *(
            f"1.2.840.{n(10**6)}.1.1.{n(30)}",
            f"{n(1000, 9999)}-{n(1000, 9999)}-{n(1000, 9999)}",
            f"#{n(10**6)}-{n(1000)}",
        ),
    )
    return draw.choice(forms)


def test_four_thousand_ids_times_prices_and_places_hold_no_number() -> None:
    draw = random.Random(7)
    texts = [noise(draw) for _ in range(4000)]
    assert [text for text in texts if look_everywhere(PHONE, text)] == []


@settings(max_examples=200, deadline=None)
@given(
    st.integers(),
    st.lists(st.sampled_from([*ABROAD, *AT_HOME, *ANNOUNCED, *CARDS]), max_size=3),
    st.sampled_from([" ", ", ", "\n", "-", "/", "", " (", ") ", "+"]),
)
def test_windows_and_the_whole_text_give_the_same_findings(seed: int, numbers: list[str], glue: str) -> None:
    draw = random.Random(seed)
    pieces = [*numbers, *(noise(draw) for _ in range(4)), "phone", "order", "1 " * 30, "x" * 200, "(0)", "(" * 5]
    draw.shuffle(pieces)
    text = glue.join(pieces)
    whole = look_everywhere(PHONE, text)
    assert look(PHONE, text) == whole
    assert look(PHONE, text, ends_only=True) == whole
    assert {f for f in look_everywhere(PHONE, text, 0.3) if f.score >= 0.6} == look_everywhere(PHONE, text, 0.6)


@pytest.mark.parametrize(
    "text",
    [
        "1/",
        "(1)",
        "(212) 555-1234",
        "1234 ",
        "12 ",
        "+12125550142 ",
        "phone 1234567 ",
        "0123 456 789 ",
        "987654321,",
        "1-",
        "+1 ",
        "0",
        "( ",
        "2026-11-22 ",
    ],
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(text: str) -> None:
    """64 KiB: 1 to 130 ms each on the machine that this was written on, busy with other work."""
    hostile = text * (65_536 // len(text))
    began = time.process_time()
    list(PHONE.find(hostile, 0, len(hostile), 0.5, Deadline(30)))
    assert time.process_time() - began < 1.0


def test_plans_are_those_of_the_world() -> None:
    assert judged("442079460958") == (True, True)
    assert judged("4402079460958") == (True, True)
    assert judged("11234567890") == (True, False)
    assert judged("999123") == (False, False)


@pytest.mark.parametrize(
    ("before", "distance"),
    [
        ("Phone: ", 1),
        ("homePhone=", 1),
        ("mobile_no: ", 2),
        ("CALL me at ", 3),
        ("phone order ", 0),
        ("the order by phone ", 1),
        ("hotel ", 0),
        ("\u092b\u094b\u0928 ", 1),
        ('"fax":"1234567","v":"', 0),
        ('"v":"x","fax":"', 1),
        ("phone " + "x" * 40 + " ", 0),
    ],
)
def test_the_nearest_telling_word_counts(before: str, distance: int) -> None:
    assert words_to_phone(before, len(before)) == distance


@pytest.mark.parametrize(
    ("digits", "form", "sure"),
    [
        ("442079460958", ((2, 2, 4, 4), "   ", "+"), 0.85),
        ("2125550142", ((3, 3, 4), "--", ""), 0.7),
        ("1125550142", ((3, 3, 4), "  ", ""), 0.4),
        ("60568591", ((2, 2, 2, 2), "----"[:3], ""), 0.4),
        ("192168001101", ((3, 3, 3, 3), "...", ""), 0.0),
        ("1763859724", ((10,), "", ""), 0.0),
        ("123456", ((6,), "", ""), 0.0),
    ],
)
def test_a_row_of_groups_is_scored_by_its_form(
    digits: str, form: tuple[tuple[int, ...], str, str], sure: float
) -> None:
    assert score(digits, form_of(*form)) == sure


def test_a_run_knows_its_gaps_and_where_rows_may_begin() -> None:
    text = "x 12 (212) 555-0142, y"
    (run,) = runs(text, 2, text.index(","))
    assert run.shape.gaps == "()-"
    assert {one.group: one.weak for one in run.starts()} == {0: True, 1: False}
    assert run.place(1, 4) == (text.index("("), text.index(","))
    (dated,) = runs("2026-11-22 0171 1234567", 0, 23)
    rows = {dated.row(one.group, one.group + count) for one in dated.starts() for count, _ in one.rows}
    assert rows == {"01711234567"}


def test_runs_of_one_shape_share_what_was_worked_out_but_not_their_digits() -> None:
    texts = [
        "0171 123-4567",
        "2026 555-0142",
        "\u0660\u0661\u0667\u0661 123-4567",
        "11.12.2026 0171",
        "71.12.2026 0171",
    ]
    first, second, arab, date, none = (next(runs(text, 0, len(text))) for text in texts)
    assert first.shape is second.shape is arab.shape
    assert first.digits == arab.digits == "01711234567"
    assert date.shape is none.shape
    assert [one.group for one in date.starts()] == []
    assert [one.group for one in none.starts()] == [0]


def test_of_a_long_row_of_groups_only_the_parts_are_read_in_which_a_number_may_begin() -> None:
    text = "12 3 " * 1000 + "212 555 1142" + " 7 89" * 1000
    read = list(runs(text, 0, len(text)))
    assert sum(len(run.shape.spans) for run in read) < 50
    assert [run.span(one.group, one.group + 1)[0] for run in read for one in run.starts()] == [0, 5000]


@pytest.mark.parametrize("at", range(16 * 1024 - 40, 16 * 1024 + 3))
def test_a_long_row_is_read_in_pieces_that_cut_no_number(at: int) -> None:
    text = ("12 " * 6000)[: at - at % 3] + "212 555 1142" + " 89 7" * 100
    assert [(one.start, one.end) for one in look_everywhere(PHONE, text)] == [(at - at % 3, at - at % 3 + 12)]


GROUPS = st.sampled_from(
    ["0", "00", "01", "030", "1", "12", "212", "555", "0142", "2026", "4111", "1234567", "\u0661\u0662"]
)
GAPS = st.sampled_from([" ", " ", "-", "-", ".", "/", " / ", "(", ") ", "--", "  ", " (", "\u2013"])


@given(st.lists(st.tuples(GROUPS, GAPS), min_size=3, max_size=40))
def test_no_number_begins_where_a_run_is_not_read(row: list[tuple[str, str]]) -> None:
    text = "".join(group + gap for group, gap in row) + "12"
    whole = Run(text, 0, len(text), (0, len(text)), range(len(re.findall(r"\d+", text))))
    assert numbers([whole]) == numbers(runs(text, 0, len(text)))


def numbers(read: Iterable[Run]) -> set[tuple[int, int, float]]:
    """(start, end, score) of every row that counts where it begins."""
    return {
        (*run.place(one.group, one.group + count), sure)
        for run in read
        for one in run.starts()
        for count, form in one.rows
        if (sure := score(run.row(one.group, one.group + count), form)) > (0.0 if one.weak else WEAK)
    }


DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

if DATA.exists():  # not part of the repository, so not a skip that CI would have to refuse

    @pytest.mark.parametrize("name", ["presidio_research_synth_v2", "privy_json_payloads"])
    def test_published_texts_keep_their_recall_and_precision(name: str) -> None:
        gold = hits = found = wrong = 0
        for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            wanted = [(start, end) for start, end, kind in row["spans"] if kind == PHONE.entity]
            places = [(f.start, f.end) for f in look(PHONE, row["text"])]
            gold += len(wanted)
            found += len(places)
            hits += sum(any(a <= start and end <= b for a, b in places) for start, end in wanted)
            wrong += sum(not any(a < end and start < b for start, end in wanted) for a, b in places)
        assert gold > 0
        assert hits / gold >= 0.97
        assert wrong / found <= 0.03
