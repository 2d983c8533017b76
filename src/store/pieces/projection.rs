//! Web Mercator: the globe on a square of side 1, x eastwards, y southwards.
//!
//! Invariant: latitudes beyond ±85.05° lie at the square's edge.

const MAX_LATITUDE_DEG: f64 = 85.051_128_78;

/// x may leave 0 to 1: a line that crosses the antimeridian goes on.
pub type World = [f64; 2];

/// None where there is no such place.
pub fn project(latitude_deg: f64, longitude_deg: f64) -> Option<World> {
    if !latitude_deg.is_finite() || !longitude_deg.is_finite() || latitude_deg.abs() > 90.0 || longitude_deg.abs() > 540.0 {
        return None;
    }
    let latitude = latitude_deg.clamp(-MAX_LATITUDE_DEG, MAX_LATITUDE_DEG).to_radians();
    let y = 0.5 - latitude.tan().asinh() / std::f64::consts::TAU;
    Some([longitude_deg / 360.0 + 0.5, y])
}
