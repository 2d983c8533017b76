//! Message paths: text, tree, and what they read.

use proptest::prelude::*;
use roadreel::decode::Schema;
use roadreel::path::{
    Bound, Column, Expr, FUNCTIONS, FunctionKind, Literal, Op, Path, PathError, Point, Program, Select, Spot, Step, StepKind, Style,
    TopicSchema, Variables, complete, leaves, parse,
};
use roadreel::time::Time;

use crate::encode::Encoder;

const OBJECTS: &str = "Header header\nObject[] objects\nuint64 big\nfloat32[] ranges\nfloat64[3] cov\nPose pose\nbool ok\nduration took\nstring note\n\
    ===\nMSG: demo/Object\nuint32 id\nuint8 classification\nuint8 CLASSIFICATION_CAR=6\nuint8 CLASSIFICATION_PEDESTRIAN=4\nstring LABEL=a # b\nstring label\nVector3 velocity\nfloat32[2] size\nstring[] tags\n\
    ===\nMSG: demo/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n\
    ===\nMSG: demo/Pose\nVector3 position\nQuaternion orientation\n\
    ===\nMSG: demo/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n";

/// 2^53 + 1, which no double holds.
const BIG: u64 = 9_007_199_254_740_993;

fn schema() -> Schema {
    Schema::ros1("demo/Objects", OBJECTS).expect("compiles")
}

fn message() -> Vec<u8> {
    let object = |e: Encoder, id: u32, class: u8, label: &str, velocity: [f64; 3], tags: &[&str]| {
        let e = e.u32(id).u8(class).text(label).f64s(&velocity).f32(id as f32).f32(0.5);
        tags.iter().fold(e.u32(tags.len() as u32), |e, t| e.text(t))
    };
    let mut e = Encoder::new().header(7, 1_600_000_000, 500_000_000, "map").u32(4);
    e = object(e, 10, 6, "a # b", [3.0, 4.0, 0.0], &["near", "fast"]);
    e = object(e, 11, 4, "walker-1", [0.5, -0.25, 0.0], &[]);
    e = object(e, 12, 6, "it's \"blue\"", [-2.0, 0.0, 1.0], &["far"]);
    e = object(e, 13, 0, "", [0.0, 0.0, 0.0], &[]);
    let half = std::f64::consts::FRAC_1_SQRT_2;
    e.raw(&BIG.to_le_bytes())
        .u32(3)
        .f32(1.5)
        .f32(f32::NAN)
        .f32(2.5)
        .f64s(&[1.0, 2.0, 2.0])
        .f64s(&[1.0, 2.0, 3.0])
        .f64s(&[0.0, 0.0, half, half])
        .u8(1)
        .i32(-2)
        .i32(-500_000_000)
        .text("über")
        .bytes()
        .to_vec()
}

/// What a path gives of [`message`], as text.
fn read(path: &str) -> Result<String, PathError> {
    let column = Column::compile(&schema(), &parse(path)?)?;
    let message = message();
    let items: Vec<String> = column.items(&message).iter().map(ToString::to_string).collect();
    assert_eq!(
        column.get(&message).map(f64::to_bits),
        column.items(&message).first().map(|i| i.number().to_bits()),
        "{path}: the first number"
    );
    Ok(items.join(" "))
}

#[test]
fn what_paths_give() {
    let cases = [
        ("/o.header.seq", "7"),
        ("/o.header.stamp", "1600000000.500000000"),
        ("/o.header.stamp.nsec", "500000000"),
        ("/o.header.frame_id", "map"),
        ("/o.took", "-2.500000000"),
        ("/o.ok", "true"),
        ("/o.note.length", "5"),
        ("/o.big", "9007199254740993"),
        // slices, both ends included
        ("/o.objects[0].id", "10"),
        ("/o.objects[-1].id", "13"),
        ("/o.objects[1:2].id", "11 12"),
        ("/o.objects[:].id", "10 11 12 13"),
        ("/o.objects[2:].id", "12 13"),
        ("/o.objects[:1].id", "10 11"),
        ("/o.objects[-2:-1].id", "12 13"),
        ("/o.objects[-9:1].id", "10 11"),
        ("/o.objects[3:1].id", ""),
        ("/o.objects[4].id", ""),
        ("/o.objects[-5].id", ""),
        ("/o.objects.length", "4"),
        ("/o.cov[-1]", "2"),
        ("/o.cov[:]", "1 2 2"),
        // on several levels
        ("/o.objects[:].size[:]", "10 0.5 11 0.5 12 0.5 13 0.5"),
        ("/o.objects[:].tags[-1]", "fast far"),
        ("/o.objects[0:2].tags[:].length", "4 4 3"),
        ("/o.objects[:].tags.length", "2 0 1 0"),
        // filters
        ("/o.objects[:]{id==12}.velocity.x", "-2"),
        ("/o.objects{id >= 11 and id < 13}.id", "11 12"),
        ("/o.objects[:]{id==10}{label=='a # b'}.id", "10"),
        ("/o.objects[:]{not (id == 10 or id == 13)}.id", "11 12"),
        ("/o.objects[:]{velocity.x > 0.25}.id", "10 11"),
        ("/o.objects[:]{velocity.x ^ 2 + velocity.y ^ 2 > 4.5}.id", "10"),
        ("/o.objects[:]{label =~ '^walker-\\d+$'}.id", "11"),
        ("/o.objects[:]{label == 'it\\'s \"blue\"'}.id", "12"),
        ("/o.objects[:]{label == \"it's \\\"blue\\\"\"}.id", "12"),
        ("/o.objects[:]{classification == CLASSIFICATION_CAR}.id", "10 12"),
        ("/o.objects[:]{classification != CLASSIFICATION_CAR}.id", "11 13"),
        ("/o.objects[:]{label == LABEL}.id", "10"),
        ("/o.objects[:]{tags[0] == 'far'}.id", "12"),
        ("/o.objects[:]{tags.length > 0}.id", "10 12"),
        ("/o.objects[:]{velocity.@norm > 2}.id", "10 12"),
        // of several values one is enough
        ("/o.objects[:]{tags[:] == 'fast'}.id", "10"),
        ("/o.objects[:]{not (tags[:] == 'fast')}.id", "10 12"),
        ("/o.objects[:]{tags[:] == 'fast' or id == 13}.id", "10 13"),
        ("/o.objects[:]{size[:] > 10.5 and id < 13}.id", "11 12"),
        ("/o{objects[:].id == 12}.header.seq", "7"),
        ("/o{objects[:].id == 14}.header.seq", ""),
        ("/o.ranges[:]{> 2}", "2.5"),
        ("/o.ranges{@this < 2}", "1.5"),
        ("/o{ok}.header.seq", "7"),
        ("/o{ok == false}.header.seq", ""),
        ("/o{header.frame_id == 'map'}.objects[0].id", "10"),
        ("/o{header.stamp > 1600000000}.header.seq", "7"),
        // integers beyond 2^53
        ("/o{big == 9007199254740993}.ok", "true"),
        ("/o{big == 9007199254740992}.ok", ""),
        ("/o{big > 9007199254740992}.ok", "true"),
        ("/o{big == 9007199254740992.0}.ok", ""),
        // arithmetic and functions
        ("sqrt(/o.objects[0].velocity.x ^ 2 + /o.objects[0].velocity.y ^ 2)", "5"),
        ("/o.objects[:].id - 10", "0 1 2 3"),
        ("/o.objects[:].velocity.x * /o.objects[:].size[1]", "1.5 0.25 -1 0"),
        ("-/o.cov[1] ^ 2", "-4"),
        ("(-2) ^ 2 + 0 * /o.cov[0]", "4"),
        ("2 ^ 3 ^ 2 + 0 * /o.cov[0]", "512"),
        ("/o.cov[1] - 1 - 1", "0"),
        ("7 % 4 + /o.cov[0]", "4"),
        ("/o.objects[:].velocity.x > 0", "true true false false"),
        ("/o.cov.@norm", "3"),
        ("/o.pose.orientation.@yaw.@rad2deg.@round", "90"),
        ("/o.pose.orientation.@roll", "0"),
        // as Foxglove spells them
        ("/o.pose.orientation.@rpy.yaw.@degrees.@round", "90"),
        ("/o.pose.orientation.@rpy.roll", "0"),
        ("/o.cov[1].@degrees.@radians", "2"),
        // of the angles 1, 2, 3
        ("/o.pose.position.@quat.x", "-0.7182870182434115"),
        ("/o.pose.position.@quat.y", "0.3106224510657039"),
        ("/o.pose.position.@quat.z", "0.44443511344300074"),
        ("/o.pose.position.@quat.w", "0.4359528440735657"),
        ("/o.objects[0].tags.@present", "true"),
        ("/o.@present", "true"),
        ("/o{ok == false}.@present", ""),
        ("/o.pose.position.@norm ^ 2", "14"),
        ("/o.objects.@length", "4"),
        ("/o.cov[0].@scale(2, 0.5)", "2.5"),
        ("/o.cov[1].@mps2kph", "7.2"),
        ("max(/o.cov[0], /o.cov[1])", "2"),
        ("max(/o.cov[0], 0.5, 7, /o.cov[1], 3, 4)", "7"),
        ("/o.cov[1].@min(0.5, 7)", "0.5"),
        ("/o.cov[0] * .5", "0.5"),
        ("/o.cov[0] * 5. + 1", "6"),
        ("round(/o.cov[0] * 0.49999999999999994)", "0"),
        ("round(/o.cov[0] * 0.5)", "1"),
        ("round(/o.cov[0] * -0.5)", "0"),
        ("round(/o.cov[0] * -1.5)", "-1"),
        ("round(/o.cov[0] * -1.6)", "-2"),
        ("atan2(/o.cov[0], 0)", "1.5707963267948966"),
        ("between(/o.objects[:].id, 11, 12)", "0 1 1 0"),
    ];
    for (path, expect) in cases {
        let found = read(path).unwrap_or_else(|e| panic!("{path}: {e} at {:?}", e.span));
        // a square root of squares may be off in the last place
        let close = found
            .parse::<f64>()
            .is_ok_and(|f| expect.parse::<f64>().is_ok_and(|e| (f - e).abs() < 1e-12));
        assert!(found == expect || close, "{path}: {found}, not {expect}");
    }
}

#[test]
fn no_path_reads_beyond_a_broken_message() {
    let (schema, message) = (schema(), message());
    for path in [
        "/o.objects[:].id",
        "/o.note",
        "/o.objects[:]{label =~ 'a'}.tags[:]",
        "/o.cov.@norm",
        "/o.pose.orientation.@yaw",
        "/o.ranges.@norm",
    ] {
        let column = Column::compile(&schema, &parse(path).expect(path)).expect(path);
        let whole = column.items(&message).len();
        for end in 0..message.len() {
            let cut = column.items(&message[..end]).len();
            assert!(cut <= whole, "{path} of {end} bytes");
        }
        assert_eq!(column.items(&[]).len(), 0, "{path}");
        assert_eq!(column.items(&[0xff; 64]).len(), 0, "{path}");
    }
}

#[test]
fn refusals_say_what_where_and_what_would_fit() {
    let told = |path: &str| {
        let error = read(path).expect_err(path);
        let place = path.get(error.span.clone()).unwrap_or("?");
        let repaired = error.repaired(path).map(|r| format!(" → {r}")).unwrap_or_default();
        format!("{path}  ⟨{place}⟩ {error}{repaired}")
    };
    let paths = [
        "",
        "/o.",
        "/o.objects",
        "/o.objects.id",
        "/o.objekts[0].id",
        "/o.objects[0].velocty.x",
        "/o.objects[0]",
        "/o.header.stamp.hour",
        "/o.header.seq.x",
        "/o.header[0]",
        "/o.cov[3]",
        "/o.objects[].id",
        "/o.objects[x].id",
        "/o.objects[0:$n].id",
        "/o.objects[:]{}.id",
        "/o.objects[:]{id=3}.id",
        "/o.objects[:]{id==}.id",
        "/o.objects[:]{id=='x'}.id",
        "/o.objects[:]{classification == CLASSIFICATION_KAR}.id",
        "/o.objects[:]{label =~ '('}.id",
        "/o.objects[:]{label == 'x}.id",
        "/o.cov[0] -1",
        "/o.cov[0]*2",
        "/o.cov[0] * ",
        "sqt(/o.cov[0])",
        "/o.cov[0].@abss",
        "scale(/o.cov[0])",
        "/o.note + 1",
        "/o.note.@yaw",
        "/o.pose.orientation.@rpy",
        "/o.pose.orientation.@quat.w",
        "/o.ok & /o.cov[0] > 1",
        "/o.ok AND /o.cov[0] > 1",
        "/o.cov[0] = 1",
        "/o.objects[:]{id==1|id==2}.id",
        "/o.objects[:]{id == 1 Or id == 2}.id",
        "/o.objects[:]{(id = 1)}.id",
        "/o.objects[:]{NOT id == 1}.id",
        "/o.objects[:]{id IN [1]}.id",
        "/o.objects[:]{id in 1}.id",
        "/o.objects[:]{id in []}.id",
        "/o.objects[:]{id in [1 2]}.id",
        "/o.objects[:]{id in [1",
        "NOT(/o.ok)",
        "(/o.cov[0]",
        "/o.cov[0] /o.cov[1]",
    ];
    insta::assert_snapshot!(paths.map(told).join("\n"));
}

#[test]
fn no_text_makes_a_tree_that_is_too_deep() {
    for (text, fits) in [
        ("/a.x".to_owned() + &" + /a.x".repeat(500), true),
        ("/a.x".to_owned() + &" + /a.x".repeat(100_000), false),
        ("/a.x".to_owned() + &".@abs".repeat(500), true),
        ("/a.x".to_owned() + &".@abs".repeat(100_000), false),
        ("/a.x".to_owned() + &" ^ 2".repeat(100_000), false),
        (format!("/a.x in [{}0]", "1, ".repeat(200)), true),
        (format!("/a.x in [{}0]", "1, ".repeat(100_000)), false),
        // each copies what stands left of it
        ("(".repeat(30) + "/a.x" + &" in [1, 2])".repeat(30), false),
    ] {
        match parse(&text) {
            Ok(expr) => assert!(fits && parse(&expr.to_string()) == Ok(expr)),
            Err(error) => assert!(!fits, "{error}"),
        }
    }
}

#[test]
fn types_that_branch_without_end_are_listed_soon() {
    // each of 28 types has two fields of the next
    let nested: String = (1..28)
        .map(|i| {
            format!(
                "===\nMSG: a/T{i}\n{}",
                if i == 27 {
                    "time t\n".to_owned()
                } else {
                    format!("T{0} l\nT{0} r\n", i + 1)
                }
            )
        })
        .collect();
    let schema = Schema::ros1("a/T0", &format!("T1 l\nT1 r\n{nested}")).expect("a schema");
    assert_eq!(schema.scalar_paths(), Vec::<String>::new());
    assert_eq!(leaves(&schema).len(), 1000);
    let empty = nested.replace("time t\n", "");
    if let Ok(schema) = Schema::ros1("a/T0", &format!("T1 l\nT1 r\n{empty}")) {
        assert_eq!(leaves(&schema), []);
        assert!(schema.scalar_paths().is_empty());
        drop(schema.value(&bytes::Bytes::new()));
    }
}

#[test]
fn parts_of_messages_are_trees() {
    let payload = bytes::Bytes::from(message());
    let values = |path: &str| {
        let Expr::Path(path) = parse(path).expect("parses") else {
            panic!("a path")
        };
        let select = Select::compile(&schema(), &path).expect("compiles");
        let values: Vec<String> = select.values(&payload).iter().map(|v| v.to_json()).collect();
        format!("{}: {}", select.type_name(), values.join(" "))
    };
    insta::assert_snapshot!(
        ["/o.objects[:]{id>11}.velocity", "/o.cov", "/o.pose.position", "/o.objects[1].tags", "/o.objects[0].tags"].map(values).join("\n"),
        @r#"
    demo/Vector3: {"x":-2.0,"y":0.0,"z":1.0} {"x":0.0,"y":0.0,"z":0.0}
    float64[3]: [1.0,2.0,2.0]
    demo/Vector3: {"x":1.0,"y":2.0,"z":3.0}
    string[]: []
    string[]: ["near","fast"]
    "#);
}

#[test]
fn constants_name_values() {
    let column = |path: &str| Column::compile(&schema(), &parse(path).expect("parses")).expect("compiles");
    assert_eq!(column("/o.objects[:].classification").name_of(4), Some("CLASSIFICATION_PEDESTRIAN"));
    assert_eq!(column("/o.objects[:].classification").name_of(5), None);
    assert_eq!(column("/o.objects[:].id").name_of(4), None);
    let grouped = "uint8 OFF=0\nuint8 ON=1\nuint8 power\nuint8 LOW=0\nuint8 HIGH=1\nuint8 beam\nuint8 other\n";
    let schema = Schema::ros1("a/B", grouped).expect("compiles");
    let name = |field: &str, value| {
        Column::of_fields(&schema, field)
            .expect("compiles")
            .name_of(value)
            .map(str::to_owned)
    };
    assert_eq!(name("power", 1).as_deref(), Some("ON"));
    assert_eq!(name("beam", 1).as_deref(), Some("HIGH"));
    assert_eq!(name("other", 1), None);
}

/// The examples of Webviz' help page and of its and Lichtblick's parser tests, and what they mean.
#[test]
fn paths_of_webviz_and_foxglove_mean_what_they_meant() {
    let same = [
        "/some/topic",
        "/some/topic.some.deep.value",
        "/some/topic.many.values[0].x",
        "/some/topic.many.values[1:3].x",
        "/some/topic.many.values[:].x",
        "/some/topic.many.values[-2:-1]",
        "/some/topic.many.values[$my_custom_start_idx:$my_custom_end_idx]",
        "/some0/nice_topic.with[99].stuff[0]",
        "/some0/nice_topic.with[99].stuff[0].@derivative",
        "/topic.foo[$a].bar",
        "/topic.foo[$a:].bar",
        "/topic.foo[:$b].bar",
        "/topic.foo[2:$b].bar",
        "some0/nice_topic.with[99].stuff[0]",
        "\"/foo/bar\".baz",
        "\"/foo bar\".baz",
        "/topic-with-dashes.field-a",
        "/a/b-c.d",
        "/",
        "/speed.value.@mps2mph",
        "/topic.@timedelta",
        "/imu{sensor_id == 3}.@timedelta",
        "/imu.angle.@degrees",
        "/topic.\"a field\".x",
        "/topic.items[$my-var].id",
        "/topic.items[:]{@this.\"a b\" > $least-x}.id",
    ];
    for text in same {
        let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let printed = expr.to_string();
        assert!(
            printed == text || printed == text.replace("\"/foo/bar\"", "/foo/bar"),
            "{text}: {printed}"
        );
        assert_eq!(expr.topics().len(), 1, "{text}");
    }
    // filters print with spaces, and texts in single quotes
    let filters = [
        (
            "/some/topic.many.values[:]{some_id==123}.x",
            "/some/topic.many.values[:]{some_id == 123}.x",
        ),
        ("/some/topic{foo.bar==123}", "/some/topic{foo.bar == 123}"),
        (
            "/some/topic.many.values[:]{a==1}{b==2}.x",
            "/some/topic.many.values[:]{a == 1}{b == 2}.x",
        ),
        (
            "/topic.foo{bar=='baz'}.a{bar==\"baz\"}.b{bar==3}.c{bar==-1}.d{bar==false}.e[:]{bar.baz==true}",
            "/topic.foo{bar == 'baz'}.a{bar == 'baz'}.b{bar == 3}.c{bar == -1}.d{bar == false}.e[:]{bar.baz == true}",
        ),
        (
            "/topic{foo=='bar'}{baz==2}.a[3].b{x=='y'}",
            "/topic{foo == 'bar'}{baz == 2}.a[3].b{x == 'y'}",
        ),
        ("/topic.foo{bar==$}.a{bar==$my_var_1}", "/topic.foo{bar == $}.a{bar == $my_var_1}"),
        ("/topic.foo{bar>=2}.a{b!=3}.c{d<4}", "/topic.foo{bar >= 2}.a{b != 3}.c{d < 4}"),
        (
            "/topic{value=='string which has \"some\" double quotes'}",
            "/topic{value == 'string which has \"some\" double quotes'}",
        ),
        ("/topic.foo{id==18446744073709551615}", "/topic.foo{id == 18446744073709551615}"),
    ];
    for (text, printed) in filters {
        assert_eq!(parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).to_string(), printed);
    }
    // signs for words, and lists
    let spellings = [
        ("/t{a==0 && b==1}.x", "/t{a == 0 and b == 1}.x"),
        ("/t{a==0&&!b||c!=1}", "/t{a == 0 and not b or c != 1}"),
        ("!/t.a && !(/t.b > 1 || /t.c)", "not /t.a and not (/t.b > 1 or /t.c)"),
        ("!/t.a == 1", "(not /t.a) == 1"),
        ("/t{!=1}", "/t{@this != 1}"),
        ("/t.a in [1, 2]", "/t.a == 1 or /t.a == 2"),
        (
            "/t.a[:]{id in [1,-2 , 'x'] && b}.c",
            "/t.a[:]{(id == 1 or id == -2 or id == 'x') and b}.c",
        ),
        ("not /t.a in [1]", "not /t.a == 1"),
        ("/t{in in [in]}.NOT", "/t{in == in}.NOT"),
        ("NOT and /NOT.not", "NOT and /NOT.not"),
    ];
    for (text, printed) in spellings {
        let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(expr.to_string(), printed);
        assert_eq!(parse(printed), Ok(expr));
    }
    for text in [
        "/topic.foo[].bar",
        "/topic.foo[bar]",
        "/topic.foo{bar==}",
        "[100]",
        "/topic.",
        "/topic.hi.@",
        "/topic.foo{}",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert_eq!(parse("100"), Ok(Expr::Literal(Literal::Int(100))));
    assert_eq!(parse("-100"), Ok(Expr::Literal(Literal::Int(-100))));
}

fn topics() -> Vec<TopicSchema> {
    let float = Schema::ros1("std_msgs/Float64", "float64 data\nuint8 MODE_AUTO=2\nuint8 mode").expect("compiles");
    let float = std::sync::Arc::new(float);
    vec![
        ("/a".into(), Ok(float.clone())),
        ("/b".into(), Ok(float)),
        ("/objects".into(), Ok(schema().into())),
        ("/raw".into(), Err("it comes without a definition".into())),
    ]
}

fn program(text: &str) -> Result<Program, PathError> {
    let variables = Variables::from([
        ("n".into(), Literal::Int(2)),
        ("gain".into(), Literal::Float(1.5)),
        ("who".into(), Literal::Text("a # b".into())),
    ]);
    Program::compile(&parse(text)?, &topics(), &variables)
}

#[test]
fn what_one_message_is_enough_for_is_one_column() {
    let inputs = |text: &str| {
        let program = program(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let texts: Vec<String> = program.inputs().iter().map(|i| i.text.to_string()).collect();
        format!("{text}  ⇐  {}", texts.join(" ; "))
    };
    let texts = [
        "sqrt(/a.data ^ 2 + /a.mode ^ 2)",
        "/a.data - /b.data",
        "(/a.data * $gain).@derivative + /a.data * $gain",
        "/objects.objects[$n].velocity.x",
        "/objects.objects[:]{label == $who}.id",
        "/a.mode == MODE_AUTO",
        "/objects.@timedelta",
        "/objects{ok}.@samples_counter(2) + /objects.note.@timedelta",
        "max(/a.data, /b.data, )",
    ];
    let shown: Vec<String> = texts.iter().take(8).map(|t| inputs(t)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    sqrt(/a.data ^ 2 + /a.mode ^ 2)  ⇐  sqrt(/a.data ^ 2 + /a.mode ^ 2)
    /a.data - /b.data  ⇐  /a.data ; /b.data
    (/a.data * $gain).@derivative + /a.data * $gain  ⇐  /a.data * 1.5
    /objects.objects[$n].velocity.x  ⇐  /objects.objects[2].velocity.x
    /objects.objects[:]{label == $who}.id  ⇐  /objects.objects[:]{label == 'a # b'}.id
    /a.mode == MODE_AUTO  ⇐  /a.mode == 2
    /objects.@timedelta  ⇐  /objects.@present
    /objects{ok}.@samples_counter(2) + /objects.note.@timedelta  ⇐  /objects{ok}.@present ; /objects.note.@present
    ");
    assert_eq!(program("2 * (3 + $gain)").expect("a number").constant(), Some(9.0));
    for (text, told) in [
        ("/c.data", "the recording has no topic /c (did you mean “/a”?)"),
        ("/raw.x", "/raw cannot be decoded: it comes without a definition"),
        ("/a.data + $m", "the variable $m has no value (did you mean “$n”?)"),
        (
            "/a.data.@moving_average(0)",
            "moving_average: n must be a whole number from 1 to 10000",
        ),
        ("/a.data.@moving_average(/b.data)", "moving_average takes numbers only"),
        ("/objects.note - /b.data", "this is a text, not a number"),
    ] {
        assert_eq!(program(text).expect_err(text).to_string(), told);
    }
}

#[test]
fn several_topics_combine_by_sample_and_hold() {
    let t = |ms: i64| Time(ms * 1_000_000);
    let a = [(t(0), 1.0), (t(10), 2.0), (t(20), f64::NAN), (t(30), 4.0)];
    let b = [(t(5), 10.0), (t(10), 20.0), (t(25), 30.0)];
    let points = program("/a.data - /b.data").expect("compiles").points(&[&a, &b]);
    let text: Vec<String> = points.iter().map(|(t, v)| format!("{}:{v}", t.0 / 1_000_000)).collect();
    assert_eq!(text.join(" "), "5:-9 10:-18 20:NaN 25:NaN 30:-26");
    // where one side decides, the other need not be known
    let (a, b) = ([(t(0), 0.0), (t(10), 2.0), (t(20), f64::NAN)], [(t(5), 1.0), (t(25), 0.0)]);
    let shown = |text: &str| {
        let points = program(text).expect("compiles").points(&[&a, &b]);
        let text: Vec<String> = points.iter().map(|(t, v)| format!("{}:{v}", t.0 / 1_000_000)).collect();
        text.join(" ")
    };
    assert_eq!(shown("/a.data or /b.data"), "0:NaN 5:1 10:1 20:1 25:NaN");
    assert_eq!(shown("/a.data and /b.data"), "0:0 5:0 10:1 20:NaN 25:0");
    assert_eq!(shown("not (/a.data and /b.data)"), "0:1 5:1 10:0 20:NaN 25:1");
    let scaled = program("/b.data * 2 + 1").expect("compiles");
    assert_eq!(scaled.inputs()[0].text.as_ref(), "/b.data * 2 + 1");
}

#[test]
fn completion_knows_topics_fields_constants_functions_and_variables() {
    let variables = Variables::from([("gain".into(), Literal::Float(1.5))]);
    let shown = |text: &str| {
        let found = complete(text, text.len(), &topics(), &variables);
        let texts: Vec<String> = found
            .iter()
            .take(5)
            .map(|c| format!("{}{} ({})", &text[..c.replaces.start], c.text, c.what))
            .collect();
        format!("{text} → {}", texts.join(", "))
    };
    let texts = [
        "",
        "/o",
        "/objects.o",
        "/objects.objects[:].v",
        "/objects.objects[0].velocity.",
        "/a.data - /b.",
        "sqrt(/a.d",
        "/objects.objects[:]{cl",
        "/objects.objects[:]{classification == CLASSIFICATION_P",
        "/objects.objects[:]{velocity.",
        "/a.data.@der",
        "/a.data.@moving_a",
        "/a.data.@yaw",
        "/a.data.@abs.@r",
        "/objects.pose.orientation.@r",
        "/objects.pose.orientation.@rpy.",
        "/objects.objects[:].velocity.@",
        "/objects.objects.@",
        "/objects.note.@",
        "/objects.header.stamp.@s",
        "/raw.x.@ya",
        "(/a.data && /b.d",
        "/a.data * $",
        "/objects.header.stamp.",
        "-/a.",
    ];
    insta::assert_snapshot!(texts.map(shown).join("\n"));
}

#[test]
fn the_readme_lists_every_function() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let table: Vec<String> = FUNCTIONS.iter().map(|f| format!("| `{}` | {} |", f.signature(), f.what)).collect();
    let missing: Vec<&String> = table.iter().filter(|row| !readme.contains(*row)).collect();
    assert!(
        missing.is_empty(),
        "the README lacks:\n{}",
        missing.iter().map(|s| s.as_str()).collect::<Vec<_>>().join("\n")
    );
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_][a-zA-Z0-9_-]{0,6}".prop_filter("no word of the language", |n| {
        !["true", "false", "and", "or", "not"].contains(&n.as_str())
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(|n| Literal::Int(i128::from(n))),
        any::<u64>().prop_map(|n| Literal::Int(i128::from(n))),
        any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(Literal::Float),
        "[ -~äöü\n\t]{0,8}".prop_map(Literal::Text),
    ]
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![
        any::<i32>().prop_map(|n| Bound::Number(i64::from(n))),
        "[a-z0-9_]{0,4}".prop_map(Bound::Variable)
    ]
}

fn path(relative: bool, condition: BoxedStrategy<Expr>) -> impl Strategy<Value = Expr> {
    let step = prop_oneof![
        4 => name().prop_map(StepKind::Field),
        1 => "[ -~ä]{1,6}".prop_map(StepKind::Field),
        1 => bound().prop_map(StepKind::Index),
        1 => (prop::option::of(bound()), prop::option::of(bound())).prop_map(|(a, b)| StepKind::Slice(a, b)),
        1 => condition.prop_map(|c| StepKind::Filter(Box::new(c))),
    ];
    let topic = if relative {
        Just(None).boxed()
    } else {
        "[ -~ä]{1,8}|(/[a-z][a-z0-9_]{0,5}){1,3}".prop_map(Some).boxed()
    };
    (topic, prop::collection::vec(step, 0..4)).prop_map(|(topic, steps)| {
        let steps = steps.into_iter().map(|kind| Step { kind, at: Spot::default() }).collect();
        Expr::Path(Path {
            topic,
            steps,
            at: Spot::default(),
        })
    })
}

fn expr(depth: u32, relative: bool) -> BoxedStrategy<Expr> {
    let condition = if depth == 0 {
        literal().prop_map(Expr::Literal).boxed()
    } else {
        expr(depth - 1, true)
    };
    let leaf = prop_oneof![
        literal().prop_map(Expr::Literal),
        "[a-z0-9_-]{0,4}".prop_map(|n| Expr::Variable(n, Spot::default())),
        path(relative, condition),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = expr(depth - 1, relative);
    let ops = prop::sample::select(vec![
        Op::Or,
        Op::And,
        Op::Equal,
        Op::NotEqual,
        Op::Less,
        Op::LessEqual,
        Op::Greater,
        Op::GreaterEqual,
        Op::Matches,
        Op::Add,
        Op::Subtract,
        Op::Multiply,
        Op::Divide,
        Op::Modulo,
        Op::Power,
    ]);
    prop_oneof![
        2 => leaf,
        2 => (ops, inner.clone(), inner.clone()).prop_map(|(op, l, r)| Expr::Binary { op, left: l.into(), right: r.into(), at: Spot::default() }),
        1 => inner.clone().prop_map(|e| match e {
            Expr::Literal(Literal::Int(_) | Literal::Float(_)) => Expr::Not(e.into()),
            e => Expr::Negated(e.into()),
        }),
        1 => inner.clone().prop_map(|e| Expr::Not(e.into())),
        1 => (prop::sample::select(FUNCTIONS.iter().collect::<Vec<_>>()), any::<bool>(), prop::collection::vec(inner, 4)).prop_map(|(function, prefix, args)| {
            Expr::Call {
                function,
                args: args.into_iter().take(1 + function.params.len()).collect(),
                style: if prefix { Style::Prefix } else { Style::Modifier },
                at: Spot::default(),
            }
        }),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_to_the_same(expr in expr(3, false)) {
        let text = expr.to_string();
        let again = parse(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e} at {:?}", e.span)))?;
        prop_assert_eq!(&again, &expr, "{}", text);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn no_text_panics(text in "([/a-c.@{}()\\[\\]:'\"$0-9 +*^=<>~!&|,-]| in \\[|NOT ){0,30}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.span.end <= text.len() && error.span.start <= error.span.end, "{}: {:?}", text, error);
        }
        for cursor in 0..=text.len() {
            let _ = complete(&text, cursor, &topics(), &Variables::new());
        }
    }
}

#[test]
fn functions_are_told_apart() {
    for (i, function) in FUNCTIONS.iter().enumerate() {
        assert!(
            FUNCTIONS.iter().skip(i + 1).all(|other| other.name != function.name),
            "{}",
            function.name
        );
        assert!(!function.what.is_empty());
        if matches!(function.kind, FunctionKind::One(_) | FunctionKind::Part(_)) {
            assert!(function.params.is_empty(), "{}", function.name);
        }
    }
}

proptest! {
    /// However the values are cut into windows of time, what is computed of them is the same.
    #[test]
    fn windows_of_values_give_what_all_values_at_once_give(
        a in prop::collection::vec((0..3_i64, -5..6_i8), 0..60),
        b in prop::collection::vec((0..4_i64, -5..6_i8), 0..60),
        cuts in prop::collection::btree_set(0..120_i64, 0..8),
    ) {
        let ms = |n: i64| Time(n * 1_000_000);
        let series = |steps: &[(i64, i8)]| {
            let mut at = 0;
            let point = |(step, v): &(i64, i8)| {
                at += step;
                (ms(at), if *v == 5 { f64::NAN } else { f64::from(*v) })
            };
            steps.iter().map(point).collect::<Vec<_>>()
        };
        let (a, b) = (series(&a), series(&b));
        for text in [
            "/a.data - /b.data",
            "derivative(/a.data) + integral(/b.data)",
            "outlier_removal(/a.data, 1) * shift(/b.data, 0.004)",
            "moving_variance(outlier_removal(/a.data, 0.5), 3) - shift(/b.data, -0.003)",
            "max(samples_counter(/a.data, 0.005), delta(/b.data)) + timedelta(/a.data)",
            "delta(shift(/a.data, 0.002) - outlier_removal(/b.data, 1))",
            "/a.data > 0 and shift(/b.data, 0.003) > 0",
            "not (/b.data > 0) or delta(/a.data) > 1",
        ] {
            let program = program(text).expect("compiles");
            let whole = program.points(&[&a, &b]);
            let (mut progress, mut found, mut from) = (program.start(), Vec::new(), Time::MIN);
            for until in cuts.iter().map(|c| ms(*c)).chain([Time::MAX]) {
                let within = |all: &[Point]| -> Vec<Point> { all.iter().filter(|p| p.0 >= from && p.0 < until).copied().collect() };
                found.extend(program.advance(&mut progress, &[&within(&a), &within(&b)], until));
                from = until;
            }
            let bits = |points: &[Point]| points.iter().map(|p| (p.0, p.1.to_bits())).collect::<Vec<_>>();
            prop_assert_eq!(bits(&found), bits(&whole), "{}", text);
        }
    }
}
