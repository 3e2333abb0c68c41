"""Log tags and checkpoints."""

import os
import zipfile

import numpy as np
import pytest
import torch
from rsl_rl.runners import OnPolicyRunner
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from amp_runner import AMPOnPolicyRunner, CheckpointError, ConfigError
from amp_runner.learning.checkpoint import read_checkpoint, write_checkpoint
from tests.conftest import CountingEnv, add_extension, train_cfg

TAGS = {
    "AMP/style_reward",
    "AMP/task_reward",
    "AMP/discriminator_loss",
    "AMP/gradient_penalty",
    "AMP/accuracy_expert",
    "AMP/accuracy_policy",
    "AMP/logit_expert",
    "AMP/logit_policy",
    "AMP/saturated_iterations",
    "AMP/style_score",
    "AMP/valid_windows",
    "AMP/implausible_frames",
}


def build(amp_cfg, log_dir=None, env=None, extension=None):
    cfg = add_extension(train_cfg(amp_cfg), extension)
    return AMPOnPolicyRunner(env or CountingEnv(), cfg, log_dir=log_dir, device="cpu")


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_tensorboard_has_the_amp_tags_and_rsl_rls(amp_cfg, tmp_path):
    build(amp_cfg, str(tmp_path)).learn(3)
    events = EventAccumulator(str(tmp_path)).Reload()
    tags = set(events.Tags()["scalars"])
    assert TAGS | {"Loss/surrogate", "Train/mean_reward", "Perf/total_fps"} <= tags
    assert not [tag for tag in tags if tag.startswith("Loss/AMP")]
    assert len(events.Scalars("AMP/style_reward")) == 3


def test_training_resumes_bit_for_bit_where_episodes_begin_anew(amp_cfg, tmp_path):
    """As in a simulator whose state is not saved: after the checkpoint, all episodes are new ones."""
    torch.manual_seed(0)
    straight = build(amp_cfg)
    straight.learn(3)
    straight.save(str(tmp_path / "model.pt"))
    straight.env.episode, straight.env.episode_length_buf = torch.full((4,), 50.0), torch.zeros(4, dtype=torch.long)
    straight.learn(3)

    resumed = build(amp_cfg)
    resumed.load(str(tmp_path / "model.pt"))
    resumed.env.episode, resumed.env.episode_length_buf = torch.full((4,), 50.0), torch.zeros(4, dtype=torch.long)
    resumed.learn(3)
    expected, found = straight.alg.save(), resumed.alg.save()
    for part in ("actor_state_dict", "critic_state_dict"):
        for name, value in found[part].items():
            assert torch.equal(value, expected[part][name]), name
    for name, value in found["amp"]["discriminator"].items():
        assert torch.equal(value, expected["amp"]["discriminator"][name]), name
    assert torch.equal(found["amp"]["replay"]["windows"], expected["amp"]["replay"]["windows"])


@pytest.mark.parametrize(("iteration", "expected"), [(True, 960), (False, 5)])
def test_curricula_resume_at_the_saved_step_count(amp_cfg, tmp_path, iteration, expected):
    """Isaac Lab's and mjlab's go by their environment's count of steps."""
    path = str(tmp_path / "model.pt")
    env, restarted = CountingEnv(), CountingEnv()
    env.common_step_counter, restarted.common_step_counter = 960, 5
    build(amp_cfg, env=env).save(path)
    parts = {"actor": True, "critic": True, "optimizer": True, "iteration": iteration, "rnd": False}
    build(amp_cfg, env=restarted).load(path, load_cfg=parts)
    assert restarted.common_step_counter == expected
    build(amp_cfg).load(path)  # an environment that does not count


def test_a_count_of_steps_that_is_none_is_refused(amp_cfg, tmp_path):
    path, runner = str(tmp_path / "model.pt"), build(amp_cfg)
    torch.save(runner.alg.save() | {"iter": 0, "infos": None, "env_steps": "many"}, path)
    with pytest.raises(CheckpointError, match=r"model\.pt: does not fit this run"):
        runner.load(path)


def test_only_the_last_checkpoints_are_kept(amp_cfg, tmp_path):
    cfg = train_cfg(amp_cfg) | {"save_interval": 1, "keep_checkpoints": 2}
    (tmp_path / "model_7.pt").write_bytes(b"of an earlier process")
    runner = AMPOnPolicyRunner(CountingEnv(), cfg, log_dir=str(tmp_path), device="cpu")
    runner.learn(1)
    runner.save(str(tmp_path / "best.pt"))  # the user's own
    assert {path.name for path in tmp_path.glob("*.pt")} == {"model_0.pt", "model_7.pt", "best.pt"}
    runner.learn(5)
    runner.save(f"{tmp_path}//model_4.pt")  # the same file once more
    assert {path.name for path in tmp_path.glob("*.pt")} == {"model_3.pt", "model_4.pt", "best.pt"}
    for wrong in (0, "3"):
        with pytest.raises(ConfigError, match=f"keep_checkpoints is {wrong!r}; expected a whole number >= 1"):
            AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg) | {"keep_checkpoints": wrong})


def test_plain_checkpoints_are_a_starting_point_and_plain_rsl_rl_loads_ours(amp_cfg, tmp_path):
    plain = OnPolicyRunner(CountingEnv(), train_cfg(), log_dir=None, device="cpu")
    # Without a log_dir RSL-RL's logger has no writer to tell of the model; that is all that save needs.
    plain.save(str(tmp_path / "plain.pt"))
    runner = build(amp_cfg)
    runner.load(str(tmp_path / "plain.pt"))
    assert torch.equal(runner.alg.actor.mlp[0].weight, plain.alg.actor.mlp[0].weight)
    runner.learn(1)
    runner.save(str(tmp_path / "amp.pt"))
    plain.load(str(tmp_path / "amp.pt"))
    assert torch.equal(runner.alg.actor.mlp[0].weight, plain.alg.actor.mlp[0].weight)


def test_other_dimensions_windows_and_motions_are_refused(amp_cfg, clip, tmp_path):
    path = str(tmp_path / "model.pt")
    build(amp_cfg).save(path)
    with pytest.raises(CheckpointError, match="windows of 3 frames; this run has 2"):
        build({**amp_cfg, "num_frames": 2}).load(path)
    build({**amp_cfg, "num_frames": 2}).load(path, load_cfg={**ANOTHER_TRAINING, "optimizer": True, "amp": False})
    larger = build({**amp_cfg, "discriminator": {"hidden_dims": [32]}})
    before = larger.alg.actor.mlp[0].weight.clone()
    with pytest.raises(CheckpointError, match=r"layers of \[16, 1\] units; this run has \[32, 1\]"):
        larger.load(path)
    assert torch.equal(larger.alg.actor.mlp[0].weight, before), "refused before anything was loaded"
    other = clip.with_name("other.npz")
    np.savez(other, amp_states=np.zeros((10, 4), dtype=np.float32), dt=0.02)
    runner = build({**amp_cfg, "motions": str(other)})
    with pytest.raises(CheckpointError, match=r"other motion files \(clip.npz .*this run's \(other.npz"):
        runner.load(path)
    runner.load(path, strict=False)


ANOTHER_TRAINING = {"actor": True, "critic": True, "optimizer": False, "iteration": True, "rnd": True}  # Isaac Lab's


def test_another_training_begins_from_the_networks_alone(amp_cfg, clip, tmp_path):
    first, path = build(amp_cfg), tmp_path / "networks.pt"
    first.learn(2)
    networks = first.alg.save()
    amp = {key: networks["amp"][key] for key in ("discriminator", "num_frames", "frame_dim", "motion_hashes")}
    torch.save({key: networks[key] for key in ("actor_state_dict", "critic_state_dict")} | {"amp": amp, "iter": 2}, path)
    with pytest.raises(CheckpointError, match=r"without optimizer states.*--no-resume_optimizer_state"):
        build(amp_cfg).load(str(path))
    other = clip.with_name("other.npz")
    np.savez(other, amp_states=np.zeros((10, 4), dtype=np.float32), dt=0.02)
    second = build({**amp_cfg, "motions": str(other)})
    second.load(str(path), load_cfg=ANOTHER_TRAINING)
    for found, expected in (
        (second.alg.critic, first.alg.critic),
        (second.alg.actor, first.alg.actor),
        (second.alg.discriminator, first.alg.discriminator),
    ):
        for name, value in found.state_dict().items():
            assert torch.equal(value, expected.state_dict()[name]), name
    assert not second.alg.optimizer.state and not second.alg.discriminator.optimizer.state
    second.learn(1)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"num_frames": 2}, "windows of 3 frames; this run has 2"),
        ({"discriminator": {"hidden_dims": [32]}}, "layers of [16, 1] units; this run has [32, 1]"),
    ],
)
def test_another_training_with_another_discriminator_begins_it_fresh_and_says_so(amp_cfg, tmp_path, caplog, other, words):
    first, path = build(amp_cfg), str(tmp_path / "model.pt")
    first.save(path)
    second = build({**amp_cfg, **other})
    fresh = {name: value.clone() for name, value in second.alg.discriminator.state_dict().items()}
    second.load(path, load_cfg=ANOTHER_TRAINING)
    assert words in caplog.text
    assert all(torch.equal(value, fresh[name]) for name, value in second.alg.discriminator.state_dict().items())
    assert torch.equal(second.alg.actor.mlp[0].weight, first.alg.actor.mlp[0].weight)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half of one"])
def test_damaged_files_are_refused(amp_cfg, tmp_path, content):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=str(path)):
        build(amp_cfg).load(str(path))


def test_a_small_checkpoint_that_unpacks_to_much_is_refused(amp_cfg, tmp_path):
    build(amp_cfg).save(str(tmp_path / "good.pt"))
    with (
        zipfile.ZipFile(tmp_path / "good.pt") as good,
        zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in good.namelist():
            bomb.writestr(name, good.read(name) if "data/0" not in name else bytes(10**8))
    with pytest.raises(CheckpointError, match=r"bomb.pt: damaged.*unpacks to 9\d MiB, but torch.save does not compress"):
        build(amp_cfg).load(str(tmp_path / "bomb.pt"))


def test_truncated_checkpoints_are_refused(amp_cfg, tmp_path):
    path = tmp_path / "model.pt"
    build(amp_cfg).save(str(path))
    content = path.read_bytes()
    for size in range(1, len(content), len(content) // 7):
        path.write_bytes(content[:size])
        with pytest.raises(CheckpointError):
            build(amp_cfg).load(str(path))


def test_missing_files_and_other_contents_are_refused(amp_cfg, tmp_path):
    runner = build(amp_cfg)
    with pytest.raises(CheckpointError, match="no such file"):
        runner.load(str(tmp_path / "none.pt"))
    torch.save({"weights": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="holds no actor"):
        runner.load(str(tmp_path / "other.pt"))


@pytest.mark.parametrize("part", ["frame_dim", "motion_hashes", "discriminator", "replay", "generator"])
def test_checkpoints_with_a_missing_or_wrong_part_are_refused(amp_cfg, tmp_path, part):
    path = str(tmp_path / "model.pt")
    runner = build(amp_cfg)
    for spoil in (lambda amp: amp.pop(part), lambda amp: amp.update({part: 3})):
        state = runner.alg.save() | {"iter": 0, "infos": None}
        spoil(state["amp"])
        torch.save(state, path)
        with pytest.raises(CheckpointError, match=r"model\.pt"):
            build(amp_cfg).load(path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.update(iter=float("inf")),
        lambda state: state.update(env_steps=float("inf")),
        lambda state: state["amp"]["replay"].update(windows=torch.zeros(0, 3, 4), insertions=5),
        lambda state: state.update(optimizer_state_dict=torch.zeros(3)),
        lambda state: state["amp"]["replay"].update(windows=torch.zeros(1, 3, 1), insertions=1),
        lambda state: state["amp"]["replay"].update(insertions=float("inf")),
    ],
)
def test_checkpoints_with_wrong_numbers_are_refused(amp_cfg, tmp_path, spoil):
    path, runner = str(tmp_path / "model.pt"), build(amp_cfg)
    runner.learn(1)
    state = runner.alg.save() | {"iter": 0, "infos": None}
    spoil(state)
    torch.save(state, path)
    with pytest.raises(CheckpointError, match=r"model\.pt: does not fit this run"):
        build(amp_cfg).load(path)


def test_a_run_resumes_on_another_kind_of_device(amp_cfg, tmp_path, caplog):
    path, runner = str(tmp_path / "model.pt"), build(amp_cfg)
    state = runner.alg.save() | {"iter": 4, "infos": None}
    state["amp"]["generator"] = torch.zeros(16, dtype=torch.uint8)  # a GPU's
    torch.save(state, path)
    runner.load(path)
    assert runner.current_learning_iteration == 5 and "another kind of device" in caplog.text


def test_a_checkpoint_holds_no_more_than_what_is_in_use(amp_cfg, tmp_path):
    runner = build({**amp_cfg, "replay_size": 100_000})
    runner.save(str(tmp_path / "model.pt"))
    assert (tmp_path / "model.pt").stat().st_size < 100_000, "the ring, still empty, has 5 MB"


def test_nothing_in_a_checkpoint_is_executed(amp_cfg, tmp_path):
    trap = tmp_path / "trap"
    torch.save({"actor_state_dict": {}, "evil": Evil(trap)}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match="never done"):
        build(amp_cfg).load(str(tmp_path / "evil.pt"))
    assert not trap.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.pt"
    write_checkpoint(path, {"actor_state_dict": {"a": torch.ones(1)}})
    with pytest.raises(Exception, match="pickle"):
        write_checkpoint(path, {"actor_state_dict": {}, "bad": lambda: None})
    assert torch.equal(read_checkpoint(path, "cpu")["actor_state_dict"]["a"], torch.ones(1))
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]
