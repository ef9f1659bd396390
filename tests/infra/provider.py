"""Providers that know their schema and nothing else, so that the real Terraform can check a module without a registry.

Terraform speaks its plugin protocol (version 6) with them over gRPC and is told by TF_REATTACH_PROVIDERS where they
are. They find no fault in any value, and an ephemeral resource answers the text `ephemeral`.
"""

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from tests.infra import schema

_RANDOM: dict[str, Any] = {
    "attributes": {
        "length": {"type": "number", "required": True, "optional": False, "computed": False},
        "result": {"type": "string", "required": False, "optional": False, "computed": True},
    },
    "blocks": {},
}

# Fields of the protocol's messages: GetProviderSchema.Response, Schema, its Block, Attribute and NestedBlock.
_PROVIDER, _RESOURCES, _DATA, _EPHEMERAL = 1, 2, 3, 8
_BLOCK = 2
_ATTRIBUTES, _BLOCKS = 2, 3
_NAME, _TYPE, _REQUIRED, _OPTIONAL, _COMPUTED, _WRITE_ONLY = 1, 2, 4, 5, 6, 11
_NESTED, _NESTING, _MIN, _MAX = 2, 3, 4, 5
_NESTINGS = {"single": 2, "list": 2, "set": 3}
"""A block that may stand once is a list of one in this provider."""


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Serve hashicorp/google and what we use of hashicorp/random; the environment that leads Terraform to them."""
    google = schema.load()
    answers = {
        "google": _schema(google["provider"]["google"], google["resource"], google["data"], {}),
        "random": _schema({"attributes": {}, "blocks": {}}, {}, {}, {"random_password": _RANDOM}),
    }
    servers = {name: _Provider(answer) for name, answer in answers.items()}
    addresses = {
        f"registry.terraform.io/hashicorp/{name}": {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "tcp", "String": f"127.0.0.1:{server.port}"},
        }
        for name, server in servers.items()
    }
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps(addresses)}
    finally:
        for server in servers.values():
            server.stop()


class _Provider(grpc.GenericRpcHandler):
    def __init__(self, schema_answer: bytes) -> None:
        self._answers = {"GetProviderSchema": schema_answer, "OpenEphemeralResource": _opened()}
        self._server = grpc.server(ThreadPoolExecutor(8), handlers=[self])
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        service, _, method = call.method.rpartition("/")
        if service != "/tfplugin6.Provider" or method == "GetMetadata":
            return None
        # An empty message: nothing to complain of.
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._answers.get(method, b""))

    def stop(self) -> None:
        self._server.stop(None).wait()


def _schema(provider: schema.Spec, *types: Mapping[str, schema.Spec]) -> bytes:
    encoded = _message(_PROVIDER, _field(_BLOCK, _block(provider)))
    for number, specs in zip((_RESOURCES, _DATA, _EPHEMERAL), types, strict=True):
        for name, spec in specs.items():
            encoded += _message(number, _field(1, name), _field(2, _field(_BLOCK, _block(spec))))
    return encoded


def _block(spec: schema.Spec) -> bytes:
    attributes = [_attribute(name, attribute) for name, attribute in spec["attributes"].items()]
    return b"".join([*attributes, *(_nested(name, nested) for name, nested in spec["blocks"].items())])


def _attribute(name: str, attribute: Mapping[str, Any]) -> bytes:
    return _message(
        _ATTRIBUTES,
        _field(_NAME, name),
        _field(_TYPE, json.dumps(_type(attribute))),
        _field(_REQUIRED, attribute["required"]),
        _field(_OPTIONAL, attribute["optional"]),
        _field(_COMPUTED, attribute["computed"]),
        _field(_WRITE_ONLY, name.endswith("_wo")),
    )


def _type(attribute: Mapping[str, Any]) -> Any:
    type_ = attribute["type"]
    if "of" in attribute:
        return [type_[0], ["object", {name: _type(each) for name, each in attribute["of"]["attributes"].items()}]]
    return "dynamic" if type_ == "any" else type_


def _nested(name: str, nested: Mapping[str, Any]) -> bytes:
    return _message(
        _BLOCKS,
        _field(_NAME, name),
        _field(_NESTED, _block(nested)),
        _field(_NESTING, _NESTINGS[nested["nesting"]]),
        _field(_MIN, int(nested["required"])),
        _field(_MAX, int(nested["nesting"] == "single")),
    )


def _opened() -> bytes:
    """The answer of an ephemeral resource: its `result`, as JSON."""
    return _message(3, _field(2, json.dumps({"length": 64, "result": "ephemeral"})))


def _message(number: int, *fields: bytes) -> bytes:
    return _field(number, b"".join(fields))


def _field(number: int, value: bytes | str | int) -> bytes:
    """A field as protocol buffers write it; zero is left out, as there."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value) if value else b""
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
