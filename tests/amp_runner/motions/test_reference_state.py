"""States of clips as states of robots in the world."""

import numpy as np
import pytest
import torch

from amp_runner import AMPStateSpec, Motion, amp_state, save_motion
from amp_runner.motions.reference_state import ReferenceStates, robot_state

ORIENTATIONS = ("gravity", "quaternion", "tangent_normal")
LAYOUTS = [(frame, orientation) for frame in ("heading", "world") for orientation in ORIENTATIONS]
LAYOUTS += [("body", "gravity"), ("body", "quaternion")]
JOINTS = ("hip", "knee")


def random_states(spec, count=50):
    quat = torch.nn.functional.normalize(torch.tensor([0.1, -0.2, 0.3, 0.9]) + 0.2 * torch.rand(count, 4), dim=-1)
    parts = torch.rand(count), quat, torch.rand(count, 2), torch.rand(count, 3), torch.rand(count, 3), torch.rand(count, 2)
    return amp_state(*parts, velocity_frame=spec.velocity_frame, layout=spec.layout), quat


@pytest.mark.parametrize(("frame", "orientation"), LAYOUTS)
def test_a_robot_in_the_state_has_the_state(frame, orientation):
    spec = AMPStateSpec(JOINTS, orientation, frame)
    states, _ = random_states(spec)
    found = robot_state(states, spec)
    there = (found.height, found.quat, found.joint_pos, found.lin_vel, found.ang_vel, found.joint_vel)
    back = amp_state(*there, velocity_frame=frame, layout=spec.layout)
    same = torch.ones(spec.dim, dtype=torch.bool)
    if orientation == "quaternion" and frame != "world":
        same[spec.features["root_quat_xyzw"]] = False  # its yaw is free
    torch.testing.assert_close(back[:, same], states[:, same], atol=1e-5, rtol=0)


def test_only_in_the_world_frame_a_robot_faces_where_its_clip_did():
    world, heading = (AMPStateSpec(JOINTS, "quaternion", frame) for frame in ("world", "heading"))
    states, quat = random_states(world)
    torch.testing.assert_close(robot_state(states, world).quat, quat)
    states, _ = random_states(heading)
    assert robot_state(states, heading).quat[:, 2].std() > 0.3, "facing anywhere"


def test_what_the_state_lacks_is_none_or_still():
    spec = AMPStateSpec(JOINTS, layout=("joint_pos",))
    found = robot_state(torch.rand(3, 2), spec)
    assert found.height is None and found.lin_vel.abs().sum() == 0 and found.joint_vel.abs().sum() == 0
    torch.testing.assert_close(found.quat[:, :2], torch.zeros(3, 2)), "upright"


def test_states_are_drawn_for_some_of_the_environments_with_their_commands(tmp_path):
    spec = AMPStateSpec(JOINTS)
    states, _ = random_states(spec)
    commands = np.arange(150, dtype=np.float32).reshape(50, 3)
    save_motion(Motion.with_spec(spec, str(tmp_path / "a.npz"), states.numpy(), np.array([50]), dt=0.02, commands=commands))
    drawn = ReferenceStates([(str(tmp_path / "a.npz"), 1.0)], spec, 0.02, True, "cpu")
    ids, frames = drawn.draw(torch.arange(1000), 0.25)
    assert 180 < len(ids) < 320 and frames.shape == (len(ids), spec.dim)

    class Command:
        class cfg:  # noqa: N801
            class ranges:  # noqa: N801
                lin_vel_x, lin_vel_y, ang_vel_z = (0.0, 1000.0), (0.0, 1000.0), (0.0, 10.0)

        vel_command_b = torch.full((1000, 3), -1.0)
        is_standing_env = torch.ones(1000, dtype=torch.bool)

    drawn.set_commands(Command)
    row = int(((torch.from_numpy(states.numpy()) - frames[0]) ** 2).sum(dim=1).argmin())
    assert Command.vel_command_b[ids[0], :2].tolist() == commands[row, :2].tolist()
    assert Command.vel_command_b[ids, 2].max() <= 10.0, "within the ranges"
    assert not Command.is_standing_env[ids].any() and int(Command.is_standing_env.sum()) == 1000 - len(ids)
