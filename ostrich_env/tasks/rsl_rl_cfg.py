"""How the ostrich is trained: RSL-RL's PPO with AMP."""

from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlSymmetryCfg

from amp_runner.isaaclab import RslRlAmpCfg, RslRlAmpPpoAlgorithmCfg, RslRlAmpRunnerCfg, RslRlMirrorCfg
from ostrich_env.files import shipped_file
from ostrich_env.robot import MJCF
from ostrich_env.tasks.symmetry import AMP_PERMUTATION, AMP_SIGNS, with_mirror_images


@configclass
class OstrichFlatRunnerCfg(RslRlAmpRunnerCfg):
    """PPO with AMP on flat ground; the discriminator's settings are the library's defaults."""

    num_steps_per_env = 24
    max_iterations = 1000
    save_interval = 100
    snapshot_interval = 100
    snapshot_robot = MJCF
    experiment_name = "ostrich_flat"
    obs_groups = {"actor": ["policy"], "critic": ["critic"]}
    actor = RslRlMLPModelCfg(
        hidden_dims=[256, 128, 64],
        activation="elu",
        obs_normalization=True,
        distribution_cfg=RslRlMLPModelCfg.GaussianDistributionCfg(init_std=0.8),
    )
    critic = RslRlMLPModelCfg(hidden_dims=[256, 128, 64], activation="elu", obs_normalization=True)
    algorithm = RslRlAmpPpoAlgorithmCfg(
        value_loss_coef=1.0,
        use_clipped_value_loss=True,
        clip_param=0.2,
        entropy_coef=0.02,
        num_learning_epochs=5,
        num_mini_batches=4,
        learning_rate=1.0e-3,
        schedule="adaptive",
        gamma=0.99,
        lam=0.95,
        desired_kl=0.01,
        max_grad_norm=1.0,
        symmetry_cfg=RslRlSymmetryCfg(use_data_augmentation=True, data_augmentation_func=with_mirror_images),
        amp_cfg=RslRlAmpCfg(
            motions=[shipped_file("motions/walk.npz")],
            style_weight=13.0,
            mirror=RslRlMirrorCfg(permutation=AMP_PERMUTATION, signs=AMP_SIGNS),
        ),
    )


@configclass
class OstrichSimToRealRunnerCfg(OstrichFlatRunnerCfg):
    """The same for the real robot's joints."""

    experiment_name = "ostrich_sim_to_real"


@configclass
class OstrichRoughRunnerCfg(OstrichFlatRunnerCfg):
    """The same on rough ground."""

    experiment_name = "ostrich_rough"
