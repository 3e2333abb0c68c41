"""Drawing: MuJoCo's off-screen renderer, videos, robots in the browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from amp_runner.errors import AMPError

if TYPE_CHECKING:
    from amp_runner.motions.robot_model import RobotModel

_ADVICE = "install EGL (Debian: libegl1 libegl-mesa0), or use the page in the browser"
_DISTANCE = 3.6
"""Distance of the camera over the reach of the robot's shapes around its root."""
_LOOK_AT_HEIGHT = 0.64
"""Height at which the camera looks over that of the root."""
PICTURE_SIZE = (480, 640)
"""Height and width [pixels]."""


def prepare_to_draw() -> None:
    """Let MuJoCo draw without a screen; call this before MuJoCo is imported, when it chooses its OpenGL library.

    Raises:
        AMPError: there is no OpenGL library to draw with.
    """
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("MUJOCO_GL", "egl")
    try:
        import mujoco  # noqa: F401
    except ModuleNotFoundError:
        raise
    except Exception as error:  # each OpenGL library raises its own types
        raise AMPError(
            f"cannot draw without a screen: MUJOCO_GL={os.environ.get('MUJOCO_GL')}: {error}; {_ADVICE}"
        ) from error


def open_renderer(model: Any) -> Any:
    """Open MuJoCo's off-screen renderer.

    Raises:
        AMPError: there is no OpenGL that draws without a screen.
    """
    import mujoco

    try:
        return mujoco.Renderer(model, *PICTURE_SIZE)
    except Exception as error:  # each OpenGL library raises its own types
        raise AMPError(f"cannot draw without a screen ({type(error).__name__}: {error}); {_ADVICE}") from error


def draw(renderer: Any, model: Any, data: Any) -> np.ndarray:
    """Draw the robot from the side, (H, W, 3)."""
    import mujoco

    camera = mujoco.MjvCamera()
    point_camera(camera, model)
    follow(camera, model, data)
    renderer.update_scene(data, camera)
    return renderer.render()


def point_camera(camera: Any, model: Any) -> None:
    """Look from the side, slightly from above and in front, with light from there, at a distance that suits the robot."""
    import mujoco

    model.vis.headlight.ambient[:], model.vis.headlight.diffuse[:] = 0.4, 0.7
    data, root = mujoco.MjData(model), _root_body(model)
    mujoco.mj_kinematics(model, data)
    own = model.body_rootid[model.geom_bodyid] == root
    reach = np.linalg.norm(data.geom_xpos[own] - data.xpos[root], axis=1) + model.geom_rbound[own]
    camera.azimuth, camera.elevation, camera.distance = 60.0, -12.0, _DISTANCE * reach.max()


def follow(camera: Any, model: Any, data: Any) -> None:
    """Point a camera at the robot, at a constant height."""
    camera.lookat = [*data.xpos[_root_body(model)][:2], _LOOK_AT_HEIGHT * model.qpos0[2]]


def _root_body(model: Any) -> int:
    """The robot's root: the body that moves freely, of a robot that is fixed the first."""
    import mujoco

    is_free = model.jnt_type == mujoco.mjtJoint.mjJNT_FREE
    return int(model.jnt_bodyid[is_free.argmax()]) if is_free.any() else 1


def open_video(out: str, rate: float) -> Any:
    """Open a writer of pictures (``append_data``) to a video file.

    Args:
        out: file to write (.mp4 or .gif).
        rate: pictures a second.

    Raises:
        AMPError: no encoder is installed.
    """
    try:
        import imageio

        if out.endswith(".gif"):
            return imageio.get_writer(out, duration=1000 / rate, loop=0)
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise AMPError(f"no video encoder found ({error}); install one: pip install 'imageio[ffmpeg]'") from error
    return imageio.get_writer(out, fps=rate, macro_block_size=None)


def add_robot(scene: Any, name: str, robot: RobotModel) -> dict[int, Any]:
    """Add a robot's shapes to viser's scene; returns the frame of each body."""
    from amp_runner.viewers.robot_shapes import robot_shapes

    bodies = {b: scene.add_frame(f"{name}/{b}", show_axes=False) for b in range(1, robot.model.nbody)}
    for shape, mesh, color in robot_shapes(robot):
        body = int(robot.model.geom_bodyid[shape])
        scene.add_mesh_simple(f"{name}/{body}/{shape}", mesh.vertices, mesh.faces, color=color)
    return bodies
