//! The camera: pure functions from gestures to a new camera, and from a camera and a viewport to the numbers that drawing needs.
//!
//! Invariants: world coordinates are f64 metres with z up; in the view's frame the camera looks along -z, x is right and y is up;
//! depth is reversed (1 near, 0 infinitely far). Zooming has no limits other than those of f64.

use glam::{DAffine3, DMat3, DVec2, DVec3, Mat4, Vec4};

use super::points::Bounds;

/// From the bottom to the top of the picture, where nobody says otherwise.
pub const FOV_Y_RADIANS: f64 = 0.9;
/// The near plane lies at this share of the camera's distance to its target.
const NEAR_SHARE: f64 = 0.002;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Projection {
    #[default]
    Perspective,
    /// Straight down, parallel: a map.
    TopDown,
}

/// Looks at `target` from `distance` metres. Yaw 0 looks along +x from behind; pitch 0 is level, π/2 looks straight down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    pub target: DVec3,
    pub distance: f64,
    pub yaw: f64,
    pub pitch: f64,
    pub projection: Projection,
    /// Between the bottom and the top of the picture.
    pub fov_y_radians: f64,
}

impl Default for Camera {
    fn default() -> Camera {
        Camera {
            target: DVec3::ZERO,
            distance: 40.0,
            yaw: 0.5,
            pitch: 0.6,
            projection: Projection::Perspective,
            fov_y_radians: FOV_Y_RADIANS,
        }
    }
}

/// Size of the drawn picture in physical pixels, and how many of them make a logical one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewportPx {
    pub width: u32,
    pub height: u32,
    pub pixels_per_point: f32,
}

/// A camera and a viewport, with everything that follows from them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    pub camera: Camera,
    pub viewport: ViewportPx,
    pub view_from_world: DAffine3,
    pub clip_from_view: Mat4,
}

/// Where a world position appears: physical pixels from the top left, and its distance along the view direction in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projected {
    pub px: DVec2,
    pub depth: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ray {
    pub origin: DVec3,
    /// Unit length.
    pub direction: DVec3,
}

impl Camera {
    fn pitch_shown(&self) -> f64 {
        match self.projection {
            Projection::Perspective => self.pitch,
            Projection::TopDown => std::f64::consts::FRAC_PI_2,
        }
    }

    /// Columns: right, up, back.
    pub fn world_from_view_rotation(&self) -> DMat3 {
        let (sin_yaw, cos_yaw) = self.yaw.sin_cos();
        let (sin_pitch, cos_pitch) = self.pitch_shown().sin_cos();
        let forward = DVec3::new(cos_yaw * cos_pitch, sin_yaw * cos_pitch, -sin_pitch);
        let right = DVec3::new(sin_yaw, -cos_yaw, 0.0);
        DMat3::from_cols(right, right.cross(forward), -forward)
    }

    pub fn eye(&self) -> DVec3 {
        self.target + self.world_from_view_rotation().z_axis * self.distance
    }

    /// `drag_px` is in logical pixels.
    pub fn orbited(mut self, drag_px: DVec2) -> Camera {
        self.yaw -= drag_px.x * 0.006;
        if self.projection == Projection::Perspective {
            self.pitch = (self.pitch + drag_px.y * 0.006).clamp(-1.55, 1.55);
        }
        self.yaw = self.yaw.rem_euclid(std::f64::consts::TAU);
        self
    }

    /// Moves with the pointer: what was under it at the target's distance stays there. `height_px` is the viewport's, in the unit of `drag_px`.
    pub fn panned(mut self, drag_px: DVec2, height_px: f64) -> Camera {
        let metres_per_px = self.height_at_target() / height_px.max(1.0);
        let axes = self.world_from_view_rotation();
        self.target += (axes.y_axis * drag_px.y - axes.x_axis * drag_px.x) * metres_per_px;
        self
    }

    /// Metres from the bottom to the top of the picture, at the target.
    pub fn height_at_target(&self) -> f64 {
        2.0 * self.distance * (self.fov_y_radians / 2.0).tan()
    }

    /// Comes closer (`factor` < 1) or goes away, keeping `fixed_point` where it is on screen.
    pub fn zoomed(mut self, factor: f64, fixed_point: DVec3) -> Camera {
        let distance = (self.distance * factor).clamp(1e-4, 1e9);
        let factor = distance / self.distance;
        self.distance = distance;
        self.target = fixed_point + (self.target - fixed_point) * factor;
        self
    }

    /// Shows all of `bounds` from the direction that the camera has.
    pub fn fitted(mut self, bounds: Bounds) -> Camera {
        self.target = (bounds.min + bounds.max) * 0.5;
        let radius = (bounds.max - bounds.min).length() * 0.5;
        self.distance = (radius / (self.fov_y_radians / 2.0).sin()).clamp(0.5, 1e9);
        self
    }
}

impl View {
    pub fn new(camera: Camera, viewport: ViewportPx) -> View {
        let rotation = camera.world_from_view_rotation().transpose();
        let view_from_world = DAffine3 {
            matrix3: rotation,
            translation: -(rotation * camera.eye()),
        };
        let aspect = viewport.width.max(1) as f64 / viewport.height.max(1) as f64;
        let scale = 1.0 / (camera.fov_y_radians / 2.0).tan();
        let near = camera.distance * NEAR_SHARE;
        let clip_from_view = match camera.projection {
            Projection::Perspective => Mat4::from_cols(
                Vec4::new((scale / aspect) as f32, 0.0, 0.0, 0.0),
                Vec4::new(0.0, scale as f32, 0.0, 0.0),
                Vec4::new(0.0, 0.0, 0.0, -1.0),
                Vec4::new(0.0, 0.0, near as f32, 0.0),
            ),
            Projection::TopDown => {
                let half = camera.height_at_target() / 2.0;
                // Everything within 50 km above and below the target stays in order of height.
                let reach = 50_000.0 + camera.distance;
                Mat4::from_cols(
                    Vec4::new((1.0 / (half * aspect)) as f32, 0.0, 0.0, 0.0),
                    Vec4::new(0.0, (1.0 / half) as f32, 0.0, 0.0),
                    Vec4::new(0.0, 0.0, (0.5 / reach) as f32, 0.0),
                    Vec4::new(0.0, 0.0, (0.5 + 0.5 * camera.distance / reach) as f32, 1.0),
                )
            }
        };
        View {
            camera,
            viewport,
            view_from_world,
            clip_from_view,
        }
    }

    /// Metres from the camera, below which nothing is drawn; None where the projection is parallel.
    pub fn near(&self) -> Option<f64> {
        (self.camera.projection == Projection::Perspective).then_some(self.camera.distance * NEAR_SHARE)
    }

    /// Physical pixels that one metre covers at clip-space w = 1.
    pub fn px_per_metre(&self) -> f32 {
        0.5 * self.viewport.height as f32 * self.clip_from_view.y_axis.y
    }

    /// Where a world position appears, None behind the camera. Positions outside the picture are given too.
    pub fn project(&self, point_in_world: DVec3) -> Option<Projected> {
        let p = self.view_from_world.transform_point3(point_in_world);
        let w = match self.near() {
            Some(near) if -p.z < near => return None,
            Some(_) => -p.z,
            None => 1.0,
        };
        let x = p.x * f64::from(self.clip_from_view.x_axis.x) / w;
        let y = p.y * f64::from(self.clip_from_view.y_axis.y) / w;
        let size = DVec2::new(f64::from(self.viewport.width), f64::from(self.viewport.height));
        Some(Projected {
            px: DVec2::new(x + 1.0, 1.0 - y) * 0.5 * size,
            depth: -p.z,
        })
    }

    /// The world ray under a physical pixel position.
    pub fn ray(&self, px: DVec2) -> Ray {
        let size = DVec2::new(f64::from(self.viewport.width.max(1)), f64::from(self.viewport.height.max(1)));
        let ndc = DVec2::new(px.x / size.x * 2.0 - 1.0, 1.0 - px.y / size.y * 2.0);
        let at_one = DVec2::new(
            ndc.x / f64::from(self.clip_from_view.x_axis.x),
            ndc.y / f64::from(self.clip_from_view.y_axis.y),
        );
        let axes = self.camera.world_from_view_rotation();
        let eye = self.camera.eye();
        match self.camera.projection {
            Projection::Perspective => Ray {
                origin: eye,
                direction: (axes.x_axis * at_one.x + axes.y_axis * at_one.y - axes.z_axis).normalize_or(-axes.z_axis),
            },
            Projection::TopDown => Ray {
                origin: eye + axes.x_axis * at_one.x + axes.y_axis * at_one.y,
                direction: -axes.z_axis,
            },
        }
    }

    /// A point under the pixel worth zooming towards: on the ground plane through the target where that is near, otherwise beside the target.
    pub fn anchor(&self, px: DVec2) -> DVec3 {
        let ray = self.ray(px);
        let distance = self.camera.distance;
        let to_ground = (self.camera.target.z - ray.origin.z) / ray.direction.z;
        if to_ground.is_finite() && to_ground > 0.0 && to_ground < distance * 3.0 {
            return ray.origin + ray.direction * to_ground;
        }
        let forward = -self.camera.world_from_view_rotation().z_axis;
        ray.origin + ray.direction * (distance / ray.direction.dot(forward).max(1e-3))
    }
}
