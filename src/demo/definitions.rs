//! The message definitions of the demo drive's topics and their MD5 sums.
//!
//! Invariant: each sum is ROS's own for the definition beside it (constants, then fields, nested types by their sums).

/// A topic's type: its ROS name, its MD5 sum.
#[derive(Clone, Copy)]
pub struct Type {
    pub name: &'static str,
    pub md5: &'static str,
}

pub const POINT_CLOUD2: Type = Type {
    name: "sensor_msgs/PointCloud2",
    md5: "1158d486dd51d683ce2f1be655c3c181",
};
pub const IMAGE: Type = Type {
    name: "sensor_msgs/Image",
    md5: "060021388200f6f0f447d0fcd9c64743",
};
pub const COMPRESSED_IMAGE: Type = Type {
    name: "sensor_msgs/CompressedImage",
    md5: "8f7a12909da2c9d3332d540a0977563f",
};
pub const CAMERA_INFO: Type = Type {
    name: "sensor_msgs/CameraInfo",
    md5: "c9a58c1b0b154e0e6da7578cb991d214",
};
pub const IMU: Type = Type {
    name: "sensor_msgs/Imu",
    md5: "6a62c6daae103f4ff57a132d6f95cec2",
};
pub const NAV_SAT_FIX: Type = Type {
    name: "sensor_msgs/NavSatFix",
    md5: "2d3a8cd499b9b4a0249fb98fd05cfa48",
};
pub const ODOMETRY: Type = Type {
    name: "nav_msgs/Odometry",
    md5: "cd5e73d190d741a2f92e81eda573aca7",
};
pub const OCCUPANCY_GRID: Type = Type {
    name: "nav_msgs/OccupancyGrid",
    md5: "3381f2d731d4076ec5c71b0759edbe4e",
};
pub const TF_MESSAGE: Type = Type {
    name: "tf2_msgs/TFMessage",
    md5: "94810edda583a504dfda3829e70d7eec",
};
pub const MARKER_ARRAY: Type = Type {
    name: "visualization_msgs/MarkerArray",
    md5: "d155b9ce5188fbaf89745847fd5882d7",
};
pub const LOG: Type = Type {
    name: "rosgraph_msgs/Log",
    md5: "acffd30cd6b6de30f120938c17c593fb",
};
pub const DIAGNOSTIC_ARRAY: Type = Type {
    name: "diagnostic_msgs/DiagnosticArray",
    md5: "60810da900de1dd6ddd437c3503511da",
};
pub const BRAKE_REPORT: Type = Type {
    name: "dbw_mkz_msgs/BrakeReport",
    md5: "edad19d6f3908905e1f96d52d8350bf8",
};
pub const STEERING_REPORT: Type = Type {
    name: "dbw_mkz_msgs/SteeringReport",
    md5: "61de76ca4812c4d004f8ff7d430a6301",
};
pub const OBJECT_WITH_COVARIANCE_ARRAY: Type = Type {
    name: "derived_object_msgs/ObjectWithCovarianceArray",
    md5: "9254d872aeeeeaddf3e5cc22befe98ef",
};

impl Type {
    /// The text that a bag stores: the type's own definition, then those of all types it uses.
    pub fn definition(self) -> String {
        let mut text = own(self.name).to_owned();
        let mut seen = Vec::new();
        dependencies(self.name, &mut seen);
        for name in seen {
            text.push_str(&"=".repeat(80));
            text.push_str(&format!("\nMSG: {name}\n{}", own(name)));
        }
        text
    }
}

fn own(name: &str) -> &'static str {
    TEXTS.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
}

fn dependencies(name: &'static str, seen: &mut Vec<&'static str>) {
    let package = name.split('/').next().unwrap_or_default();
    for line in own(name).lines() {
        let base = line.split([' ', '[']).next().unwrap_or_default();
        let full = if base == "Header" {
            "std_msgs/Header".to_owned()
        } else {
            format!("{package}/{base}")
        };
        let Some((used, _)) = TEXTS.iter().find(|(known, _)| *known == base || *known == full) else {
            continue;
        };
        if !seen.contains(used) {
            seen.push(used);
            dependencies(used, seen);
        }
    }
}

#[rustfmt::skip]
static TEXTS: &[(&str, &str)] = &[
    ("std_msgs/Header", "\
uint32 seq
time stamp
string frame_id
"),
    ("std_msgs/ColorRGBA", "\
float32 r
float32 g
float32 b
float32 a
"),
    ("geometry_msgs/Point", "\
float64 x
float64 y
float64 z
"),
    ("geometry_msgs/Point32", "\
float32 x
float32 y
float32 z
"),
    ("geometry_msgs/Vector3", "\
float64 x
float64 y
float64 z
"),
    ("geometry_msgs/Quaternion", "\
float64 x
float64 y
float64 z
float64 w
"),
    ("geometry_msgs/Pose", "\
Point position
Quaternion orientation
"),
    ("geometry_msgs/PoseWithCovariance", "\
Pose pose
float64[36] covariance
"),
    ("geometry_msgs/Twist", "\
Vector3 linear
Vector3 angular
"),
    ("geometry_msgs/TwistWithCovariance", "\
Twist twist
float64[36] covariance
"),
    ("geometry_msgs/Accel", "\
Vector3 linear
Vector3 angular
"),
    ("geometry_msgs/AccelWithCovariance", "\
Accel accel
float64[36] covariance
"),
    ("geometry_msgs/Polygon", "\
Point32[] points
"),
    ("geometry_msgs/Transform", "\
Vector3 translation
Quaternion rotation
"),
    ("geometry_msgs/TransformStamped", "\
Header header
string child_frame_id
Transform transform
"),
    ("tf2_msgs/TFMessage", "\
geometry_msgs/TransformStamped[] transforms
"),
    ("sensor_msgs/PointField", "\
uint8 INT8=1
uint8 UINT8=2
uint8 INT16=3
uint8 UINT16=4
uint8 INT32=5
uint8 UINT32=6
uint8 FLOAT32=7
uint8 FLOAT64=8
string name
uint32 offset
uint8 datatype
uint32 count
"),
    ("sensor_msgs/PointCloud2", "\
Header header
uint32 height
uint32 width
PointField[] fields
bool is_bigendian
uint32 point_step
uint32 row_step
uint8[] data
bool is_dense
"),
    ("sensor_msgs/Image", "\
Header header
uint32 height
uint32 width
string encoding
uint8 is_bigendian
uint32 step
uint8[] data
"),
    ("sensor_msgs/CompressedImage", "\
Header header
string format
uint8[] data
"),
    ("sensor_msgs/RegionOfInterest", "\
uint32 x_offset
uint32 y_offset
uint32 height
uint32 width
bool do_rectify
"),
    ("sensor_msgs/CameraInfo", "\
Header header
uint32 height
uint32 width
string distortion_model
float64[] D
float64[9] K
float64[9] R
float64[12] P
uint32 binning_x
uint32 binning_y
RegionOfInterest roi
"),
    ("sensor_msgs/Imu", "\
Header header
geometry_msgs/Quaternion orientation
float64[9] orientation_covariance
geometry_msgs/Vector3 angular_velocity
float64[9] angular_velocity_covariance
geometry_msgs/Vector3 linear_acceleration
float64[9] linear_acceleration_covariance
"),
    ("sensor_msgs/NavSatStatus", "\
int8 STATUS_NO_FIX=-1
int8 STATUS_FIX=0
int8 STATUS_SBAS_FIX=1
int8 STATUS_GBAS_FIX=2
int8 status
uint16 SERVICE_GPS=1
uint16 SERVICE_GLONASS=2
uint16 SERVICE_COMPASS=4
uint16 SERVICE_GALILEO=8
uint16 service
"),
    ("sensor_msgs/NavSatFix", "\
Header header
NavSatStatus status
float64 latitude
float64 longitude
float64 altitude
float64[9] position_covariance
uint8 COVARIANCE_TYPE_UNKNOWN=0
uint8 COVARIANCE_TYPE_APPROXIMATED=1
uint8 COVARIANCE_TYPE_DIAGONAL_KNOWN=2
uint8 COVARIANCE_TYPE_KNOWN=3
uint8 position_covariance_type
"),
    ("nav_msgs/Odometry", "\
Header header
string child_frame_id
geometry_msgs/PoseWithCovariance pose
geometry_msgs/TwistWithCovariance twist
"),
    ("nav_msgs/MapMetaData", "\
time map_load_time
float32 resolution
uint32 width
uint32 height
geometry_msgs/Pose origin
"),
    ("nav_msgs/OccupancyGrid", "\
Header header
MapMetaData info
int8[] data
"),
    ("shape_msgs/SolidPrimitive", "\
uint8 BOX=1
uint8 SPHERE=2
uint8 CYLINDER=3
uint8 CONE=4
uint8 type
float64[] dimensions
uint8 BOX_X=0
uint8 BOX_Y=1
uint8 BOX_Z=2
uint8 SPHERE_RADIUS=0
uint8 CYLINDER_HEIGHT=0
uint8 CYLINDER_RADIUS=1
uint8 CONE_HEIGHT=0
uint8 CONE_RADIUS=1
"),
    ("visualization_msgs/Marker", "\
uint8 ARROW=0
uint8 CUBE=1
uint8 SPHERE=2
uint8 CYLINDER=3
uint8 LINE_STRIP=4
uint8 LINE_LIST=5
uint8 CUBE_LIST=6
uint8 SPHERE_LIST=7
uint8 POINTS=8
uint8 TEXT_VIEW_FACING=9
uint8 MESH_RESOURCE=10
uint8 TRIANGLE_LIST=11
uint8 ADD=0
uint8 MODIFY=0
uint8 DELETE=2
uint8 DELETEALL=3
Header header
string ns
int32 id
int32 type
int32 action
geometry_msgs/Pose pose
geometry_msgs/Vector3 scale
std_msgs/ColorRGBA color
duration lifetime
bool frame_locked
geometry_msgs/Point[] points
std_msgs/ColorRGBA[] colors
string text
string mesh_resource
bool mesh_use_embedded_materials
"),
    ("visualization_msgs/MarkerArray", "\
Marker[] markers
"),
    ("rosgraph_msgs/Log", "\
byte DEBUG=1
byte INFO=2
byte WARN=4
byte ERROR=8
byte FATAL=16
Header header
byte level
string name
string msg
string file
string function
uint32 line
string[] topics
"),
    ("diagnostic_msgs/KeyValue", "\
string key
string value
"),
    ("diagnostic_msgs/DiagnosticStatus", "\
byte OK=0
byte WARN=1
byte ERROR=2
byte STALE=3
byte level
string name
string message
string hardware_id
KeyValue[] values
"),
    ("diagnostic_msgs/DiagnosticArray", "\
Header header
DiagnosticStatus[] status
"),
    ("dbw_mkz_msgs/BrakeReport", "\
Header header
float32 pedal_input
float32 pedal_cmd
float32 pedal_output
float32 torque_input
bool boo_input
bool enabled
bool override
bool driver
"),
    ("dbw_mkz_msgs/SteeringReport", "\
Header header
float32 steering_wheel_angle
float32 steering_wheel_cmd
float32 steering_wheel_torque
float32 speed
bool enabled
bool override
bool driver
"),
    ("derived_object_msgs/ObjectWithCovariance", "\
uint8 OBJECT_DETECTED=0
uint8 OBJECT_TRACKED=1
uint8 CLASSIFICATION_PEDESTRIAN=4
uint8 CLASSIFICATION_BIKE=5
uint8 CLASSIFICATION_CAR=6
Header header
uint32 id
uint8 detection_level
bool object_classified
geometry_msgs/PoseWithCovariance pose
geometry_msgs/TwistWithCovariance twist
geometry_msgs/AccelWithCovariance accel
geometry_msgs/Polygon polygon
shape_msgs/SolidPrimitive shape
uint8 classification
uint8 classification_certainty
uint32 classification_age
"),
    ("derived_object_msgs/ObjectWithCovarianceArray", "\
Header header
ObjectWithCovariance[] objects
"),
];
