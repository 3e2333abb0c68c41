"""``amp-play --video``: a policy in a video, with its command and speed written on it."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from amp_runner.viewers.player import CommandSchedule, Player, running_mean
from amp_runner.viewers.rendering import open_video

RATE = 25
"""Pictures a second."""


def write_video(player: Player, out: str, seconds: float, schedule: CommandSchedule) -> int:
    """Write a video in real time.

    Args:
        player: the robot with its policy.
        out: file to write (.mp4 or .gif).
        seconds: length [s].
        schedule: the command at a time.

    Returns:
        Number of pictures.

    Raises:
        AMPError: nothing can be drawn here, or no video can be written.
    """
    steps, every = round(seconds / player.dt), max(1, round(1 / RATE / player.dt))
    velocity, pictures = np.zeros(3), 0
    with open_video(out, 1 / (every * player.dt)) as writer:
        for step in tqdm(range(steps), desc="drawing", unit="step", mininterval=1.0):
            player.command = np.array(schedule(step * player.dt))
            player.step()
            velocity = running_mean(velocity, player.velocity(), player.dt)
            if step % every == 0:
                writer.append_data(with_text(player.picture(), player.command, velocity))
                pictures += 1
    return pictures


def with_text(picture: np.ndarray, command: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Write the command and the velocity, (3,) each, into the corner of a picture."""
    image = Image.fromarray(picture)
    lines = [f"{name}  x {v[0]:+.2f}  y {v[1]:+.2f} m/s   yaw {v[2]:+.2f} rad/s" for name, v in
             (("command ", command), ("velocity", velocity))]  # fmt: skip
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=15)
    for row, line in enumerate(lines):
        draw.text((12, 10 + 20 * row), line, font=font, fill="white", stroke_width=2, stroke_fill="black")
    return np.asarray(image)
