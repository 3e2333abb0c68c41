"""Only this machine's own pages may talk to a page's server."""

import msgspec
import pytest
import viser
import viser._messages as messages
import websockets.exceptions
import websockets.sync.client as client

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
