//! The tool as the host calls it.

use serde_json::{Value, json};
use toolcrib_sdk::{Effect, ErrorKind, ToolError, testing};

use crate::PLUGIN;

fn run(code: &str) -> Result<Value, ToolError> {
    testing::call_structured(&PLUGIN, "run", json!({ "code": code }))
}

fn value(code: &str) -> Value {
    run(code).unwrap_or_else(|error| panic!("{code}: {error}"))["value"].take()
}

fn stdout(code: &str) -> Value {
    run(code).unwrap_or_else(|error| panic!("{code}: {error}"))["stdout"].take()
}

fn failure(code: &str) -> String {
    let error = run(code).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    error.message().to_owned()
}

#[test]
fn the_tool_only_reads() {
    let tools = PLUGIN.describe();
    assert_eq!(tools.len(), 1);
    assert_eq!((tools[0].effect, tools[0].open_world), (Some(Effect::Read), false));
}

#[test]
fn the_value_is_that_of_the_last_expression() {
    assert_eq!(value("1 + 1"), json!(2));
    assert_eq!(value("let x = [1, 2];\nx.map(n => n * 2);"), json!([2, 4]));
    assert_eq!(value("if (true) { 'ü' } else { 2 }"), json!("ü"));
    assert_eq!(value(""), json!(null));
    assert_eq!(value("let a = 1;"), json!(null));
    assert_eq!(value("// only a comment"), json!(null));
}

#[test]
fn the_value_may_be_returned() {
    assert_eq!(value("return 1"), json!(1));
    assert_eq!(value("if (input === null) { return 'nothing' }\nreturn 2 // two"), json!("nothing"));
    assert_eq!(value("function f() { return 3 }\nf()"), json!(3));
    assert_eq!(value("if (!input) {}\nelse { return 1 }\n[4]"), json!([4]));
}

#[test]
fn promises_are_waited_for() {
    assert_eq!(value("await 1"), json!(1));
    assert_eq!(value("const x = await Promise.resolve(20);\nx + 1"), json!(21));
    assert_eq!(value("await (async () => 5)()"), json!(5));
    assert_eq!(value("const s = 'ü'; /* ö */ (await Promise.all([1, s])).length;"), json!(2));
    assert_eq!(value("(async () => { await null; return { a: 1 } })()"), json!({ "a": 1 }));
    assert_eq!(value("Promise.resolve(1).then(x => x + 1)"), json!(2));
    assert_eq!(value("for await (const x of [1]) {}\r\nawait 2"), json!(2));
    // The last expression is a call, of something that is called, of a part of a text.
    assert_eq!(
        value("const all = [];\nfor (const x of ['a', 'b']) all.push(await x);\nall.join(' and ')"),
        json!("a and b")
    );
    assert_eq!(value("await 1; (x => y => x + y)(1)(2)"), json!(3));
    assert_eq!(value("const s = await 'x'; s.concat`y`.at(0) + s"), json!("xx"));
    assert_eq!(failure("new Promise(() => {})"), "the value is a promise that is never settled");
    assert!(failure("await Promise.reject(new Error('no'))").starts_with("Error: no"));
}

#[test]
fn timers_fire_in_order_without_waiting() {
    let code = "const log = []; const t0 = Date.now();
        setTimeout(x => log.push(x), 3600e3, 'late'); setTimeout(() => log.push('soon'), 10);
        const gone = setTimeout(() => log.push('never'), 20); clearTimeout(gone);
        let n = 0; const i = setInterval(() => { log.push(++n); if (n === 3) clearInterval(i) }, 100);
        await new Promise(done => setTimeout(done, 7200e3));
        log.push(Date.now() - t0 >= 7200e3); log";
    assert_eq!(value(code), json!(["soon", 1, 2, 3, "late", true]));
    assert!(failure("setInterval(() => {}, 1)").contains("clearInterval"));
    assert!(failure("setTimeout(() => { throw new Error('in a timer') })").contains("in a timer"));
}

#[test]
fn the_input_is_a_variable() {
    let input = json!({ "n": [1, 2.5, "ü"], "big": 12_345_678_901_u64, "none": null });
    let arguments = json!({ "code": "input", "input": input });
    assert_eq!(testing::call_structured(&PLUGIN, "run", arguments).unwrap()["value"], input);
    assert_eq!(value("input"), json!(null));
    let arguments = json!({ "code": "input.toUpperCase()", "input": "grün" });
    assert_eq!(testing::call_structured(&PLUGIN, "run", arguments).unwrap()["value"], "GRÜN");
}

#[test]
fn the_console_is_the_standard_output() {
    assert_eq!(
        stdout(
            "console.log('a', 1, null, undefined); console.error('b\\nc'); console.warn(); console.info({ x: [1] })"
        ),
        json!(["a 1 null undefined", "b", "c", "", "{\"x\":[1]}"])
    );
    assert_eq!(
        stdout(
            "console.log(1n, Symbol('s'), function f() {}, new TypeError('t'), /r/g, new Date(0), new Map([['k', 1]]))"
        ),
        json!(["1n Symbol(s) [function f] TypeError: t /r/g 1970-01-01T00:00:00.000Z {\"k\":1}"])
    );
    assert_eq!(stdout("const o = {}; o.o = o; console.log(o)"), json!(["[object that cannot be shown]"]));
    assert_eq!(
        stdout("console.assert(true); console.assert(false, 'x'); console.time()"),
        json!(["assertion failed x"])
    );
}

#[test]
fn the_console_is_bounded() {
    let lines = stdout("for (let i = 0; i < 10005; i++) console.log(i)");
    let lines = lines.as_array().unwrap();
    assert_eq!((lines.len(), &lines[10_000]), (10_001, &json!("… 5 more lines")));
    let lines = stdout("console.log('x'.repeat(2 ** 21)); console.log('y')");
    assert_eq!(lines, json!(["y", "… 1 more lines"]));
}

#[test]
fn values_become_json_as_one_would_write_them() {
    for (code, json) in [
        (
            "({ a: undefined, b() {}, c: Symbol(), d: NaN, e: -0, f: 1e21, g: 0.1 })",
            json!({ "d": null, "e": 0, "f": 1e21, "g": 0.1 }),
        ),
        ("[undefined, () => 1, Infinity, , null]", json!([null, null, null, null, null])),
        ("(function () {})", json!(null)),
        ("123456789012345678901234567890n", json!("123456789012345678901234567890")),
        ("2 ** 53 - 1", json!(9_007_199_254_740_991_i64)),
        ("new Date(Date.UTC(2024, 1, 29))", json!("2024-02-29T00:00:00.000Z")),
        ("new Date(NaN)", json!(null)),
        ("new Map([['a', new Set([1, 'x'])]])", json!({ "a": [1, "x"] })),
        ("new Map([[1, 'a'], ['b', 2]])", json!([[1, "a"], ["b", 2]])),
        ("new Uint8Array([1, 2])", json!([1, 2])),
        ("new RangeError('r')", json!({ "name": "RangeError", "message": "r" })),
        ("/a/gi", json!("/a/gi")),
        ("[new String('s'), new Number(1), new Boolean(false), Object(2n)]", json!(["s", 1, false, "2"])),
        ("({ toJSON(key) { return { key, self: 1 } } })", json!({ "key": "", "self": 1 })),
        ("'\\ud83d\\ude00 \\ud83d'", json!("😀 \u{FFFD}")),
        ("const s = { x: 1 }; [s, s]", json!([{ "x": 1 }, { "x": 1 }])),
        ("class P { constructor() { this.a = 1 } get b() { return 2 } }; new P()", json!({ "a": 1 })),
        (
            "Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } })",
            json!({ "own": 2 }),
        ),
        ("new Proxy({ a: 1 }, {})", json!({ "a": 1 })),
        ("({ 2: 'b', 1: 'a', z: 1 })", json!({ "1": "a", "2": "b", "z": 1 })),
        ("Object.create(null)", json!({})),
    ] {
        assert_eq!(value(code), json, "{code}");
    }
}

#[test]
fn values_that_cannot_become_json_are_told() {
    assert!(failure("const a = []; a.push({ a }); a").contains("refers to itself"));
    assert!(failure("let a = 1; for (let i = 0; i < 1000; i++) a = [a]; a").contains("more than 60 levels"));
    assert!(failure("new Array(2e6)").contains("more than 1000000 parts"));
    assert!(failure("({ get x() { throw new Error('getter') } })").contains("getter"));
}

#[test]
fn what_is_thrown_is_the_message_with_its_place() {
    assert_eq!(
        failure("let a = 1;\n  a.b.c"),
        "TypeError: cannot convert 'null' or 'undefined' to object (line 2, column 7)"
    );
    assert!(failure("\n\nthrow new RangeError('far')").starts_with("RangeError: far (line 3, column "));
    assert!(failure("await 1\nthrow new Error('after')").starts_with("Error: after (line 2, column "));
    assert_eq!(failure("throw 'text'"), "thrown: text (line 1, column 7)");
    assert_eq!(failure("throw { code: 7 }"), "thrown: {\"code\":7} (line 1, column 7)");
    assert!(failure("nowhere").contains("nowhere is not defined"));
    let said = failure("console.log('one'); console.log('two'); throw new Error('x')");
    assert!(said.ends_with("printed before:\none\ntwo"), "{said}");
    assert!(failure("throw new Error('x'.repeat(1e6))").len() < 5000);
}

#[test]
fn code_that_is_none_is_refused_with_its_line() {
    for (code, line) in [("let a = ;", "line 1"), ("1;\n2 +;\n", "line 2"), ("await 1;\n(;", "line 2"), ("}", "line 1")]
    {
        let error = run(code).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{code}");
        assert!(error.message().contains(line), "{code}: {error}");
    }
    for code in ["} function f() {", "return 1 }", "'unclosed", "`${", "import x from 'y'"] {
        assert_eq!(run(code).unwrap_err().kind(), ErrorKind::InvalidArguments, "{code}");
    }
}

/// A build for tests takes many times the stack of the component.
fn with_room(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 * 1024 * 1024).spawn(body).unwrap();
    thread.join().unwrap();
}

#[test]
fn recursion_ends_in_an_error_and_not_in_a_crash() {
    with_room(|| {
        assert!(failure("function f() { return f() }; f()").contains("RangeError"));
        assert!(failure("function f() { return [1].map(f) }; f()").contains("RangeError"));
        assert!(failure("const o = { get x() { return this.x } }; o.x").contains("RangeError"));
        assert_eq!(value("function f(n) { return n ? 1 + f(n - 1) : 0 }; f(300)"), json!(300));
    });
}

#[test]
fn brackets_one_in_another_are_bounded() {
    with_room(|| {
        let deep = format!("{}1{}", "(".repeat(101), ")".repeat(101));
        assert_eq!(run(&deep).unwrap_err().kind(), ErrorKind::InvalidArguments);
        assert_eq!(value(&format!("'{}'.length // {}", "(".repeat(500), "[".repeat(500))), json!(500));
        assert_eq!(value(&format!("{}1{}", "(".repeat(90), ")".repeat(90))), json!(1));
    });
}

#[test]
fn there_is_no_way_out() {
    for name in ["require", "process", "fetch", "XMLHttpRequest", "Deno", "document"] {
        assert_eq!(value(&format!("typeof {name}")), json!("undefined"), "{name}");
    }
    assert!(failure("await import('fs')").contains("Error"));
    assert_eq!(value("new Date(2024, 0, 1).toISOString()"), json!("2024-01-01T00:00:00.000Z"));
}

#[test]
fn a_program_leaves_nothing_to_the_next() {
    assert_eq!(value("globalThis.left = 1; Array.prototype.map = null; left"), json!(1));
    assert_eq!(value("[typeof left, typeof [].map]"), json!(["undefined", "function"]));
}

#[test]
fn the_language_is_a_present_one() {
    for (code, json) in [
        ("const { a, ...rest } = { a: 1, b: 2 }; rest?.b ?? 0", json!(2)),
        ("[...new Set([3, 1, 3])].toSorted()", json!([1, 3])),
        ("'2024-05-06'.match(/(?<y>\\d+)-(?<m>\\d+)/).groups.m", json!("05")),
        ("function* g() { yield* [1, 2] }; [...g()]", json!([1, 2])),
        ("Object.groupBy([1, 2, 3], n => n % 2 ? 'odd' : 'even')", json!({ "even": [2], "odd": [1, 3] })),
        ("class A { #x = 1; static s = 2; get x() { return this.#x } }; new A().x + A.s", json!(3)),
        ("`${1_000}${'ß'.toUpperCase()}`.padStart(8, '*')", json!("**1000SS")),
        ("JSON.parse('{\"a\":[1e3]}').a[0]", json!(1000)),
        ("[3, 1, 2].sort((a, b) => b - a).join()", json!("3,2,1")),
        ("'a-b'.replaceAll('-', '+').normalize('NFC').at(-1)", json!("b")),
        ("0.1 + 0.2", json!(0.1 + 0.2)),
        ("(12345.678).toFixed(1) + (255).toString(16)", json!("12345.7ff")),
    ] {
        assert_eq!(value(code), json, "{code}");
    }
}

/// Runs a program; `files.read` answers with the path, `mail.send` fails after its effect, nothing else is granted.
fn with_tools(code: &'static str) -> Result<Value, ToolError> {
    let answer = |tool: &str, arguments: &Value| match tool {
        "files.read" => Ok(json!({ "text": format!("in {}", arguments["path"].as_str().unwrap_or("nothing")) })),
        "mail.send" => Err(ToolError::unavailable("the line broke").effect_unknown()),
        "mail.count" => Err(ToolError::rate_limited("later", Some(7))),
        _ => Err(ToolError::denied(format!("`{tool}` is not granted"))),
    };
    testing::with_tools(answer, || run(code))
}

#[test]
fn a_program_calls_other_tools() {
    for (code, json) in [
        ("(await tools.call('files.read', { path: '/a' })).text", json!("in /a")),
        ("(await tools.files.read({ path: '/b' })).text", json!("in /b")),
        ("await tools.files.read()", json!({ "text": "in nothing" })),
        ("const both = await Promise.all(['/a', '/b'].map(path => tools.files.read({ path }))); both.length", json!(2)),
        ("tools.files.read({ path: '/c' }).then(r => r.text.length)", json!(5)),
        (
            "[typeof tools.then, typeof tools.files.then, typeof tools.call]",
            json!(["undefined", "undefined", "function"]),
        ),
    ] {
        assert_eq!(with_tools(code).unwrap_or_else(|error| panic!("{code}: {error}"))["value"], json, "{code}");
    }
}

#[test]
fn what_a_tool_reports_is_thrown_with_its_code_and_effect() {
    let caught = "try { await tools.mail.send({}) } catch (e) {
        [e instanceof ToolError, e instanceof Error, e.name, e.message, e.code, e.effect, e.tool] }";
    let body = caught.replace("\n        [", " return [");
    let body: &'static str = Box::leak(body.into_boxed_str());
    let said = with_tools(body).unwrap()["value"].take();
    assert_eq!(said, json!([true, true, "ToolError", "the line broke", "unavailable", "unknown", "mail.send"]));
    let later = with_tools("try { await tools.mail.count() } catch (e) { return e.retryAfter }").unwrap();
    assert_eq!(later["value"], json!(7));
    let error = with_tools("await tools.other.thing()").unwrap_err();
    assert!(error.message().starts_with("ToolError: `other.thing` is not granted"), "{error}");
    let error = with_tools("await tools.call(3)").unwrap_err();
    assert!(error.message().contains("needs the name of a tool"), "{error}");
    let error = with_tools("const a = []; a.push(a); await tools.files.read({ a })").unwrap_err();
    assert!(error.message().contains("cannot become JSON"), "{error}");
}
