import pytest

from amp_runner.evaluation.plots import write_plots
from tests.amp_runner.evaluation.synthetic import BIPED, QUADRUPED, TROT, WALK, gait, motion, robots


@pytest.mark.parametrize(("spec", "legs"), [(BIPED, WALK), (QUADRUPED, TROT)])
@pytest.mark.parametrize("commands", [[(0.5, 0.0, 0.0), (0.0, 0.0, 0.0)], [(0.5, 0.1, 0.0)]], ids=["straight", "sideways"])
def test_every_picture_is_drawn(tmp_path, spec, legs, commands):
    reference = motion(spec, [gait(spec, c, legs=legs) for c in commands], commands)
    names = write_plots(tmp_path, robots(spec, commands, each=2, legs=legs), reference, hip=0)
    assert names == ["footfalls", "phase_portraits", "speed_sweep", "spectrum"]
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == sorted(names)
