import dataclasses
import inspect

import numpy as np
import pytest
import torch
from rsl_rl.algorithms import PPO
from rsl_rl.runners import OnPolicyRunner
from rsl_rl.storage import RolloutStorage

from amp_runner import AMPPPO, AMPOnPolicyRunner, AMPStateSpec, ConfigError, Motion, MotionError, load_motion, save_motion
from tests.conftest import CountingEnv, add_extension, train_cfg


def trained(runner_class, cfg, iterations=5, **kwargs):
    torch.manual_seed(0)
    runner = runner_class(CountingEnv(), cfg, log_dir=None, device="cpu", **kwargs)
    runner.learn(iterations)
    return runner.alg


@pytest.mark.parametrize("runner_class", [OnPolicyRunner, AMPOnPolicyRunner])
def test_without_style_actor_and_critic_are_bitwise_those_of_plain_ppo(amp_cfg, runner_class):
    plain = trained(OnPolicyRunner, train_cfg())
    amp = trained(runner_class, train_cfg({**amp_cfg, "style_weight": 0.0}))
    for model in ("actor", "critic"):
        expected = getattr(plain, model).state_dict()
        for name, value in getattr(amp, model).state_dict().items():
            assert torch.equal(value, expected[name]), f"{model}.{name}"
    assert amp.discriminator.normalizer.count > 0, "the discriminator was trained all the same"


def test_style_changes_the_policy(amp_cfg):
    plain = trained(OnPolicyRunner, train_cfg())
    amp = trained(OnPolicyRunner, train_cfg({**amp_cfg, "style_weight": 1.0}))
    assert not torch.equal(plain.actor.mlp[0].weight, amp.actor.mlp[0].weight)


def test_rewards_are_blended_and_the_bootstrap_keeps_its_weight(amp_cfg):
    weights = {"style_weight": 3.0, "task_weight": 0.5}
    runner = OnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, **weights}), log_dir=None, device="cpu")
    alg, seen = runner.alg, {}
    blend = alg._blend

    def spy(style):
        rewards, task = alg.storage.rewards, alg.amp_storage.task_rewards.clone()
        bootstrap = rewards.squeeze(-1) - task
        blend(style)
        seen.update(style=style, task=task, bootstrap=bootstrap, rewards=rewards.squeeze(-1).clone())

    alg._blend = spy
    runner.learn(1)
    expected = 0.5 * seen["task"] + 3.0 * 0.02 * seen["style"] + seen["bootstrap"]
    torch.testing.assert_close(seen["rewards"], expected)
    assert (seen["bootstrap"] != 0).any(), "an episode timed out"
    assert (seen["style"][0] == 0).all(), "no window of three frames after one step"
    assert (seen["style"][1:3] > 0).any()


def test_style_reward_is_the_discriminators_after_its_update(amp_cfg):
    runner = OnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), log_dir=None, device="cpu")
    alg, seen = runner.alg, {}
    blend = alg._blend

    def spy(style):
        windows, valid = alg.amp_storage.windows()
        seen["difference"] = style - alg.discriminator.style_reward(windows, alg.amp_cfg.reward_epsilon) * valid
        blend(style)

    alg._blend = spy
    runner.learn(1)
    assert (seen["difference"] == 0).all()


class CommandedEnv(CountingEnv):
    """The same with a command: (environment, episode, 0)."""

    def get_observations(self):
        obs = super().get_observations()
        obs["command"] = obs["amp"][:, :3] * torch.tensor([1.0, 1.0, 0.0])
        return obs


def test_a_discriminator_that_knows_the_command_sees_it_in_every_frame(amp_cfg, clip):
    motion = load_motion(clip)
    commands = np.tile(np.float32([0.5, 0.0, 0.1]), (30, 1))
    save_motion(dataclasses.replace(motion, commands=commands))
    cfg = {**amp_cfg, "command_group": "command"}
    runner = OnPolicyRunner(CommandedEnv(), train_cfg(cfg), log_dir=None, device="cpu")
    seen, update = [], runner.alg.trainer.update
    runner.alg.trainer.update = lambda rollout: (seen.append(rollout), update(rollout))[1]
    runner.learn(2)
    policy = torch.cat(seen)
    assert policy.shape[1:] == (3, 7)
    assert torch.equal(policy[..., 4:6], policy[..., :2]), "terminal frames have the command of the episode that ended"
    expert = runner.alg.motions.sample(5)
    assert torch.equal(expert[..., 4:], torch.tensor([0.5, 0.0, 0.1]).expand(5, 3, 3))
    with pytest.raises(ConfigError, match="'comand'; the environment's groups are: policy, amp, command"):
        AMPOnPolicyRunner(CommandedEnv(), train_cfg({**amp_cfg, "command_group": "comand"}))
    with pytest.raises(ConfigError, match=r"'amp' has shape \(4, 4\); amp_cfg.command_group must be"):
        AMPOnPolicyRunner(CommandedEnv(), train_cfg({**amp_cfg, "command_group": "amp"}))


def test_statistics_are_reported(amp_cfg):
    runner = OnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), log_dir=None, device="cpu")
    losses, update = {}, runner.alg.update
    runner.alg.update = lambda: losses.update(update()) or losses
    runner.learn(1)
    names = ["style_reward", "task_reward", "discriminator_loss", "gradient_penalty"]
    names += ["accuracy_expert", "accuracy_policy", "logit_expert", "logit_policy"]
    assert {f"AMP/{name}" for name in names} <= set(losses)
    assert all(isinstance(value, float) for value in losses.values())


def test_the_default_batch_follows_the_rollout(amp_cfg):
    amp_cfg["discriminator"].pop("batch_size")
    runner = OnPolicyRunner(CountingEnv(num_envs=60), train_cfg(amp_cfg), log_dir=None, device="cpu")
    assert runner.alg.trainer.batch_size == 60 * 8 // 12


def test_the_time_step_comes_from_the_environment_else_the_clip(amp_cfg):
    env = CountingEnv()
    assert OnPolicyRunner(env, train_cfg(amp_cfg), log_dir=None, device="cpu").alg.step_dt == 0.02
    del env.step_dt
    assert OnPolicyRunner(env, train_cfg(amp_cfg), log_dir=None, device="cpu").alg.step_dt == 0.02
    slower = {**amp_cfg, "step_dt": 0.04, "resample_motions": True}
    assert OnPolicyRunner(env, train_cfg(slower), log_dir=None, device="cpu").alg.step_dt == 0.04


def test_a_configured_time_step_that_contradicts_the_environment_is_refused(amp_cfg):
    with pytest.raises(ConfigError, match=r"amp_cfg.step_dt is 0.04 s, but the environment's step_dt is 0.02 s"):
        OnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, "step_dt": 0.04}), log_dir=None, device="cpu")


def test_the_storage_that_rsl_rl_passes_is_kept(amp_cfg):
    alg = OnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), log_dir=None, device="cpu").alg
    storage = RolloutStorage("rl", 4, 8, CountingEnv().get_observations(), [2], "cpu")
    assert AMPPPO(alg.actor, alg.critic, storage, amp_cfg, multi_gpu_cfg=None).storage is storage


def test_a_configuration_without_optional_keys_is_completed_in_place_as_rsl_rl_does(amp_cfg):
    """RSL-RL 5.4's runner reads back ``rnd_cfg``, which the user's dictionary may lack."""
    cfg = train_cfg(amp_cfg)
    cfg["algorithm"].pop("rnd_cfg")
    OnPolicyRunner(CountingEnv(), cfg, log_dir=None, device="cpu").learn(1)
    assert not {"env_step_dt", "amp_spec"} & set(cfg["algorithm"]), "nothing of ours is left behind"


def test_rewards_are_logged_as_the_shares_that_ppo_receives(amp_cfg):
    runner = OnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, "style_weight": 3.0, "task_weight": 0.5}), log_dir=None)
    alg, rewards = runner.alg, {}
    super_returns = PPO.compute_returns

    def spy(obs):
        rewards["before"] = alg.storage.rewards.clone() - alg.amp_storage.task_rewards.unsqueeze(-1)  # the bootstrap
        AMPPPO.compute_returns(alg, obs)
        rewards["after"] = alg.storage.rewards.clone()

    alg.compute_returns = spy
    losses, update = {}, alg.update
    alg.update = lambda: losses.update(update()) or losses
    runner.learn(1)
    total = (rewards["after"] - rewards["before"]).mean().item()
    assert losses["AMP/task_reward"] + losses["AMP/style_reward"] == pytest.approx(total, rel=1e-5)
    assert losses["AMP/style_reward"] > 0 and losses["AMP/style_score"] > losses["AMP/style_reward"]
    assert super_returns is PPO.compute_returns


def test_episodes_shorter_than_a_window_are_reported_once(amp_cfg, caplog):
    """Episodes of the toy last at most 6 steps."""
    runner = OnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, "num_frames": 8}), log_dir=None, device="cpu")
    runner.learn(1)
    assert not caplog.records, "the first 8 steps hold no window of 8 frames in any environment"
    runner.learn(4)
    (record,) = caplog.records
    assert "no window of 8 frames was valid in the last 16 steps" in record.message
    assert "every episode is shorter than a window: lower amp_cfg.num_frames" in record.message


def test_observations_that_are_a_tuple_are_explained(amp_cfg):
    class Old(CountingEnv):
        def get_observations(self):
            return super().get_observations(), {}

    with pytest.raises(ConfigError, match=r"returned a tuple; expected a TensorDict .* RSL-RL 2"):
        AMPOnPolicyRunner(Old(), train_cfg(amp_cfg))


class Declared(CountingEnv):
    """Declares the layout of its AMP state, as any environment can."""

    def __init__(self, spec):
        super().__init__()
        self.amp_spec = spec

    def get_observations(self):
        obs = super().get_observations()
        obs["amp"] = torch.cat([obs["amp"], torch.zeros(self.num_envs, self.amp_spec.dim - 4)], dim=-1)
        return obs


def test_a_clip_with_its_joints_reversed_is_refused_where_the_layout_is_declared(amp_cfg, tmp_path, caplog):
    spec, reversed_spec = AMPStateSpec(("hip", "knee")), AMPStateSpec(("knee", "hip"))
    for name, layout in (("right", spec), ("wrong", reversed_spec)):
        states = np.random.default_rng(0).normal(size=(30, spec.dim)).astype(np.float32)
        known = {"joint_names": layout.joint_names, "layout": layout.layout, "velocity_frame": "heading", "dt": 0.02}
        save_motion(Motion(path=str(tmp_path / f"{name}.npz"), states=states, clip_lengths=np.array([30]), **known))
    right, wrong = ({**amp_cfg, "motions": str(tmp_path / f"{name}.npz")} for name in ("right", "wrong"))
    AMPOnPolicyRunner(Declared(spec), train_cfg(right)).learn(1)
    with pytest.raises(MotionError, match=r"joint_names is \[knee, hip\]; the environment has \[hip, knee\]"):
        AMPOnPolicyRunner(Declared(spec), train_cfg(wrong))
    assert "does not declare the layout" not in caplog.text
    undeclared = Declared(spec)
    undeclared.get_observations = Declared(spec).get_observations
    undeclared.amp_spec = None
    AMPOnPolicyRunner(undeclared, train_cfg(wrong))
    assert "does not declare the layout" in caplog.text and "joints knee, hip" in caplog.text


def test_an_environment_without_amp_states_is_told_how_to_add_them(amp_cfg):
    class Plain(CountingEnv):
        def get_observations(self):
            return super().get_observations().exclude("amp")

    with pytest.raises(ConfigError) as error:
        AMPOnPolicyRunner(Plain(), train_cfg(amp_cfg))
    message = str(error.value)
    assert "no observation group 'amp'; it has: policy" in message
    assert "amp = AMPObsGroupCfg()" in message and "compute_final_obs=True" in message


def test_an_amp_group_with_history_is_refused(amp_cfg):
    class History(CountingEnv):
        def get_observations(self):
            obs = super().get_observations()
            obs["amp"] = obs["amp"].unsqueeze(1)
            return obs

    with pytest.raises(ConfigError, match=r"is \(4, 1, 4\), torch.float32; expected one frame"):
        AMPOnPolicyRunner(History(), train_cfg(amp_cfg))


def test_a_wrong_configuration_is_refused_when_the_runner_is_built(amp_cfg):
    with pytest.raises(ConfigError, match="amp_cfg is missing"):
        AMPOnPolicyRunner(CountingEnv(), train_cfg(class_name="amp_runner:AMPPPO"))
    with pytest.raises(ConfigError, match="unknown key 'style'"):
        AMPOnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, "style": 1.0}))
    with pytest.raises(MotionError, match="no such file"):
        AMPOnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, "motions": "none.npz"}))


def mirrored(env, obs, actions):
    """A symmetry function as RSL-RL asks for: the batch, then its mirror image."""
    if obs is not None:
        obs = torch.cat([obs, obs])
        obs["policy"][len(obs) // 2 :] *= -1
    return obs, None if actions is None else torch.cat([actions, -actions])


@pytest.mark.parametrize(
    "extension",
    [
        "gru",
        "rnd",
        "mixed_precision",
        "symmetry",
        # Compiling takes half a minute: too long for the fast group.
        pytest.param("compiled", marks=pytest.mark.slow),
    ],
)
def test_rsl_rls_extensions_work_together_with_amp(amp_cfg, extension):
    cfg = add_extension(train_cfg(amp_cfg), extension)
    if extension == "mixed_precision":
        if "use_mixed_precision" not in inspect.signature(PPO.__init__).parameters:
            pytest.skip("mixed precision came with RSL-RL 5.5")
        cfg["algorithm"]["use_mixed_precision"] = True
    if extension == "symmetry":
        function = "tests.amp_runner.learning.test_ppo:mirrored"
        cfg["algorithm"]["symmetry_cfg"] = {"data_augmentation_func": function, "use_data_augmentation": True}
        cfg["algorithm"]["symmetry_cfg"] |= {"use_mirror_loss": True, "mirror_loss_coeff": 0.1}
        permutation = {"permutation": [1, 0, 2, 3], "signs": [1, 1, -1, 1]}
        cfg["algorithm"]["amp_cfg"] = {**amp_cfg, "mirror": permutation}
    if extension == "compiled":
        cfg["torch_compile_mode"] = "default"
    runner = AMPOnPolicyRunner(CountingEnv(), cfg, log_dir=None, device="cpu")
    before = runner.alg.actor.mlp[0].weight.clone()
    runner.learn(2)
    assert not torch.equal(before, runner.alg.actor.mlp[0].weight)
    assert runner.alg.discriminator.normalizer.count > 0


def test_no_replay_and_a_file_with_only_amp_states(amp_cfg, tmp_path):
    np.savez(tmp_path / "bare.npz", amp_states=np.random.default_rng(0).normal(size=(20, 4)))
    bare = {**amp_cfg, "motions": str(tmp_path / "bare.npz"), "replay_size": 0, "num_frames": 1}
    runner, other = (AMPOnPolicyRunner(CountingEnv(), train_cfg(bare), log_dir=None, device="cpu") for _ in range(2))
    runner.learn(2)
    assert len(runner.alg.trainer.replay) == 0
    runner.save(str(tmp_path / "model.pt"))
    other.load(str(tmp_path / "model.pt"))


class WithFinalObs(CountingEnv):
    """Says of the ends of episodes what ``tell`` makes of the truth."""

    def __init__(self, tell):
        super().__init__()
        self.tell = tell

    def step(self, actions):
        obs, rewards, dones, extras = super().step(actions)
        return obs, rewards, dones, extras | {"final_obs": self.tell(extras["final_obs"], dones.bool())}


@pytest.mark.parametrize("numbers", [(torch.nan, torch.inf, 0.0, 1.0), (0.0, -1e9, 0.0, 1.0)])
def test_a_simulation_that_blew_up_spoils_nothing(amp_cfg, numbers):
    def blown_up(final, dones):
        states = torch.where(dones.unsqueeze(-1), torch.tensor(numbers), final["amp"])
        return {"amp": states}

    runner = OnPolicyRunner(WithFinalObs(blown_up), train_cfg({**amp_cfg, "style_weight": 1.0}), log_dir=None)
    runner.learn(3)
    assert all(torch.isfinite(weight).all() for weight in runner.alg.actor.parameters())
    assert (runner.alg.discriminator.normalizer.mean.abs() < 1e3).all()
    assert len(runner.alg.trainer.replay), "the other windows were trained on"
    assert (runner.alg.trainer.replay.windows.abs() < 1e3).all()


class Exploding(CountingEnv):
    """In the third step of the training environment 3's AMP state is no robot's; its episode goes on."""

    steps = 0

    def __init__(self, number):
        super().__init__()
        self.number, self.length[3] = number, 100

    def step(self, actions):
        obs, rewards, dones, extras = super().step(actions)
        self.steps += 1
        if self.steps == 3:
            obs["amp"][3, 0] = self.number
        return obs, rewards, dones, extras


@pytest.mark.parametrize("number", [torch.inf, torch.nan, -1e9])
@pytest.mark.parametrize("num_frames", [1, 2, 3])
def test_an_explosion_that_ends_no_episode_spoils_nothing(amp_cfg, number, num_frames):
    cfg = train_cfg({**amp_cfg, "num_frames": num_frames}) | {"check_for_nan": False}
    runner, marks = OnPolicyRunner(Exploding(number), cfg, log_dir=None), []
    alg, update = runner.alg, runner.alg.trainer.update
    alg.trainer.update = lambda windows: marks.append(alg.amp_storage.windows()[1].clone()) or update(windows)
    runner.learn(2)
    # The state is the third step's successor and the frame that the fourth begins with.
    expected = torch.tensor([step + 2 >= num_frames for step in range(8)])
    expected[2 : 2 + num_frames] = False
    assert torch.equal(marks[0][:, 3], expected)
    assert all(torch.isfinite(weight).all() for weight in alg.actor.parameters())
    assert (alg.trainer.replay.windows.abs() < 1e3).all() and (alg.discriminator.normalizer.mean.abs() < 1e3).all()


@pytest.mark.parametrize(
    ("tell", "words"),
    [
        (lambda final, dones: final["amp"], r"extras\['final_obs'\] is a Tensor; expected a dictionary"),
        (lambda final, dones: {"amp": final["amp"][:1]}, "has 1 rows; expected one for each of 4 environments"),
    ],
)
def test_final_observations_of_another_form_are_refused(amp_cfg, tell, words):
    with pytest.raises(ConfigError, match=words):
        OnPolicyRunner(WithFinalObs(tell), train_cfg(amp_cfg), log_dir=None).learn(1)


def test_final_observations_without_the_command_are_refused(amp_cfg, clip):
    class WithCommand(WithFinalObs):
        def get_observations(self):
            obs = super().get_observations()
            obs["command"] = torch.zeros(self.num_envs, 3)
            return obs

    motion = load_motion(clip)
    save_motion(dataclasses.replace(motion, commands=np.zeros((30, 3), dtype=np.float32)))
    env = WithCommand(lambda final, dones: {"amp": final["amp"]})
    with pytest.raises(ConfigError, match=r"has 'amp' but not 'command', which amp_cfg.command_group names"):
        OnPolicyRunner(env, train_cfg({**amp_cfg, "command_group": "command"}), log_dir=None).learn(1)


def test_environments_may_tell_no_final_observations(amp_cfg):
    OnPolicyRunner(WithFinalObs(lambda final, dones: None), train_cfg(amp_cfg), log_dir=None).learn(1)


def test_amp_states_may_be_in_double_precision(amp_cfg):
    class Double(CountingEnv):
        def get_observations(self):
            obs = super().get_observations()
            obs["amp"] = obs["amp"].double()
            return obs

    found, expected = (OnPolicyRunner(env, train_cfg(amp_cfg), log_dir=None).alg for env in (Double(), CountingEnv()))
    assert found.amp_storage.successors.dtype == expected.amp_storage.successors.dtype == torch.float32
    OnPolicyRunner(Double(), train_cfg(amp_cfg), log_dir=None).learn(1)


def test_the_time_step_that_is_configured_holds_for_the_clips(amp_cfg):
    env = CountingEnv()
    del env.step_dt
    with pytest.raises(MotionError, match=r"its dt is 0.02 s; the environment's time step is 0.05 s"):
        OnPolicyRunner(env, train_cfg({**amp_cfg, "step_dt": 0.05}), log_dir=None)
    alg = OnPolicyRunner(env, train_cfg({**amp_cfg, "step_dt": 0.01, "resample_motions": True}), log_dir=None).alg
    assert alg.motions.num_windows == (19 - 2) + (39 - 2), "10 and 20 frames at half of the time step"
