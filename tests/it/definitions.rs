//! Known message definitions: their MD5s are those of real recordings, and bags without definitions decode.

use std::collections::BTreeMap;

use roadreel::decode::{Definitions, Form, definition_md5, definitions};
use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::path::Column;
use roadreel::run::{Io, Recording, add_message_folders};
use roadreel::source::{Location, Policy};
use roadreel::time::Time;

use crate::data::data;
use crate::encode::Encoder;

/// From the ROS wiki, the recordings of the field and what ROS's generators wrote into published packages; types that hold each other, constants of every kind.
const MD5S: [(&str, &str); 53] = [
    ("std_msgs/Header", "2176decaecbce78abc3b96ef049fabed"),
    ("std_msgs/String", "992ce8a1687cec8c8bd883ec73ca41d1"),
    ("std_msgs/Empty", "d41d8cd98f00b204e9800998ecf8427e"),
    ("geometry_msgs/PoseStamped", "d3812c3cbc69362b77dc0b19b345f8f5"),
    ("geometry_msgs/PoseWithCovarianceStamped", "953b798c0f514ff060a53a3498ce6246"),
    ("nav_msgs/Odometry", "cd5e73d190d741a2f92e81eda573aca7"),
    ("nav_msgs/Path", "6227e2b7e9cce15051f669a5e197bbf7"),
    ("sensor_msgs/BatteryState", "4ddae7f048e32fda22cac764685e3974"),
    ("sensor_msgs/Imu", "6a62c6daae103f4ff57a132d6f95cec2"),
    ("sensor_msgs/JointState", "3066dcd76a6cfaef579bd0f34173e9fd"),
    ("sensor_msgs/NavSatFix", "2d3a8cd499b9b4a0249fb98fd05cfa48"),
    ("sensor_msgs/PointCloud2", "1158d486dd51d683ce2f1be655c3c181"),
    ("visualization_msgs/MarkerArray", "d155b9ce5188fbaf89745847fd5882d7"),
    ("diagnostic_msgs/DiagnosticArray", "60810da900de1dd6ddd437c3503511da"),
    ("rosgraph_msgs/Log", "acffd30cd6b6de30f120938c17c593fb"),
    ("actionlib_msgs/GoalStatusArray", "8b2b82f13216d0a8ea88bd3af735e619"),
    ("trajectory_msgs/JointTrajectory", "65b4f94a94d1ed67169da35a02f33d3f"),
    ("stereo_msgs/DisparityImage", "04a177815f75271039fa21f16acad8c9"),
    ("bond/Status", "eacc84bf5d65b6777d4c50f463dfb9c8"),
    ("tf2_msgs/TFMessage", "94810edda583a504dfda3829e70d7eec"),
    ("map_msgs/OccupancyGridUpdate", "b295be292b335c34718bd939deebe1c9"),
    ("geographic_msgs/GeoPoseStamped", "cc409c8ed6064d8a846fa207bf3fba6b"),
    ("gps_common/GPSFix", "3db3d0a7bc53054c67c528af84710b70"),
    ("ackermann_msgs/AckermannDriveStamped", "1fd5d7f58889cefd44d29f6653240d0c"),
    ("velodyne_msgs/VelodyneScan", "50804fc9533a0e579e6322c04ae70566"),
    ("can_msgs/Frame", "64ae5cebf967dc6aae4e78f5683a5b25"),
    ("dbw_mkz_msgs/BrakeInfoReport", "fc88af128b5b3213ea25ab325a9b3bbb"),
    ("dbw_mkz_msgs/BrakeReport", "a92bad28c400885f36170c1cab44618e"),
    ("dbw_mkz_msgs/FuelLevelReport", "f5ec1964dbda02fda82785b8035744e4"),
    ("dbw_mkz_msgs/GearReport", "785b94d5bfee677e7f0da982153f2711"),
    ("dbw_mkz_msgs/SteeringCmd", "ff1fa11624bdc2aff2aeee5aa6014057"),
    ("dbw_mkz_msgs/SurroundReport", "17a8c9ed72da4f55d44d6d71483cf0e3"),
    ("dbw_mkz_msgs/SuspensionReport", "a2c91f746e5d8bec139c834f92ac7468"),
    ("dbw_mkz_msgs/ThrottleCmd", "d75259a1444adebea30e45b37542c415"),
    ("dbw_mkz_msgs/ThrottleInfoReport", "8255d20d2bbc661ad39074024259c71a"),
    ("dbw_mkz_msgs/TirePressureReport", "a2c91f746e5d8bec139c834f92ac7468"),
    ("dbw_mkz_msgs/WheelPositionReport", "0e6f28c4c7a099c93cc2173da9808a16"),
    ("dbw_mkz_msgs/WheelSpeedReport", "a2c91f746e5d8bec139c834f92ac7468"),
    ("derived_object_msgs/LaneModels", "0c7a9d0cc35a8e5d0d677034bfc4d18b"),
    ("derived_object_msgs/ObjectArray", "492c83cd255b9a57845d0c197d7977be"),
    ("derived_object_msgs/ObjectWithCovarianceArray", "59dfdf4ed3407a2558ccbc7f5732bf46"),
    ("radar_msgs/RadarScan", "6dfacef1e665538dbd8e159d5ce7a97a"),
    ("radar_msgs/RadarTracks", "d068321616577632690aba69b8985e75"),
    ("vision_msgs/BoundingBox3DArray", "9e1a3932308592aa1b20232d818486db"),
    ("vision_msgs/Detection2DArray", "402071f61477de256df9f1aa45e6e4c8"),
    ("vision_msgs/Detection3DArray", "05c51d9aea1fb4cfdc8effb94f197b6f"),
    ("vision_msgs/VisionInfo", "eee36f8dc558754ceb4ef619179d8b34"),
    // of versions that share a name with another
    ("derived_object_msgs/CipvTrack", "db9a76b43a89517bb97bfea8c670557e"),
    ("radar_msgs/RadarTrack", "3344659e36aff40bd4f09e82be663ec5"),
    ("radar_msgs/RadarTrackArray", "49d8549010f0f446ea46ca97a1099cba"),
    ("foxglove_msgs/GeoJSON", "9a1e28c92be77e1b417fd6f796eed666"),
    ("geographic_msgs/RouteNetwork", "fd717c0a34a7c954deed32c6847f30a8"),
    ("gps_common/GPSExtendedStatus", "9339d7476c1b80d5cedf7a7bf9d38892"),
];

/// By their MD5, as an independent script makes it of the published texts: what their last field is called.
#[test]
fn types_that_changed_are_known_as_they_were() {
    let known = Definitions::built_in();
    for (name, md5, last) in [
        (
            "foxglove_msgs/LocationFix",
            "4dc8855010fe928e15fd9e2de11b214d",
            "position_covariance_type",
        ),
        ("foxglove_msgs/LocationFix", "cf5ca343df9f99f055a7478f5ef546aa", "color.a"),
        ("foxglove_msgs/LocationFix", "e519365cbe0be6fd561ed2fb057ee35c", "color.a"),
        ("rcl_interfaces/Log", "2e550226619c297add0debbcdcf7d29b", "line"),
        ("rcl_interfaces/Log", "b3acfee7f39cda096849229677d18286", "line"),
    ] {
        let schema = known.schema(name, "", md5).unwrap_or_else(|e| panic!("{name} {md5}: {e}"));
        assert_eq!(schema.scalar_paths().last().map(String::as_str), Some(last), "{name} {md5}");
    }
    // with the parts of their time
    for md5 in ["269aff4675381418078cf591128b77ac", "685a869995712c54b6863409ecf414b1"] {
        known.schema("foxglove_msgs/ImageAnnotations", "", md5).expect("compiles");
    }
}

#[test]
fn known_definitions_have_their_md5() {
    let known = Definitions::built_in();
    for (name, md5) in MD5S {
        let complete = known
            .complete_of(name, md5)
            .unwrap_or_else(|_| panic!("{name} is of another version"));
        assert_eq!(definition_md5(name, &complete).as_deref(), Some(md5), "{name}");
    }
}

/// Of a name that two packages give, the MD5 tells which one it is; and a field of it is of that package, too.
#[test]
fn versions_are_told_apart_by_their_md5() {
    let known = Definitions::built_in();
    let fields = |name: &str, md5: &str| known.schema(name, "", md5).map(|s| s.scalar_paths().join(" "));
    let of_tracks = fields("radar_msgs/RadarTrack", "3344659e36aff40bd4f09e82be663ec5").expect("known");
    assert!(of_tracks.contains("position.x") && !of_tracks.contains("track_id"), "{of_tracks}");
    let of_vehicle = fields("derived_object_msgs/CipvTrack", "db9a76b43a89517bb97bfea8c670557e").expect("known");
    assert!(of_vehicle.contains("track.track_id track.linear_velocity.x"), "{of_vehicle}");
    let objects = "derived_object_msgs/ObjectWithCovarianceArray";
    let objects = known.schema(objects, "", "59dfdf4ed3407a2558ccbc7f5732bf46").expect("known");
    assert_eq!(objects.form(), Some(Form::Markers), "boxes, whatever else their shapes say");
    let told = fields("radar_msgs/RadarTrack", "00000000000000000000000000000bad").expect_err("no such version");
    assert!(told.to_string().contains("of another version"), "{told}");
}

#[test]
fn every_known_definition_compiles() {
    let known = Definitions::built_in();
    assert!(known.len() > 150, "{}", known.len());
    for name in known.type_names() {
        let md5 = known.md5(name).unwrap_or_else(|| panic!("{name} uses what is not known"));
        known.schema(name, "", &md5).unwrap_or_else(|e| panic!("{name}: {e}"));
        let complete = known.complete(name).expect("complete");
        assert_eq!(definition_md5(name, &complete).as_deref(), Some(&*md5), "{name}");
    }
}

#[test]
fn recorded_definitions_have_the_recorded_md5() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for name in [
        "embag_test.bag",
        "foxglove_example.bag",
        "ouster_512x10_raw.bag",
        "plotjuggler_tilt_laser.bag",
        "ros_numpy_test.bag",
        "rviz_satellite_sample.bag",
        "webviz_only-a-cube.bag",
    ] {
        let Some(path) = data(&format!("ros1/{name}")) else { return };
        let io = Io::new(Policy::default(), &[]).expect("a network stack");
        let recording = Recording::open(&io, Location::Path(path), |_, _| {}).expect("opened");
        for connection in &recording.container.catalog().connections {
            let md5 = definition_md5(&connection.type_name, &connection.definition);
            assert_eq!(md5.as_deref(), Some(&*connection.md5), "{name}: {}", connection.type_name);
            seen.insert(connection.type_name.to_string(), connection.md5.to_string());
        }
    }
    assert!(seen.len() >= 20, "{seen:?}");
    // of the common packages each is known, too
    let known = Definitions::built_in();
    let unknown = seen.iter().filter(|(name, md5)| known.md5(name).as_ref() != Some(*md5));
    let unknown: Vec<&str> = unknown.map(|(name, _)| name.as_str()).collect();
    insta::assert_debug_snapshot!(unknown, @r#"
    [
        "visualization_msgs/Marker",
        "xsens_mtig/GPSInfoStatus2",
        "xsens_mtig/Thermistor",
    ]
    "#);
}

/// One NavSatStatus, written without its definition.
fn bag(md5: &str) -> Vec<u8> {
    let mut bag = Writer::new(std::io::Cursor::new(Vec::new()), Compression::None).expect("a bag");
    let id = bag.add_connection(&Connection {
        topic: "/twist".into(),
        type_name: "geometry_msgs/TwistStamped".into(),
        md5: md5.into(),
        definition: "".into(),
        latching: false,
        callerid: None,
        bag: None,
    });
    let message = Encoder::new().header(7, 5, 0, "base").f64s(&[1.5, 0.0, 0.0, 0.0, 0.0, 0.25]);
    bag.write(id, Time::from_sec_nsec(5, 0), message.bytes()).expect("written");
    bag.finish().expect("finished").into_inner()
}

#[test]
fn a_bag_without_definitions_decodes() {
    for (md5, why) in [
        ("98d34b0043a2093cf9d9345ab6eef12e", None),
        ("*", None),
        ("00000000000000000000000000000bad", Some("another version")),
        // nothing tells which version it is
        ("", Some("another version")),
    ] {
        let inline = crate::inline::Inline::open(bag(md5));
        let topic = inline.store.topic_by_name("/twist").expect("the topic");
        match why {
            None => {
                let schema = topic.schema.as_ref().expect("a schema");
                let x = Column::of_fields(schema, "twist.linear.x").expect("a column");
                let payload = Encoder::new().header(7, 5, 0, "base").f64s(&[1.5, 0.0, 0.0, 0.0, 0.0, 0.25]);
                assert_eq!(x.get(payload.bytes()), Some(1.5), "{md5}");
            }
            Some(why) => {
                let told = topic.schema_error.as_deref().expect("a sentence");
                assert!(told.contains(why) && told.contains("--msgs"), "{told}");
            }
        }
    }
}

#[test]
fn folders_of_msg_files_are_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        std::fs::write(path, text).expect("written");
    };
    write(
        "src/lidar_msgs/msg/Ray.msg",
        "Header header\nfloat32 range # metres\nuint8 NEAR=1\n",
    );
    write(
        "src/lidar_msgs/msg/Rays.msg",
        "Ray[] rays\nstring NOTE= a # is kept \ngeometry_msgs/Point origin\n",
    );
    write("lidar_msgs/Old.msg", "uint8 a\n");
    write("src/lidar_msgs/README.md", "no definition");
    let mut known = Definitions::built_in();
    let missing = folder.path().join("nowhere");
    let (count, problems) = add_message_folders(&mut known, &[folder.path().to_owned(), missing]);
    assert_eq!(count, 3);
    assert_eq!(problems.len(), 2, "{problems:?}");
    let md5 = known.md5("lidar_msgs/Rays").expect("an MD5");
    let schema = known.schema("lidar_msgs/Rays", "", &md5).expect("a schema");
    assert_eq!(schema.scalar_paths(), ["origin.x", "origin.y", "origin.z"]);
    // without the user's own folder it is not known
    let told = definitions().schema("lidar_msgs/Rays", "", &md5).expect_err("unknown").to_string();
    assert_eq!(
        told,
        "the recording holds no definition of lidar_msgs/Rays; add its .msg files with --msgs"
    );
    // or with a part of it
    let mut known = Definitions::built_in();
    known.add("lidar_msgs/Rays", "Header header\nRay[] rays\n");
    assert_eq!(
        known.schema("lidar_msgs/Rays", "", &md5).expect_err("unknown").to_string(),
        "the recording holds no definition of lidar_msgs/Rays, and the known one uses lidar_msgs/Ray, of which none is known; add its .msg files with --msgs"
    );
}
