"""Only this machine's own pages may talk to a page's server."""

import http.client

import msgspec
import pytest
import viser
import viser._messages as messages
import websockets.asyncio.server as server
import websockets.exceptions
import websockets.sync.client as client

from amp_runner.viewers import page_access
from amp_runner.viewers.control_page import ControlPage, _within
from amp_runner.viewers.mujoco_player import MujocoPlayer
from tests.conftest import REPOSITORY


@pytest.fixture
def page():
    page = ControlPage(MujocoPlayer(str(REPOSITORY / "policies" / "exported")), 18330, [0.0, 0.0, 0.0])
    yield page
    page.server.stop()


def connect(page, origin):
    address = f"ws://127.0.0.1:{page.server.get_port()}"
    return client.connect(address, origin=origin, subprotocols=[f"viser-v{viser.__version__}"], max_size=None)


def test_other_websites_are_refused(page):
    for origin in ("https://evil.example", "http://localhost.evil.example"):
        with pytest.raises(websockets.exceptions.InvalidStatus):
            connect(page, origin)
    for origin in (None, f"http://localhost:{page.server.get_port()}"):
        connect(page, origin).close()


def test_no_client_opens_a_public_tunnel(page, monkeypatch):
    monkeypatch.setattr("viser._viser.ViserTunnel", None)
    with connect(page, None) as socket:
        socket.send(msgspec.msgpack.encode(messages.ShareUrlRequest().as_serializable_dict()))
    assert page.server.request_share_url() is None


def test_commands_stay_within_their_ranges():
    assert [_within(v, -0.5, 0.8) for v in (50.0, -3.0, 0.3, float("nan"), float("inf"))] == [0.8, -0.5, 0.3, 0.0, 0.8]


class TestOtherMachines:
    """With --host, the token in the address lets a browser in, and then its cookie."""

    @pytest.fixture
    def page(self, monkeypatch):
        monkeypatch.setattr(server, "serve", getattr(server.serve, "serve", server.serve))
        monkeypatch.setattr(viser.ViserServer, "request_share_url", None)
        page_access.protect_pages("127.0.0.1")
        page = page_access.new_page(18340, width=1.0)
        yield page
        page.stop()

    def get(self, page, path="/", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", page.get_port(), timeout=10)
        connection.request("GET", path, headers=headers)
        return connection.getresponse()

    def socket(self, page, **headers):
        address = f"ws://127.0.0.1:{page.get_port()}"
        protocol = [f"viser-v{viser.__version__}"]
        return client.connect(address, subprotocols=protocol, additional_headers=headers, max_size=None)

    def test_without_the_token_nothing_is_served(self, page):
        assert self.get(page).status == self.get(page, "/?token=guess").status == 403
        for headers in ({}, {"Cookie": "amp_token=guess"}):
            with pytest.raises(websockets.exceptions.InvalidStatus):
                self.socket(page, **headers)

    def test_the_printed_address_lets_in_and_gives_a_cookie_that_websites_cannot_send(self, page):
        address = page_access.page_address(page.get_port())
        response = self.get(page, address.removeprefix(f"http://127.0.0.1:{page.get_port()}"))
        cookie = response.headers["Set-Cookie"]
        assert response.status == 200 and "SameSite=Strict" in cookie and "HttpOnly" in cookie
        cookie = cookie.split(";")[0]
        assert self.get(page, Cookie=cookie).status == 200
        self.socket(page, Cookie=cookie).close()
