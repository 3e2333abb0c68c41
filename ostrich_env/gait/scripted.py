"""A controller that walks without any training: the synthesised gait's foot paths, and the feedback that point feet need.

Footholds follow the velocity error (Raibert 1986, "Legged Robots That Balance"), the feet on the ground hold the body level
and carry its weight. It walks at moderate speeds, less well than a trained policy, and serves to record reference motion
that obeys physics before there is a policy: ``amp-record --controller gait``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tensordict import TensorDict

from amp_runner.isaaclab import amp_state_term, write_amp_states
from amp_runner.isaaclab.joint_action import JointTargetMapping
from amp_runner.state import AMPStateSpec
from ostrich_env.gait.walk import Stride, stride, walking_clip
from ostrich_env.robot.description import HIP_OFFSET, JOINT_NAMES, LINKS, LOWER_LEG_LENGTH, STIFFNESS, UPPER_LEG_LENGTH
from ostrich_env.robot.kinematics import foot_jacobians, joint_positions

_HIPS = np.array([[0.0, HIP_OFFSET, 0.0], [0.0, -HIP_OFFSET, 0.0]])
_REACH = 0.99 * (UPPER_LEG_LENGTH + LOWER_LEG_LENGTH)  # [m]
_WEIGHT = 9.81 * sum(link.mass for link in LINKS)  # [N]


@dataclass(frozen=True)
class Gains:
    """Feedback gains, found by a random search on the robot's MuJoCo twin at eight commands."""

    foothold: tuple[float, float] = (0.28, 0.21)
    """How far a foothold moves with the forward and sideways velocity error [s]; the pendulum's own time is 0.15."""
    largest_step: float = 0.06
    """Limit of that [m]."""
    level: tuple[float, float] = (3.8, 2.5)
    """How far the feet on the ground turn about the hips against the body's roll and pitch [rad/rad]."""
    height: float = 0.1
    """How far they reach down for a body that is too low [m/m]."""


class ScriptedGait:
    """Controller: a function from observations to actions, for any number of environments.

    It reads the robots' states and the velocity command and plays the gait of that command. Episodes begin in the
    middle of a stride: getting there from standing is beyond it.
    """

    def __init__(self, env: Any, gains: Gains | None = None) -> None:
        """Begin at a random phase of the stride.

        Args:
            env: RSL-RL's wrapper of an ostrich task.
            gains: feedback gains; None: the defaults.
        """
        self._env = env.unwrapped
        self._action = JointTargetMapping.from_env(env)
        # Whatever the discriminator sees, the feedback needs gravity and velocities in the heading frame.
        own = {"orientation": "gravity", "velocity_frame": "heading"}
        self._params = self._env.cfg.observations.amp.state.params | own
        self._asset_cfg = self._params["asset_cfg"]
        self._spec = AMPStateSpec(JOINT_NAMES, **own)
        phases = np.random.default_rng(0).random(env.num_envs)
        self._walkers = [Walker(gains or Gains(), phase) for phase in phases]
        self._begins = torch.ones(env.num_envs, dtype=torch.bool)

    def __call__(self, obs: TensorDict) -> torch.Tensor:
        """Compute actions, (N, 6), from the state of the robots; ``obs`` gives the device only."""
        commands = self._env.command_manager.get_command("base_velocity").cpu().numpy()
        states = amp_state_term(self._env, **self._params)
        if self._begins.any():
            self._put_into_stride(states, commands)
        states, features = states.cpu().numpy().astype(float), self._spec.features
        columns = [features[name] for name in ("root_height", "projected_gravity", "joint_pos", "root_lin_vel")]
        targets = [
            walker.step(command, *(state[part] for part in columns), self._env.step_dt)
            for walker, command, state in zip(self._walkers, commands, states)
        ]
        return self._action.actions(torch.from_numpy(np.stack(targets)).float().to(obs.device))

    def reset(self, dones: torch.Tensor) -> None:
        """Restart the gait of environments whose episode ended, (N,)."""
        self._begins |= dones.bool().cpu()

    def _put_into_stride(self, states: torch.Tensor, commands: np.ndarray) -> None:
        ids = self._begins.nonzero().flatten()
        begun = []
        for env in ids.tolist():
            self._walkers[env].forget()
            phase, dt = self._walkers[env].phase, self._env.step_dt
            begun.append(walking_clip(commands[env], dt, dt, self._spec, phase))
        states[ids] = torch.from_numpy(np.concatenate(begun)).to(states.device)
        write_amp_states(self._env, ids.to(states.device), states[ids], self._spec, self._asset_cfg)
        self._begins[:] = False


class Walker:
    """The controller of one robot, without a simulator."""

    def __init__(self, gains: Gains, phase: float) -> None:
        """Begin at a phase of the stride, in strides."""
        self.gains, self.phase = gains, phase
        self._command: tuple[float, ...] | None = None
        self._stride: Stride | None = None
        self.forget()

    def forget(self) -> None:
        """Begin with the gait's own footholds."""
        self._offset, self._offset_before = np.zeros((2, 2)), np.zeros((2, 2))

    def step(
        self,
        command: np.ndarray,
        height: np.ndarray,
        gravity: np.ndarray,
        joint_pos: np.ndarray,
        velocity: np.ndarray,
        dt: float,
    ) -> np.ndarray:
        """Joint position targets for the next control step.

        Args:
            command: forward and sideways velocity [m/s] and yaw rate [rad/s], (3,).
            height: of the base, (1,) [m].
            gravity: unit gravity vector in the base frame, (3,).
            joint_pos: joint positions, (6,) [rad].
            velocity: of the base in the heading frame, (3,) [m/s].
            dt: time to the next step [s].

        Returns:
            Targets, (6,) [rad].
        """
        self._follow(command)
        now = int(self.phase * len(self._stride.height)) % len(self._stride.height)
        swing, load = self._stride.swing[now], self._stride.load[now]
        feet = self._stride.feet[now].copy()
        feet[:, :2] += self._footholds(velocity[:2] - self._stride.velocity[now], swing, dt)
        feet[:, 2] -= self.gains.height * (self._stride.height[now] - height) * (swing == 0)
        feet += load[:, None] * self._levelling(feet, gravity)
        force = -_WEIGHT * load[:, None] * gravity  # of the ground on each foot
        torque = -np.einsum("fij,fi->fj", foot_jacobians(joint_pos), force)
        self.phase = (self.phase + dt / self._stride.period) % 1.0
        return joint_positions(_within_reach(feet)) + torque.ravel() / STIFFNESS

    def _follow(self, command: np.ndarray) -> None:
        rounded = tuple(np.round(command.astype(float), 2))
        if rounded != self._command:
            self._command, self._stride = rounded, stride(np.array(rounded))

    def _footholds(self, error: np.ndarray, swing: np.ndarray, dt: float) -> np.ndarray:
        """Where the feet are beside the gait's own paths, (2, 2) [m]: a step towards where the body falls."""
        limit = self.gains.largest_step
        target = np.clip(np.array(self.gains.foothold) * error, -limit, limit)
        for foot in (0, 1):
            if swing[foot] == 0:  # on the ground: the body leaves it behind
                self._offset[foot] = np.clip(self._offset[foot] - error * dt, -limit, limit)
                self._offset_before[foot] = self._offset[foot]
                continue
            # The foot is where it should land before the swing ends.
            there = min(1.0, 1.3 * swing[foot] ** 3 * (10 - 15 * swing[foot] + 6 * swing[foot] ** 2))
            self._offset[foot] = (1 - there) * self._offset_before[foot] + there * target
        return self._offset

    def _levelling(self, feet: np.ndarray, gravity: np.ndarray) -> np.ndarray:
        """How the feet on the ground turn about the hips to level the body, (2, 3) [m]."""
        roll, pitch = np.arctan2(-gravity[1], -gravity[2]), np.arcsin(np.clip(gravity[0], -1, 1))
        depth = (feet - _HIPS)[:, 2]
        about_x, about_y = self.gains.level
        return np.stack([about_y * pitch * depth, -about_x * roll * depth, np.zeros(2)], axis=1)


def _within_reach(feet: np.ndarray) -> np.ndarray:
    legs = feet - _HIPS
    return _HIPS + legs * np.minimum(1.0, _REACH / np.linalg.norm(legs, axis=1, keepdims=True))
