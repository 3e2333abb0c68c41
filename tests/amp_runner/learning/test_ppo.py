import dataclasses
import inspect
import itertools

import numpy as np
import pytest
import torch
from rsl_rl.algorithms import PPO
from rsl_rl.runners import OnPolicyRunner

from amp_runner import AMPOnPolicyRunner, ConfigError, MotionError, load_motion, save_motion
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
    weights = {"style_weight": 3.0, "task_weight": 0.5, "step_dt": 0.1}
    runner = OnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, **weights}), log_dir=None, device="cpu")
    alg, seen = runner.alg, {}
    blend = alg._blend

    def spy(style):
        storage = alg.storage
        bootstrap = storage.rewards.squeeze(-1) - storage.task_rewards
        blend(style)
        seen.update(style=style, task=storage.task_rewards.clone(), bootstrap=bootstrap)
        seen["rewards"] = storage.rewards.squeeze(-1).clone()

    alg._blend = spy
    runner.learn(1)
    expected = 0.5 * seen["task"] + 3.0 * 0.1 * seen["style"] + seen["bootstrap"]
    torch.testing.assert_close(seen["rewards"], expected)
    assert (seen["bootstrap"] != 0).any(), "some episode ended in time"
    assert (seen["style"][0] == 0).all(), "no window of three frames after one step"
    assert (seen["style"][1:3] > 0).any()


def test_style_reward_is_the_discriminators_after_its_update(amp_cfg):
    runner = OnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), log_dir=None, device="cpu")
    alg, seen = runner.alg, {}
    blend = alg._blend

    def spy(style):
        windows, is_real = alg.storage.windows()
        seen["difference"] = style - alg.discriminator.style_reward(windows, alg.amp_cfg.reward_epsilon) * is_real
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


def test_the_discriminator_rests_between_its_updates(amp_cfg):
    cfg = {**amp_cfg, "discriminator": {**amp_cfg["discriminator"], "update_interval": 3}}
    runner = OnPolicyRunner(CountingEnv(), train_cfg(cfg), log_dir=None, device="cpu")
    weights = []
    for _ in range(6):
        runner.learn(1)
        weights.append(runner.alg.discriminator.net[0].weight.detach().clone())
    changed = [not torch.equal(before, after) for before, after in itertools.pairwise(weights)]
    assert changed == [False, False, True, False, False]


def test_the_style_weight_grows_while_warming_up(amp_cfg):
    cfg = {**amp_cfg, "style_weight": 2.0, "style_warmup": 4, "step_dt": 0.5}
    runner = OnPolicyRunner(CountingEnv(), train_cfg(cfg), log_dir=None, device="cpu")
    alg, blend, weights = runner.alg, runner.alg._blend, []

    def spy(style):
        before = alg.storage.rewards.clone()
        blend(style)
        weights.append(((alg.storage.rewards - before).sum() / style.sum()).item())

    alg._blend = spy
    runner.learn(6)
    assert weights == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0], rel=1e-4)


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
        pytest.param("compiled", marks=pytest.mark.sim),
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
    alg.trainer.update = lambda windows: marks.append(alg.storage.windows()[1].clone()) or update(windows)
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
    with pytest.raises(ConfigError, match=r"has 'amp' without 'command', which amp_cfg.command_group asks for"):
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
    assert found.storage.successors.dtype == expected.storage.successors.dtype == torch.float32
    OnPolicyRunner(Double(), train_cfg(amp_cfg), log_dir=None).learn(1)


def test_the_time_step_that_is_configured_holds_for_the_clips(amp_cfg):
    env = CountingEnv()
    del env.step_dt
    with pytest.raises(MotionError, match=r"its dt is 0.02 s; the run's is 0.05 s"):
        OnPolicyRunner(env, train_cfg({**amp_cfg, "step_dt": 0.05}), log_dir=None)
    alg = OnPolicyRunner(env, train_cfg({**amp_cfg, "step_dt": 0.01, "resample_motions": True}), log_dir=None).alg
    assert alg.motions.num_windows == (19 - 2) + (39 - 2), "10 and 20 frames at half of the time step"
