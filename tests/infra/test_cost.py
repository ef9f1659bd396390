from bench import cost


async def test_the_docs_say_what_is_counted() -> None:
    text = cost.DOCS.read_text()
    assert text == cost.documented(text, await cost.counted()), "python -m bench.cost brings it up to date"
