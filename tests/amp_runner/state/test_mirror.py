import numpy as np
import pytest
import torch

from amp_runner import AMPStateSpec, ConfigError, Mirror, MirrorCfg, amp_state
from ostrich_env.gait.walk import ostrich_spec, walking_clip

JOINTS = ("left_roll", "left_knee", "right_roll", "right_knee")


def mirror_of(spec, flipped=".*roll.*"):
    return Mirror(*spec.mirror(flipped))


def test_a_state_in_the_mirror_by_hand():
    frame = torch.tensor([0.2, 0.1, 0.2, -0.9, *(1, 2, 3, 4), *(5, 6, 7), *(8, 9, 10), *(11, 12, 13, 14)])
    expected = torch.tensor([0.2, 0.1, -0.2, -0.9, *(-3, 4, -1, 2), *(5, -6, 7), *(-8, 9, -10), *(-13, 14, -11, 12)])
    assert torch.equal(mirror_of(AMPStateSpec(JOINTS))(frame), expected)


@pytest.mark.parametrize("orientation", ["gravity", "quaternion"])
def test_mirroring_twice_is_the_identity(orientation):
    spec = AMPStateSpec(JOINTS, orientation=orientation)
    mirror, frames = mirror_of(spec), torch.randn(5, 3, spec.dim)
    assert torch.equal(mirror(mirror(frames)), frames)
    assert not torch.equal(mirror(frames), frames)


@pytest.mark.parametrize("orientation", ["gravity", "quaternion"])
def test_the_mirrored_state_is_the_state_of_the_mirrored_robot(orientation):
    """A reflection in the x-z plane turns vectors (x, -y, z), rotations about x and z and rolling joints around."""
    spec = AMPStateSpec(JOINTS, orientation=orientation)
    quat = torch.nn.functional.normalize(torch.tensor([[0.3, -0.2, 0.4, 0.8]]), dim=-1)
    joints, speeds = torch.randn(1, 4), torch.randn(1, 4)
    linear, angular = torch.randn(1, 3), torch.randn(1, 3)
    here = amp_state(torch.tensor([0.2]), quat, joints, linear, angular, speeds, orientation)
    swap, joint_signs = [2, 3, 0, 1], torch.tensor([-1.0, 1.0, -1.0, 1.0])
    there = amp_state(
        torch.tensor([0.2]),
        quat * torch.tensor([-1.0, 1.0, -1.0, 1.0]),
        joints[:, swap] * joint_signs,
        linear * torch.tensor([1.0, -1.0, 1.0]),
        angular * torch.tensor([-1.0, 1.0, -1.0]),
        speeds[:, swap] * joint_signs,
        orientation,
    )
    torch.testing.assert_close(mirror_of(spec)(here), there)


def test_a_mirrored_clip_is_the_clip_of_the_mirrored_command():
    """The synthesised gait is symmetric: turning left, mirrored and half a stride later, is turning right."""
    spec = ostrich_spec()
    mirror = mirror_of(spec, flipped=".*_roll_joint")
    left = walking_clip(np.array([0.5, 0.2, 0.3]), 1.0, 0.02, spec, phase=0.0)
    right = walking_clip(np.array([0.5, -0.2, -0.3]), 1.0, 0.02, spec, phase=0.5)
    np.testing.assert_allclose(mirror(torch.from_numpy(left)).numpy(), right, atol=2e-4)


def test_windows_are_mirrored_as_often_as_declared():
    mirror = mirror_of(AMPStateSpec(JOINTS))
    windows = torch.randn(1, 2, AMPStateSpec(JOINTS).dim).expand(4000, -1, -1)
    mirrored = mirror.mirror_randomly(windows, 0.25, torch.Generator().manual_seed(0)) != windows
    assert mirrored.flatten(1).any(dim=1).float().mean().item() == pytest.approx(0.25, abs=0.03)


def test_declarations_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="'left_roll' has no partner 'right_roll'"):
        AMPStateSpec(("left_roll", "neck")).mirror("")
    assert AMPStateSpec(("neck",)).mirror("")[0] == list(range(12)), "a joint in the middle is its own partner"
    with pytest.raises(ConfigError, match="declared for 2 columns; the AMP state has 4"):
        MirrorCfg([1, 0], [1, 1]).validate_for(4)
    MirrorCfg([1, 0], [1, 1], probability=0.0).validate_for(4)  # unused
