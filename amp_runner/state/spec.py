"""The layout of the AMP state, the part of a frame that the discriminator sees.

A state is a list of features. By default, for J joints: root height (1), projected gravity (3), joint positions (J), root
linear velocity (3), root angular velocity (3), joint velocities (J). :class:`AMPStateSpec` describes any other list.
Quaternions are xyzw.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

from amp_runner.errors import ConfigError, suggestion
from amp_runner.state.sides import partners_by_name

AMP_GROUP = "amp"
"""Name of the observation group that holds the AMP state."""

Orientation = Literal["gravity", "quaternion", "tangent_normal"]
VelocityFrame = Literal["heading", "world", "body"]

_ORIENTATION_FEATURE = {
    "gravity": "projected_gravity",
    "quaternion": "root_quat_xyzw",
    "tangent_normal": "root_tangent_normal",
}
_SIZES: dict[str, tuple[int, str | None]] = {
    "root_height": (1, None),
    "projected_gravity": (3, None),
    "root_quat_xyzw": (4, None),
    "root_tangent_normal": (6, None),
    "joint_pos": (1, "joint_names"),
    "root_lin_vel": (3, None),
    "root_ang_vel": (3, None),
    "joint_vel": (1, "joint_names"),
    "key_body_pos": (3, "key_bodies"),
    "key_body_vel": (3, "key_bodies"),
    "foot_contact": (1, "feet"),
}
"""Numbers of each feature, and the field of :class:`AMPStateSpec` whose every name has that many."""
_POLAR, _AXIAL = (1.0, -1.0, 1.0), (-1.0, 1.0, -1.0)
_MIRROR_SIGNS = {
    "root_height": (1.0,),
    "projected_gravity": _POLAR,
    # A reflection in the x-z plane keeps the rotation about y and reverses those about x and z.
    "root_quat_xyzw": (*_AXIAL, 1.0),
    "root_tangent_normal": _POLAR + _POLAR,
    "root_lin_vel": _POLAR,
    "root_ang_vel": _AXIAL,
    "key_body_pos": _POLAR,
    "key_body_vel": _POLAR,
    "foot_contact": (1.0,),
}
FEATURES = tuple(_SIZES)
"""Names of all features."""


def default_layout(orientation: Orientation) -> tuple[str, ...]:
    """Return the features of a state without key bodies and feet."""
    return ("root_height", _ORIENTATION_FEATURE[orientation], "joint_pos", "root_lin_vel", "root_ang_vel", "joint_vel")


@dataclass(frozen=True)
class AMPStateSpec:
    """Layout of the AMP states of an environment or a clip.

    ``AMPStateSpec(joint_names)`` is the default list of features. Key bodies and feet add ``key_body_pos`` and
    ``foot_contact`` to it; ``layout`` chooses the features and their order freely.
    """

    joint_names: tuple[str, ...]
    """Joints, in the order of the joint features."""
    orientation: Orientation | None = "gravity"
    """The root's orientation in the default list: projected gravity (3 numbers), a quaternion (4, xyzw, w >= 0), or the
    root's x and z axes (6) in the velocity frame. With ``layout``: the first that it contains, else None."""
    velocity_frame: VelocityFrame = "heading"
    """Frame of velocities and key bodies: the world, the body, or the world turned by minus the robot's yaw."""
    layout: tuple[str, ...] = ()
    """Names of the features, in order, as a clip stores them; empty: the default list. See :data:`FEATURES`."""
    key_bodies: tuple[str, ...] = ()
    """Bodies of ``key_body_pos`` and ``key_body_vel``, in order: positions and velocities relative to the root."""
    feet: tuple[str, ...] = ()
    """Feet of ``foot_contact``, in order: 1 on the ground, else 0."""

    def __post_init__(self) -> None:
        """Check the values and complete the layout."""
        for name, value, allowed in (
            ("orientation", self.orientation or "gravity", get_args(Orientation)),
            ("velocity_frame", self.velocity_frame, get_args(VelocityFrame)),
        ):
            if value not in allowed:
                raise ConfigError(f"AMP state: {name} is {value!r}; expected one of {', '.join(allowed)}")
        for name in ("joint_names", "layout", "key_bodies", "feet"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        layout = self.layout or self._default_layout()
        found = next((o for o, feature in _ORIENTATION_FEATURE.items() if feature in layout), None)
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "orientation", found)
        self._check_layout()

    def _default_layout(self) -> tuple[str, ...]:
        layout = default_layout(self.orientation or "gravity")
        return layout + ("key_body_pos",) * bool(self.key_bodies) + ("foot_contact",) * bool(self.feet)

    def _check_layout(self) -> None:
        for name in self.layout:
            if name not in _SIZES:
                hint = suggestion(name, FEATURES) or "."
                raise ConfigError(f"AMP state: unknown feature '{name}'{hint} Known features: {', '.join(FEATURES)}")
            field = _SIZES[name][1]
            if field is not None and not getattr(self, field):
                raise ConfigError(f"AMP state: the feature '{name}' needs {field}; expected at least one name")
        if len(set(self.layout)) < len(self.layout):
            raise ConfigError(f"AMP state: a feature is listed twice in [{', '.join(self.layout)}]")
        if "root_tangent_normal" in self.layout and self.velocity_frame == "body":
            raise ConfigError("AMP state: root_tangent_normal is constant in the body frame; choose heading or world")

    @cached_property
    def features(self) -> dict[str, slice]:
        """Slice of each feature in a state vector, in order."""
        slices, start = {}, 0
        for name in self.layout:
            size, field = _SIZES[name]
            stop = start + size * (1 if field is None else len(getattr(self, field)))
            slices[name] = slice(start, stop)
            start = stop
        return slices

    @property
    def dim(self) -> int:
        """Number of columns, D."""
        return self.features[self.layout[-1]].stop

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """A name for each column, for messages and plots: ``joint_pos left_knee``, ``root_lin_vel y``, ..."""
        names = []
        for feature in self.layout:
            size, field = _SIZES[feature]
            parts = (
                [""] if size == 1 else [f" {axis}" for axis in ("xyz" if size == 3 else "xyzw" if size == 4 else "012345")]
            )
            owners = [""] if field is None else [f" {name}" for name in getattr(self, field)]
            names += [feature + owner + part for owner in owners for part in parts]
        return tuple(names)

    def mirror(self, flipped: str, sides: tuple[str, str] = ("left", "right")) -> tuple[list[int], list[float]]:
        """Compute the left-right mirroring of a state from names, for :class:`~amp_runner.MirrorCfg`.

        :func:`amp_runner.motions.robot_mirror.mirror_of_model` computes it from the robot's model instead.

        Args:
            flipped: regular expression of the joints whose angle changes sign (those that roll or yaw).
            sides: names of left and right in the joints' names.

        Returns:
            The permutation and the signs of the columns, (D,) each.

        Raises:
            ConfigError: a joint, key body or foot of one side has no partner on the other.
        """
        partners = {field: partners_by_name(getattr(self, field), sides) for field in ("joint_names", "key_bodies", "feet")}
        signs = [-1.0 if re.fullmatch(flipped, name) else 1.0 for name in self.joint_names]
        return self.mirror_columns(partners, signs)

    def mirror_columns(self, partners: dict[str, list[int]], joint_signs: Sequence[float]) -> tuple[list[int], list[float]]:
        """Compute the mirroring of a state from that of its joints, key bodies and feet.

        Args:
            partners: for each of ``joint_names``, ``key_bodies`` and ``feet``: index of the partner of each name.
            joint_signs: sign of each joint's angle in the mirror, 1 or -1.

        Returns:
            The permutation and the signs of the columns, (D,) each.
        """
        permutation, signs = [], []
        for name, columns in self.features.items():
            size, field = _SIZES[name]
            owners = [0] if field is None else partners[field]
            permutation += [columns.start + owner * size + part for owner in owners for part in range(size)]
            signs += joint_signs if field == "joint_names" else _MIRROR_SIGNS[name] * len(owners)
        return permutation, [float(sign) for sign in signs]

    def to_dict(self) -> dict[str, Any]:
        """Return the layout as plain data; :meth:`from_dict` restores it."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.layout == self._default_layout():
            values.pop("layout")
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {name: value for name, value in values.items() if value or name == "orientation"}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AMPStateSpec:
        """Build a layout from plain data.

        Raises:
            ConfigError: a key is unknown, ``joint_names`` is missing, or a value is wrong.
        """
        known = [f.name for f in fields(cls)]
        if not isinstance(values, dict) or "joint_names" not in values or set(values) - set(known):
            found = ", ".join(map(str, values)) if isinstance(values, dict) else repr(values)
            raise ConfigError(f"AMP state: found {found}; expected joint_names, and optionally {', '.join(known[1:])}")
        return cls(**values)

    @classmethod
    def from_env_cfg(cls, env_cfg: Any) -> AMPStateSpec | None:
        """Read the layout off the configuration of an Isaac Lab or mjlab environment.

        Looks for the term of the observation group ``amp`` that was declared with
        :class:`amp_runner.isaaclab.AMPObsGroupCfg` or :func:`amp_runner.mjlab.amp_obs_group`. Works before the simulator
        starts.

        Returns:
            The layout, or None for environments that declare their ``amp`` group in another way.

        Raises:
            ConfigError: the joints are listed without ``preserve_order``.
        """
        term: Any = env_cfg
        for name in ("observations", AMP_GROUP, "state"):
            term = _member(term, name)
        params = getattr(term, "params", None)
        if not isinstance(params, dict) or "velocity_frame" not in params:
            return None
        names = _entity_names(params.get("asset_cfg"), "joint_names")
        if not names:
            return None
        return cls(
            names,
            params.get("orientation", "gravity"),
            params["velocity_frame"],
            tuple(params.get("layout") or ()),
            _entity_names(params.get("key_bodies"), "body_names") or (),
            _entity_names(params.get("feet"), "body_names") or tuple(params.get("foot_names") or ()),
        )


def _member(parent: Any, name: str) -> Any:
    """An entry of a dictionary, a term of a group, or an attribute; None if there is none."""
    if isinstance(parent, dict):
        return parent.get(name)
    terms = getattr(parent, "terms", None)
    return terms.get(name) if isinstance(terms, dict) else getattr(parent, name, None)


def _entity_names(entity: Any, field: str) -> tuple[str, ...] | None:
    """Names listed in a scene entity's configuration; None if there are none, or regular expressions."""
    names = getattr(entity, field, None)
    if not names or isinstance(names, str) or any(re.search(r"[*+?\[\](){}|\\^$]", name) for name in names):
        return None
    if len(names) > 1 and not getattr(entity, "preserve_order", True):
        raise ConfigError(
            f"the observation group '{AMP_GROUP}' lists its {field} without preserve_order=True: they would be in the "
            "simulation's order; set it in the group's SceneEntityCfg"
        )
    return tuple(names)
