"""Retargeting: to the same robot, to a larger one, and to one that is shaped differently."""

import numpy as np
import pytest
import yaml

from amp_runner import AMPStateSpec, MotionError, load_motion
from amp_runner.cli import motion as amp_motion
from amp_runner.motions.convert import Trajectory, to_motion
from amp_runner.motions.retarget import RetargetMap, retarget
from amp_runner.motions.robot_model import RobotModel

FEET = ("FR_foot", "FL_foot", "RR_foot", "RL_foot")
JOINTS = tuple(f"{leg}_{joint}" for leg in ("FR", "FL", "RR", "RL") for joint in ("hip", "thigh", "calf"))


LEG = """
<body name="{n}_hip" pos="{x} {y} 0"><joint name="{n}_hip" axis="1 0 0" range="-60 60"/><geom size=".02"/>
<body name="{n}_thigh" pos="0 {w} 0"><joint name="{n}_thigh" axis="0 1 0" range="-90 120"/><geom size=".02"/>
<body name="{n}_calf" pos="0 0 {thigh}"><joint name="{n}_calf" axis="0 1 0" range="-150 -10"/><geom size=".02"/>
<body name="{n}_foot" pos="0 0 {shin}"><geom size="{radius}"/></body></body></body></body>"""


SADDLE = '<site name="saddle" pos="-0.05 0 0.04" euler="0 5 0"/>'


def robot(path, size=1.0, shin=0.2, marks=""):
    lengths = {"thigh": -0.2 * size, "shin": -shin * size, "radius": 0.02 * size}
    legs = "".join(
        LEG.format(n=leg, x=x * size, y=y * size, w=np.sign(y) * 0.08 * size, **lengths)
        for leg, x, y in (("FR", 0.2, -0.05), ("FL", 0.2, 0.05), ("RR", -0.2, -0.05), ("RL", -0.2, 0.05))
    )
    path.write_text(
        f'<mujoco><worldbody><body name="trunk"><freejoint/><geom size=".05"/>{marks}{legs}</body></worldbody></mujoco>'
    )
    return RobotModel(path, JOINTS)


@pytest.fixture
def trot(tmp_path):
    """A quadruped that treads on the spot and moves forward at 0.3 m/s, its lowest foot near the ground."""
    source = robot(tmp_path / "source.xml")
    time = np.arange(100) * 0.02
    swing = 0.25 * np.sin(9 * time)[:, None] * np.array([1.0, -1.0, -1.0, 1.0])
    joints = np.stack([0 * swing, 0.8 + swing, -1.6 - 0.3 * swing], axis=-1).reshape(100, 12)
    position = np.stack([0.3 * time, 0 * time, 0.3 + 0 * time], axis=1)
    walk = Trajectory("trot", position, np.tile([0.0, 0, 0, 1], (100, 1)), joints, JOINTS, 0.02)
    return source, to_motion(walk, AMPStateSpec(JOINTS), str(tmp_path / "trot.npz"), smoothing=0.0)


def mapping(**kwargs):
    return RetargetMap({foot: foot for foot in FEET}, {}, **kwargs)


def test_the_same_robot_makes_the_same_motion(trot, tmp_path):
    source, motion = trot
    (found,) = retarget(motion, source, robot(tmp_path / "target.xml"), mapping())
    joints = motion.states[:, motion.spec.features["joint_pos"]]
    np.testing.assert_allclose(found.joint_pos, joints, atol=0.01)
    assert found.dt == pytest.approx(0.02) and "mean distance from the targets 0 mm" in found.note


def test_a_larger_robot_makes_the_same_motion_slower(trot, tmp_path):
    """At equal Froude number lengths grow by the scale and times by its square root, so speeds by its square root."""
    source, motion = trot
    (found,) = retarget(motion, source, robot(tmp_path / "target.xml", size=2.0), mapping())
    np.testing.assert_allclose(found.joint_pos, motion.states[:, motion.spec.features["joint_pos"]], atol=0.01)
    assert found.dt == pytest.approx(0.02 * np.sqrt(2))
    speed = (found.root_pos[-1, 0] - found.root_pos[0, 0]) / (99 * found.dt)
    assert speed == pytest.approx(0.3 * np.sqrt(2), rel=0.02)


def test_another_shape_has_its_feet_in_the_same_places_and_on_the_ground(trot, tmp_path):
    source, motion = trot
    target = robot(tmp_path / "target.xml", shin=0.25)
    (found,) = retarget(motion, source, target, mapping(scale=1.0, time_scale=1.0))
    joints, rotation = motion.states[:, motion.spec.features["joint_pos"]].astype(float), None
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_quat(found.root_quat)
    there, _ = target.body_poses(found.root_pos, rotation, found.joint_pos, target.body_ids(FEET))
    here, _ = source.body_poses(found.root_pos, rotation, joints, source.body_ids(FEET))
    np.testing.assert_allclose(there, here, atol=0.01)
    heights = target.lowest_heights(found.root_pos, rotation, found.joint_pos)
    assert abs(np.percentile(heights, 5)) < 1e-6


def test_the_targets_root_takes_the_pose_of_what_the_map_names(trot, tmp_path):
    _, motion = trot
    source = robot(tmp_path / "with_saddle.xml", marks=SADDLE)
    (usual,), (found,) = (
        retarget(motion, source, robot(tmp_path / "target.xml"), mapping(root=root, scale=1.0)) for root in (None, "saddle")
    )
    np.testing.assert_allclose((found.root_pos - usual.root_pos)[:, :2], np.tile([-0.05, 0.0], (100, 1)), atol=2e-3)
    pitch = 2 * np.arctan2(found.root_quat[:, 1], found.root_quat[:, 3])
    np.testing.assert_allclose(pitch, np.deg2rad(5), atol=0.01)


def test_the_sources_root_needs_no_name(trot, tmp_path):
    source, motion = trot
    unnamed = tmp_path / "unnamed.xml"
    unnamed.write_text((tmp_path / "source.xml").read_text().replace('<body name="trunk">', "<body>"))
    found, expected = (
        retarget(motion, model, robot(tmp_path / "target.xml"), mapping(scale=1.0))[0]
        for model in (RobotModel(unnamed, JOINTS), source)
    )
    np.testing.assert_array_equal(found.joint_pos, expected.joint_pos)


def test_the_command_writes_a_clip(trot, tmp_path, capsys):
    from amp_runner import save_motion

    source, motion = trot
    save_motion(motion)
    target = robot(tmp_path / "target.xml", size=1.2)
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({"frames": {foot: foot for foot in FEET}}))
    arguments = [motion.path, "--from", source.path, "--to", target.path, "--map", str(tmp_path / "map.yaml")]
    assert amp_motion.main(["retarget", *arguments, "--dt", "0.02", "-o", str(tmp_path / "out.npz")]) == 0
    assert "scale 1.200" in capsys.readouterr().out
    found = load_motion(tmp_path / "out.npz")
    assert found.joint_names == JOINTS and found.dt == pytest.approx(0.02) and found.source.endswith("retargeted")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frames: [a]", "expected 'frames'"),
        ("feet: {a: b}", "expected 'frames'"),
        ("frames: {FR_foot: FR_foot}\nscale: -1", "expected numbers from 0.01 to 100"),
        ("frames: {FR_foot: FR_foot}\nroot: [trunk]", "expected the name of a body, site or shape"),
        ("frames: {FR_foot: FR_foot}\nroot: saddle", "has no body, site or shape 'saddle'"),
        ("frames: {FR_foot: hoof}", "has no body, site or shape 'hoof'"),
        ("frames: {FR_foot: FR_foot}\njoints: {FR_hip: hip}", "expected a joint of the target and one of the source"),
    ],
)
def test_maps_that_do_not_fit_are_refused(trot, tmp_path, text, words):
    source, motion = trot
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(MotionError, match=words):
        retarget(motion, source, robot(tmp_path / "target.xml"), RetargetMap.load(tmp_path / "map.yaml"))
