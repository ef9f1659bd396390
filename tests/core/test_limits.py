import pytest

from functions.core.limits import FILES, MB, ending, fault, named_type


@pytest.mark.parametrize(
    ("type_", "mime", "size"),
    [
        ("image", "image/jpeg", 5 * MB),
        ("image", "image/png", 1),
        ("video", "video/mp4", 16 * MB),
        ("audio", "audio/ogg; codecs=opus", 16 * MB),
        ("audio", "AUDIO/MPEG", 1),
        ("sticker", "image/webp", 500 * 1024),
        ("document", "application/pdf", 100 * MB),
        ("document", "text/plain; charset=utf-8", 1),
        ("document", "image/png", 6 * MB),
    ],
)
def test_what_whatsapp_takes_has_no_fault(type_, mime, size):
    assert fault(type_, mime, size) is None


@pytest.mark.parametrize(
    ("type_", "mime", "size", "names"),
    [
        ("image", "image/gif", 1, "JPEG or PNG"),
        ("image", "image/jpeg", 5 * MB + 1, "5 MB"),
        ("video", "video/quicktime", 1, "MP4"),
        ("sticker", "image/webp", 501 * 1024, "500 KB"),
        ("document", "application/pdf", 100 * MB + 1, "100 MB"),
    ],
)
def test_a_fault_names_the_limit(type_, mime, size, names):
    assert names in fault(type_, mime, size).plain


def test_every_type_of_file_has_a_limit():
    assert set(FILES) == {"image", "video", "audio", "voice", "sticker", "document"}


def test_every_type_that_may_be_sent_has_an_ending_that_speaks_of_it():
    for mime in {mime for limit in FILES.values() for mime in limit.mimes}:
        assert named_type("a.b" + ending(mime).upper()) == mime


@pytest.mark.parametrize("name", ["", "docx", "a.", "a.exe", "a.pdf.exe"])
def test_a_name_that_speaks_of_no_such_type_says_nothing(name):
    assert named_type(name) is None


def test_a_type_that_is_not_taken_has_no_ending():
    assert ending("application/x-msdownload") == ending("") == ""
