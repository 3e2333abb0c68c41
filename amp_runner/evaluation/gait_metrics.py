"""Gait measures of recorded trajectories, in plain NumPy.

T time steps, N environments (or clips), D numbers in an AMP state, A actions, F feet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amp_runner.state import AMPStateSpec
from amp_runner.state.sides import opposite_joint

FREQUENCY_BAND = (0.5, 12.0)
"""Range of stride frequencies [Hz]."""
WALKING_SPEED = 0.3
"""Smallest commanded forward speed at which strides are measured [m/s]."""
CONTACT_FORCE = 1.0
"""A foot with a larger normal force is in contact [N]."""
SETTLING_TIME = 2.0
"""Start of an episode that is excluded [s]."""
_WINDOW_FRAMES = 5  # in the windows of the style distance


@dataclass(frozen=True)
class GaitRecording:
    """Recording of N environments for T steps under constant commands."""

    states: np.ndarray
    """AMP states, (T, N, D), velocities in the heading frame."""
    commands: np.ndarray
    """Commands, (N, 3) [m/s, m/s, rad/s]."""
    episode_time: np.ndarray
    """Time since the episode began, (T, N) [s]."""
    falls: np.ndarray
    """Whether the robot fell in this step, (T, N)."""
    actions: np.ndarray
    """Actions, (T, N, A)."""
    foot_velocity: np.ndarray
    """World velocity of each foot's sole point, (T, N, F, 3) [m/s]."""
    foot_height: np.ndarray
    """Height of each foot's sole point above the ground, (T, N, F) [m]."""
    foot_contact: np.ndarray
    """Whether each foot is on the ground, (T, N, F)."""
    power: np.ndarray
    """Absolute mechanical power of the joints, (T, N) [W]."""
    weight: float
    """Weight of the robot [N]."""
    dt: float
    """Time step [s]."""
    spec: AMPStateSpec
    """Layout of the states."""

    def select(self, environments: np.ndarray) -> GaitRecording:
        """Return the recording of some environments, by index or mask (N,)."""
        sliced = {
            name: value[environments] if name == "commands" else value[:, environments]
            for name, value in vars(self).items()
            if isinstance(value, np.ndarray)
        }
        return GaitRecording(**{**vars(self), **sliced})

    @property
    def settled(self) -> np.ndarray:
        """Mask of the steps after the settling time of their episode, (T, N)."""
        return self.episode_time > SETTLING_TIME

    def feature(self, name: str) -> np.ndarray:
        """Return one feature of the states, (T, N, size)."""
        return self.states[..., self.spec.features[name]]


def _opposite(joint_names: tuple[str, ...], joint: int) -> int | None:
    """Return the index of the joint on the other side, if the names distinguish sides."""
    for sides in (("left", "right"), ("l_", "r_"), ("L", "R")):
        partner = opposite_joint(joint_names[joint], joint_names, sides)
        if partner != joint_names[joint] and partner in joint_names:
            return joint_names.index(partner)
    return None


def dominant_frequency(signal: np.ndarray, dt: float) -> np.ndarray:
    """Find the frequency with the most power, by a Hann-windowed periodogram padded to 0.01 Hz or finer.

    Args:
        signal: shape (T, ...).
        dt: time step [s].

    Returns:
        Frequencies, shape (...) [Hz], within :data:`FREQUENCY_BAND`.
    """
    centred = signal - signal.mean(axis=0)
    window = np.hanning(len(signal)).reshape(-1, *[1] * (signal.ndim - 1))
    padded = max(len(signal), round(100.0 / dt))
    power = np.abs(np.fft.rfft(centred * window, n=padded, axis=0)) ** 2
    frequency = np.fft.rfftfreq(padded, dt)
    band = (frequency >= FREQUENCY_BAND[0]) & (frequency <= FREQUENCY_BAND[1])
    return frequency[band][power[band].argmax(axis=0)]


def stride_metrics(joint_pos: np.ndarray, dt: float, hip: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute stride frequency [Hz] and amplitude (standard deviation, [rad]) of one joint, each (N,).

    Args:
        joint_pos: joint positions, (T, N, J) [rad].
        dt: time step [s].
        hip: index of the joint that swings the leg.
    """
    signal = joint_pos[..., hip]
    return dominant_frequency(signal, dt), signal.std(axis=0)


def falls_per_minute(recording: GaitRecording) -> float:
    """Compute falls per robot and minute, over all steps."""
    return float(recording.falls.sum() / (recording.falls.size * recording.dt / 60))


def compute_gait_metrics(recording: GaitRecording, hip: int) -> dict[str, float]:
    """Compute the gait measures of a recording, without the first :data:`SETTLING_TIME` of each episode.

    Args:
        recording: the recording.
        hip: index of the joint that swings the left leg.

    Returns:
        The measures by name.

        - ``velocity_error_mps``: mean norm of planar heading-frame velocity minus command.
        - ``mean_velocity_error_mps``: the same for the mean velocity of each robot, which excludes the sway within a stride.
        - ``yaw_rate_error_radps``: mean absolute yaw rate minus command.
        - ``falls_per_minute``: falls per robot and minute, over all steps.
        - ``stride_frequency_hz``: median over walking robots that did not fall.
        - ``hip_amplitude_rad``: the same of the hip's standard deviation.
        - ``duty_factor``: fraction of the time that a foot is in contact, walking robots.
        - ``foot_slip_mps``: mean horizontal speed of feet in stance.
        - ``foot_clearance_m``: mean over walking robots of the 95th percentile of foot height.
        - ``left_right_asymmetry``: ``|left - right| / mean`` of the hip amplitudes, walking robots; absent if the
          joint names do not distinguish sides.
        - ``action_rate``: mean squared change of the action between two steps.
        - ``joint_jerk``: mean squared third derivative of the joint positions, from velocities [1e6 rad^2/s^6].
        - ``cost_of_transport``: power / (weight * speed), walking robots.
    """
    settled = recording.settled
    velocity = recording.feature("root_lin_vel")[..., :2]
    yaw_rate = recording.feature("root_ang_vel")[..., 2]
    deviation = np.where(settled[..., None], velocity - recording.commands[:, :2], np.nan)
    walking = recording.commands[:, 0] >= WALKING_SPEED
    steady = walking & ~recording.falls.any(axis=0)
    stance = recording.foot_contact & settled[..., None]
    slip = np.linalg.norm(recording.foot_velocity[..., :2], axis=-1)
    jerk = np.diff(recording.feature("joint_vel"), n=2, axis=0) / recording.dt**2
    result = {
        "velocity_error_mps": np.nanmean(np.linalg.norm(deviation, axis=-1)),
        "mean_velocity_error_mps": np.nanmean(np.linalg.norm(np.nanmean(deviation, axis=0), axis=-1)),
        "yaw_rate_error_radps": np.abs(yaw_rate - recording.commands[:, 2])[settled].mean(),
        "falls_per_minute": falls_per_minute(recording),
        "foot_slip_mps": slip[stance].mean() if stance.any() else np.nan,
        "action_rate": np.square(np.diff(recording.actions, axis=0))[settled[1:]].mean(),
        "joint_jerk": np.square(jerk)[settled[2:]].mean() / 1e6,
    }
    result |= _walking_metrics(recording.select(steady), settled[:, steady], hip) if steady.any() else {}
    return {name: float(value) for name, value in result.items()}


def _walking_metrics(recording: GaitRecording, settled: np.ndarray, hip: int) -> dict[str, float]:
    """Compute the measures of robots that walk forward and do not fall."""
    start = int(settled.any(axis=1).argmax())
    joints = recording.feature("joint_pos")[start:]
    frequency, amplitude = stride_metrics(joints, recording.dt, hip)
    partner = _opposite(recording.spec.joint_names, hip)
    other = None if partner is None else joints[..., partner].std(axis=0)
    speed = recording.feature("root_lin_vel")[start:, :, 0].mean(axis=0)
    result = {
        "stride_frequency_hz": np.median(frequency),
        "hip_amplitude_rad": np.median(amplitude),
        "duty_factor": recording.foot_contact[start:].mean(),
        "foot_clearance_m": np.percentile(recording.foot_height[start:], 95, axis=0).mean(),
        "cost_of_transport": np.mean(recording.power[start:].mean(axis=0) / (recording.weight * np.maximum(speed, 0.05))),
    }
    if other is not None:
        result["left_right_asymmetry"] = np.mean(2 * np.abs(amplitude - other) / (amplitude + other))
    return result


def reference_metrics(
    clips: list[np.ndarray], clip_commands: np.ndarray, commands: np.ndarray, dt: float, spec: AMPStateSpec, hip: int
) -> dict[str, float]:
    """Compute the stride frequency [Hz] and hip amplitude [rad] of robots that walk exactly like the reference.

    Both grow with speed, so each walking robot is compared with the clip whose command is nearest to its own.

    Args:
        clips: states of each clip, (T_c, D).
        clip_commands: the command that each clip follows, (C, 3).
        commands: the robots' commands, (N, 3).
        dt: time step [s].
        spec: layout of the states.
        hip: index of the joint that swings the left leg.
    """
    joints = spec.features["joint_pos"]
    walking = commands[commands[:, 0] >= WALKING_SPEED]
    nearest = np.linalg.norm(walking[:, None] - clip_commands, axis=-1).argmin(axis=1)
    pairs = {c: stride_metrics(clips[c][:, None, joints], dt, hip) for c in np.unique(nearest)}
    frequency, amplitude = (
        np.array([pairs[c] for c in nearest]).reshape(-1, 2).T if len(nearest) else np.full((2, 1), np.nan)
    )
    return {
        "reference_stride_frequency_hz": float(np.median(frequency)),
        "reference_hip_amplitude_rad": float(np.median(amplitude)),
    }


def windows_of(sequences: list[np.ndarray], num_frames: int = _WINDOW_FRAMES) -> np.ndarray:
    """Return flattened windows of consecutive frames, (W, K * D); none spans two sequences (T_c, D)."""
    views = [
        np.lib.stride_tricks.sliding_window_view(s, num_frames, axis=0)
        .transpose(0, 2, 1)
        .reshape(-1, num_frames * s.shape[1])
        for s in sequences
        if len(s) >= num_frames
    ]
    return np.concatenate(views)


def style_distance(expert: np.ndarray, policy: np.ndarray) -> float:
    """Compute the Frechet distance between two sets of windows (W, F), in standard deviations of the expert.

    Squared distance of normal distributions with the sets' means and covariances, ``|m1 - m2|^2 + tr(C1 + C2 -
    2 (C1 C2)^(1/2))`` (Dowson and Landau 1982).
    """
    mean, std = expert.mean(axis=0), expert.std(axis=0) + 1e-2
    expert, policy = (expert - mean) / std, (policy - mean) / std
    c1, c2 = np.cov(expert, rowvar=False), np.cov(policy, rowvar=False)
    # tr((C1 C2)^(1/2)) is the sum of the square roots of the eigenvalues of C1 C2, which are real and not negative.
    eigenvalues = np.real(np.linalg.eigvals(c1 @ c2))
    cross = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    squared = np.square(policy.mean(axis=0)).sum() + np.trace(c1) + np.trace(c2) - 2 * cross
    return float(np.sqrt(max(squared, 0.0)))
