//! Messages as the forms that panels draw, against tables written by hand.

#[path = "decode_forms/clouds.rs"]
mod clouds;
#[path = "decode_forms/pictures.rs"]
mod pictures;

use bytes::Bytes;
use roadreel::decode::{Decoded, Form, Marker, MarkerAction, Schema};

use crate::encode::Encoder;

const HEADER: &str = "\n===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n";
const POSE: &str = "\n===\nMSG: geometry_msgs/Pose\nPoint position\nQuaternion orientation\n===\nMSG: geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n\
                    ===\nMSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n===\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n";

fn schema(type_name: &str, definition: &str) -> Schema {
    Schema::ros1(type_name, &format!("{definition}{HEADER}{POSE}")).expect("compiles")
}

fn decode(schema: &Schema, form: Form, message: &Encoder) -> Result<Decoded, String> {
    assert_eq!(schema.form(), Some(form));
    schema
        .decode(form, &Bytes::copy_from_slice(message.bytes()))
        .map_err(|error| error.to_string())
}

#[test]
fn transforms_and_poses() {
    let tf = "geometry_msgs/TransformStamped[] transforms\n===\nMSG: geometry_msgs/TransformStamped\nHeader header\nstring child_frame_id\nTransform transform\n\
              ===\nMSG: geometry_msgs/Transform\nVector3 translation\nQuaternion rotation";
    let one = |e: Encoder, q: &[f64; 4]| e.header(0, 7, 8, "map").text("base").f64s(&[1.0, 2.0, 3.0]).f64s(q);
    let message = one(
        one(one(Encoder::new().u32(3), &[0.0; 4]), &[0.0, 0.0, 2.0, 0.0]),
        &[f64::NAN, 0.0, 0.0, 1.0],
    );
    for name in ["tf2_msgs/TFMessage", "tf/tfMessage", "tf2_msgs/msg/TFMessage"] {
        let Ok(Decoded::Transforms(all)) = decode(&schema(name, tf), Form::Transforms, &message) else {
            panic!("transforms")
        };
        let shown: Vec<String> = all
            .iter()
            .map(|t| {
                format!(
                    "{}→{} {} {} {}",
                    t.header.frame_id,
                    t.child_frame_id,
                    t.header.stamp.nanos(),
                    t.translation,
                    t.rotation
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "map→base 7000000008 [1, 2, 3] [0, 0, 0, 0]",
                "map→base 7000000008 [1, 2, 3] [0, 0, 2, 0]",
                "map→base 7000000008 [1, 2, 3] [NaN, 0, 0, 1]"
            ]
        );
    }
    let path = schema(
        "nav_msgs/Path",
        "Header header\ngeometry_msgs/PoseStamped[] poses\n===\nMSG: geometry_msgs/PoseStamped\nHeader header\nPose pose",
    );
    let pose = [4.0, 5.0, 6.0, 0.0, 0.0, 0.0, 1.0];
    let message = Encoder::new()
        .header(0, 1, 0, "map")
        .u32(2)
        .header(0, 2, 0, "longer")
        .f64s(&pose)
        .header(0, 3, 0, "")
        .f64s(&pose);
    let Ok(Decoded::Poses(poses)) = decode(&path, Form::Poses, &message) else {
        panic!("poses")
    };
    assert_eq!((poses.poses.len(), poses.joined, poses.poses[1].position.z), (2, true, 6.0));
    let array = schema("geometry_msgs/PoseArray", "Header header\nPose[] poses");
    let Ok(Decoded::Poses(poses)) = decode(&array, Form::Poses, &Encoder::new().header(0, 1, 0, "map").u32(1).f64s(&pose)) else {
        panic!("poses")
    };
    assert_eq!((poses.poses.len(), poses.joined, &*poses.header.frame_id), (1, false, "map"));
    let odometry = "Header header\nstring child_frame_id\ngeometry_msgs/PoseWithCovariance pose\nint8 rest\n===\nMSG: geometry_msgs/PoseWithCovariance\nPose pose\nfloat64[36] covariance";
    let covariance: Vec<f64> = (0..36).map(f64::from).collect();
    let message = Encoder::new()
        .header(0, 1, 0, "odom")
        .text("base")
        .f64s(&pose)
        .f64s(&covariance)
        .u8(0);
    let Ok(Decoded::Pose(p)) = decode(&schema("nav_msgs/Odometry", odometry), Form::Pose, &message) else {
        panic!("pose")
    };
    assert_eq!(
        (p.child_frame_id.as_deref(), p.covariance.map(|c| c[35]), p.pose.position.x),
        (Some("base"), Some(35.0), 4.0)
    );
    let stamped = schema("geometry_msgs/PoseStamped", "Header header\nPose pose");
    let Ok(Decoded::Pose(p)) = decode(&stamped, Form::Pose, &Encoder::new().header(0, 1, 0, "odom").f64s(&pose)) else {
        panic!("pose")
    };
    assert_eq!((p.child_frame_id, p.covariance, p.pose.position.y), (None, None, 5.0));
}

const MARKER: &str = "Header header\nstring ns\nint32 id\nint32 type\nint32 action\ngeometry_msgs/Pose pose\ngeometry_msgs/Vector3 scale\nstd_msgs/ColorRGBA color\n\
                      duration lifetime\nbool frame_locked\ngeometry_msgs/Point[] points\nstd_msgs/ColorRGBA[] colors\nstring text\nstring mesh_resource\n\
                      bool mesh_use_embedded_materials\n===\nMSG: std_msgs/ColorRGBA\nfloat32 r\nfloat32 g\nfloat32 b\nfloat32 a";

fn marker(e: Encoder, id: i32, action: i32) -> Encoder {
    let e = e
        .header(0, 1, 2, "map")
        .text("ns")
        .i32(id)
        .i32(9)
        .i32(action)
        .f64s(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0])
        .f64s(&[0.1, 0.2, 0.3]);
    let e = e
        .f32(1.0)
        .f32(0.5)
        .f32(0.25)
        .f32(1.0)
        .i32(1)
        .i32(500)
        .u8(1)
        .u32(2)
        .f64s(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    e.u32(1)
        .f32(0.0)
        .f32(0.1)
        .f32(0.2)
        .f32(0.3)
        .text("hello")
        .text("package://a/b.stl")
        .u8(1)
}

#[test]
fn markers() {
    let array = schema(
        "visualization_msgs/MarkerArray",
        &format!("visualization_msgs/Marker[] markers\n===\nMSG: visualization_msgs/Marker\n{MARKER}"),
    );
    let message = (0..4).fold(Encoder::new().u32(4), |e, action| marker(e, action + 10, action));
    let Ok(Decoded::Markers(all)) = decode(&array, Form::Markers, &message) else {
        panic!("markers")
    };
    let actions: Vec<(i32, MarkerAction)> = all.iter().map(|m| (m.id, m.action)).collect();
    assert_eq!(
        actions,
        [
            (10, MarkerAction::Add),
            (11, MarkerAction::Add),
            (12, MarkerAction::Delete),
            (13, MarkerAction::DeleteAll)
        ]
    );
    let single = schema("visualization_msgs/Marker", MARKER);
    let Ok(Decoded::Markers(all)) = decode(&single, Form::Markers, &marker(Encoder::new(), 3, 0)) else {
        panic!("marker")
    };
    let [m]: [Marker; 1] = all.try_into().expect("one");
    assert_eq!(
        (m.kind, &*m.ns, &*m.text, &*m.mesh_resource),
        (9, "ns", "hello", "package://a/b.stl")
    );
    assert_eq!(
        (m.lifetime_nanos, m.frame_locked, m.mesh_use_embedded_materials),
        (1_000_000_500, true, true)
    );
    assert_eq!((m.pose.position.z, m.pose.orientation.w, m.scale.y), (3.0, 1.0, 0.2));
    assert_eq!(
        (m.color, &*m.points, &*m.colors),
        (
            [1.0, 0.5, 0.25, 1.0],
            &[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]][..],
            &[[0.0, 0.1, 0.2, 0.3]][..]
        )
    );
}

#[test]
fn objects_become_boxes_labels_and_arrows() {
    let twist = "===\nMSG: geometry_msgs/Twist\nVector3 linear\nVector3 angular\n===\nMSG: shape_msgs/SolidPrimitive\nuint8 BOX=1\nuint8 type\nfloat64[] dimensions";
    let plain = format!(
        "Header header\nObject[] objects\n===\nMSG: derived_object_msgs/Object\nHeader header\nuint32 id\nuint8 detection_level\ngeometry_msgs/Pose pose\ngeometry_msgs/Twist twist\nshape_msgs/SolidPrimitive shape\nuint8 classification\n{twist}"
    );
    let message = Encoder::new().header(0, 1, 0, "map").u32(2);
    let message = message
        .header(0, 1, 0, "")
        .u32(7)
        .u8(1)
        .f64s(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0])
        .f64s(&[3.0, 4.0, 0.0, 0.0, 0.0, 0.0])
        .u8(1)
        .u32(3)
        .f64s(&[4.0, 2.0, 1.5])
        .u8(6);
    let message = message
        .header(0, 1, 0, "lidar")
        .u32(8)
        .u8(1)
        .f64s(&[0.0; 7])
        .f64s(&[0.0; 6])
        .u8(3)
        .u32(2)
        .f64s(&[1.8, 0.3])
        .u8(4);
    let Ok(Decoded::Markers(all)) = decode(&schema("derived_object_msgs/ObjectArray", &plain), Form::Markers, &message) else {
        panic!("objects")
    };
    let shown: Vec<String> = all
        .iter()
        .map(|m| {
            format!(
                "{:?} {} {} kind {} in {} at {} size {} {}",
                m.action, m.ns, m.id, m.kind, m.header.frame_id, m.pose.position, m.scale, m.text
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "DeleteAll  0 kind 1 in map at [0, 0, 0] size [1, 1, 1] ",
            "Add objects 7 kind 1 in map at [1, 2, 3] size [4, 2, 1.5] ",
            "Add labels 7 kind 9 in map at [1, 2, 4.35] size [0.6, 0.6, 0.6] car 7  5.0 m/s",
            "Add velocity 7 kind 0 in map at [1, 2, 3] size [0.12, 0.35, 0.5] ",
            "Add objects 8 kind 3 in lidar at [0, 0, 0] size [0.6, 0.6, 1.8] ",
            "Add labels 8 kind 9 in lidar at [0, 0, 1.5] size [0.6, 0.6, 0.6] pedestrian 8",
        ]
    );
    assert_eq!(&*all[3].points, &[[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]]);
}

#[test]
fn scans_grids_and_diagnostics() {
    let scan = "Header header\nfloat32 angle_min\nfloat32 angle_max\nfloat32 angle_increment\nfloat32 time_increment\nfloat32 scan_time\nfloat32 range_min\nfloat32 range_max\nfloat32[] ranges\nfloat32[] intensities";
    let message = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
        .iter()
        .fold(Encoder::new().header(0, 1, 0, "laser"), |e, v| e.f32(*v))
        .u32(2)
        .f32(8.0)
        .f32(9.0)
        .u32(0);
    let Ok(Decoded::Scan(scan)) = decode(&schema("sensor_msgs/LaserScan", scan), Form::Scan, &message) else {
        panic!("scan")
    };
    assert_eq!(
        (scan.angle_min, scan.angle_increment, scan.range_min, scan.range_max),
        (1.0, 3.0, 6.0, 7.0)
    );
    assert_eq!((&scan.ranges[4..], scan.intensities.len()), (&9f32.to_le_bytes()[..], 0));

    let grid = schema(
        "nav_msgs/OccupancyGrid",
        "Header header\nMapMetaData info\nint8[] data\n===\nMSG: nav_msgs/MapMetaData\ntime map_load_time\nfloat32 resolution\nuint32 width\nuint32 height\ngeometry_msgs/Pose origin",
    );
    let message = |data: &[u8]| {
        Encoder::new()
            .header(0, 1, 0, "map")
            .u32(0)
            .u32(0)
            .f32(0.5)
            .u32(2)
            .u32(2)
            .f64s(&[1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0])
            .counted(data)
    };
    let Ok(Decoded::Grid(g)) = decode(&grid, Form::Grid, &message(&[0, 100, 255, 50])) else {
        panic!("grid")
    };
    assert_eq!(
        (g.resolution, g.width, g.height, g.origin.position.y, &g.data[..]),
        (0.5, 2, 2, 2.0, &[0, 100, 255, 50][..])
    );
    assert_eq!(
        decode(&grid, Form::Grid, &message(&[0; 3])).expect_err("short"),
        "the grid claims 2 × 2 cells, but holds 3"
    );
    let update = schema(
        "map_msgs/OccupancyGridUpdate",
        "Header header\nint32 x\nint32 y\nuint32 width\nuint32 height\nint8[] data",
    );
    let message = Encoder::new()
        .header(0, 1, 0, "map")
        .i32(-1)
        .i32(2)
        .u32(1)
        .u32(2)
        .counted(&[5, 6, 7]);
    let Ok(Decoded::GridUpdate(u)) = decode(&update, Form::GridUpdate, &message) else {
        panic!("update")
    };
    assert_eq!((u.x, u.y, u.width, u.height, &u.data[..]), (-1, 2, 1, 2, &[5, 6][..]));

    let diagnostics = schema(
        "diagnostic_msgs/DiagnosticArray",
        "Header header\nDiagnosticStatus[] status\n===\nMSG: diagnostic_msgs/DiagnosticStatus\nbyte OK=0\nbyte level\nstring name\nstring message\nstring hardware_id\nKeyValue[] values\n===\nMSG: diagnostic_msgs/KeyValue\nstring key\nstring value",
    );
    let message = Encoder::new()
        .header(0, 1, 0, "")
        .u32(2)
        .u8(2)
        .text("cpu")
        .text("hot")
        .text("hw")
        .u32(2)
        .text("t")
        .text("99")
        .text("t")
        .text("100")
        .u8(0)
        .text("gps")
        .text("")
        .text("")
        .u32(0);
    let Ok(Decoded::Diagnostics(all)) = decode(&diagnostics, Form::Diagnostics, &message) else {
        panic!("diagnostics")
    };
    assert_eq!((all.len(), all[0].level, &*all[0].message, &*all[1].name), (2, 2, "hot", "gps"));
    // a key that comes twice
    let values: Vec<(&str, &str)> = all[0].values.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(values, [("t", "99"), ("t (2)", "100")]);
}

#[test]
fn a_type_that_only_bears_the_name_stays_a_tree() {
    let message = Bytes::from_static(&[1]);
    for name in [
        "sensor_msgs/Image",
        "sensor_msgs/CompressedImage",
        "sensor_msgs/PointCloud2",
        "sensor_msgs/LaserScan",
        "tf2_msgs/TFMessage",
        "geometry_msgs/TransformStamped",
        "visualization_msgs/Marker",
        "visualization_msgs/MarkerArray",
        "derived_object_msgs/ObjectArray",
        "nav_msgs/Path",
        "geometry_msgs/PoseArray",
        "geometry_msgs/PoseStamped",
        "geometry_msgs/PoseWithCovarianceStamped",
        "nav_msgs/Odometry",
        "nav_msgs/OccupancyGrid",
        "map_msgs/OccupancyGridUpdate",
        "diagnostic_msgs/DiagnosticArray",
    ] {
        let schema = Schema::ros1(name, "uint8 x").expect("compiles");
        assert_eq!(schema.form(), None, "{name}");
        assert!(matches!(schema.decode(Form::Value, &message), Ok(Decoded::Value(_))));
        assert!(
            schema
                .decode(Form::Image, &message)
                .expect_err("no picture")
                .to_string()
                .starts_with(&format!("{name} has no form"))
        );
    }
}

#[test]
fn geographic_shapes_and_fixes_come_from_their_messages() {
    use roadreel::decode::{FeatureShape, definitions};
    let known = |name: &str| {
        let text = definitions().complete(name).unwrap_or_else(|| panic!("{name} is known"));
        Schema::ros1(name, &text).expect("compiles")
    };
    let path = known("geographic_msgs/GeoPath");
    assert_eq!(path.form(), Some(Form::Features));
    let mut message = Encoder::new().header(1, 2, 3, "map").u32(3);
    for i in 0..3 {
        message = message
            .header(i, 2, 3, "map")
            .f64s(&[47.0 + f64::from(i), 8.5, 400.0])
            .f64s(&[0.0, 0.0, 0.0, 1.0]);
    }
    let Ok(Decoded::Features(features)) = path.decode(Form::Features, &Bytes::copy_from_slice(message.bytes())) else {
        panic!("features")
    };
    assert_eq!(
        features.features[0].shape,
        FeatureShape::Line(vec![[8.5, 47.0], [8.5, 48.0], [8.5, 49.0]])
    );

    let location = "time timestamp\nstring frame_id\nfloat64 latitude\nfloat64 longitude\nfloat64 altitude\nfloat64[9] position_covariance\n\
                    uint8 position_covariance_type\n";
    let location = Schema::ros1("foxglove_msgs/LocationFix", location).expect("compiles");
    assert_eq!(location.form(), Some(Form::Fix));
    let message = Encoder::new().u32(1_600_000_000).u32(5).text("gps").f64s(&[47.5, 8.25, 410.0]);
    let message = message.f64s(&[4.0, 1.0, 0.0, 1.0, 9.0, 0.0, 0.0, 0.0, 16.0]).u8(2);
    let Ok(Decoded::Fix(fix)) = location.decode(Form::Fix, &Bytes::copy_from_slice(message.bytes())) else {
        panic!("a fix")
    };
    assert_eq!((fix.latitude_deg, fix.longitude_deg, fix.altitude_metres), (47.5, 8.25, 410.0));
    assert_eq!((fix.covariance, fix.status), (Some([4.0, 1.0, 9.0, 16.0]), None));
    assert_eq!(fix.stamp.map(|t| t.nanos()), Some(1_600_000_000_000_000_005));
}

#[test]
fn geojson_says_how_it_is_drawn() {
    use roadreel::decode::FeatureStyle;
    let style = |properties: &str| {
        let text = format!(r##"{{"type":"Feature","properties":{properties},"geometry":{{"type":"Point","coordinates":[1,2]}}}}"##);
        let schema = Schema::ros1("foxglove_msgs/GeoJSON", "string geojson\n").expect("compiles");
        let payload = Bytes::copy_from_slice(Encoder::new().text(&text).bytes());
        let Ok(Decoded::Features(found)) = schema.decode(Form::Features, &payload) else {
            panic!("features of {properties}")
        };
        found.features[0].style.clone()
    };
    let wanted = FeatureStyle {
        color: Some("#ff0000".into()),
        opacity: Some(0.5),
        width_pixels: Some(4.0),
        fill: Some("lime".into()),
        fill_opacity: Some(0.25),
    };
    // simplestyle's words, then Leaflet's
    let simple = r##"{"stroke":"#ff0000","stroke-opacity":0.5,"stroke-width":"4","fill":"lime","fill-opacity":0.25}"##;
    assert_eq!(style(simple), wanted);
    let leaflet = r##"{"style":{"stroke":true,"color":"#ff0000","opacity":0.5,"weight":4,"fillColor":"lime","fillOpacity":0.25}}"##;
    assert_eq!(style(leaflet), wanted);
    assert_eq!(style(r##"{"name":"plain"}"##), FeatureStyle::default());
    assert_eq!(style(r##"{"stroke-width":-1}"##).width_pixels, None);
}

#[test]
fn lines_of_foxgloves_logs_have_their_levels() {
    let text = roadreel::decode::definitions().complete("foxglove_msgs/Log").expect("is known");
    let schema = Schema::ros1("foxglove_msgs/Log", &text).expect("compiles");
    assert_eq!(schema.form(), Some(Form::Log));
    let message = Encoder::new()
        .u32(7)
        .u32(5)
        .u8(3)
        .text("late")
        .text("planner")
        .text("a.cpp")
        .u32(12);
    let Ok(Decoded::Log(line)) = schema.decode(Form::Log, &Bytes::copy_from_slice(message.bytes())) else {
        panic!("a line")
    };
    assert_eq!(line.stamp.map(|t| t.nanos()), Some(7_000_000_005));
    assert_eq!(
        (line.level, &*line.node, &*line.text),
        (roadreel::decode::LogLevel::Warn, "planner", "late")
    );
    assert_eq!((&*line.file, line.line), ("a.cpp", 12));
}

#[test]
fn geojson_gives_its_features() {
    use roadreel::decode::FeatureShape;
    let text = r##"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"name":"stop","marker-color":"#ff0000"},"geometry":{"type":"Point","coordinates":[8.5,47.25,400]}},
        {"type":"Feature","properties":null,"geometry":{"type":"MultiLineString","coordinates":[[[8,47],[8.1,47.1]],[[9,48],[9,49],[9,50]]]}},
        {"type":"Feature","properties":{"title":"yard"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]}},
        {"type":"GeometryCollection","geometries":[{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}]},
        {"type":"Nonsense"}]}"##;
    // plain strings and messages that are made for it
    for (name, definition, form) in [
        ("std_msgs/String", "string data\n", Form::Log),
        ("foxglove_msgs/GeoJSON", "string geojson\n", Form::Features),
    ] {
        let schema = Schema::ros1(name, definition).expect("compiles");
        assert_eq!(schema.form(), Some(form));
        let payload = Bytes::copy_from_slice(Encoder::new().text(text).bytes());
        let Ok(Decoded::Features(found)) = schema.decode(Form::Features, &payload) else {
            panic!("features of {name}")
        };
        let shown: Vec<String> = found
            .features
            .iter()
            .map(|f| format!("{} {:?} {:?}", f.name, f.style.color, f.shape))
            .collect();
        assert_eq!(
            shown,
            [
                "stop Some(\"#ff0000\") Places([[8.5, 47.25]])",
                " None Line([[8.0, 47.0], [8.1, 47.1]])",
                " None Line([[9.0, 48.0], [9.0, 49.0], [9.0, 50.0]])",
                "yard None Area([[[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 0.0]], [[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 1.0]]])",
                " None Places([[1.0, 2.0], [3.0, 4.0]])",
            ]
        );
        assert!(matches!(found.features[3].shape, FeatureShape::Area(_)));
        let wrong = Bytes::copy_from_slice(Encoder::new().text("chatter 7").bytes());
        let told = schema.decode(Form::Features, &wrong).expect_err("no GeoJSON").to_string();
        assert!(told.contains("this is no GeoJSON"), "{told}");
        let deep = format!("{}{}", "{\"type\":\"Feature\",\"geometry\":".repeat(60), "}".repeat(60));
        let deep = Bytes::copy_from_slice(Encoder::new().text(&deep).bytes());
        assert!(schema.decode(Form::Features, &deep).is_err());
    }
}
