import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.identity import Alias, Known, Nameless, candidates, resolve
from functions.core.whatsapp import Person

ACCOUNT = "acme"
OLD, NEW = "553188887777", "5531988887777"
LONG, SHORT = "5215512345678", "525512345678"


def known(*aliases):
    """Return what the store knows, from (kind, value, contact, BSUID seen with it)."""
    return {Alias(ACCOUNT, kind, value): Known(contact, bsuid) for kind, value, contact, bsuid in aliases}


def resolved(person, *aliases):
    return resolve(ACCOUNT, person, known(*aliases))


def names(aliases):
    return [(alias.kind, alias.value) for alias in aliases]


def test_a_stranger_becomes_a_contact_under_every_stated_identity():
    resolution = resolved(Person(wa_id=OLD, bsuid="BR.1", parent_bsuid="BR.ENT.1", username="ana", name="Ana"))
    assert names(resolution.missing) == [("bsuid", "BR.1"), ("parent_bsuid", "BR.ENT.1"), ("wa_id", OLD)]


def test_the_same_first_identity_always_makes_the_same_contact():
    assert resolved(Person(bsuid="BR.1")).contact == resolved(Person(bsuid="BR.1", wa_id=OLD)).contact
    assert resolved(Person(wa_id=OLD)).contact != resolved(Person(wa_id=NEW)).contact


def test_the_same_number_in_two_accounts_is_two_contacts():
    person = Person(wa_id=OLD)
    assert resolve("acme", person, {}).contact != resolve("other", person, {}).contact


def test_a_bsuid_decides_whatever_the_number_says():
    resolution = resolved(
        Person(wa_id=OLD, bsuid="BR.1"), ("bsuid", "BR.1", "ana", "BR.1"), ("wa_id", OLD, "bob", None)
    )
    assert resolution.contact == "ana"
    assert resolution.missing == resolution.learnt == ()


def test_a_new_number_of_a_known_bsuid_is_added_to_the_contact():
    resolution = resolved(Person(wa_id=NEW, bsuid="BR.1"), ("bsuid", "BR.1", "ana", "BR.1"))
    assert (resolution.contact, names(resolution.missing)) == ("ana", [("wa_id", NEW)])


@pytest.mark.parametrize(("stored", "written"), [(OLD, NEW), (NEW, OLD), (LONG, SHORT), (SHORT, LONG)])
def test_either_form_of_a_number_finds_the_contact_of_the_other(stored, written):
    resolution = resolved(Person(wa_id=written), ("wa_id", stored, "ana", None))
    assert (resolution.contact, names(resolution.missing)) == ("ana", [("wa_id", written)])


def test_a_number_without_bsuid_finds_the_contact_that_it_was_seen_with():
    assert resolved(Person(wa_id=OLD), ("wa_id", OLD, "ana", "BR.1")).contact == "ana"


@pytest.mark.parametrize("written", [OLD, NEW])
def test_a_number_seen_with_another_bsuid_stays_two_people(written):
    resolution = resolved(Person(wa_id=written, bsuid="BR.2"), ("wa_id", OLD, "ana", "BR.1"))
    assert resolution.contact != "ana"
    assert ("bsuid", "BR.2") in names(resolution.missing)
    assert resolution.learnt == ()


def test_a_known_number_learns_the_bsuid_that_it_is_first_seen_with():
    resolution = resolved(Person(wa_id=OLD, bsuid="BR.1"), ("wa_id", OLD, "ana", None))
    assert resolution.contact == "ana"
    assert names(resolution.missing) == [("bsuid", "BR.1")]
    assert names(resolution.learnt) == [("wa_id", OLD)]


def test_a_username_is_shown_and_never_looked_up():
    assert candidates(ACCOUNT, Person(bsuid="BR.1", username="ana")) == (Alias(ACCOUNT, "bsuid", "BR.1"),)


@pytest.mark.parametrize("person", [Person(), Person(name="Ana"), Person(username="ana")])
def test_who_has_neither_bsuid_nor_number_is_nameless(person):
    with pytest.raises(Nameless):
        resolved(person)


def test_an_alias_key_tells_nothing_of_the_person():
    assert OLD not in str(Alias(ACCOUNT, "wa_id", OLD).key)


PEOPLE = st.builds(
    Person,
    wa_id=st.sampled_from([None, OLD, NEW, LONG, SHORT]),
    bsuid=st.sampled_from([None, "BR.1", "BR.2"]),
    parent_bsuid=st.sampled_from([None, "BR.ENT.1"]),
).filter(lambda person: person.wa_id or person.bsuid or person.parent_bsuid)


@given(st.lists(PEOPLE, min_size=1, max_size=8))
def test_an_identity_once_given_to_a_contact_never_moves(people):
    store: dict[Alias, Known] = {}
    for person in people:
        resolution = resolve(ACCOUNT, person, store)
        before = {alias: hit.contact for alias, hit in store.items()}
        for alias in (*resolution.missing, *resolution.learnt):
            store[alias] = Known(resolution.contact, resolution.bsuid)
        assert before.items() <= {alias: hit.contact for alias, hit in store.items()}.items()
        # Who wrote once is found again, by the very same identities.
        assert resolve(ACCOUNT, person, store).contact == resolution.contact
        assert not resolve(ACCOUNT, person, store).missing


@given(st.lists(PEOPLE, min_size=1, max_size=8))
def test_two_bsuids_never_share_a_contact(people):
    store: dict[Alias, Known] = {}
    owners: dict[str, str] = {}
    for person in (person for person in people if person.parent_bsuid is None):
        resolution = resolve(ACCOUNT, person, store)
        for alias in (*resolution.missing, *resolution.learnt):
            store[alias] = Known(resolution.contact, resolution.bsuid)
        if person.bsuid:
            assert owners.setdefault(person.bsuid, resolution.contact) == resolution.contact
    assert len(set(owners.values())) == len(owners)
