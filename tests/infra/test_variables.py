from tests.infra.module import INFRA, Module, arguments, parsed


def test_three_variables_are_enough(module: Module) -> None:
    required = {name for (name,), variable in module.blocks("variable") if "default" not in variable}
    assert required == {"project", "region", "alert_email"}


def test_the_example_gives_what_is_required(module: Module) -> None:
    required = {name for (name,), variable in module.blocks("variable") if "default" not in variable}
    assert {name for name, _ in arguments(parsed(INFRA / "terraform.tfvars.example"))} == required


def test_every_variable_says_what_it_is_and_what_it_may_be(module: Module) -> None:
    for (name,), variable in module.blocks("variable"):
        assert variable["description"].endswith("."), name
        assert "type" in variable, name
        # A place is checked by Google, a secret by Meta, and a truth value by its type.
        unchecked = variable["type"] == "bool" or name in ("store_location", "media_location", "app_secret")
        assert unchecked or "validation" in variable, name


def test_every_output_says_what_it_is_for(module: Module) -> None:
    assert all(output["description"].endswith(".") for _, output in module.blocks("output"))
