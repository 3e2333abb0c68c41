"""AMP on a task of mjlab that knows nothing of it."""

import dataclasses
from types import SimpleNamespace

import mujoco
import numpy as np
import pytest
import torch
from mjlab.tasks.registry import load_env_cfg, load_rl_cfg, load_runner_cls

import amp_runner.mjlab
from amp_runner import AMPStateSpec, ConfigError, Motion, MotionError, load_motion, save_motion
from amp_runner.mjlab import MjlabAMPRunner, runner_class, with_amp
from amp_runner.mjlab.access import restart_observations
from amp_runner.mjlab.mdp import ground_height, push_robots
from amp_runner.motions.robot_model import RobotModel
from tests.mjlab.conftest import JOINTS, SPEC, TASK, fresh


def test_the_printed_lines_do_what_the_function_does(adapted, clip):
    """They can be pasted into the task's own configuration."""
    _, agent_cfg, lines = adapted
    env_cfg, pasted = fresh()
    names = {"env_cfg": env_cfg, "agent_cfg": pasted, "amp_runner": amp_runner, "dataclasses": dataclasses}
    exec("\n".join(lines), names)
    assert pasted.algorithm == agent_cfg.algorithm
    assert AMPStateSpec.from_env_cfg(env_cfg) == SPEC
    assert list(env_cfg.events)[-1] == "reset_to_reference" and "final_amp_state" in env_cfg.recorders


def test_ppos_own_settings_stay(adapted):
    _, agent_cfg, _ = adapted
    plain = dataclasses.asdict(fresh()[1].algorithm)
    found = dataclasses.asdict(agent_cfg.algorithm)
    assert {k: found[k] for k in plain if k != "class_name"} == {k: v for k, v in plain.items() if k != "class_name"}
    assert found["class_name"] == "amp_runner:AMPPPO"


def test_legs_are_mirrored_by_the_robots_geometry(adapted):
    mirror = adapted[1].algorithm.amp_cfg.mirror
    hips = [SPEC.columns.index(f"joint_pos {leg}_hip_joint") for leg in ("FR", "FL", "RR", "RL")]
    assert [mirror.permutation[hip] for hip in hips] == [hips[1], hips[0], hips[3], hips[2]]
    assert [mirror.signs[hip] for hip in hips] == [-1, -1, -1, -1]


def test_what_is_there_already_stays(adapted, clip):
    env_cfg, agent_cfg, _ = adapted
    group, reset = env_cfg.observations["amp"], env_cfg.events["reset_to_reference"]
    lines = with_amp(env_cfg, agent_cfg, clip)
    assert env_cfg.observations["amp"] is group and env_cfg.events["reset_to_reference"] is reset
    assert not any("amp_obs_group" in line or "RslRlAmp" in line for line in lines)


def test_tasks_that_do_not_fit_are_refused(tmp_path, clip):
    env_cfg, agent_cfg = fresh()
    other = load_motion(clip)
    save_motion(
        Motion.with_spec(AMPStateSpec(("neck",) * 1 + JOINTS[1:]), str(tmp_path / "a.npz"), other.states, other.clip_lengths)
    )
    with pytest.raises(MotionError, match="has no joint 'neck'; it has FR_hip_joint"):
        with_amp(env_cfg, agent_cfg, str(tmp_path / "a.npz"))
    agent_cfg.algorithm.class_name = "Distillation"
    with pytest.raises(ConfigError, match="the agent's algorithm is Distillation; AMP extends PPO"):
        with_amp(env_cfg, agent_cfg, clip)
    with pytest.raises(ConfigError, match="has no entity 'dog'"):
        with_amp(*fresh(), clip, entity="dog")


def test_runners_of_tasks_keep_what_they_add():
    runner = runner_class(load_runner_cls(TASK))
    assert issubclass(runner, MjlabAMPRunner) and issubclass(runner, load_runner_cls(TASK))
    assert runner.__mro__.index(load_runner_cls(TASK)) < runner.__mro__.index(MjlabAMPRunner), "its export follows the save"
    assert runner_class(None) is MjlabAMPRunner and runner_class(runner) is runner


class TestEnvironment:
    """The AMP state in a running environment."""

    def test_episodes_start_in_states_of_the_clip(self, env, clip):
        env.reset()
        states = env.get_observations()["amp"]
        distance = (states[:, None] - torch.from_numpy(load_motion(clip).states)).abs().amax(dim=-1)
        assert distance.min(dim=1).values.max() < 1e-5
        term = env.unwrapped.command_manager.get_term("twist")
        torch.testing.assert_close(term.command, torch.tensor([0.5, 0.0, 0.0]).expand(8, 3))

    def test_states_are_those_of_mujoco(self, env):
        """Velocities of the root by MuJoCo's own function, in the frame of its heading."""
        env.reset()
        torch.manual_seed(0)
        for _ in range(5):
            obs = env.step(torch.randn(8, 12))[0]
        sim = env.unwrapped.sim
        model, data = sim.mj_model, mujoco.MjData(sim.mj_model)
        data.qpos[:], data.qvel[:] = sim.data.qpos[3].numpy(), sim.data.qvel[3].numpy()
        mujoco.mj_forward(model, data)
        velocity = torch.zeros(6, dtype=torch.float64).numpy()
        body = model.body("robot/trunk").id
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity, 0)
        matrix = data.xmat[body].reshape(3, 3)
        forward = torch.nn.functional.normalize(torch.tensor([matrix[0, 0], matrix[1, 0]]), dim=0)
        state = {name: obs["amp"][3, columns].double() for name, columns in SPEC.features.items()}
        assert state["root_lin_vel"][0].item() == pytest.approx(float(velocity[3:5] @ forward.numpy()), abs=1e-4)
        assert state["root_ang_vel"][2].item() == pytest.approx(velocity[2], abs=1e-4)
        assert state["root_height"].item() == pytest.approx(data.xpos[body, 2], abs=1e-5)
        torch.testing.assert_close(state["projected_gravity"], torch.from_numpy(-matrix[2]), atol=1e-5, rtol=0)

    def test_ended_episodes_report_the_state_that_they_reached(self, env):
        env.reset()
        env.unwrapped.episode_length_buf[2] = env.max_episode_length - 1
        before = env.get_observations()["amp"][2].clone()
        obs, _, dones, extras = env.step(torch.zeros(8, 12))
        assert dones.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
        final = extras["final_obs"]["amp"]
        others = torch.arange(8) != 2
        torch.testing.assert_close(final[others], obs["amp"][others])
        assert (final[2] - before).abs().max() < (obs["amp"][2] - before).abs().max() + 2.0
        assert not torch.equal(final[2], obs["amp"][2])

    def test_a_push_is_in_the_heading_frame_of_one_robot(self, env):
        env.reset()
        before = env.get_observations()["amp"][:, SPEC.features["root_lin_vel"]].clone()
        change = np.zeros((8, 2))
        change[3] = [0.4, -0.2]
        push_robots(env.unwrapped.scene["robot"], change)
        found = restart_observations(env)["amp"][:, SPEC.features["root_lin_vel"]] - before
        expected = torch.zeros(8, 3)
        expected[3] = torch.tensor([0.4, -0.2, 0.0])
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_key_bodies_are_those_of_the_converters_robot(adapted):
    """The calves relative to the trunk, by the observation term and by forward kinematics."""
    from mjlab.envs import ManagerBasedRlEnv
    from mjlab.managers import SceneEntityCfg
    from scipy.spatial.transform import Rotation

    from amp_runner.mjlab.access import robot_model
    from amp_runner.mjlab.mdp import amp_state_term, root_state

    env_cfg = fresh()[0]
    env_cfg.scene.num_envs = 2
    env = ManagerBasedRlEnv(env_cfg, device="cpu")
    env.reset()
    calves = ("FR_calf", "RL_calf")
    joints = SceneEntityCfg("robot", joint_names=JOINTS, preserve_order=True)
    bodies = SceneEntityCfg("robot", body_names=calves, preserve_order=True)
    joints.resolve(env.scene)
    bodies.resolve(env.scene)
    layout = ("key_body_pos", "foot_contact")
    found = amp_state_term(
        env, joints, layout=layout, key_bodies=bodies, feet="feet_ground_contact", foot_names=("FR", "FL", "RR", "RL")
    )
    model: RobotModel = robot_model(env_cfg, JOINTS)
    position, quat, _, _ = root_state(env.scene["robot"])
    heading = Rotation.from_euler("z", Rotation.from_quat(quat[1].numpy()).as_euler("ZYX")[0])
    model.pose(position[1].numpy(), Rotation.from_quat(quat[1].numpy()), env.scene["robot"].data.joint_pos[1].numpy())
    expected = heading.inv().apply(model.data.xpos[model.body_ids(calves)] - position[1].numpy()).ravel()
    torch.testing.assert_close(found[1, :6].double(), torch.from_numpy(expected), atol=1e-5, rtol=0)
    assert set(found[:, 6:].unique().tolist()) <= {0.0, 1.0} and found.shape == (2, 10)
    env.close()


def test_on_uneven_ground_the_height_is_measured_by_the_robots_rays(clip):
    env_cfg, agent_cfg = load_env_cfg("Mjlab-Velocity-Rough-Unitree-Go1"), load_rl_cfg("Mjlab-Velocity-Rough-Unitree-Go1")
    lines = with_amp(env_cfg, agent_cfg, clip)
    assert any("amp_obs_group(spec, ground_sensor='terrain_scan')" in line for line in lines)
    assert env_cfg.observations["amp"].terms["state"].params["ground_sensor"] == "terrain_scan"
    env_cfg, agent_cfg = load_env_cfg("Mjlab-Velocity-Rough-Unitree-Go1"), load_rl_cfg("Mjlab-Velocity-Rough-Unitree-Go1")
    env_cfg.scene.sensors = ()
    assert any("the ground is uneven, and no ray caster" in line for line in with_amp(env_cfg, agent_cfg, clip))


def test_the_ground_is_the_mean_of_the_rays_that_hit():
    hits = torch.zeros(2, 3, 3)
    hits[0, :, 2] = torch.tensor([0.1, 0.3, 9.0])
    rays = SimpleNamespace(hit_pos_w=hits, distances=torch.tensor([[1.0, 1.0, -1.0], [-1.0, -1.0, -1.0]]))

    class Scene(dict):
        env_origins = torch.tensor([[0.0, 0.0, 0.5], [0.0, 0.0, 0.7]])

    found = ground_height(SimpleNamespace(scene=Scene(rays=SimpleNamespace(data=rays))), "rays")
    torch.testing.assert_close(found, torch.tensor([0.2, 0.7]), msg="without a hit it is the origin's height")
