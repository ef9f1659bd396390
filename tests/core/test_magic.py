import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.limits import FILES, KB
from functions.core.magic import BEGINNING, content_fault
from tests.pictures import JPEG, PNG, moving, picture, voice_note

MIMES = sorted({mime for limit in FILES.values() for mime in limit.mimes})
STARTS = [b"", b"RIFF\0\0\0\0WEBPVP8X", b"OggS", voice_note(), PNG, JPEG, b"\xff", b"ID3"]


@given(
    st.sampled_from(sorted(FILES)),
    st.sampled_from(MIMES),
    st.tuples(st.sampled_from(STARTS), st.binary(max_size=BEGINNING)).map(b"".join),
)
def test_whatever_a_file_begins_with_there_is_an_answer(type_, mime, beginning):
    fault = content_fault(type_, mime, 1000, beginning[:BEGINNING])
    assert fault is None or fault.plain.endswith(".")


@pytest.mark.parametrize("mime", MIMES)
def test_no_type_that_is_looked_into_takes_an_empty_file_or_a_page(mime):
    looked_into = mime.partition("/")[0] in ("image", "video", "audio")
    for beginning in (b"", b"<!doctype html><script>"):
        assert (content_fault("document", mime, 1000, beginning) is not None) is looked_into


@pytest.mark.parametrize(("file", "size", "taken"), [(picture("WEBP"), 101 * KB, False), (moving(), 101 * KB, True)])
def test_only_a_sticker_that_moves_may_be_over_100_kb(file, size, taken):
    assert (content_fault("sticker", "image/webp", size, file[:BEGINNING]) is None) is taken


def test_the_codec_named_in_a_mime_type_is_no_hindrance():
    assert content_fault("voice", "audio/ogg; codecs=opus", 1000, voice_note()[:BEGINNING]) is None
