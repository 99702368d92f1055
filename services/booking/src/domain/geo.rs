//! Places on the surface of the earth.

/// Mean radius of the earth in metres (IUGG, R1 of GRS 80).
const EARTH_RADIUS: f64 = 6_371_008.8;

/// A latitude and a longitude in degrees (WGS 84).
pub type Position = (f64, f64);

/// How far two places are apart along the surface, in whole metres. The haversine formula (R. W. Sinnott, "Virtues of the
/// Haversine", Sky and Telescope 68, 1984) takes the earth for a sphere: it is at most 0.6 % off, and exact for places
/// close together, where the law of cosines loses its digits.
pub fn distance_meters(from: Position, to: Position) -> i32 {
    let (from_latitude, to_latitude) = (from.0.to_radians(), to.0.to_radians());
    let half_chord = ((to_latitude - from_latitude) / 2.0).sin().powi(2)
        + from_latitude.cos() * to_latitude.cos() * ((to.1 - from.1).to_radians() / 2.0).sin().powi(2);
    // Rounding may carry the square of a sine past 1 at the antipodes.
    let angle = 2.0 * half_chord.clamp(0.0, 1.0).sqrt().asin();
    // Half of the girth of the earth is 20,015 km: far within the range.
    (EARTH_RADIUS * angle).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Jing'an temple and the Bund in Shanghai.
    const TEMPLE: Position = (31.223_7, 121.444_8);
    const BUND: Position = (31.240_0, 121.490_0);

    #[test]
    fn distances_agree_with_the_map() {
        assert_eq!(distance_meters(TEMPLE, TEMPLE), 0);
        assert_eq!(distance_meters(TEMPLE, BUND), distance_meters(BUND, TEMPLE));
        assert!((4_600..4_720).contains(&distance_meters(TEMPLE, BUND)));
        // A degree of the meridian, and from pole to pole.
        assert_eq!(distance_meters((0.0, 0.0), (1.0, 0.0)), 111_195);
        assert_eq!(distance_meters((90.0, 0.0), (-90.0, 77.0)), 20_015_114);
    }

    #[test]
    fn the_date_line_is_no_barrier() {
        assert!(distance_meters((0.0, 179.9), (0.0, -179.9)) < 22_300);
        assert_eq!(distance_meters((0.0, 0.0), (0.0, 180.0)), 20_015_114);
    }
}
