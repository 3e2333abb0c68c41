"""Readers of the field's formats, on files written here; loops, proof of the joint order, folders of files."""

import json
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from amp_runner import MotionError, load_motion
from amp_runner.motions.convert import Conversion, ReadOptions, Trajectory, convert_file, read_trajectory
from amp_runner.motions.convert.conversion import convert_files, motion_files
from amp_runner.motions.convert.loop import looped
from amp_runner.motions.convert.safe_pickle import load_torch_archive
from tests.amp_runner.motions.test_convert import FPS, FRAMES, JOINT_POS, NAMES, ROOT_POS, ROTATION, XYZW
from tests.amp_runner.motions.test_robot_mirror import JOINTS, quadruped

ROTVEC, EULER = ROTATION.as_rotvec(), ROTATION.as_euler("XYZ")
POSES = {"fps": FPS, "root_pos": ROOT_POS, "root_rot": XYZW, "dof_pos": JOINT_POS}


def write_gmr(path):
    path.write_bytes(pickle.dumps({**POSES, "local_body_pos": None, "link_body_list": None}))


def write_nested_gmr(path):
    path.write_bytes(pickle.dumps({"walk1": POSES}))


def write_mimickit(path):
    frames = np.hstack([ROOT_POS, ROTVEC, JOINT_POS]).tolist()
    path.write_bytes(pickle.dumps({"fps": FPS, "loop_mode": 1, "frames": frames}))


def write_tienkung(path):
    frames = np.hstack([ROOT_POS, EULER, JOINT_POS, np.zeros((FRAMES, 6 + len(NAMES)))]).tolist()
    path.write_text(json.dumps({"LoopMode": "Wrap", "FrameDuration": 1 / FPS, "Frames": frames}))


def write_motion(path):
    bodies = torch.from_numpy(np.stack([ROOT_POS, ROOT_POS + 1], axis=1)).float()
    rotations = torch.from_numpy(np.stack([XYZW, XYZW], axis=1)).float()
    dof_pos = torch.from_numpy(np.hstack([np.zeros((FRAMES, 2)), JOINT_POS])).float()[:, 2:]  # a view with an offset
    torch.save({"fps": FPS, "dof_pos": dof_pos, "rigid_body_pos": bodies, "rigid_body_rot": rotations}, path)


@pytest.mark.parametrize(
    ("name", "write", "is_loop"),
    [
        ("a.pkl", write_gmr, False),
        ("b.pkl", write_nested_gmr, False),
        ("c.pkl", write_mimickit, True),
        ("d.txt", write_tienkung, True),
        ("e.motion", write_motion, False),
    ],
)
def test_every_format_gives_the_motion(tmp_path, name, write, is_loop):
    write(tmp_path / name)
    found = read_trajectory(str(tmp_path / name), None, ReadOptions(joint_names=NAMES))
    np.testing.assert_allclose(found.root_pos, ROOT_POS, atol=1e-6)
    np.testing.assert_allclose((Rotation.from_quat(found.root_quat) * ROTATION.inv()).magnitude(), 0.0, atol=1e-3)
    np.testing.assert_allclose(found.joint_pos, JOINT_POS, atol=1e-6)
    assert found.dt == pytest.approx(1 / FPS) and found.joint_names == NAMES and found.is_loop == is_loop
    assert read_trajectory(str(tmp_path / name)).joint_names is None, "none of these formats stores the names"


class TestSkeletonMotion:
    """IsaacGymEnvs' .npy: a rotation for every node."""

    NODES = ("pelvis", "thigh", "shin")

    def write(self, path, is_local=True):
        thigh = Rotation.from_euler("XYZ", 0.3 * np.sin(np.arange(FRAMES)[:, None] / 9 + [0, 1, 2]))
        shin = Rotation.from_euler("y", JOINT_POS[:, :1])
        stacked = [ROTATION, thigh, shin] if is_local else [ROTATION, ROTATION * thigh, ROTATION * thigh * shin]
        tree = {
            "node_names": list(self.NODES),
            "parent_indices": {"arr": np.array([-1, 0, 1])},
            "local_translation": {"arr": np.array([[0, 0, 0], [0, 0.1, 0], [0, 0, -0.4]])},
        }
        rotation = np.stack([r.as_quat() for r in stacked], axis=1)
        data = OrderedDict(
            rotation={"arr": rotation},
            root_translation={"arr": ROOT_POS},
            skeleton_tree=OrderedDict(tree),
            is_local=is_local,
            fps=FPS,
        )
        np.save(path, data, allow_pickle=True)
        return thigh

    @pytest.mark.parametrize("is_local", [True, False])
    def test_angles_are_those_of_the_hinges(self, tmp_path, is_local):
        thigh = self.write(tmp_path / "a.npy", is_local)
        found = read_trajectory(str(tmp_path / "a.npy"))
        assert found.joint_names == ("thigh_x", "thigh_y", "thigh_z", "shin_x", "shin_y", "shin_z")
        np.testing.assert_allclose(found.joint_pos[:, :3], thigh.as_euler("XYZ"), atol=1e-9)
        np.testing.assert_allclose(found.joint_pos[:, 4], JOINT_POS[:, 0], atol=1e-9)
        knee = ROOT_POS + ROTATION.apply([0, 0.1, 0]) + (ROTATION * thigh).apply([0, 0, -0.4])
        np.testing.assert_allclose(found.bodies.positions[:, 2], knee, atol=1e-9)


@pytest.mark.parametrize("fps", [[[1], [1, 2]], {"a": 1}, "fast", [30, 60], None])
def test_frame_rates_that_are_no_number_are_refused(tmp_path, fps):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({**POSES, "fps": fps}))
    with pytest.raises(MotionError, match=r"frame rate|'fps' is no table"):
        read_trajectory(str(tmp_path / "a.pkl"), None, ReadOptions(joint_names=NAMES))


def test_recordings_of_ostriches_name_their_joints(tmp_path):
    qpos = np.zeros((50, 56))
    qpos[:, 0], qpos[:, 4] = np.arange(50) * 0.05, 0.2
    np.save(tmp_path / "0001.npy", qpos)
    found = read_trajectory(str(tmp_path / "0001.npy"))
    assert found.joint_names[:7] == tuple(
        f"right_{j}" for j in ("hip_x", "hip_y", "hip_z", "knee_y", "knee_z", "ankle_y", "mtp_y")
    )
    assert found.dt == 0.025 and found.root_pos[0, 2] == pytest.approx(1.05)
    np.testing.assert_allclose(found.root_quat[0], [0, np.sin(0.1), 0, np.cos(0.1)])


class TestTorchArchives:
    """Nothing is executed, and no declaration reads beyond the numbers that are there."""

    def test_other_classes_are_refused(self, tmp_path):
        torch.save({"a": np.dtype, "b": pytest.raises}, tmp_path / "a.motion")
        with pytest.raises(MotionError, match=r"not loaded as a file of torch\.save"):
            load_torch_archive(str(tmp_path / "a.motion"))

    @pytest.mark.parametrize(("old", "new"), [(b"K\x05", b"K\xff"), (b"K\x00K\x05", b"K\x7fK\x05")])
    def test_sizes_beyond_the_storage_are_refused(self, tmp_path, old, new):
        torch.save({"dof_pos": torch.zeros(5)}, tmp_path / "a.motion")
        content = (tmp_path / "a.motion").read_bytes()
        assert old in content
        (tmp_path / "b.motion").write_bytes(content.replace(old, new))
        with pytest.raises(MotionError):
            load_torch_archive(str(tmp_path / "b.motion"))


class TestLoops:
    """A cycle that is repeated: no jump in positions, a path that goes on."""

    def cycle(self, gap=0.0):
        phase = np.linspace(0, 2 * np.pi, 41)
        pos = np.stack([0.5 * phase / (2 * np.pi), 0 * phase, 0.3 + 0.01 * np.cos(phase)], axis=1)
        joints = np.sin(phase)[:, None] + gap * np.linspace(0, 1, 41)[:, None]
        yaw = Rotation.from_euler("z", 0.25 * np.pi * phase[:, None] / np.pi)  # a quarter turn a cycle
        return Trajectory("a", pos, yaw.as_quat(), joints, ("hip",), 0.02)

    def test_four_quarter_turns_are_a_closed_path(self):
        four = looped(self.cycle(), 4)
        assert len(four.root_pos) == 160
        np.testing.assert_allclose(four.root_pos[40, :2], [0.5, 0.0], atol=1e-9)
        np.testing.assert_allclose(four.root_pos[80, :2], [0.5, 0.5], atol=1e-9)
        np.testing.assert_allclose(four.root_pos[120, :2], [0.0, 0.5], atol=1e-9)
        np.testing.assert_allclose(
            np.diff(four.joint_pos[:, 0])[35:45], np.diff(np.sin(np.linspace(0, 2 * np.pi, 41)))[0], atol=0.05
        )

    def test_a_gap_is_spread_around_the_seam(self):
        two = looped(self.cycle(gap=0.3), 2)
        assert np.abs(np.diff(two.joint_pos[:, 0])).max() < 0.2, "no jump of 0.3"
        middle = slice(15, 26)
        np.testing.assert_array_equal(two.joint_pos[middle], self.cycle(gap=0.3).joint_pos[middle])

    def test_what_is_no_cycle_is_refused(self):
        with pytest.raises(MotionError, match=r"is no cycle: joints of the last and the first frame differ by 0.80"):
            looped(self.cycle(gap=0.8), 2)


class TestProof:
    """With the robot, the body positions in a file prove the order of its joints and quaternions."""

    def write(self, path, robot, order, quat=XYZW, names=None, **extra):
        joints = 0.5 * np.sin(np.arange(FRAMES)[:, None] / 20 + np.arange(len(JOINTS)))
        bodies = [robot.model.body(i).name for i in range(1, robot.model.nbody)]
        positions, _ = robot.body_poses(ROOT_POS, ROTATION, joints, robot.body_ids(tuple(bodies)))
        columns = joints[:, [JOINTS.index(name) for name in order]]
        data = {"fps": FPS, "root_pos": ROOT_POS, "root_rot": quat, "dof_pos": columns, "body_positions": positions, **extra}
        path.write_bytes(pickle.dumps({**data, **({"dof_names": np.array(names)} if names else {})}))
        return joints

    def test_unnamed_columns_get_their_names(self, tmp_path):
        robot = quadruped(tmp_path / "dog.xml", -1)
        breadth_first = tuple(f"{leg}_{joint}_joint" for joint in ("hip", "thigh") for leg in ("FR", "FL", "RR", "RL"))
        joints = self.write(tmp_path / "a.pkl", robot, breadth_first)
        note = convert_file(
            str(tmp_path / "a.pkl"), str(tmp_path / "a.npz"), Conversion(robot=robot.path, joints=JOINTS, smoothing=0.0)
        )
        assert "proven by body positions (0 mm): breadth-first order" in note
        found = load_motion(tmp_path / "a.npz")
        np.testing.assert_allclose(found.states[:, found.spec.features["joint_pos"]], joints, atol=1e-5)

    def test_the_order_of_quaternions_is_proven_too(self, tmp_path):
        robot = quadruped(tmp_path / "dog.xml", -1)
        self.write(tmp_path / "a.pkl", robot, JOINTS, quat=ROTATION.as_quat(scalar_first=True))
        note = convert_file(str(tmp_path / "a.pkl"), str(tmp_path / "a.npz"), Conversion(robot=robot.path))
        assert "the other quaternion order" in note

    def test_positions_that_no_order_explains_are_a_question(self, tmp_path):
        robot = quadruped(tmp_path / "dog.xml", -1)
        self.write(tmp_path / "a.pkl", robot, JOINTS, body_positions=np.random.default_rng(0).normal(size=(FRAMES, 13, 3)))
        with pytest.raises(MotionError, match="no order of the joints is proven"):
            convert_file(str(tmp_path / "a.pkl"), str(tmp_path / "a.npz"), Conversion(robot=robot.path))

    def test_the_feet_are_put_on_the_ground(self, tmp_path):
        robot = quadruped(tmp_path / "dog.xml", -1)
        self.write(tmp_path / "a.pkl", robot, JOINTS)
        conversion = Conversion(
            robot=robot.path, ground=True, spec={"feet": ("FR_foot", "FL_foot"), "key_bodies": ("RR_foot",)}
        )
        assert "to stand on the ground" in convert_file(str(tmp_path / "a.pkl"), str(tmp_path / "a.npz"), conversion)
        motion = load_motion(tmp_path / "a.npz")
        assert motion.key_bodies == ("RR_foot",) and motion.feet == ("FR_foot", "FL_foot")
        contacts = robot.ground_contacts(motion.states, motion.spec, motion.dt)
        assert -0.03 < contacts.points[..., 2].min() < 0.005
        column = contacts.names.index("FR_foot") if "FR_foot" in contacts.names else None
        stored = motion.states[:, motion.spec.features["foot_contact"]][:, 0]
        expected = np.zeros(len(stored)) if column is None else contacts.touching[:, column]
        assert np.mean(stored == expected) > 0.95, "but for rounding at the height of contact"


class TestFolders:
    """Many files at once, with a report of what was left out."""

    def test_sub_folders_stay_apart_and_damaged_files_are_named(self, tmp_path):
        (tmp_path / "in" / "deep").mkdir(parents=True)
        write_gmr(tmp_path / "in" / "a.pkl")
        write_gmr(tmp_path / "in" / "deep" / "a.pkl")
        (tmp_path / "in" / "b.pkl").write_bytes(b"broken")
        files = motion_files([str(tmp_path / "in")])
        assert [out for _, out in files] == ["a.npz", "b.npz", "deep/a.npz"]
        results = list(convert_files(files, str(tmp_path / "out"), Conversion(read=ReadOptions(joint_names=NAMES))))
        assert [bool(result.error) for result in results] == [False, True, False]
        assert "not loaded" in results[1].error
        assert len(load_motion(tmp_path / "out" / "deep" / "a.npz").states) == FRAMES

    def test_two_files_do_not_share_a_clip(self, tmp_path):
        for suffix in ("pkl", "csv"):
            (tmp_path / f"a.{suffix}").write_text("1")
        with pytest.raises(MotionError, match=r"another file would be converted to a.npz, too"):
            motion_files([str(tmp_path)])
