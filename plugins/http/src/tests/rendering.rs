//! Pages as Markdown.

use proptest::prelude::*;

use crate::html::Document;

fn markdown(html: &str) -> String {
    Document::parse(html, "https://a.example/dir/page").markdown()
}

fn plain(html: &str) -> String {
    Document::parse(html, "https://a.example/dir/page").plain_text()
}

#[test]
fn headings_paragraphs_and_rules() {
    assert_eq!(markdown("<h1>A</h1><h3> B\n<br>C </h3>x<p>y\n  z<hr>end"), "# A\n\n### B C\n\nx\n\ny z\n\n---\n\nend");
    assert_eq!(markdown("<h2></h2><p>  </p><div><div>x</div></div>"), "x");
    assert_eq!(markdown("one<br>two<br><br>three<br>"), "one  \ntwo  \nthree");
}

#[test]
fn the_title_stands_in_for_a_missing_heading() {
    assert_eq!(markdown("<title>T &amp; U</title><p>x"), "# T & U\n\nx");
    assert_eq!(markdown("<title>T</title><h1>H</h1>"), "# H");
    assert_eq!(markdown("<title>T</title>"), "# T");
    assert_eq!(markdown(""), "");
}

#[test]
fn emphasis_keeps_white_space_outside() {
    assert_eq!(markdown("a<b> b </b>c <i>d</i><em> e</em>. <del>f</del>"), "a **b** c *d* *e*. ~~f~~");
    assert_eq!(markdown("<b><strong>x <i>y</i></strong></b><b> </b>z"), "**x *y*** z");
    assert_eq!(markdown("<b><p>x</p><p>y</p></b>"), "x\n\ny");
}

#[test]
fn links_and_pictures_are_absolute() {
    assert_eq!(
        markdown("<a href='../x y?q#f'>to <b>x</b></a> <img src=i.png alt='An [image]'>"),
        "[to **x**](https://a.example/x%20y?q#f) ![An \\[image\\]](https://a.example/dir/i.png)"
    );
    assert_eq!(markdown("<a href='javascript:x()'>a</a> <a href='#x'>b</a> <a href='/c'></a><img src=x>"), "a b");
    assert_eq!(markdown("<a href='/c' title='C'><svg><path/></svg></a>"), "[C](https://a.example/c)");
    assert_eq!(markdown("<a href='/w_(x)'>w</a>"), "[w](<https://a.example/w_(x)>)");
    assert_eq!(markdown("<img alt=x src='data:image/png;base64,AAAA'>"), "x");
    assert_eq!(markdown("<a href=/p><h3>Head</h3><p>Text</p></a>"), "[Head Text](https://a.example/p)");
}

#[test]
fn code_keeps_its_text() {
    assert_eq!(markdown("<p>use <code>a*b_c</code> and <kbd>`</kbd>"), "use `a*b_c` and `` ` ``");
    assert_eq!(
        markdown("<pre><code class='x language-rust'>fn  f() {\n    *x\n}\n</code></pre>"),
        "```rust\nfn  f() {\n    *x\n}\n```"
    );
    assert_eq!(markdown("<pre>a<br>``` b</pre>"), "````\na\n``` b\n````");
    assert_eq!(markdown("<pre> </pre>"), "");
}

#[test]
fn lists_nest_and_count() {
    assert_eq!(
        markdown("<ul><li>a<ul><li>b</ul><li>c<p>d</p></ul><ol start=9><li>x<li>y<ol><li>z</ol></ol>"),
        "- a\n  - b\n- c\n\n  d\n\n9. x\n10. y\n    1. z"
    );
    assert_eq!(markdown("<ul><li>a</li><ul><li>b</ul><li></li></ul>"), "- a\n  - b");
    assert_eq!(markdown("<ol><li><pre>x\n\ny</pre></ol>"), "1. ```\n   x\n\n   y\n   ```");
}

#[test]
fn quotes_and_definitions() {
    assert_eq!(markdown("<blockquote><p>a<p>b<ul><li>c</ul></blockquote>"), "> a\n>\n> b\n>\n> - c");
    assert_eq!(markdown("<dl><dt>T<dd>D</dl>"), "**T**\n\nD");
}

#[test]
fn tables_of_data_are_tables() {
    assert_eq!(
        markdown(
            "<table><caption>C</caption><thead><tr><th>A<th>B|C</thead><tr><td>1<br>2<td><p>x</p><p>y</p>\
             <tr><td colspan=2>z<tr></table>"
        ),
        "C\n\n| A | B\\|C |\n| --- | --- |\n| 1 2 | x y |\n| z |"
    );
    assert_eq!(plain("<table><tr><td>a<td>b<tr><td>c<td>d</table>"), "a\tb\nc\td");
}

#[test]
fn tables_of_layout_are_not() {
    assert_eq!(markdown("<table><tr><td><h2>A</h2><td>b</table>"), "## A\n\nb");
    assert_eq!(markdown("<table role=presentation><tr><td>a<td>b</table>"), "a\n\nb");
    assert_eq!(markdown("<table><tr><td>a<tr><td>b</table>"), "a\n\nb");
}

#[test]
fn what_nobody_sees_is_left_out() {
    assert_eq!(
        markdown(
            "<style>p{}</style><script>var a='<p>no</p>'</script><template>no</template><p hidden>no</p>\
             <p style='display : none'>no</p><i aria-hidden=true>no</i><select><option>no</select><textarea>no</textarea>\
             <!-- no --><svg><text>no</text></svg><noscript>Turn scripts on</noscript>"
        ),
        "Turn scripts on"
    );
    assert_eq!(markdown("a\u{AD}b\u{200B}c&nbsp;&nbsp; d"), "abc d");
}

#[test]
fn text_that_looks_like_markup_stays_text() {
    assert_eq!(markdown("<p># a<p>- b<p>1. c<p>&gt; d<p>--- <p>2024 e<p>#f<p>-g"), {
        "\\# a\n\n\\- b\n\n1\\. c\n\n\\> d\n\n\\---\n\n2024 e\n\n#f\n\n-g"
    });
    assert_eq!(markdown("*a* snake_case _b_ `c` \\ &lt;d> 1 &lt; 2 [e](f) [g]"), {
        "\\*a\\* snake_case \\_b\\_ \\`c\\` \\\\ \\<d> 1 < 2 [e\\](f) [g]"
    });
    assert_eq!(plain("<p># *a* <b>b</b> <a href=/c>c</a></p><blockquote>d</blockquote>"), "# *a* b c\n\nd");
}

#[test]
fn a_broken_page_is_read_as_browsers_read_it() {
    assert_eq!(
        markdown("<p>a<div>b</p></div></span>c</body>d<table>e<tr><td>f<td>g"),
        "a\n\nb\n\ncde\n\n| f | g |\n| --- | --- |"
    );
    assert_eq!(markdown("<a href=x>a<a href=y>b"), "[a](https://a.example/dir/x)[b](https://a.example/dir/y)");
    assert_eq!(markdown("<my-thing>x</my-thing><ruby>漢<rp>(</rp><rt>kan</rt></ruby>"), "x漢kan");
}

#[test]
fn a_page_that_is_very_deep_is_read_to_its_end() {
    for tag in ["div", "blockquote", "ul><li", "b", "span", "table><tr><td", "a href=x", "font"] {
        let html = format!("{}the end", format!("<{tag}>").repeat(600));
        assert!(markdown(&html).contains("the end"), "{tag}");
        assert!(plain(&html).contains("the end"), "{tag}");
    }
}

#[test]
fn what_follows_a_very_deep_part_keeps_its_markup() {
    let html = format!("{}deep{}<h2>Then</h2><p>x <b>y</b></p>", "<div>".repeat(180), "</div>".repeat(180));
    assert_eq!(markdown(&html), "deep\n\n## Then\n\nx **y**");
    let html = format!("{}<script>no()</script>deep<style>no</style>", "<div>".repeat(300));
    assert_eq!(markdown(&html), "deep");
}

#[test]
fn a_long_page_takes_no_time_by_the_square_of_its_length() {
    let begin = std::time::Instant::now();
    assert!(plain(&format!("{}end", "<div>".repeat(50_000))).ends_with("end"));
    assert!(plain(&format!("start{}", "</b></p>".repeat(5_000))).starts_with("start"));
    assert!(plain(&"<p><b a=1><i b=2><font c=3>x</p>".repeat(3_000)).starts_with("x"));
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

#[test]
fn a_page_cannot_grow_without_bound() {
    let base = format!("<base href='/{}/'>", "b".repeat(4000));
    let links = format!("{base}{}", "<a href=x>y</a>".repeat(6_000));
    assert!(markdown(&links).len() < 12 << 20);
    let wide = format!("<table>{}{}</table>", "<tr><td colspan=1000>x<td>y".repeat(10), "<tr><td>x<td>".repeat(5_000));
    assert!(markdown(&wide).len() < 1 << 18);
    let quoted = format!("{}{}", "<blockquote>".repeat(300), "x<br>".repeat(4_000));
    assert!(markdown(&quoted).len() < 1 << 18);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_page_does_harm(parts in proptest::collection::vec(
        prop_oneof![
            "</?(p|div|b|i|a href=x|table|tr|td|th|caption|ul|ol|li|pre|code|h1|blockquote|br|img alt=x src=y|template|svg|math|select|option|form|base href=z|head|body|html|frameset|dl|dt)>",
            "[ -~ü\n]{0,8}",
        ], 0..60)) {
        let html = parts.concat();
        markdown(&html);
        plain(&html);
        Document::parse(&html, "not an address").links();
    }
}
