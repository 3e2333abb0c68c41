"""An exported policy's robot in plain MuJoCo: an independent check that the export is complete."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from amp_runner.deploy.policy_description import PolicyDescription
from amp_runner.errors import ConfigError
from amp_runner.state import AMPStateSpec, amp_state

_LARGEST_TILT = 0.8  # [rad]; a robot that leans further, or is lower than half of its height, has fallen


class MujocoRobot:
    """One robot, its joints' controllers and its sensors. All its numbers come from the description."""

    def __init__(self, description: PolicyDescription, model: str | Path) -> None:
        """Read the robot and give its joints the description's controllers.

        Args:
            description: of the exported policy.
            model: MJCF file with the robot, free to move, and a floor; each joint has an actuator.

        Raises:
            ConfigError: the file cannot be read or lacks a joint, an actuator or a foot.
        """
        self.description = description
        try:
            self.model = mujoco.MjModel.from_xml_path(str(model))
        except ValueError as error:
            raise ConfigError(f"{model}: not a robot that MuJoCo can read: {str(error).splitlines()[0]}") from None
        self.data = mujoco.MjData(self.model)
        self.model.opt.timestep = description.physics_dt
        joints, actuators = description.joints, range(self.model.nu)
        on_joint = self.model.actuator_trntype == mujoco.mjtTrn.mjTRN_JOINT
        actuator_of = {self.model.joint(self.model.actuator_trnid[i, 0]).name: i for i in actuators if on_joint[i]}
        missing = [name for name in joints.names if name not in actuator_of]
        if missing:
            raise ConfigError(f"{model}: has no actuator on {', '.join(missing)}; is it the policy's robot?")
        self.joint_names = tuple(joints.names)
        self._actuators = [actuator_of[name] for name in joints.names]
        ids = [self.model.joint(name).id for name in joints.names]
        self._positions, self._velocities = self.model.jnt_qposadr[ids], self.model.jnt_dofadr[ids]
        self._columns = [joints.names.index(name) for name in description.actions.joints]
        self._set_controllers()
        self._feet = self._find_feet(model)
        self.reset()

    def _set_controllers(self) -> None:
        joints, model, which = self.description.joints, self.model, self._actuators
        # All actuators become position controllers with the gains of the description.
        model.actuator_gaintype[which], model.actuator_biastype[which] = (
            mujoco.mjtGain.mjGAIN_FIXED,
            mujoco.mjtBias.mjBIAS_AFFINE,
        )
        model.actuator_gear[which], model.actuator_dyntype[which] = [1, 0, 0, 0, 0, 0], mujoco.mjtDyn.mjDYN_NONE
        model.actuator_forcelimited[which], model.actuator_ctrllimited[which] = True, False
        model.dof_damping[self._velocities] = 0.0
        model.actuator_gainprm[which, 0] = joints.stiffness
        model.actuator_biasprm[which, 1] = -np.array(joints.stiffness)
        model.actuator_biasprm[which, 2] = -np.array(joints.damping)
        model.actuator_forcerange[which] = np.outer(joints.effort_limit, [-1, 1])
        model.dof_armature[self._velocities], model.dof_frictionloss[self._velocities] = joints.armature, joints.friction

    def _find_feet(self, path: str | Path) -> list[int]:
        names = (self.description.robot.feet or {"body_names": []})["body_names"]
        bodies = [mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, name) for name in names]
        if -1 in bodies:
            raise ConfigError(f"{path}: has no body '{names[bodies.index(-1)]}'; is it the policy's robot?")
        return bodies

    def reset(self) -> None:
        """Put the robot into its default pose."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:7] = [0.0, 0.0, self.description.robot.base_height, 1.0, 0.0, 0.0, 0.0]
        self.data.qpos[self._positions] = self.description.joints.default_pos
        self.data.ctrl[self._actuators] = self.description.joints.default_pos
        mujoco.mj_forward(self.model, self.data)

    def step(self, targets: np.ndarray) -> None:
        """Advance by one control step with joint position targets in the order of the policy's actions, (A,) [rad]."""
        self.data.ctrl[np.array(self._actuators)[self._columns]] = targets
        mujoco.mj_step(self.model, self.data, nstep=self.description.decimation)

    def push(self, velocity: np.ndarray) -> None:
        """Change the base's planar velocity, (2,), heading frame [m/s]."""
        heading = Rotation.from_euler("z", self.rotation.as_euler("ZYX")[0])
        self.data.qvel[:2] += heading.apply([*velocity, 0.0])[:2]

    @property
    def rotation(self) -> Rotation:
        """Orientation of the base."""
        return Rotation.from_quat(self.data.qpos[3:7], scalar_first=True)

    @property
    def fallen(self) -> bool:
        """Whether the robot leans too far or lies."""
        upright = -self.signals(np.zeros(3))["projected_gravity"][2]
        return upright < np.cos(_LARGEST_TILT) or self.data.qpos[2] < 0.5 * self.description.robot.base_height

    def signals(self, command: np.ndarray) -> dict[str, np.ndarray]:
        """Return the measured signals, by the names of :data:`~.policy_description.SIGNALS`."""
        angular = self.data.qvel[3:6].copy()  # MuJoCo gives a free joint's in its own frame
        return {
            "base_ang_vel": angular,
            "base_lin_vel": self.rotation.inv().apply(self.data.qvel[:3])
            + np.cross(angular, self.description.robot.velocity_point),
            "projected_gravity": self.rotation.inv().apply([0.0, 0.0, -1.0]),
            "command": np.asarray(command, dtype=float),
            "joint_pos": self.data.qpos[self._positions].copy(),
            "joint_vel": self.data.qvel[self._velocities].copy(),
        }

    @property
    def velocity(self) -> np.ndarray:
        """Forward and sideways velocity [m/s] and yaw rate [rad/s] in the heading frame, (3,)."""
        yaw = self.rotation.as_euler("ZYX")[0]
        planar = Rotation.from_euler("z", -yaw).apply(self.data.qvel[:3])[:2]
        return np.array([*planar, self.rotation.apply(self.data.qvel[3:6])[2]])

    def amp_states(self, qpos: np.ndarray, qvel: np.ndarray, spec: AMPStateSpec) -> np.ndarray:
        """Compute AMP states (T, D), without key bodies and feet, of positions (T, nq) and velocities (T, nv)."""
        order = [self.joint_names.index(name) for name in spec.joint_names]
        rotation = Rotation.from_quat(qpos[:, 3:7], scalar_first=True)
        states = amp_state(
            root_height=torch.from_numpy(qpos[:, 2]),
            root_quat=torch.from_numpy(rotation.as_quat()),
            joint_pos=torch.from_numpy(qpos[:, self._positions[order]]),
            root_lin_vel=torch.from_numpy(qvel[:, :3]),
            root_ang_vel=torch.from_numpy(rotation.apply(qvel[:, 3:6])),
            joint_vel=torch.from_numpy(qvel[:, self._velocities[order]]),
            velocity_frame=spec.velocity_frame,
            layout=spec.layout,
        )
        return states.float().numpy()

    def feet(self) -> dict[str, np.ndarray]:
        """Return velocity (F, 3) [m/s], height (F,) [m] and normal force (F,) [N] of the feet's lowest points."""
        feet, velocity = self.description.robot.feet, np.zeros(6)
        assert feet is not None
        found: dict[str, list] = {"foot_velocity": [], "foot_height": [], "foot_force": []}
        forces = self._contact_forces()
        for body in self._feet:
            mujoco.mj_objectVelocity(self.model, self.data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity, 0)
            arm = self.data.xmat[body].reshape(3, 3) @ feet["offset"] - [0, 0, feet["radius"]]
            found["foot_velocity"].append(velocity[3:] + np.cross(velocity[:3], arm))
            found["foot_height"].append(self.data.xpos[body, 2] + arm[2])
            found["foot_force"].append(forces[body])
        return {name: np.array(values) for name, values in found.items()}

    def power(self) -> float:
        """Sum of the joints' absolute power [W]."""
        return float(np.abs(self.data.actuator_force[self._actuators] * self.data.qvel[self._velocities]).sum())

    def _contact_forces(self) -> np.ndarray:
        """Normal force on every body [N]."""
        forces, force = np.zeros(self.model.nbody), np.zeros(6)
        bodies = self.model.geom_bodyid[self.data.contact.geom]
        for number in range(self.data.ncon):
            mujoco.mj_contactForce(self.model, self.data, number, force)
            forces[bodies[number]] += force[0]
        return forces
