"""Tests what the sandbox does on the socket itself."""

import socket

import pytest

from tests.sandbox.crmtop_client import crmtop


@pytest.mark.parametrize("begun", [b"", b"{}"])
def test_half_a_request_makes_nothing(begun: bytes) -> None:
    """A worker that is killed while it sends would leave an empty record behind, which no real CRM makes."""
    with crmtop() as top:
        head = (
            "POST /crmtop/api/v1/customer/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: {top.header}\r\nContent-Length: 40\r\n\r\n"
        )
        address = (top.http.base_url.host, top.http.base_url.port or 80)
        with socket.create_connection(address, timeout=60) as client:
            client.sendall(head.encode() + begun)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
        assert top.count("customer") == 0
