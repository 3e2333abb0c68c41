"""The page of ``amp-play --web``: sliders for the command, pushes, live curves."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np

from amp_runner.viewers.page_access import page_address
from amp_runner.viewers.player import Player, running_mean

_SLIDERS = (("lin_vel_x", "Forward [m/s]"), ("lin_vel_y", "Sideways [m/s]"), ("ang_vel_z", "Yaw rate [rad/s]"))
_EYE = (0.5, -0.8, 0.2)  # [m] beside the robot
_LOOK_AT_HEIGHT = 0.15  # [m]
_PUSH = 0.4  # [m/s]
_SHOWN = 6.0  # [s] of the curves
_DRAW_EVERY, _CURVES_EVERY = 2, 12  # steps


def serve(player: Player, port: int, seconds: float | None, command: list[float]) -> None:
    """Serve the page until Ctrl-C, or for some seconds."""
    page = ControlPage(player, port, command)
    taken = "" if page.server.get_port() == port else f"; port {port} is taken"
    print(f"amp-play: {page_address(page.server.get_port())}  (Ctrl-C ends{taken})", flush=True)
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while end is None or time.monotonic() < end:
            page.step()
    except KeyboardInterrupt:
        pass
    finally:
        page.server.stop()


class ControlPage:
    """The page: the robot, sliders for its command, buttons, and live curves."""

    def __init__(self, player: Player, port: int, command: list[float]) -> None:
        """Start the server.

        Args:
            player: the robot.
            port: port of the page; the next free one is taken if it is in use.
            command: to begin with (vx, vy, yaw rate).
        """
        self.player, self.server = player, player.open_page(port)
        self.velocity = np.zeros(3)
        """Velocity of the robot, running_mean over half a second."""
        self._random = np.random.default_rng()
        self._steps, self._due = 0, time.monotonic()
        count = round(_SHOWN / player.dt / _CURVES_EVERY * 4)
        self._history: deque[list[float]] = deque(maxlen=count)
        self._add_controls(command)
        self._eyes: dict[int, np.ndarray] = {}  # camera positions relative to the robot, by client
        self.server.on_client_connect(lambda client: client.camera.on_update(lambda _: self._record_eye(client)))

    def _add_controls(self, command: list[float]) -> None:
        gui = self.server.gui
        self.sliders = []
        for (name, label), value in zip(_SLIDERS, command):
            low, high = self.player.command_ranges[name]
            start = float(np.clip(value, low, high))
            self.sliders.append(gui.add_slider(label, min=low, max=high, step=0.05, initial_value=start))
        stop, push, reset = (gui.add_button(label) for label in ("Stop", "Push", "Reset"))
        stop.on_click(lambda _: self._stop())
        self._pushed = self._reset = False
        push.on_click(lambda _: setattr(self, "_pushed", True))
        reset.on_click(lambda _: setattr(self, "_reset", True))
        self.paused = gui.add_checkbox("Pause", False)
        self.follow = gui.add_checkbox("Camera follows", True)
        self.status = gui.add_markdown("")
        self._curves = [self._add_curve("velocity [m/s, rad/s]", ["forward", "commanded", "yaw rate"], [0, 1, 2])]
        if self.player.has_style_score:
            self._curves.append(self._add_curve("style reward", ["-log(1 - D)"], [3]))
            self._curves.append(self._add_curve("discriminator", ["D (1: reference)"], [4]))

    def _add_curve(self, title: str, names: list[str], columns: list[int]) -> tuple[Any, list[int]]:
        from viser import uplot

        colors = ("#1f77b4", "#7f7f7f", "#ff7f0e")
        series = [uplot.Series(label="s"), *(uplot.Series(label=n, stroke=c, width=1.5) for n, c in zip(names, colors))]
        scales = {"x": uplot.Scale(time=False, auto=True), "y": uplot.Scale(auto=True)}
        empty = np.zeros(1)
        data = (empty, *(empty for _ in names))
        return self.server.gui.add_uplot(data, tuple(series), title=title, scales=scales, aspect=1.9), columns

    def _stop(self) -> None:
        for slider in self.sliders:
            slider.value = 0.0

    def step(self) -> None:
        """Advance by one control step, in real time or as fast as possible."""
        self._due = max(self._due + self.player.dt, time.monotonic() - 0.1)
        time.sleep(max(0.0, self._due - time.monotonic()))
        if self._reset:
            self.player.reset()
            self._reset = False
        if self._pushed:
            self.player.push(self._random.uniform(-_PUSH, _PUSH, 2))
            self._pushed = False
        if self.paused.value:
            self._draw()
            return
        self.player.command = np.array([_within(slider.value, slider.min, slider.max) for slider in self.sliders])
        self.player.step()
        self._steps += 1
        self.velocity = running_mean(self.velocity, self.player.velocity(), self.player.dt)
        self._record_curves()
        if self._steps % _DRAW_EVERY == 0:
            self._draw()

    def _record_curves(self) -> None:
        if self._steps % (_CURVES_EVERY // 4) == 0:
            style = self.player.style
            scores = [np.nan, np.nan] if style is None else [style.reward, style.probability]
            forward, _, turn = self.player.velocity()
            self._history.append([forward, self.player.command[0], turn, *scores])

    def _draw(self) -> None:
        with self.server.atomic():
            self.player.draw_page()
        for client in self.server.get_clients().values():
            if self.follow.value:
                self._follow(client)
        if self._steps % _CURVES_EVERY == 0:
            self._draw_curves()

    def _record_eye(self, client: Any) -> None:
        # The browser first reports a camera of its own, perhaps after ours was sent: only from ours on do its
        # reports give the position that the viewer chose.
        eye = client.camera.position - client.camera.look_at
        if client.client_id in self._eyes or np.allclose(eye, _EYE, atol=0.01):
            self._eyes[client.client_id] = eye

    def _follow(self, client: Any) -> None:
        """Look at the robot, from where the viewer looks at it."""
        target = self.player.position() * [1, 1, 0] + [0, 0, _LOOK_AT_HEIGHT]
        with client.atomic():
            client.camera.position = target + self._eyes.get(client.client_id, np.array(_EYE))
            client.camera.look_at = target  # after the position, which takes it along

    def _draw_curves(self) -> None:
        forward, sideways, turn = self.velocity
        self.status.content = f"**{forward:+.2f}** m/s forward, **{sideways:+.2f}** sideways, **{turn:+.2f}** rad/s"
        values = np.array(self._history)
        at = np.arange(-len(values), 0) * self.player.dt * (_CURVES_EVERY // 4)
        for curve, columns in self._curves:
            curve.data = (at, *(np.ascontiguousarray(values[:, column]) for column in columns))


def _within(value: float, low: float, high: float) -> float:
    """A slider's value within its ends; a client may send any number, also NaN."""
    return min(max(value, low), high) if value == value else 0.0
