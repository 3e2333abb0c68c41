"""Downloads from a local server: what is checked, and what is converted."""

import functools
import hashlib
import http.server
import pickle
import threading

import numpy as np
import pytest

from amp_runner import MotionError, load_motion
from amp_runner.cli import motion as amp_motion
from amp_runner.motions import catalogue
from amp_runner.motions.convert import Conversion, ReadOptions
from tests.amp_runner.motions.test_convert import NAMES
from tests.amp_runner.motions.test_convert_formats import POSES


@pytest.fixture
def server(tmp_path):
    """Serves a folder; yields the folder and its address."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


@pytest.fixture
def entry(server, monkeypatch):
    """An entry of the catalogue whose file is on the local server."""
    folder, address = server
    content = pickle.dumps(POSES)
    (folder / "walk.pkl").write_bytes(content)
    made = catalogue.CatalogueEntry(
        "toy-walk", "a toy", "it walks", f"{address}/walk.pkl", "CC0", len(content), hashlib.sha256(content).hexdigest(),
        {"kind": "gmr", "joint_names": list(NAMES)},
    )  # fmt: skip
    monkeypatch.setattr(catalogue, "catalogue", lambda: {"toy-walk": made})
    return made


def test_a_motion_is_downloaded_checked_and_converted(entry, tmp_path, capsys):
    out = tmp_path / "clip.npz"
    assert amp_motion.main(["get", "toy-walk", "-o", str(out), "--dt", "0.02"]) == 0
    motion = load_motion(out)
    assert motion.joint_names == NAMES and motion.licence == "CC0" and motion.source.startswith("toy-walk: http://127.0.0.1")
    assert "licence: CC0" in capsys.readouterr().out


def test_a_file_that_has_changed_is_refused(entry, server, tmp_path, capsys):
    (server[0] / "walk.pkl").write_bytes(pickle.dumps({**POSES, "fps": 30}))
    assert amp_motion.main(["get", "toy-walk", "-o", str(tmp_path / "clip.npz")]) == 2
    assert "is another file than the catalogue describes" in capsys.readouterr().err
    assert not (tmp_path / "clip.npz").exists()


def test_more_than_was_announced_is_not_downloaded(entry, server, tmp_path):
    (server[0] / "walk.pkl").write_bytes(bytes(50_000_000))
    received = []
    with pytest.raises(MotionError, match="is another file"):
        catalogue.download(entry, tmp_path, received.append)
    assert sum(received) < entry.size + 2**17


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/walk.pkl", "is not https"),
        ("http://127.0.0.1:9/walk.pkl", "cannot be downloaded: "),
        ("ftp://example.com/walk.pkl", "is not https"),
    ],
)
def test_other_addresses_are_refused(entry, url, words, tmp_path):
    from dataclasses import replace

    with pytest.raises(MotionError, match=words):
        catalogue.download(replace(entry, url=url), tmp_path)


def test_the_users_settings_win():
    entry = catalogue.CatalogueEntry("a", "r", "w", "https://a/b", "L", 1, "0", {"kind": "csv", "fps": 30, "loop": 4})
    chosen = Conversion(read=ReadOptions(fps=60.0), loop=2, licence="mine")
    found = entry.conversion(chosen)
    assert (found.kind, found.read.fps, found.loop, found.licence) == ("csv", 60.0, 2, "mine")
    found = entry.conversion(Conversion())
    assert (found.read.fps, found.loop, found.licence) == (30, 4, "L")


def test_the_catalogue_is_complete(capsys):
    for entry in catalogue.catalogue().values():
        assert entry.url.startswith("https://") and len(entry.sha256) == 64 and entry.size > 1000 and entry.licence
        assert entry.conversion(Conversion()).kind
    assert amp_motion.main(["list"]) == 0
    assert "a1-trot" in capsys.readouterr().out
    assert amp_motion.main(["get", "a1-trott", "-o", "a.npz"]) == 2
    assert "did you mean 'a1-trot'" in capsys.readouterr().err


def test_numbers_of_the_files_that_are_here():
    """The hashes of the catalogue against the collection of real files, where there is one."""
    from tests.conftest import REPOSITORY

    folder = REPOSITORY.parent / "shared" / "motions"
    if not folder.is_dir():
        pytest.skip("no collection of real motion files beside the repository")
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}
    assert {entry.sha256 for entry in catalogue.catalogue().values()} <= hashes
    assert np.all([entry.size > 0 for entry in catalogue.catalogue().values()])
